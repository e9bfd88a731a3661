"""What can be asked for, and the configuration that follows; no heavy package is needed."""

from typing import Any

import pytest

from knowledge.errors import ContractError, InvalidValueError
from serving.llm.upcycle.plan import Form, Plan, plan
from serving.llm.upcycle.shape import config_fields

# config.json of HuggingFaceTB/SmolLM2-135M-Instruct, as its GGUF file also says
SMOLLM2: dict[str, Any] = {
    "model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536,
    "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": 64,
    "hidden_act": "silu", "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False,
    "rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"},
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("mixtral", 1, 1, "bfloat16", 0), "experts must be 2"),
        (("mixtral", 65, 1, "bfloat16", 0), "experts must be 2 to 64"),
        (("mixtral", 4, 5, "bfloat16", 0), "top-k is larger"),
        (("mixtral", 4, 0, "bfloat16", 0), "greater than 0"),
        (("qwen3-moe", 4, 2, "bfloat16", 0), "'mixtral' or 'qwen-moe'"),
        (("mixtral", 4, 2, "int8", 0), "'bfloat16' or 'float32'"),
        (("mixtral", 4, 2, "bfloat16", -1), "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(
    given: tuple[str, int, int, str, int], said: str
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        plan(*given)
    assert said in str(caught.value)
    assert "upcycling" in str(caught.value)


def test_mixtral_keeps_every_neuron_in_every_expert() -> None:
    fields = config_fields(SMOLLM2, Plan(form="mixtral", experts=4, top_k=2))
    assert fields["intermediate_size"] == 1536
    assert (fields["num_local_experts"], fields["num_experts_per_tok"]) == (4, 2)
    assert fields["rope_parameters"] == SMOLLM2["rope_parameters"]
    assert fields["sliding_window"] is None


def test_qwen_moe_shares_a_third_and_makes_the_weights_add_up_to_one() -> None:
    fields = config_fields(SMOLLM2, Plan(form="qwen-moe", experts=8, top_k=2))
    shared, routed = fields["shared_expert_intermediate_size"], fields["moe_intermediate_size"]
    assert (shared, routed) == (512, 1024)
    assert fields["norm_topk_prob"] is True
    assert fields["mlp_only_layers"] == []


@pytest.mark.parametrize("form", ["mixtral", "qwen-moe"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "qwen3"}, "qwen3"),
        ({"attention_bias": True}, "biases"),
        ({"mlp_bias": True}, "biases"),
        ({"head_dim": 128}, "heads"),
        ({"intermediate_size": 2}, "too few neurons"),
    ],
)
def test_a_dense_model_that_would_not_come_out_equal_is_refused(
    form: Form, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ContractError, match=said):
        config_fields({**SMOLLM2, **change}, Plan(form=form, experts=2, top_k=1))
