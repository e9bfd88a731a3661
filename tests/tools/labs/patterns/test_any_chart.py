"""Whatever results a chart holds, every pattern ends in a verdict, and a bound decides less."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.analytes import analytes
from knowledge.laboratory_patterns import laboratory_patterns
from knowledge.laboratory_tests import laboratory_tests
from knowledge.timeline import Category, Fact
from tests.tools.labs.patterns.golden import chart, result
from tools.labs.markers.of_chart import marker_reports
from tools.labs.patterns.judge import judge, judge_patterns, not_looked_at
from tools.labs.patterns.read import analytes_of
from tools.labs.patterns.reflex import reflex_suggestions

KEYS = sorted(set(analytes().analytes) & set(laboratory_tests().tests))
FLAGS = st.sampled_from([(), ("haemolysed",), ("lipaemic",), ("preliminary",), ("icteric",)])
HOURS = st.sampled_from([-3000.0, -100.0, -26.0, -2.0, 0.0, 5.0])


@st.composite
def facts(draw: st.DrawFn, keys: list[str] = KEYS) -> tuple[Fact, ...]:
    found = []
    for key in draw(st.lists(st.sampled_from(keys), max_size=12)):
        row = analytes().analytes[key]
        value: Any = draw(st.floats(row.low, row.high, allow_nan=False))
        if draw(st.booleans()):
            value = [min(row.low, value), value]
        made = result(key, value, draw(HOURS), flags=draw(FLAGS))
        if draw(st.integers(0, 9)) == 0:
            made = made.model_copy(update={"time": None})
        found.append(Fact(category=Category.LABORATORY, finding=made))
    return tuple(found)


@settings(max_examples=40, deadline=None)
@given(facts(), st.sampled_from(["female", "male", None]), st.sampled_from([None, 0, 5, 40, 90]))
def test_every_chart_ends_in_verdicts(held: tuple[Fact, ...], sex: Any, age: float | None) -> None:
    found = chart(held, {}, sex=sex, age=age)
    verdicts = judge_patterns(found)
    every = {one.id for one in verdicts} | {one.id for one in not_looked_at(found)}
    assert every == set(laboratory_patterns())
    for one in verdicts:
        assert (one.verdict == "not assessed") == (one.not_assessed is not None)
    for suggestion in reflex_suggestions(found, verdicts):
        assert suggestion.tests
        assert not any(found.results.get(key) for key in suggestion.tests if _new(found, key))
    for report in marker_reports(found):
        assert report.statements or report.not_assessed is not None


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(laboratory_patterns())), st.data())
def test_haemolysis_turns_no_verdict_around(key: str, data: st.DataObject) -> None:
    row = laboratory_patterns()[key]
    held = data.draw(facts([one for one in analytes_of(row) if one in KEYS] or ["ck"]))
    clean = tuple(
        fact.model_copy(update={"finding": fact.finding.model_copy(update={"flags": ()})})
        for fact in held
    )
    dirty = tuple(
        fact.model_copy(
            update={"finding": fact.finding.model_copy(update={"flags": ("haemolysed",)})}
        )
        for fact in held
    )
    before = judge(row, chart(clean, {})).verdict
    after = judge(row, chart(dirty, {})).verdict
    assert {before, after} != {"supported", "argued against"}


def _new(found: Any, key: str) -> bool:
    """Return whether a test was done in the last day: no row suggests it again so soon."""
    return any(
        one.usable and one.finding.time is not None and one.finding.time.at >= found.at.at
        for one in found.results.get(key, ())
    )
