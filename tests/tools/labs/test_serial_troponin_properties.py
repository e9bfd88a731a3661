"""What must hold for every series, whatever the numbers are."""

from datetime import timedelta, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.clinical_time import parse_fhir
from knowledge.finding import Finding
from tests.tools.labs.troponin_cases import START, TNI, TNT, UNKNOWN, answers, risk, run, sample

VALUES = st.one_of(
    st.integers(0, 130).map(float),
    st.integers(0, 1300).map(lambda n: n / 10),
    st.sampled_from([4.0, 5.0, 6.0, 12.0, 14.0, 26.2, 34.2, 52.0, 64.0, 70.0, 5000.0]),
)
HOURS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 3.5, 6.0, 7.0])
MINUTES = st.sampled_from([50, 60, 70, 90, 110, 120, 130, 150, 180, 210, 300])
SHORT = ("ESC 0/1 h", "ESC 0/2 h")
ASSAYS = st.sampled_from([(TNT, "hs_ctnt"), (TNI, "hs_ctni"), ("ortho-vitros-hs-ctni", "hs_ctni")])


@st.composite
def intervals(draw: st.DrawFn) -> tuple[str, list[float]]:
    """Return a reported interval and some of the values it may stand for."""
    low, high = sorted((draw(VALUES), draw(VALUES)))
    if draw(st.booleans()):
        inside = [high * f for f in (0.0, 0.3, 0.7, 0.99)] if high > 0 else []
        if inside:
            return f"<{high!r}", inside
    return f"{low!r}..{high!r}", [low, high, (low + high) / 2]


@settings(max_examples=60, deadline=None)
@given(
    first=intervals(),
    second=intervals(),
    third=st.none() | intervals(),
    minutes=MINUTES,
    hours=HOURS,
    assay=ASSAYS,
    sex=st.sampled_from(["female", "male"]),
)
def test_an_interval_allows_every_category_that_one_of_its_values_reaches(
    first: tuple[str, list[float]],
    second: tuple[str, list[float]],
    third: tuple[str, list[float]] | None,
    minutes: int,
    hours: float,
    assay: tuple[str, str],
    sex: str,
) -> None:
    key, analyte = assay
    given_: dict[str, Any] = {
        "assay": key,
        "onset_h": hours,
        "sex": sex,
        "grace_points": 100.0,
        "now": 400,
    }

    def series(a: object, b: object, c: object) -> tuple[Finding, ...]:
        made = [sample(0, str(a), analyte=analyte), sample(minutes, str(b), analyte=analyte)]
        return tuple(made + ([sample(330, str(c), analyte=analyte)] if c is not None else []))

    whole = run(*series(first[0], second[0], third and third[0]), **given_)
    for a in first[1]:
        for b in second[1]:
            for c in third[1][:2] if third else [None]:
                part = run(*series(a, b, c), **given_)
                for name in ("ESC 0/1 h", "ESC 0/2 h", "ESC 0/3 h", "High-STEACS"):
                    possible = answers(risk(whole, name))
                    if possible != {"not assessed"}:
                        assert answers(risk(part, name)) <= possible, (name, a, b, c)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.tuples(MINUTES, VALUES), max_size=4, unique_by=lambda pair: pair[0]),
    first=VALUES,
    data=st.data(),
)
def test_the_order_of_the_samples_changes_nothing(
    values: list[tuple[int, float]], first: float, data: st.DataObject
) -> None:
    samples = [sample(0, first), *(sample(m, v) for m, v in values)]
    mixed = data.draw(st.permutations(samples))
    assert run(*samples, now=400) == run(*mixed, now=400)


@settings(max_examples=60, deadline=None)
@given(first=VALUES, second=VALUES, minutes=MINUTES, hours=st.integers(-12, 14))
def test_the_notation_of_the_time_zone_changes_nothing(
    first: float, second: float, minutes: int, hours: int
) -> None:
    zone = timezone(timedelta(hours=hours))
    later = START + timedelta(minutes=minutes)
    elsewhere = [
        sample(m, v, time=parse_fhir(t.astimezone(zone).isoformat(), clock="lab"))
        for m, v, t in ((0, first, START), (minutes, second, later))
    ]
    assert run(sample(0, first), sample(minutes, second), now=400) == run(*elsewhere, now=400)


@settings(max_examples=100, deadline=None)
@given(
    first=VALUES,
    second=VALUES,
    minutes=MINUTES,
    unknown=st.sampled_from(
        ["assay", "stemi_criteria", "age_years", "time of first", "time of second", "unit"]
    ),
)
def test_nothing_is_ruled_out_while_something_required_is_unknown(
    first: float, second: float, minutes: int, unknown: str
) -> None:
    a, b = sample(0, first), sample(minutes, second)
    if unknown == "time of first":
        a = sample(None, first)
    elif unknown == "time of second":
        b = sample(None, second)
    elif unknown == "unit":
        b = b.model_copy(
            update={"value": b.quantity and b.quantity.model_copy(update={"unit": "1"})}
        )
    more: dict[str, Any] = (
        {unknown: UNKNOWN} if unknown in ("assay", "stemi_criteria", "age_years") else {}
    )
    result = run(a, b, now=400, grace_points=100.0, **more)
    assert not {r.category for r in result.risks} & {"rule-out", "rule-out pending a 3 h sample"}


@settings(max_examples=100, deadline=None)
@given(first=VALUES, second=VALUES | st.none(), minutes=st.sampled_from([50, 60, 70, 120]))
def test_an_unknown_onset_never_rules_out_by_a_short_algorithm(
    first: float, second: float | None, minutes: int
) -> None:
    samples = [sample(0, first)] + ([] if second is None else [sample(minutes, second)])
    result = run(*samples, onset_h=UNKNOWN, now=140)
    assert all("rule-out" not in answers(risk(result, name)) for name in SHORT)


@settings(max_examples=100, deadline=None)
@given(
    first=VALUES,
    later=st.lists(st.tuples(MINUTES, VALUES), min_size=1, unique_by=lambda pair: pair[0]),
    hours=HOURS,
)
def test_a_series_with_a_high_or_rising_sample_is_never_ruled_out(
    first: float, later: list[tuple[int, float]], hours: float
) -> None:
    result = run(sample(0, first), *(sample(m, v) for m, v in later), onset_h=hours, now=400)
    top = max(first, *(v for _, v in later))
    if top >= 52:
        assert risk(result, "ESC 0/1 h").category == "rule-in"
    if any(v - first >= 5 for _, v in later):
        assert "rule-out" not in answers(risk(result, "ESC 0/1 h"))
