"""The breaker against a model of its rules, with the time as an argument."""

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.llm.pool.breaker import Breaker, State
from agent.llm.pool.config import BreakerRow

LIMITS = BreakerRow(
    failures=3, rate=0.5, least_calls=6, window_s=60, open_s=5, longest_open_s=17, trials=2
)


def opened(limits: BreakerRow = LIMITS, at: float = 0.0) -> Breaker:
    breaker = Breaker(limits)
    for _ in range(limits.failures):
        token = breaker.begin(at)
        assert token is not None
        breaker.failed(token, at, "down")
    return breaker


def test_failures_in_a_row_open_it_and_one_success_between_does_not() -> None:
    breaker = Breaker(LIMITS)
    for good in (False, False, True, False, False):
        token = breaker.begin(0)
        assert token is not None
        if good:
            breaker.succeeded(token, 0)
        else:
            breaker.failed(token, 0, "down")
    assert breaker.state(0) is State.CLOSED
    token = breaker.begin(0)
    assert token is not None
    breaker.failed(token, 0, "down")
    assert breaker.state(0) is State.OPEN
    assert breaker.reason == "down"


def test_half_of_six_calls_failing_opens_it_though_never_three_in_a_row() -> None:
    breaker = Breaker(LIMITS)
    for good in (True, False, True, False, True):
        token = breaker.begin(0)
        assert token is not None
        (breaker.succeeded(token, 0) if good else breaker.failed(token, 0, "flaky"))
    assert breaker.state(0) is State.CLOSED  # five calls say nothing
    token = breaker.begin(0)
    assert token is not None
    breaker.failed(token, 0, "flaky")
    assert breaker.state(0) is State.OPEN


def test_old_calls_are_not_counted() -> None:
    breaker = Breaker(LIMITS)
    for second, good in ((0, False), (1, True), (2, False), (62, True), (63, True), (64, False)):
        token = breaker.begin(second)
        assert token is not None
        (breaker.succeeded(token, second) if good else breaker.failed(token, second, "flaky"))
    assert breaker.state(64) is State.CLOSED


def test_it_waits_5_then_10_then_17_seconds() -> None:
    """5 s doubled is 10; 20 is over the longest, which is 17 (the settings of this test)."""
    breaker = opened()
    now = 0.0
    for wait in (5.0, 10.0, 17.0, 17.0):
        assert breaker.begin(now + wait - 0.001) is None
        now += wait
        token = breaker.begin(now)
        assert token is not None
        breaker.failed(token, now, "still down")


def test_only_one_trial_at_a_time_and_two_must_succeed() -> None:
    breaker = opened()
    first = breaker.begin(5)
    assert first is not None
    assert breaker.begin(5) is None
    breaker.succeeded(first, 6)
    assert breaker.state(6) is State.HALF_OPEN
    second = breaker.begin(6)
    assert second is not None
    breaker.succeeded(second, 7)
    assert breaker.state(7) is State.CLOSED
    assert breaker.reason == ""


def test_a_trial_that_was_given_up_can_be_made_again() -> None:
    breaker = opened()
    first = breaker.begin(5)
    assert first is not None
    breaker.abandoned(first)
    assert breaker.begin(5) is not None


def test_a_call_that_began_before_it_opened_does_not_close_it() -> None:
    breaker = Breaker(LIMITS)
    slow = breaker.begin(0)
    assert slow is not None
    for _ in range(3):
        token = breaker.begin(0)
        assert token is not None
        breaker.failed(token, 0, "down")
    breaker.succeeded(slow, 1)
    assert breaker.state(1) is State.OPEN


def test_a_wrong_key_opens_it_at_once() -> None:
    breaker = Breaker(LIMITS)
    breaker.trip(0, "refused the key (401)")
    assert breaker.begin(1) is None


class Rules(RuleBasedStateMachine):
    """The breaker beside a plain restatement of its rules over the whole history."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.breaker = Breaker(LIMITS)
        self.out: list[int] = []
        self.history: list[tuple[float, bool]] = []
        self.expected = State.CLOSED
        self.until = 0.0
        self.rounds = 0
        self.good_trials = 0

    @rule(seconds=st.floats(0, 30, allow_nan=False))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def ask(self) -> None:
        if self.expected is State.OPEN and self.now >= self.until:
            self.expected, self.good_trials = State.HALF_OPEN, 0
            self.out.clear()
        token = self.breaker.begin(self.now)
        allowed = self.expected is State.CLOSED or (
            self.expected is State.HALF_OPEN and not self.out
        )
        assert (token is not None) == allowed
        if token is not None:
            self.out.append(token)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), ends=st.sampled_from(["good", "bad", "nothing"]))
    def answer(self, data: st.DataObject, ends: str) -> None:
        token = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        match ends:
            case "good":
                self.breaker.succeeded(token, self.now)
            case "bad":
                self.breaker.failed(token, self.now, "bad")
            case _:
                self.breaker.abandoned(token)
                return
        if self.expected is State.HALF_OPEN:
            self._trial(good=ends == "good")
        elif self.expected is State.CLOSED:
            self.history.append((self.now, ends == "good"))
            recent = [good for at, good in self.history if at > self.now - LIMITS.window_s]
            in_a_row = [good for _, good in self.history][-LIMITS.failures :]
            bad = recent.count(False)
            if ends == "bad" and (
                in_a_row == [False] * LIMITS.failures
                or (len(recent) >= LIMITS.least_calls and bad >= LIMITS.rate * len(recent))
            ):
                self._opens()

    def _trial(self, *, good: bool) -> None:
        if not good:
            self._opens()
            return
        self.good_trials += 1
        if self.good_trials == LIMITS.trials:
            self.expected, self.rounds = State.CLOSED, 0
            self.history.clear()
            self.out.clear()

    def _opens(self) -> None:
        self.expected = State.OPEN
        self.until = self.now + min(LIMITS.open_s * 2**self.rounds, LIMITS.longest_open_s)
        self.rounds += 1
        self.history.clear()
        self.out.clear()

    @invariant()
    def same_state(self) -> None:
        state = self.expected
        if state is State.OPEN and self.now >= self.until:
            state = State.HALF_OPEN
        assert self.breaker.state(self.now) is state
        wait = self.breaker.retry_after_s(self.now)
        assert math.isfinite(wait)
        assert wait <= LIMITS.longest_open_s + 1e-6  # a difference of two times
        assert (wait > 0) == (state is State.OPEN)


Rules.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_it_follows_its_rules = pytest.mark.filterwarnings("default")(Rules.TestCase)
