"""An adapter in arrays: read from its file and added to the weights it was made for.

The file is what `peft` writes: low-rank pairs for attention, and for the stacked experts one pair
whose rank is that of all experts one after the other.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import UnavailableError
from serving.llm.train_router.base import Array, State

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
_PREFIX = "base_model.model."
_ITEM = "adapter of the router"


class _Scale(BaseModel):
    """What of the configuration of ``peft`` is used."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    r: int = Field(ge=1, le=1024)
    lora_alpha: float = Field(gt=0, le=4096)


def read_adapter(folder: Path) -> tuple[dict[str, Array], float]:
    """Return the arrays of an adapter, and what the product of a pair is multiplied with.

    Raises:
        UnavailableError: The folder holds no adapter, or a damaged one.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        about = _Scale.model_validate_json((folder / CONFIG).read_bytes())
        raw = load_file(folder / WEIGHTS)
    except (OSError, ValidationError, SafetensorError) as error:
        raise UnavailableError(
            _ITEM, f"{folder.name} holds none that can be read", "train one first"
        ) from error
    arrays = {name.removeprefix(_PREFIX): _float32(values) for name, values in raw.items()}
    _require_whole(arrays, folder)
    return arrays, about.lora_alpha / about.r


def merged(state: State, adapter: Mapping[str, Array], scale: float) -> State:
    """Return the state with the adapter added; what it does not touch is shared, not copied.

    Args:
        state: Of `moe_state`.
        adapter: Arrays by name, from `read_adapter`.
        scale: Of every pair.

    Raises:
        UnavailableError: The adapter is of another model: a name or a size does not fit.
    """
    result = dict(state)
    for name in sorted(adapter):
        if not name.endswith("lora_A.weight"):
            continue
        first, second = adapter[name], adapter[name.replace("lora_A", "lora_B")]
        target = _target(name.removesuffix(".lora_A.weight"), first, second, state)
        weight = state[target]
        if weight.ndim == 2:
            result[target] = result[target] + scale * (second @ first)
        else:
            result[target] = result[target] + scale * stacked(first, second, len(weight))
    return result


def stacked(first: Array, second: Array, experts: int) -> Array:
    """Return the change of stacked experts, ``(experts, out, in)``.

    Args:
        first: ``(experts * rank, in)``, expert by expert.
        second: ``(out, rank * experts)``, rank by rank.
        experts: How many.
    """
    a = first.reshape(experts, -1, first.shape[1])
    b = second.reshape(second.shape[0], -1, experts)
    product: Array = np.einsum("ore,eri->eoi", b, a, optimize=True).astype(np.float32)
    return product


def _require_whole(arrays: Mapping[str, Array], folder: Path) -> None:
    damaged = next((name for name, one in arrays.items() if not np.isfinite(one).all()), None)
    alone = next((name for name in arrays if _other(name) not in arrays), None)
    if not arrays:
        reason = "is empty"
    elif damaged is not None:
        reason = f"holds no numbers in {damaged}"
    elif alone is not None:
        reason = f"has {alone} without its pair"
    else:
        return
    raise UnavailableError(_ITEM, f"{folder.name} {reason}", "train again, or install again")


def _other(name: str) -> str:
    if "lora_A" in name:
        return name.replace("lora_A", "lora_B")
    return name.replace("lora_B", "lora_A")


def _target(module: str, first: Array, second: Array, state: State) -> str:
    """Return which weight a pair is for; nested wrappers of one module are told by their sizes."""
    plain = module.replace(".base_layer", "")
    for candidate in (f"{plain}.weight", f"{plain}.gate_up_proj", f"{plain}.down_proj"):
        weight = state.get(candidate)
        if weight is not None and weight.shape[-2:] == (second.shape[0], first.shape[1]):
            return candidate
    raise UnavailableError(_ITEM, f"{plain} is not in the model it is added to")


def _float32(values: NDArray[np.generic]) -> Array:
    return np.asarray(values, dtype=np.float32)
