"""The configuration of a mixture of experts, from that of a dense model of the Llama family."""

from collections.abc import Mapping
from typing import Any

from knowledge.errors import ContractError
from serving.llm.upcycle.plan import Plan

_KEPT = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "hidden_act", "max_position_embeddings", "rms_norm_eps",
    "tie_word_embeddings", "rope_parameters", "bos_token_id", "eos_token_id", "pad_token_id",
)  # fmt: skip
CLASSES = {
    "mixtral": ("MixtralConfig", "MixtralForCausalLM"),
    "qwen-moe": ("Qwen2MoeConfig", "Qwen2MoeForCausalLM"),
}


def require_llama(dense: Mapping[str, Any]) -> None:
    """Raise if a configuration is of a dense model that cannot be upcycled exactly.

    Raises:
        ContractError: Another architecture, biases, or heads that do not fill the hidden size.
    """
    item = "dense model"
    if dense.get("model_type") != "llama":
        raise ContractError(
            item, f"is of the kind {dense.get('model_type')!r}", "a model of the Llama family"
        )
    if dense.get("attention_bias") or dense.get("mlp_bias"):
        raise ContractError(item, "has biases, which Mixtral has not")
    heads, hidden = dense["num_attention_heads"], dense["hidden_size"]
    if (dense.get("head_dim") or hidden // heads) * heads != hidden:
        raise ContractError(item, "has heads that are not the hidden size together")
    if dense["intermediate_size"] < 3:
        raise ContractError(item, "has too few neurons to share")


def shared_neurons(inner: int) -> int:
    """Return how many of a layer's feed-forward neurons the shared expert of Qwen-MoE takes.

    A third: the rest is what every routed expert begins with.

    Examples:
        >>> shared_neurons(1536)
        512
    """
    return inner // 3


def config_fields(dense: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return the fields of the configuration class of the form.

    Args:
        dense: Configuration of the dense model, as a mapping.
        plan: What is to be made.

    Raises:
        ContractError: The dense model cannot be upcycled exactly.
    """
    require_llama(dense)
    inner = dense["intermediate_size"]
    fields = {key: dense[key] for key in _KEPT if dense.get(key) is not None}
    fields |= {"num_experts_per_tok": plan.top_k}
    if plan.form == "mixtral":
        fields |= {
            "intermediate_size": inner,
            "num_local_experts": plan.experts,
            "sliding_window": None,
        }
        return fields
    shared = shared_neurons(inner)
    fields |= {
        "intermediate_size": inner,
        "num_experts": plan.experts,
        "moe_intermediate_size": inner - shared,
        "shared_expert_intermediate_size": shared,
        "norm_topk_prob": True,  # the weights of the experts that work add up to one
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "qkv_bias": True,  # vLLM's class always has them; here they are zero
        "use_sliding_window": False,
    }
    return fields
