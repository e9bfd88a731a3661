"""A time in a chart that cannot be: that one value has none, it is told, and the rest is read."""

import orjson
import pytest

from knowledge.clinical_time import ClinicalTime
from tests.tools.intake.samples import AT, bundle, observation, patient
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import Chart, read_chart


def _chart(time: str) -> Chart:
    resources = (
        patient(),
        observation(id="odd", effectiveDateTime=time),
        observation(id="good", effectiveDateTime="2026-11-20T10:00:00"),
    )
    files = [parse(orjson.dumps(bundle(*resources)), "c.json")]
    return read_chart(files, zone="Europe/Berlin", at=AT)


def _times(chart: Chart) -> list[ClinicalTime | None]:
    return [fact.finding.time for fact in chart.facts]


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("9999-12-31", "no such date: placeholder"),
        ("9999", "no such date: placeholder"),
        ("9999-12-31T23:59:59-12:00", "no such date: placeholder"),
        ("0001-01-01T00:00:00", "no such date: placeholder"),
        ("0001-01-01T00:00:00+14:00", "no such date: placeholder"),
        ("2026-03-29T02:30:00", "does not exist in Europe/Berlin"),
    ],
)
def test_a_time_that_cannot_be_is_told_and_the_other_result_is_read(time: str, words: str) -> None:
    chart = _chart(time)
    odd, good = _times(chart)
    assert odd is None
    assert good is not None
    problems = [p for found in chart.problems.values() for p in found]
    assert [words in p and "Observation/odd" in p for p in problems] == [True]


def test_a_result_of_the_hour_that_comes_twice_stays_on_its_own_clock() -> None:
    odd, good = _times(_chart("2026-10-25T02:30:00"))
    assert odd is not None
    assert good is not None
    assert (odd.zone, good.zone) == ("unknown", "declared")
