"""The weights of the mixture, from those of the dense model.

Sparse upcycling (Komatsuzaki et al. 2022, arXiv:2212.05055): every expert begins as a copy, the
router is new. With equal experts and router weights that add up to one the outputs are those of the
dense model whatever the router does, up to rounding.

In the Qwen form a third of the neurons go to the shared expert. Its gate begins at zero, and
sigmoid(0) is a half; so its output weights are doubled, which is exact in binary arithmetic.
"""

import re
from collections.abc import Mapping
from typing import Any

from knowledge.errors import ContractError
from serving.llm.upcycle.plan import Plan
from serving.llm.upcycle.shape import shared_neurons

ROUTER_STD = 0.02
"""Of the new router's normal distribution: the `initializer_range` of both architectures."""
_LAYER = re.compile(r"^model\.layers\.(\d+)\.(.+)$")


def upcycled(
    dense: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]], plan: Plan, torch: Any
) -> dict[str, Any]:
    """Return every tensor of the mixture.

    Args:
        dense: Tensors of the dense model by name.
        wanted: Shape of every tensor of the mixture by name.
        plan: What is to be made.
        torch: The package.

    Raises:
        ContractError: A tensor has no origin in the dense model, or another shape: the installed
            transformers is not one that this was written for.
    """
    made, chance = {}, torch.Generator().manual_seed(plan.seed)
    for name in sorted(wanted):
        if name in dense:
            made[name] = dense[name]
            continue
        found = _LAYER.match(name)
        if found is None:
            raise ContractError(name, "has no origin in the dense model")
        mlp = {
            part: dense[f"model.layers.{found[1]}.mlp.{part}_proj.weight"]
            for part in ("gate", "up", "down")
        }
        made[name] = _tensor(found[2], wanted[name], mlp, plan, torch, chance)
    for name, tensor in made.items():
        if tuple(tensor.shape) != tuple(wanted[name]):
            raise ContractError(
                name, f"would be {tuple(tensor.shape)} and must be {tuple(wanted[name])}"
            )
    return made


def _tensor(
    part: str, shape: tuple[int, ...], mlp: Mapping[str, Any], plan: Plan, torch: Any, chance: Any
) -> Any:
    """Return one tensor of a layer that the dense model has not."""
    shared = 0 if plan.form == "mixtral" else shared_neurons(mlp["gate"].shape[0])
    match part:
        case "mlp.gate.weight":
            return torch.randn(shape, generator=chance) * ROUTER_STD
        case "mlp.experts.gate_up_proj":
            one = torch.cat([mlp["gate"][shared:], mlp["up"][shared:]])
            return one[None].repeat(plan.experts, 1, 1)
        case "mlp.experts.down_proj":
            return mlp["down"][:, shared:][None].repeat(plan.experts, 1, 1)
        case "mlp.shared_expert.gate_proj.weight":
            return mlp["gate"][:shared].clone()
        case "mlp.shared_expert.up_proj.weight":
            return mlp["up"][:shared].clone()
        case "mlp.shared_expert.down_proj.weight":
            return 2 * mlp["down"][:, :shared]
        case "mlp.shared_expert_gate.weight":
            return torch.zeros(shape)
        case "self_attn.q_proj.bias" | "self_attn.k_proj.bias" | "self_attn.v_proj.bias":
            return torch.zeros(shape)
        case _:
            raise ContractError(part, "has no origin in the dense model")
