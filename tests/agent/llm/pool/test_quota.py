"""Tokens of an hour and a day: reserved, counted, refused with the time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.llm.errors import LLMQuotaError
from agent.llm.pool.config import TenantRow
from agent.llm.pool.quota import HOUR_S, Quota, Window


def quota(hour: int | None = 1000, day: int | None = None, reserve: float = 0.2) -> Quota:
    row = TenantRow(tokens_per_hour=hour, tokens_per_day=day)
    return Quota("hospital-a", row, reserve=reserve)


def use(of: Quota, tokens: int, now: float, *, emergency: bool = False) -> None:
    of.settle(of.reserve(tokens, now, emergency=emergency), tokens, now)


def test_calls_in_parallel_cannot_go_over_together() -> None:
    tokens = quota()
    tokens.reserve(500, 0, emergency=False)
    with pytest.raises(LLMQuotaError, match="500 of 1000 tokens of this hour"):
        tokens.reserve(400, 0, emergency=False)


def test_what_was_reserved_and_not_used_is_free_again() -> None:
    tokens = quota()
    held = tokens.reserve(800, 0, emergency=False)
    tokens.settle(held, 50, 1)
    use(tokens, 700, 2)
    assert tokens.used(2)[0].tokens == 750


def test_the_last_fifth_is_for_emergencies() -> None:
    tokens = quota()
    use(tokens, 800, 0)
    with pytest.raises(LLMQuotaError, match="200 kept for emergencies"):
        tokens.reserve(1, 0, emergency=False)
    use(tokens, 200, 0, emergency=True)
    assert tokens.used(0)[0].tokens == 1000


@pytest.mark.parametrize("size", [1, 5000], ids=["small", "larger than the limit"])
def test_an_emergency_is_counted_and_never_refused(size: int) -> None:
    tokens = quota()
    use(tokens, 1000, 0, emergency=True)
    use(tokens, size, 0, emergency=True)
    assert tokens.used(0)[0].tokens == 1000 + size
    with pytest.raises(LLMQuotaError, match="try again in"):
        tokens.reserve(1, 0, emergency=False)


def test_the_refusal_says_when_and_then_it_is_true() -> None:
    tokens = quota(reserve=0.0)
    use(tokens, 600, 100)
    use(tokens, 400, 1900)
    with pytest.raises(LLMQuotaError) as refused:
        tokens.reserve(500, 2000, emergency=False)
    wait = refused.value.retry_after_s
    with pytest.raises(LLMQuotaError):
        tokens.reserve(500, 2000 + wait - 1, emergency=False)
    tokens.reserve(500, 2000 + wait, emergency=False)
    # 600 tokens of second 100 lie in the slice from 60 to 120 s and count an hour longer: to 3720.
    assert 2000 + wait == 120 + HOUR_S


def test_a_day_is_a_limit_of_its_own() -> None:
    tokens = quota(hour=None, day=1000, reserve=0.0)
    use(tokens, 900, 0)
    with pytest.raises(LLMQuotaError, match="of this day"):
        tokens.reserve(200, 2 * HOUR_S, emergency=False)


def test_one_request_larger_than_the_limit_is_told_so() -> None:
    with pytest.raises(LLMQuotaError, match="one request of up to 2000 tokens"):
        quota().reserve(2000, 0, emergency=False)


def test_no_limit_is_no_limit() -> None:
    use(quota(hour=None), 10**9, 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 500), st.integers(0, 400)), max_size=40))
def test_a_window_never_forgets_early(calls: list[tuple[float, int]]) -> None:
    window, now, made = Window(1000, HOUR_S), 0.0, list[tuple[float, int]]()
    for wait, tokens in calls:
        now += wait
        window.add(tokens, now)
        made.append((now, tokens))
        exact = sum(t for at, t in made if at > now - HOUR_S)
        latest = sum(t for at, t in made if at >= now - HOUR_S * 61 / 60 - 1e-6)
        assert exact <= window.used <= latest
