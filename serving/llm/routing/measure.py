"""Run a mixture over prompts with transformers, and note which experts work on each token."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from knowledge.errors import ContractError, UnreadableError
from serving.llm.routing.prompts import Conversation
from serving.llm.routing.report import Routing, routing
from serving.llm.upcycle import extra
from serving.llm.upcycle.equal import routers
from serving.llm.upcycle.make import counted

FORMS = {"mixtral": "num_local_experts", "qwen2_moe": "num_experts", "qwen3_moe": "num_experts"}
"""Architectures whose routers return logits, weights and experts, and the field of their number."""
MOST_TOKENS = 2048
"""Of one prompt; what is longer is cut, and counted as cut."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was found in one run.

    Args:
        form: Architecture, as the configuration names it.
        routing: What was counted.
        total: Numbers in its tensors, tied ones once.
        active: Of them, those that work on one token.
        identical: Whether all experts of every layer have the same weights.
        cut: Prompts that were cut.
        prompts: Prompts that were run.
    """

    form: str
    routing: Routing
    total: int
    active: int
    identical: bool
    cut: int
    prompts: int


def measure(folder: Path, prompts: Mapping[str, Conversation]) -> Measured:
    """Return what was counted while a checkpoint read the prompts.

    Args:
        folder: A checkpoint of transformers with safetensors; no code of it is run.
        prompts: What it reads; the chat template of the checkpoint is put around each.

    Raises:
        UnreadableError: No checkpoint is there.
        ContractError: It is no mixture of a kind whose routers can be read.
        UnavailableError: It cannot be loaded, or a package is missing.
    """
    form, experts = _form(folder)
    torch = extra.torch()
    model, tokenizer = extra.checkpoint(folder, torch.bfloat16)
    seen: list[list[NDArray[np.int64]]] = []
    first: list[list[float]] = []
    handles = []
    for number, router in enumerate(routers(model)):
        seen.append([])
        first.append([])
        handles.append(router.register_forward_hook(_noting(seen[number], first[number])))
    cut = 0
    try:
        with torch.no_grad():
            for messages in prompts.values():
                ids = _ids(tokenizer, messages)
                cut += int(ids.shape[1] > MOST_TOKENS)
                model(input_ids=ids[:, :MOST_TOKENS], use_cache=False)
    finally:
        for handle in handles:
            handle.remove()
    total, active = counted(model)
    return Measured(
        form=form,
        routing=routing(
            [np.concatenate(layer) for layer in seen],
            [float(np.mean(layer)) for layer in first],
            experts=experts,
        ),
        total=total,
        active=active,
        identical=_identical(model),
        cut=cut,
        prompts=len(prompts),
    )


def _form(folder: Path) -> tuple[str, int]:
    """Return the architecture and the number of experts, from the configuration alone."""
    try:
        config = orjson.loads((folder / "config.json").read_bytes())
        form = config["model_type"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnreadableError(
            str(folder), "has no configuration of a checkpoint", "name the folder with config.json"
        ) from error
    if form not in FORMS:
        raise ContractError(
            str(folder), f"is of the kind {form!r}", f"a mixture of: {', '.join(FORMS)}"
        )
    if "auto_map" in config:
        raise ContractError(str(folder), "asks for code of its own (auto_map)", "never run")
    return form, int(config[FORMS[form]])


def _ids(tokenizer: Any, messages: Conversation) -> Any:
    said = [message.model_dump() for message in messages]
    text = tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
    return tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]


def _noting(seen: list[NDArray[np.int64]], first: list[float]) -> Any:
    """Return a hook that keeps the experts of each token and the mean weight of the first."""

    def note(module: Any, given: Any, said: Any) -> None:
        logits, _, chosen = said
        seen.append(chosen.reshape(-1, chosen.shape[-1]).numpy().astype(np.int64))
        first.append(float(logits.float().softmax(-1).max(-1).values.mean()))

    return note


def _identical(model: Any) -> bool:
    """Return whether all experts of every layer have the same weights."""
    stacked = [p for name, p in model.named_parameters() if ".mlp.experts." in name]
    return bool(stacked) and all(bool((p == p[:1]).all()) for p in stacked)
