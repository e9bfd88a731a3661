"""Sparse upcycling in arrays, as `serving.llm.upcycle` does it with torch.

Every expert begins as the dense layer (Komatsuzaki 2022, arXiv 2212.05055), the gate as small
noise. With weights that add up to 1 the output is the dense one's. Gates are drawn by numpy, so
that an adapter can be put to use where there is no torch.
"""

from typing import Any

import numpy as np

from serving.llm.train_router.base import Shape, State

GATE_SPREAD = 0.02
"""Standard deviation of a new gate, as the layers of the family are initialised."""


def moe_state(dense: State, shape: Shape, *, experts: int, seed: int) -> State:
    """Return the state of the sparse model; the arrays of experts are stacked, expert first.

    Names are those of Mixtral in transformers 5: ``mlp.gate.weight (experts, hidden)``,
    ``mlp.experts.gate_up_proj (experts, 2 inner, hidden)`` and
    ``mlp.experts.down_proj (experts, hidden, inner)``.
    """
    noise = np.random.default_rng(seed)
    state = {name: values for name, values in dense.items() if ".mlp." not in name}
    for layer in range(shape.layers):
        old, new = f"model.layers.{layer}.mlp", f"model.layers.{layer}.mlp"
        both = np.concatenate(
            [dense[f"{old}.gate_proj.weight"], dense[f"{old}.up_proj.weight"]], axis=0
        )
        state[f"{new}.experts.gate_up_proj"] = np.repeat(both[None], experts, axis=0)
        state[f"{new}.experts.down_proj"] = np.repeat(
            dense[f"{old}.down_proj.weight"][None], experts, axis=0
        )
        gate = noise.normal(0.0, GATE_SPREAD, (experts, shape.hidden))
        state[f"{new}.gate.weight"] = gate.astype(np.float32)
    return state


def moe_config(shape: Shape, *, experts: int, experts_per_token: int) -> dict[str, Any]:
    """Return the ``config.json`` of the sparse model."""
    return {
        "architectures": ["MixtralForCausalLM"],
        "model_type": "mixtral",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.hidden // shape.heads,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_theta": shape.rope_base,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_base},
        "tie_word_embeddings": True,
        "sliding_window": None,
        "num_local_experts": experts,
        "num_experts_per_tok": experts_per_token,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "torch_dtype": "bfloat16",
    }
