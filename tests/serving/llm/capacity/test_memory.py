"""What one accelerator holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.llm.capacity.layout import Layout
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.memory import most_sequences, most_tokens, rank_memory
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.profiles.load import profile
from tests.serving.llm.capacity.models import MACHINES, MODELS, dense, machine, mixture


def test_sequences_by_hand() -> None:
    # 40 GB less 2 GB of weights, 100 kB a token: 380,000 tokens, 95 sequences of 4,000
    assert most_tokens(dense(), Layout(), machine()) == 380_000
    assert most_sequences(dense(), Layout(), machine(), tokens=4000) == 95


def test_smollm2_in_one_gib_holds_the_tokens_that_vllm_reports() -> None:
    model = numbers_of(profile("smollm2-135m"))
    room = machine(usable_bytes=model.resident_bytes + 2**30)
    # vLLM 0.32 rounds down to blocks of 128: 46,592
    assert most_tokens(model, Layout(), room) // 128 * 128 == 46_592


def test_windows_and_states_take_room_once() -> None:
    model = dense(
        kv_bytes_per_token=0, kv_window_bytes_per_token=1e4, kv_window=1000, kv_state_bytes=9e6
    )
    # 38e9 / (1e7 + 9e6), whatever the length
    assert most_sequences(model, Layout(), machine(), tokens=5000) == 2000
    assert most_sequences(model, Layout(), machine(), tokens=50_000) == 2000
    # a short one has not filled its window: 38e9 / (1e6 + 9e6)
    assert most_sequences(model, Layout(), machine(), tokens=100) == 3800


def test_experts_are_spread_over_the_group_and_the_rest_over_tensor_ranks() -> None:
    rank = rank_memory(mixture(), Layout(tensor=2, data=4), machine())
    assert rank.weights == pytest.approx(2e9 / 2 + 32e9 / 8)


def test_data_ranks_copy_what_is_not_routed() -> None:
    one = rank_memory(mixture(), Layout(data=8), machine()).weights * 8
    assert one == pytest.approx(8 * 2e9 + 32e9)


def test_a_latent_vector_is_kept_by_every_tensor_rank() -> None:
    model = dense(kv_shards=1)
    assert rank_memory(model, Layout(tensor=8), machine()).kv_copies == 1.0


def test_dividing_contexts_ends_the_copies() -> None:
    model = dense(kv_shards=1)
    assert rank_memory(model, Layout(tensor=8, context=8), machine()).kv_copies == 1 / 8
    assert (
        rank_memory(dense(kv_shards=4), Layout(tensor=8, context=2), machine()).kv_copies == 1 / 8
    )


def test_few_heads_are_copied_beyond_their_number() -> None:
    model = dense(kv_shards=4)
    assert rank_memory(model, Layout(tensor=8), machine()).kv_copies == 0.25


def test_weights_that_do_not_fit_hold_nothing() -> None:
    tiny = machine(usable_bytes=1e9)
    assert not rank_memory(dense(), Layout(), tiny).fits
    assert most_sequences(dense(), Layout(), tiny, tokens=10) == 0
    assert most_tokens(dense(), Layout(), tiny) == 0


@given(MODELS, MACHINES, st.floats(1, 1e5), st.integers(1, 3))
def test_more_tensor_ranks_never_hold_fewer_sequences(
    model: ModelNumbers, one: Effective, tokens: float, power: int
) -> None:
    few, many = Layout(tensor=1 << (power - 1)), Layout(tensor=1 << power)
    assert most_sequences(model, many, one, tokens=tokens) >= most_sequences(
        model, few, one, tokens=tokens
    )


@given(MODELS, MACHINES, st.floats(1, 1e5), st.floats(0, 1e5))
def test_longer_sequences_never_fit_in_greater_number(
    model: ModelNumbers, one: Effective, tokens: float, more: float
) -> None:
    assert most_sequences(model, Layout(), one, tokens=tokens) >= most_sequences(
        model, Layout(), one, tokens=tokens + more
    )


@given(MODELS, MACHINES, st.floats(0, 1e11))
def test_more_memory_never_holds_less(model: ModelNumbers, one: Effective, more: float) -> None:
    larger = one.model_copy(update={"usable_bytes": one.usable_bytes + more})
    assert most_tokens(model, Layout(), larger) >= most_tokens(model, Layout(), one)
