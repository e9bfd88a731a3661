"""Every model of this installation as a tool, with its contract as the card."""

import re
from collections.abc import Iterator
from typing import Any

from knowledge.settings import load_settings
from tools.models.contract import ModelContract
from tools.models.findings import measured_on
from tools.models.in_case import case_models
from tools.models.input_contract import InputContract
from tools.models.result import ModelResult
from tools.models.run import ask_or_say_why
from tools.models.sample import Sample
from tools.toolbox import Card, Family, Tool

GROUP = "model"


def _make() -> Iterator[Tool[..., Any]]:
    models = case_models(load_settings())
    if models is None:
        return
    taken: set[str] = set()
    for contract in models.store.contracts():
        name = _name(contract)
        if name in taken:  # ids that differ in punctuation alone
            name = f"{name}_{contract.onnx_sha256[:8]}"
        if name not in taken:
            taken.add(name)
            yield _tool(contract, name)


MODELS = Family(_make)


def _name(contract: ModelContract) -> str:
    return "model_" + re.sub(r"[^a-z0-9]+", "_", f"{contract.id}_{contract.version}".lower())


def _tool(contract: ModelContract, name: str) -> Tool[..., Any]:
    def asked(sample: Sample) -> ModelResult:
        models = case_models(load_settings())
        if models is None:  # it was there when the tools were listed
            raise LookupError(contract.name)
        return ask_or_say_why(models.store.open(contract.id, contract.version), sample).result

    asked.__doc__ = f"Return what {contract.title} says of an input, or why it says nothing."
    return Tool(asked, card=card_of(contract), version=contract.version, name=name)


def card_of(contract: ModelContract) -> Card:
    """Return what a user must know of a model before trusting it, from its description."""
    return Card(
        title=contract.title,
        group=GROUP,
        topic=contract.task,
        needs=(_needs(contract.input),),
        refuses=(
            "whatever is not shown to be what it was made for: no score, and every reason",
            *contract.contraindications,
        ),
        limits=(
            contract.intended_use,
            f"{contract.status}; {contract.regulatory_status}",
            f"made by {', '.join(contract.authors)}; licence {contract.licence}",
            f"trained on: {contract.training_data}",
        ),
        accuracy=measured_on(contract),
        on_request=True,
        regulatory="device-function",
    )


def _needs(given: InputContract) -> str:
    parts = [f"{given.kind}, {' or '.join(given.modality)}"]
    for name, values in (("view", given.views), ("body part", given.body_parts)):
        if values is not None:
            parts.append(f"{name} {' or '.join(values)}")
    if given.age_years is not None:
        parts.append(f"age {given.age_years[0]:g} to {given.age_years[1]:g} years")
    if given.spacing_mm is not None:
        spacing = " x ".join(f"{v:g}" for v in given.spacing_mm)
        parts.append(
            f"spacing {spacing} mm by a factor of up to {1 + (given.spacing_tolerance or 0):g}"
        )
    if given.fs_hz is not None:
        parts.append(f"{given.fs_hz:g} samples a second, leads {', '.join(given.leads or ())}")
    return "; ".join(parts)
