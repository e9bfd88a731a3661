"""Models, machines and loads that tests share; hypothesis draws plain numbers."""

from hypothesis import strategies as st

from serving.llm.capacity.machine import Effective
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.workload import Slo, Workload

GIB = float(1 << 30)


def dense(**changes: object) -> ModelNumbers:
    """A dense model of 1 billion parameters in two bytes, 100 kB a token."""
    fields: dict[str, object] = {
        "id": "dense",
        "name": "Dense",
        "weights": "bfloat16",
        "other_params": 1e9,
        "other_bytes": 2e9,
        "kv_bytes_per_token": 100e3,
        "kv_shards": 8,
    }
    return ModelNumbers.model_validate({**fields, **changes})


def mixture(**changes: object) -> ModelNumbers:
    """1 billion for every token and 16 billion in 32 experts, of which a token passes 2."""
    return dense(
        **{
            "id": "mixture",
            "routed_params": 16e9,
            "routed_bytes": 32e9,
            "experts": 32,
            "top_k": 2,
            **changes,
        }
    )


def machine(**changes: object) -> Effective:
    """1 TB/s, 100 TFLOP/s, 40 GB, no overhead."""
    fields: dict[str, object] = {"bytes_per_s": 1e12, "flops_per_s": 1e14, "usable_bytes": 40e9}
    return Effective.model_validate({**fields, **changes})


def work(**changes: object) -> Workload:
    """100 cases an hour of 4 requests: 4,000 tokens in, 400 out, half of them cached."""
    fields: dict[str, object] = {
        "users": 2,
        "cases_per_hour": 100,
        "calls_per_case": 4,
        "tokens_in": 4000,
        "tokens_out": 400,
        "cache_hit": 0.5,
    }
    return Workload.model_validate({**fields, **changes})


SLO = Slo(ttft_s=5, tpot_ms=100, source="test")

MODELS = st.builds(
    mixture,
    other_params=st.floats(1e8, 5e9),
    other_bytes=st.floats(1e8, 1e10),
    routed_params=st.floats(0, 1e11),
    routed_bytes=st.floats(0, 2e11),
    experts=st.sampled_from((8, 32, 128)),
    top_k=st.integers(1, 8),
    kv_bytes_per_token=st.floats(1e3, 5e5),
    kv_window_bytes_per_token=st.sampled_from((0.0, 2e4)),
    kv_window=st.sampled_from((0, 128, 1024)),
    kv_state_bytes=st.sampled_from((0.0, 3e7)),
    kv_shards=st.sampled_from((1, 2, 8)),
    reply_score_flops=st.floats(0, 2e7),
)
MACHINES = st.builds(
    machine,
    bytes_per_s=st.floats(5e11, 8e12),
    flops_per_s=st.floats(5e13, 2e15),
    overhead_s=st.floats(0, 0.005),
    link_s=st.floats(0, 0.008),
    node_link_s=st.floats(0, 0.012),
    usable_bytes=st.floats(1e10, 2e11),
    imbalance=st.floats(1, 2),
)
