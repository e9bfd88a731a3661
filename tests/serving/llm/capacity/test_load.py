"""One copy at work."""

import math

import pytest

from serving.llm.capacity.layout import Layout
from serving.llm.capacity.load import operate
from serving.llm.capacity.workload import Slo
from tests.serving.llm.capacity.models import SLO, dense, machine, mixture, work


def test_requests_in_service_follow_littles_law() -> None:
    """Steps of a fixed 10 ms: 1 request a second of 100 tokens stays 1 s, so one is in service."""
    fixed = machine(bytes_per_s=1e18, flops_per_s=1e20, overhead_s=0.01)
    asked = work(users=0, cases_per_hour=3600, calls_per_case=1, tokens_in=10, tokens_out=100)
    state = operate(dense(), Layout(), fixed, asked, SLO)
    assert state.holds
    assert state.in_service == pytest.approx(1.0, rel=1e-3)
    assert state.held == pytest.approx(1 + 2.33 * 1, rel=1e-3)
    assert state.tpot_s == pytest.approx(0.01, rel=1e-3)


def test_time_for_prompts_slows_replies() -> None:
    """Half of the time goes to prompts: 1 request a second of 25,000 new tokens of 2 GFLOP."""
    asked = work(
        users=0, cases_per_hour=3600, calls_per_case=1, tokens_in=25_000, tokens_out=10, cache_hit=0
    )
    state = operate(dense(kv_bytes_per_token=0), Layout(), machine(), asked, SLO)
    assert state.prompt_busy == pytest.approx(0.5)
    alone = 0.5  # 5e13 FLOPs at 1e14 a second
    waiting = alone * math.log(0.5 / 0.05) / (2 * 0.5)
    assert state.ttft_s == pytest.approx(alone + waiting)
    assert state.step is not None
    assert state.tpot_s == pytest.approx(state.step.seconds * 2)


def test_too_many_prompts_are_told() -> None:
    asked = work(cases_per_hour=200_000, tokens_in=40_000, cache_hit=0)
    assert operate(dense(), Layout(), machine(), asked, SLO).limits == ("reading prompts",)


def test_too_many_replies_are_told() -> None:
    slow = machine(flops_per_s=1e14)
    asked = work(cases_per_hour=1e6, tokens_in=4, tokens_out=4000)
    assert operate(dense(), Layout(), slow, asked, SLO).limits == ("writing replies",)


def test_weights_that_do_not_fit_are_told() -> None:
    tiny = machine(usable_bytes=1e9)
    assert operate(mixture(), Layout(), tiny, work(), SLO).limits == ("the weights do not fit",)


def test_a_request_longer_than_the_context_is_told() -> None:
    state = operate(dense(context_tokens=1000), Layout(), machine(), work(), SLO)
    assert state.limits == ("one request is longer than the model's context",)


def test_one_request_that_does_not_fit_beside_the_weights_is_told() -> None:
    # 50 MB are left, and a request of 1,100 tokens takes 110 MB
    tight = machine(usable_bytes=2.05e9)
    assert operate(dense(), Layout(), tight, work(), SLO).limits == ("memory for keys and values",)


def test_more_users_than_fit_at_once_are_told() -> None:
    # 38 GB / (1,100 x 100 kB) = 345 requests
    assert operate(dense(), Layout(), machine(), work(users=345), SLO).holds
    state = operate(dense(), Layout(), machine(), work(users=346), SLO)
    assert state.limits == ("memory for keys and values",)


def test_objectives_that_cannot_be_met_are_named() -> None:
    strict = Slo(ttft_s=1e-6, tpot_ms=1e-3, source="test")
    state = operate(dense(), Layout(), machine(), work(), strict)
    assert state.limits == ("time to the first token", "time from token to token")


def test_when_all_ask_at_once_the_last_waits_for_the_others() -> None:
    # 100 users x 500 new tokens, 2 GFLOP each, at 100 TFLOP/s: 1 s
    state = operate(dense(), Layout(), machine(), work(users=100, cases_per_hour=0), SLO)
    assert state.burst_s == pytest.approx(1.0, rel=1e-6)
