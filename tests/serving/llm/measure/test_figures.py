"""Percentiles, rates and goodput by arithmetic and by numpy; errors are never left out."""

import numpy as np
import pytest

from serving.llm.check.answer import Streamed
from serving.llm.measure.figures import Target, figures, percentile, spread
from serving.llm.measure.sample import Sample, sample_of

SHARES = (0.0, 0.5, 0.9, 0.95, 0.99, 1.0)


def sample(first: float = 100.0, tokens: int = 11, per_token: float = 10.0) -> Sample:
    return Sample(
        start_s=0.0,
        first_ms=first,
        ms=first + per_token * (tokens - 1),
        gaps_ms=(per_token,) * (tokens - 1),
        prompt_tokens=50,
        reply_tokens=tokens,
        cached_tokens=5,
    )


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_percentiles_are_those_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).exponential(50.0, count)
    for share in SHARES:
        assert percentile(list(values), share) == pytest.approx(np.quantile(values, share))


@pytest.mark.parametrize(
    ("count", "p95", "p99"),
    [(1, False, False), (19, False, False), (20, True, False), (100, True, True)],
)
def test_a_percentile_of_too_few_values_is_not_given(count: int, p95: bool, p99: bool) -> None:
    found = spread(float(value) for value in range(count))
    assert found.count == count
    assert (found.p95 is not None, found.p99 is not None) == (p95, p99)
    assert found.most == count - 1


def test_no_values_give_no_numbers() -> None:
    assert spread([None, None]).model_dump(exclude={"count"}, exclude_none=True) == {}


def test_rates_and_errors() -> None:
    samples = [sample(), sample(), Sample(start_s=0.0, error="status 503"), sample()]
    found = figures(samples, 2.0, concurrency=2, target=Target())
    assert (found.requests, found.answered, found.errors) == (4, 3, {"status 503": 1})
    assert found.requests_per_s == 1.5  # 3 answered / 2 s
    assert found.output_tokens_per_s == 16.5  # 3 x 11 tokens / 2 s
    assert found.input_tokens_per_s == 75.0  # 3 x 50 / 2 s
    assert found.cached_tokens == 15
    assert found.first.count == 3
    assert found.gap.count == 30
    assert found.per_token.p50 == 10.0
    assert (found.good, found.good_per_s) == (None, None)


def test_goodput_counts_what_keeps_to_every_part_of_the_target() -> None:
    samples = [
        sample(first=100, per_token=10),
        sample(first=300, per_token=10),  # first token too late
        sample(first=100, per_token=30),  # tokens too slow
        Sample(start_s=0.0, error="dropped"),
    ]
    target = Target(first_ms=200, per_token_ms=20)
    found = figures(samples, 4.0, concurrency=1, target=target)
    assert (found.good, found.good_per_s) == (1, 0.25)


def test_time_of_a_token_leaves_out_the_first() -> None:
    assert sample(first=100, tokens=11, per_token=10).per_token_ms == 10.0
    assert sample(tokens=1).per_token_ms is None


def test_a_streamed_reply_becomes_times_and_gaps() -> None:
    answer = Streamed(
        finish="length",
        times_ms=[80.0, 90.0, 120.0],
        usage={
            "prompt_tokens": 9,
            "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 2},
        },
    )
    found = sample_of(answer, start_s=1.0)
    assert (found.first_ms, found.ms, found.gaps_ms) == (80.0, 120.0, (10.0, 30.0))
    assert (found.prompt_tokens, found.reply_tokens, found.cached_tokens) == (9, 3, 2)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Streamed(status=503, error="status 503"), "status 503"),
        (Streamed(), "an empty reply"),
        (Streamed(times_ms=[1.0]), "the stream broke off without an end"),
    ],
)
def test_a_reply_that_is_not_whole_is_an_error(answer: Streamed, error: str) -> None:
    found = sample_of(answer, start_s=0.0)
    assert found.error == error
    assert found.first_ms is None
