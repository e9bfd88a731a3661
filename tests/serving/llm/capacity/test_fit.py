"""A machine fitted on one run, and what it predicts for another; times are made by hand here."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from knowledge.errors import InvalidValueError, ReferenceDataError
from serving.llm.capacity.fit import Run, Timing, fit, predict
from serving.llm.capacity.fitted import Fitted, Recorded, fitted_pool
from serving.llm.capacity.numbers import ModelNumbers
from tests.serving.llm.capacity.models import dense

RATE, FLOPS, FIXED = 20e9, 150e9, 4e-3
"""Bytes and FLOPs a second and seconds a step of the machine that is to be found."""


def run(params: float, size: float, kv: float, batches: tuple[int, ...]) -> Run:
    """Times of a machine: the greater of reading and arithmetic, and the fixed part."""
    timings = []
    for tokens in (16, 64, 256, 512):
        reading, computing = size / RATE, tokens * 2 * params / FLOPS
        seconds = max(reading, computing) + FIXED
        timings.append(Timing(kind="prompt", tokens=tokens, seconds=seconds))
    for batch in batches:
        for context in (100, 2000):
            reading = (size + batch * context * kv) / RATE
            seconds = max(reading, batch * 2 * params / FLOPS) + FIXED
            timings.append(Timing(kind="reply", batch=batch, tokens=context, seconds=seconds))
    model: ModelNumbers = dense(other_params=params, other_bytes=size, kv_bytes_per_token=kv)
    return Run(model=model, timings=tuple(timings), engine="by hand", threads=2)


def test_the_machine_is_found() -> None:
    found = fit(run(134e6, 97e6, 23e3, (1, 2, 4, 8)), usable_bytes=1e10, chunk_tokens=512)
    assert found.bytes_per_s == pytest.approx(RATE, rel=0.02)
    assert found.flops_per_s == pytest.approx(FLOPS, rel=0.02)
    assert found.overhead_s == pytest.approx(FIXED, rel=0.02)


def test_it_predicts_another_model_at_other_concurrency() -> None:
    found = fit(run(134e6, 97e6, 23e3, (1, 2, 4, 8)), usable_bytes=1e10, chunk_tokens=512)
    check = predict(run(1.5e9, 9.8e8, 28e3, (1, 3, 6)), found)
    assert check.mean_absolute < 0.02
    assert check.largest >= check.mean_absolute
    assert check.mean_of("reply") is not None


def test_reading_is_told_from_the_fixed_time_where_the_memory_was_measured() -> None:
    """Short replies of one dense model all read the same bytes: only their sum is seen."""
    known = run(134e6, 97e6, 0.0, (1, 2, 4, 8))
    found = fit(known, usable_bytes=1e10, chunk_tokens=512, bytes_per_s=RATE)
    assert found.bytes_per_s == RATE
    assert found.overhead_s == pytest.approx(FIXED, rel=0.02)
    assert predict(run(1.5e9, 9.8e8, 0.0, (1, 3, 6)), found).mean_absolute < 0.02


def test_an_error_is_told_as_it_is() -> None:
    known = run(134e6, 97e6, 23e3, (1, 2))
    found = fit(known, usable_bytes=1e10, chunk_tokens=512)
    twice = known.model_copy(
        update={
            "timings": tuple(
                one.model_copy(update={"seconds": one.seconds * 2}) for one in known.timings
            )
        }
    )
    check = predict(twice, found)
    assert check.mean_absolute == pytest.approx(0.5, abs=0.02)
    assert all(row.error < 0 for row in check.rows)


def test_a_run_of_one_kind_is_refused() -> None:
    known = run(134e6, 97e6, 23e3, (1, 2))
    prompts = tuple(one for one in known.timings if one.kind == "prompt")
    with pytest.raises(InvalidValueError, match="prompts and replies"):
        fit(known.model_copy(update={"timings": prompts}), usable_bytes=1e10, chunk_tokens=512)


def test_a_fitted_machine_is_a_pool_with_its_error_as_both_ends(tmp_path: Path) -> None:
    known = run(134e6, 97e6, 23e3, (1, 2, 4))
    found = fit(known, usable_bytes=1e10, chunk_tokens=512)
    one = Fitted(
        label="two cores",
        measured_on="2026-11-23",
        fitted_on=known,
        machine=found,
        fitted_error=0.25,
    )
    file = tmp_path / "cpu.json"
    file.write_text(Recorded(title="x", goal=0.15, fits=(one,)).model_dump_json())
    pool = fitted_pool(file, count=None)
    assert pool.label == "two cores"
    assert pool.count == 1
    assert pool.worse.bytes_per_s == pytest.approx(found.bytes_per_s / 1.25)
    assert pool.better.overhead_s == pytest.approx(found.overhead_s / 1.25)


def test_a_mixture_is_planned_with_the_error_of_a_mixture() -> None:
    """The record has its own check: what a dense model showed says little of experts."""
    record = Path(str(files("serving.llm.capacity").joinpath("data", "cpu_fit.json")))
    errors = {
        one["checked_on"]["model"]["id"]: one["check"]["mean_absolute"]
        for one in json.loads(record.read_bytes())["fits"]
    }
    mixture, dense = (fitted_pool(record, count=1, experts=kind) for kind in (True, False))
    assert "checked on smollm2-135m-moe4" in mixture.figures[0]
    assert f"error of {errors['smollm2-135m-moe4']:.0%}" in mixture.figures[1]
    assert "checked on smollm2-360m-sizes" in dense.figures[0]
    assert f"error of {errors['smollm2-360m-sizes']:.0%}" in dense.figures[1]


def test_a_missing_file_says_how_to_measure(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"bench/llm_capacity\.py"):
        fitted_pool(tmp_path / "no.json", count=None)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(ReferenceDataError, match="title"):
        fitted_pool(tmp_path / "x.json", count=None)
