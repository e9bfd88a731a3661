"""The model card and the card of each tool, from the data file and from the tools themselves."""

from functools import cache
from importlib.resources import files
from typing import Literal, Self

import yaml
from pydantic import ValidationError, model_validator

from agent.assessment import RESEARCH_USE
from agent.provenance import installed
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.reference import strict_yaml, table_hash, table_names
from serving.access.errors import NotFoundError
from tools.toolbox import discover

FILE = "model_card.yaml"

Group = Literal[
    "details",
    "purpose",
    "out-of-scope",
    "development",
    "fairness",
    "external-validation",
    "performance",
    "maintenance",
    "update",
]


class Attribute(Frozen):
    """One source attribute: known, or not available with the reason.

    Args:
        group: Where it belongs.
        name: What it is.
        answer: What is known.
        not_available: Why nothing is.
    """

    group: Group
    name: str
    answer: str = ""
    not_available: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.answer) == bool(self.not_available):
            raise ValueError("an attribute is known, or says why it is not")
        return self


class Regulatory(Frozen):
    """What a regulatory tag means."""

    tag: Literal["evidence-cds", "device-function"]
    text: str


class ToolFacts(Frozen):
    """The card of one tool.

    Args:
        name: Its name.
        title: Name to show.
        version: Of the tool.
        group: ``laboratory``, ``risk``, ``ecg``.
        regulatory: Its tag.
        needs: What it must be given.
        refuses: What it does not accept.
        limits: The contract.
        sources: Behind the method.
        accuracy: Measured error with data set and n; empty where none was measured.
        notice: Research use.
    """

    name: str
    title: str
    version: str
    group: str
    regulatory: Literal["evidence-cds", "device-function"]
    needs: tuple[str, ...]
    refuses: tuple[str, ...]
    limits: tuple[str, ...]
    sources: tuple[str, ...]
    accuracy: tuple[str, ...]
    notice: str = RESEARCH_USE


class Prose(Frozen):
    """What the data file says."""

    title: str
    version: str
    licence: str
    intended_use: str
    intended_users: str
    intended_patients: str
    decision_role: str
    not_for: tuple[str, ...]
    regulatory: tuple[Regulatory, ...]
    attributes: tuple[Attribute, ...]


class ModelCard(Prose):
    """The whole card.

    Args:
        product: Version of this product.
        reference_sha256: Reference file to its SHA-256: the numbers behind every statement.
        tools: The card of each tool.
    """

    product: str
    reference_sha256: dict[str, str]
    tools: tuple[ToolFacts, ...]
    notice: str = RESEARCH_USE


@cache
def prose() -> Prose:
    """Return what the data file says.

    Raises:
        ReferenceDataError: It is not valid.
    """
    content = files("serving.model_card").joinpath(FILE).read_bytes()
    try:
        return Prose.model_validate(strict_yaml(content))
    except (yaml.YAMLError, ValidationError) as error:
        raise ReferenceDataError(FILE, f"is not valid: {type(error).__name__}") from error


def tool_cards() -> tuple[ToolFacts, ...]:
    """Return the card of every tool, by name."""
    return tuple(
        ToolFacts(
            name=name,
            title=tool.card.title,
            version=tool.version,
            group=tool.card.group,
            regulatory=tool.card.regulatory,
            needs=tool.card.needs,
            refuses=tool.card.refuses,
            limits=tool.card.limits,
            sources=tool.card.sources,
            accuracy=tool.card.accuracy,
        )
        for name, tool in sorted(discover().items())
    )


def tool_card(name: str) -> ToolFacts:
    """Return the card of one tool.

    Raises:
        NotFoundError: There is none of that name.
    """
    found = next((card for card in tool_cards() if card.name == name), None)
    if found is None:
        raise NotFoundError("tool")
    return found


def model_card() -> ModelCard:
    """Return the whole card."""
    return ModelCard(
        **dict(prose()),
        product=installed("epicrisis"),
        reference_sha256={name: table_hash(name) for name in table_names()},
        tools=tool_cards(),
    )
