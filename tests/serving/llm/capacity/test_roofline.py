"""Steps and prompts, by hand and against what a large service has published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.llm.capacity.accelerator import accelerator
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.roofline import decode_step, prompt_flops, prompt_rate, prompt_seconds
from serving.llm.profiles.load import profile
from tests.serving.llm.capacity.models import MACHINES, MODELS, dense, machine, mixture


def test_a_small_batch_is_bound_by_reading_weights() -> None:
    step = decode_step(dense(), Layout(), machine(), batch=1, context=1000)
    # 2 GB of weights + 100 MB of keys and values at 1 TB/s; arithmetic takes 20 us
    assert step.seconds == pytest.approx(2.1e-3)
    assert step.bound == "reading weights"


def test_a_large_batch_is_bound_by_arithmetic() -> None:
    step = decode_step(dense(), Layout(), machine(), batch=1000, context=1)
    # 2 x 1e9 x 1000 FLOPs at 100 TFLOP/s = 20 ms; reading takes 2.1 ms
    assert step.seconds == pytest.approx(20e-3)
    assert step.bound == "arithmetic"


def test_long_contexts_are_bound_by_keys_and_values() -> None:
    step = decode_step(dense(), Layout(), machine(), batch=10, context=10_000)
    assert step.kv_bytes == pytest.approx(10e9)
    assert step.bound == "reading keys and values"


def test_a_batch_of_one_reads_the_experts_of_one_token() -> None:
    step = decode_step(mixture(), Layout(), machine(), batch=1, context=0)
    assert step.weight_bytes == pytest.approx(2e9 + 32e9 * 2 / 32)
    assert step.touched == pytest.approx(2 / 32)


def test_the_same_batch_over_ranks_of_experts_reads_less_on_each() -> None:
    layout = Layout(data=4)
    step = decode_step(mixture(), layout, machine(imbalance=1.5), batch=4, context=0)
    touched = 1 - (30 / 32) ** 4
    assert step.weight_bytes == pytest.approx(2e9 + 32e9 * touched / 4 * 1.5)


def test_prompt_arithmetic_by_hand() -> None:
    model = dense(head_params=1e8, prompt_score_flops=1000.0)
    # 100 new tokens: 2 x 0.9e9 each, the head once, 100 x (900 cached + 50) looks of 1000 FLOPs
    expected = 100 * 1.8e9 + 2e8 + 100 * 950 * 1000
    assert prompt_flops(model, new=100, cached=900) == pytest.approx(expected)


def test_a_short_prompt_takes_one_reading_of_the_weights() -> None:
    # arithmetic of 10 tokens takes 0.2 ms, 2 GB at 1 TB/s take 2 ms
    assert prompt_seconds(dense(), Layout(), machine(), new=10, cached=0) == pytest.approx(2e-3)


def test_every_chunk_reads_the_weights_again() -> None:
    slow = machine(flops_per_s=1e18, chunk_tokens=100)
    assert prompt_seconds(dense(), Layout(), slow, new=250, cached=0) == pytest.approx(3 * 2e-3)


def test_deepseek_decoding_lies_within_the_published_speed() -> None:
    """DeepSeek, inference system of V3/R1 (day 6 of open-source week, 1 March 2025).

    14,800 output tokens/s for a node of 8 H800 at 20 to 22 tokens/s a user, experts over 144
    accelerators, 4,989 tokens of context on average. An H800 reads and computes as an H100.
    """
    model = numbers_of(profile("deepseek-v3"), weights="fp8")
    per_accelerator = 14_800 / 8 / 21
    batch = per_accelerator * 144
    worse, better = (
        decode_step(model, Layout(data=144), end, batch=batch, context=4989).seconds
        for end in accelerator("h100").ends("fp8")
    )
    assert better < 1 / 22
    assert worse > 1 / 20
    assert worse / better < 4, "a range this wide would hold anything"


def test_deepseek_prompts_lie_within_the_published_speed() -> None:
    """The same report: 73,700 prompt tokens/s for a node, 56.3 % of them cached; 32 ranks."""
    model = numbers_of(profile("deepseek-v3"), weights="fp8")
    computed = 73_700 * (1 - 0.563) / 8
    worse, better = (
        prompt_rate(model, Layout(data=32), end, new=2000, cached=2577) / 32
        for end in accelerator("h100").ends("fp8")
    )
    assert worse < computed < better


@given(MODELS, MACHINES, st.floats(1, 500), st.floats(0, 500), st.floats(0, 1e5))
def test_more_replies_at_once_never_make_a_step_shorter_nor_all_of_them_slower(
    model: ModelNumbers, one: Effective, batch: float, more: float, context: float
) -> None:
    few = decode_step(model, Layout(), one, batch=batch, context=context).seconds
    many = decode_step(model, Layout(), one, batch=batch + more, context=context).seconds
    assert many >= few * (1 - 1e-9)
    assert (batch + more) / many >= batch / few * (1 - 1e-9)


@given(MODELS, MACHINES, st.floats(1, 500), st.floats(0, 1e5), st.floats(0, 1e5))
def test_longer_contexts_never_make_a_step_shorter(
    model: ModelNumbers, one: Effective, batch: float, context: float, more: float
) -> None:
    short = decode_step(model, Layout(), one, batch=batch, context=context).seconds
    assert decode_step(model, Layout(), one, batch=batch, context=context + more).seconds >= short


@given(MODELS, MACHINES, st.floats(1, 1e5), st.floats(0, 1e5), st.floats(1, 3))
def test_a_faster_machine_never_reads_a_prompt_slower(
    model: ModelNumbers, one: Effective, new: float, cached: float, faster: float
) -> None:
    quick = one.model_copy(
        update={"bytes_per_s": one.bytes_per_s * faster, "flops_per_s": one.flops_per_s * faster}
    )
    assert prompt_seconds(model, Layout(), quick, new=new, cached=cached) <= prompt_seconds(
        model, Layout(), one, new=new, cached=cached
    )
