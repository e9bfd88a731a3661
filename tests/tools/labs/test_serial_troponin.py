"""The serial troponin tool: what it refuses, what it withholds, what it says beside a result."""

from datetime import UTC, datetime
from typing import Any

import pytest

from knowledge.clinical_time import ClinicalTime, Precision, parse_fhir
from knowledge.finding import Finding, State, Why
from knowledge.quantity import Quantity
from tests.tools.labs.troponin_cases import (
    START,
    TNI,
    TNT,
    UNKNOWN,
    answers,
    at,
    missing,
    risk,
    run,
    sample,
)
from tools.labs.serial_troponin import SerialTroponin, serial_troponin

ESC = "ESC 0/1 h"
ABOVE_EVERY = "above_every_rule_in_limit"
NAMES = ["ESC 0/1 h", "ESC 0/2 h", "ESC 0/3 h", "ESC observe zone (0/3 h)", "High-STEACS"]
LOW = (sample(0, 8), sample(60, 9))


def _whys(result: SerialTroponin) -> set[Why | None]:
    return {r.not_assessed.why if r.not_assessed else None for r in result.risks}


def _needs(result: SerialTroponin, name: str = ESC) -> set[str]:
    return {m.input for m in risk(result, name).missing}


def _finding(result: SerialTroponin, code: str) -> Finding:
    return next(f for f in result.findings if any(c.code == code for c in f.concept.codings))


def _day(day: int) -> ClinicalTime:
    start = datetime(2026, 11, day, tzinfo=UTC)
    return ClinicalTime(at=start, precision=Precision.DAY)


def test_one_risk_for_each_algorithm_with_its_source() -> None:
    result = run(*LOW)
    assert [r.name for r in result.risks] == NAMES
    assert list(result.by_key())[:2] == ["troponin_esc_0_1h", "troponin_esc_0_2h"]
    assert all(r.source and r.tool == "serial_troponin" for r in result.risks)
    assert "10.1093/eurheartj/ehaa575" in {c.doi for c in risk(result, ESC).source}


def test_the_card_shows_the_published_accuracy() -> None:
    accuracy = " ".join(serial_troponin.card.accuracy)
    for part in ("Roche Elecsys hs-cTnT: sensitivity 98.4 %, specificity 91.2 %", "11014 patients"):
        assert part in accuracy


def test_a_result_rests_on_samples_assay_onset_and_reference_rows() -> None:
    places = {e.model_dump_json() for e in risk(run(*LOW), ESC).evidence}
    for part in ("0-8-hs_ctnt", "60-9-hs_ctnt", '"troponin_assay"', '"onset"', "esc_0_1h"):
        assert any(part in place for place in places), part


def test_a_result_round_trips_through_json() -> None:
    result = run(sample(0, "<6"), sample(60, 12))
    assert SerialTroponin.model_validate(result.to_json()) == result
    assert serial_troponin.input_schema()["required"][:3] == ["samples", "assay", "onset"]
    assert "risks" in serial_troponin.output_schema()["properties"]


# ---- refused


REFUSED: list[tuple[str, tuple[Finding, ...], dict[str, Any], Why, str]] = [
    ("no-assay", LOW, {"assay": UNKNOWN}, Why.ASSAY_NOT_NAMED, "troponin_assay"),
    ("no-sample", (), {}, Why.MISSING, "troponin_sample"),
    ("no-time", (sample(None, 8),), {}, Why.TIME_NOT_GIVEN, "troponin_collection_time"),
    (
        "day-only",
        (sample(0, 8, time=_day(20)),),
        {"now": 1440},
        Why.TIME_NOT_GIVEN,
        "troponin_collection_time",
    ),
    (
        "unit",
        (sample(0, 8, value=Quantity(value=8, unit="ng/mL")),),
        {},
        Why.UNIT_NOT_RECOGNISED,
        "troponin_sample",
    ),
    ("negative", (sample(0, -3),), {}, Why.VALUE_IMPOSSIBLE, "troponin_sample"),
    ("huge", (sample(0, 2e6),), {}, Why.VALUE_IMPOSSIBLE, "troponin_sample"),
    ("future", (sample(120, 8),), {"now": 0}, Why.CONFLICTING, "troponin_sample"),
    ("stale", LOW, {"now": 60 * 48}, Why.STALE, "troponin_sample"),
    (
        "not-coded",
        (sample(0, 8, analyte="creatinine"),),
        {},
        Why.OUTSIDE_CONTRACT,
        "troponin_sample",
    ),
    ("other-analyte", (sample(0, 8, analyte="hs_ctni"),), {}, Why.CONFLICTING, "troponin_sample"),
]


@pytest.mark.parametrize(
    ("samples", "given", "why", "need"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_unusable_input_is_not_assessed_with_the_reason_and_the_way_out(
    samples: tuple[Finding, ...], given: dict[str, Any], why: Why, need: str
) -> None:
    result = run(*samples, **given)
    assert {r.category for r in result.risks} == {"not assessed"}
    assert _whys(result) == {why}
    assert need in _needs(result)
    judged = [f for f in result.findings if f is not _finding(result, ABOVE_EVERY)]
    assert {f.state for f in judged} == {State.NOT_ASSESSED}
    assert _finding(result, ABOVE_EVERY).state is not State.PRESENT
    assert all(m.question and m.how for r in result.risks for m in r.missing)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stemi_criteria": True}, "ST-elevation criteria"),
        ({"omi_equivalent": True}, "equivalent to ST-elevation"),
        ({"age_years": 17}, "age below 18"),
    ],
    ids=["stemi", "equivalent", "child"],
)
def test_a_patient_outside_the_population_is_refused_even_with_a_high_value(
    given: dict[str, Any], words: str
) -> None:
    result = run(sample(0, 500), **given)
    assert _whys(result) == {Why.OUTSIDE_CONTRACT}
    assert words in risk(result, ESC).statement
    assert _finding(result, "troponin_times_limit").state is State.PRESENT


def test_a_conventional_assay_is_refused_and_not_asked_for_again() -> None:
    result = run(sample(0, 40, analyte="ctnt"), assay="conventional-ctnt")
    assert _whys(result) == {Why.OUTSIDE_CONTRACT}
    assert "high-sensitivity assays only" in risk(result, ESC).statement
    assert "troponin_assay" not in _needs(result)


def test_an_assay_outside_the_table_is_not_available() -> None:
    assert _whys(run(*LOW, assay="another")) == {Why.NOT_AVAILABLE_FOR_ASSAY}


def test_the_assay_is_known_where_the_laboratory_names_it_on_every_sample() -> None:
    named = {"method": "Elecsys Troponin T hs"}
    both = run(sample(0, 8, **named), sample(60, 9, **named), assay=UNKNOWN)
    assert (both.assay, risk(both, ESC).category) == (TNT, "rule-out")
    one = run(sample(0, 8, **named), sample(60, 9), assay=UNKNOWN)
    assert (one.assay, _whys(one)) == (None, {Why.ASSAY_NOT_NAMED})


@pytest.mark.parametrize(
    "other",
    [sample(60, 9, analyte="hs_ctni"), sample(60, 9, method="Elecsys Troponin T Gen 5")],
    ids=["T-with-I", "two-methods"],
)
def test_samples_of_two_assays_are_never_compared(other: Finding) -> None:
    result = run(sample(0, 8), other)
    assert risk(result, ESC).not_assessed is not None
    assert "samples of two assays" in risk(result, ESC).statement
    assert _finding(result, "troponin_times_limit").state is State.NOT_ASSESSED


def test_a_rule_in_of_one_assay_stands_beside_a_sample_of_another() -> None:
    result = run(sample(0, 100), sample(60, 9, analyte="hs_ctni"))
    assert risk(result, ESC).category == "rule-in"


def test_a_retracted_sample_is_left_out_and_blocks_nothing() -> None:
    gone = missing("troponin_times_limit", Why.RETRACTED)
    assert risk(run(*LOW, gone), ESC).category == "rule-out"


# ---- time


def test_times_of_two_clocks_are_not_compared() -> None:
    naive = START.replace(tzinfo=None)
    local = ClinicalTime(at=naive, zone="unknown", clock="analyser")
    result = run(sample(0, 8), sample(60, 9, time=local))
    assert _whys(result) == {Why.TIME_ZONE_UNKNOWN}
    assert "troponin_collection_time" in _needs(result)


def test_two_times_of_one_clock_without_zone_are_compared_and_onset_is_unknown() -> None:
    first, second = (
        ClinicalTime(at=datetime(2026, 11, 20, hour, tzinfo=None), zone="unknown", clock="lis")  # noqa: DTZ001
        for hour in (8, 9)
    )
    result = run(sample(0, 8, time=first), sample(60, 9, time=second))
    found = risk(result, ESC)
    assert found.category == "rule-out pending a 3 h sample"
    assert (str(found.next_due), found.overdue) == ("2026-11-20 11:00 (time zone unknown)", None)
    assert [m.reason.why for m in found.missing if m.input == "onset"] == [Why.TIME_ZONE_UNKNOWN]


def test_time_zone_notation_changes_nothing() -> None:
    utc, paris = (
        run(
            sample(0, 8, time=parse_fhir(first, clock="x")),
            sample(60, 9, time=parse_fhir(second, clock="x")),
        )
        for first, second in (
            ("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"),
            ("2026-11-20T09:00:00+01:00", "2026-11-20T10:00:00+01:00"),
        )
    )
    assert utc == paris


@pytest.mark.parametrize(
    ("name", "minutes", "longer"),
    [
        (ESC, 49.9, "ESC 0/2 h"),
        (ESC, 70.1, "ESC 0/2 h"),
        (ESC, 120, "ESC 0/2 h"),
        (ESC, 131, "ESC 0/3 h"),
        (ESC, 300, "no longer algorithm"),
        ("ESC 0/2 h", 109.9, "ESC 0/3 h"),
        ("ESC 0/2 h", 130.1, "ESC 0/3 h"),
        ("ESC 0/3 h", 149.9, "no longer algorithm"),
        ("ESC 0/3 h", 210.1, "no longer algorithm"),
    ],
)
def test_a_sample_outside_the_window_is_not_used_and_the_longer_algorithm_named(
    name: str, minutes: float, longer: str
) -> None:
    found = risk(run(sample(0, 8), sample(minutes, 9), now=400), name)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_WINDOW
    assert longer in found.statement


@pytest.mark.parametrize(
    ("name", "minutes"),
    [(ESC, 50), (ESC, 70), ("ESC 0/2 h", 110), ("ESC 0/2 h", 130), ("High-STEACS", 150)],
)
def test_the_ends_of_a_window_belong_to_it(name: str, minutes: float) -> None:
    one = {"analyte": "hs_ctni"}
    result = run(sample(0, 4.5, **one), sample(minutes, 4.6, **one), assay=TNI, now=400)
    assert risk(result, name).category == "rule-out"


def test_an_assay_without_a_0_2h_set_is_sent_to_0_3h() -> None:
    one = {"analyte": "hs_ctni"}
    result = run(sample(0, 5, **one), sample(90, 5, **one), assay="ortho-vitros-hs-ctni", now=400)
    assert "the nearest longer algorithm is ESC 0/3 h" in risk(result, ESC).statement


def test_the_sample_nearest_to_the_middle_of_the_window_is_the_second() -> None:
    result = run(sample(0, 10), sample(52, 10.5), sample(62, 11), sample(69, 12))
    assert "after 62 min" in risk(result, ESC).statement


def test_an_early_extra_sample_leaves_the_window_open() -> None:
    result = run(sample(0, 10), sample(20, 10), now=30)
    assert risk(result, ESC).category == "need second sample"


@pytest.mark.parametrize(("now", "overdue"), [(5, False), (70, False), (70.1, True)])
def test_the_clock_says_when_the_second_sample_is_due_and_overdue(
    now: float, overdue: bool
) -> None:
    found = risk(run(sample(0, 8), now=now), ESC)
    assert (str(found.next_due), found.overdue) == ("2026-11-20 09:00 UTC", overdue)
    assert any("window has passed" in c for c in found.caveats) == overdue


def test_the_clock_of_each_algorithm() -> None:
    due = [str(r.next_due)[11:16] for r in run(sample(0, 8), assay=TNT, now=5).risks[:3]]
    assert due == ["09:00", "10:00", "11:00"]
    pending = risk(run(*LOW, onset_h=0.5), ESC)
    assert str(pending.next_due) == "2026-11-20 11:00 UTC"
    observed = risk(run(sample(0, 10), sample(60, 14), now=211), ESC)
    assert (str(observed.next_due), observed.overdue) == ("2026-11-20 11:00 UTC", True)


def test_no_sample_is_due_once_a_short_algorithm_has_settled() -> None:
    assert {r.next_due for r in run(*LOW).risks} == {None}
    assert {r.next_due for r in run(sample(0, 100)).risks} == {None}


def test_only_the_latest_episode_counts() -> None:
    result = run(sample(-60 * 24 * 30, 400), *LOW, sample(-60 * 24 * 20, -1))
    assert risk(result, ESC).category == "rule-out"
    assert len(result.series) == 2


# ---- onset


def test_an_imprecise_onset_gives_every_category_it_allows() -> None:
    day: dict[str, Any] = {"onset": Finding(**{**_onset_fields(), "time": _day(20)})}
    found = risk(run(sample(0, 4), **day), ESC)
    assert answers(found) == {"rule-out", "need second sample"}
    assert "onset" in {m.input for m in found.missing}


def _onset_fields() -> dict[str, Any]:
    given = missing("onset")
    return {
        "concept": given.concept,
        "state": State.PRESENT,
        "evidence": sample(0, 1).evidence,
    }


def test_an_onset_after_the_first_sample_is_conflicting_and_only_a_rule_in_stands() -> None:
    result = run(*LOW, onset_h=-1)
    assert {r.not_assessed.why for r in result.risks[:3] if r.not_assessed} == {Why.CONFLICTING}
    assert "onset" in _needs(result)
    assert risk(run(sample(0, 100), onset_h=-1), ESC).category == "rule-in"


def test_onset_is_missing_only_where_it_could_change_the_answer() -> None:
    assert "onset" in _needs(run(sample(0, 4), onset_h=UNKNOWN))
    assert "onset" in _needs(run(*LOW, onset_h=UNKNOWN))
    assert "onset" not in _needs(run(sample(0, 30), sample(60, 31), onset_h=UNKNOWN))
    assert "onset" not in _needs(run(sample(0, 100), onset_h=UNKNOWN))


@pytest.mark.parametrize(
    ("third", "expected"),
    [(9, "rule-out"), (11, "observe"), (12, "observe"), (5, "observe"), (60, "rule-in")],
)
def test_a_low_flat_sample_at_3h_ends_the_wait_of_a_very_early_presenter(
    third: float, expected: str
) -> None:
    result = run(*LOW, sample(180, third), onset_h=0.5, now=190)
    assert risk(result, ESC).category == expected


# ---- other samples of the series


@pytest.mark.parametrize(
    ("last", "expected"),
    [(52, "rule-in"), (13, "observe"), (12, "observe"), (11.9, "rule-out"), ("<60", None)],
    ids=["high", "rises-by-5", "rises-by-4-out-of-the-low-zone", "stays-below-12", "unknown"],
)
def test_a_later_sample_is_never_hidden_by_a_rule_out(last: Any, expected: str | None) -> None:
    found = risk(run(*LOW, sample(300, last), now=310), ESC)
    if expected is None:
        assert answers(found) == {"rule-out", "observe", "rule-in"}
    else:
        assert found.category == expected


@pytest.mark.parametrize(
    ("name", "given", "samples"),
    [
        ("ESC 0/3 h", {"grace_points": 100.0}, ((0, 10), (60, 30), (180, 10))),
        ("High-STEACS", {"assay": TNI}, ((0, 10), (60, 13), (180, 10))),
        ("ESC observe zone (0/3 h)", {}, ((0, 13), (60, 13), (120, 19), (180, 13))),
    ],
    ids=["0/3h", "high-steacs", "observe-zone"],
)
def test_a_sample_between_the_pair_forbids_a_rule_out(
    name: str, given: dict[str, Any], samples: tuple[tuple[float, float], ...]
) -> None:
    analyte = "hs_ctni" if "assay" in given else "hs_ctnt"
    found = [sample(m, v, analyte=analyte) for m, v in samples]
    assert risk(run(*found, now=190, **given), name).category == "observe"
    pair = [f for f, (m, _) in zip(found, samples, strict=True) if m != samples[-2][0]]
    if name != "ESC observe zone (0/3 h)":
        assert risk(run(*pair, now=190, **given), name).category == "rule-out"


def test_a_late_high_sample_rules_in_although_no_window_holds_it() -> None:
    found = risk(run(sample(0, 10), sample(300, 200), now=310), ESC)
    assert found.category == "rule-in"
    assert any("started again" in c for c in found.caveats)


@pytest.mark.parametrize(
    "odd",
    [sample(None, 8), sample(30, -3), sample(30, 8, value=Quantity(value=8, unit="ng/mL"))],
    ids=["no-time", "impossible", "unit"],
)
def test_no_rule_out_while_a_sample_cannot_be_used(odd: Finding) -> None:
    result = run(*LOW, odd)
    assert answers(risk(result, ESC)) == {"rule-out", "observe", "rule-in"}
    assert _finding(result, "myocardial_injury").state is State.NOT_ASSESSED
    flat = run(*LOW, sample(120, 9), odd, now=130)
    assert _finding(flat, "troponin_not_elevated_0_2h").state is State.NOT_ASSESSED
    assert len(result.set_aside) == 1


def test_a_high_sample_without_a_time_is_shown_although_it_is_not_used() -> None:
    result = run(sample(None, 500))
    assert risk(result, ESC).category == "not assessed"
    assert any("500 ng/L" in c and "52 ng/L" in c for c in risk(result, ESC).caveats)


def test_two_results_of_one_collection_time_are_an_interval() -> None:
    same = run(sample(0, 10), sample(0, 30))
    assert str(same.series[0].value) == "[10, 30] ng/L"
    twice = run(sample(0, 10), sample(0, 10, method="second report"))
    assert (str(twice.series[0].value), len(twice.series[0].evidence)) == ("10 ng/L", 2)


# ---- what is not known of the patient


@pytest.mark.parametrize("unknown", ["stemi_criteria", "age_years"])
def test_a_rule_out_is_withheld_while_the_population_is_open(unknown: str) -> None:
    given: dict[str, Any] = {unknown: UNKNOWN}
    result = run(*LOW, **given)
    assert answers(risk(result, ESC)) == {"rule-out", "not assessed"}
    assert unknown in _needs(result)
    assert risk(run(sample(0, 100), **given), ESC).category == "rule-in"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"known_cad": True}, "96.6 %"),
        ({"esrd_dialysis": True}, "dialysis: never low risk"),
        ({"paced_rhythm": True}, "Paced rhythm: never low"),
        ({"lbbb": True}, "bundle branch block: never low"),
        ({"st_deviation": True}, "ST deviation on the ECG: never low"),
        ({"ckd": True}, "lower specificity"),
        ({"onset_h": 2.0}, "no rule-out on a single sample"),
        ({"lbbb": UNKNOWN}, "would qualify a rule-out: Left bundle branch block"),
        ({"omi_equivalent": UNKNOWN}, "equivalent to ST-elevation infarction is not assessed"),
        ({}, "not for unstable angina"),
    ],
)
def test_a_rule_out_carries_what_qualifies_it(given: dict[str, Any], words: str) -> None:
    found = risk(run(*LOW, **given), ESC)
    assert found.category == "rule-out"
    assert any(words in caveat for caveat in found.caveats)


@pytest.mark.parametrize(
    ("assay", "analyte", "words"),
    [
        (TNT, "hs_ctnt", "reads falsely low"),
        ("ortho-vitros-hs-ctni", "hs_ctni", "reads falsely high"),
        (TNI, "hs_ctni", "mostly stable"),
        ("pathfast-hs-ctni", "hs_ctni", "not in the table"),
    ],
)
def test_haemolysis_is_read_by_assay(assay: str, analyte: str, words: str) -> None:
    flagged = sample(0, 8, analyte=analyte, flags=("haemolysed",))
    assert any(words in c for c in risk(run(flagged, assay=assay), ESC).caveats)


def test_recalled_or_disputed_limits_are_named() -> None:
    exl = run(sample(0, 200, analyte="hs_ctni"), assay="siemens-dimension-exl-hs-ctni")
    assert any("check them" in c for c in risk(exl, ESC).caveats)
    assert not any("check them" in c for c in risk(run(*LOW), ESC).caveats)


def test_a_us_laboratory_is_told_that_the_very_low_limit_cannot_be_used() -> None:
    result = run(sample(0, "<6"), assay="roche-elecsys-hs-ctnt-gen5-us")
    assert any("no report below 6 ng/L" in c for c in risk(result, ESC).caveats)


# ---- findings


def test_the_first_sample_as_a_multiple_of_the_overall_limit() -> None:
    value = _finding(run(sample(0, 42)), "troponin_times_limit").value
    assert value == Quantity(value=3, unit="1")
    censored = _finding(run(sample(0, "<7")), "troponin_times_limit")
    assert str(censored.value) == "<0.5"


@pytest.mark.parametrize(
    ("minutes", "second", "code", "state"),
    [
        (120, 14, "troponin_not_elevated_0_2h", State.PRESENT),
        (120, 14.1, "troponin_not_elevated_0_2h", State.ABSENT),
        (100, 10, "troponin_not_elevated_0_2h", State.NOT_ASSESSED),
        (180, 14, "troponin_not_elevated_0_3h", State.PRESENT),
        (180, 15, "troponin_not_elevated_0_3h", State.ABSENT),
        (180, "<20", "troponin_not_elevated_0_3h", State.NOT_ASSESSED),
        (60, 15, "troponin_not_elevated_0_3h", State.ABSENT),
        (60, 10, "troponin_not_elevated_0_3h", State.NOT_ASSESSED),
    ],
)
def test_not_elevated_needs_both_samples_and_any_raised_one_denies_it(
    minutes: float, second: Any, code: str, state: State
) -> None:
    result = run(sample(0, 10), sample(minutes, second), now=250)
    assert _finding(result, code).state is state


@pytest.mark.parametrize(
    ("values", "code", "state"),
    [
        ((10, 12), "myocardial_injury", State.ABSENT),
        ((10, 18), "acute_myocardial_injury", State.PRESENT),
        ((10, 15), "acute_myocardial_injury", State.PRESENT),
        ((10, 14.9), "myocardial_injury", State.PRESENT),
        ((22, 18.5, 26), "acute_myocardial_injury", State.PRESENT),
        ((30, 37), "acute_myocardial_injury", State.PRESENT),
        ((30, 23), "acute_myocardial_injury", State.PRESENT),
        ((30, 36), "chronic_myocardial_injury", State.PRESENT),
        ((30,), "myocardial_injury", State.PRESENT),
        (("<20",), "myocardial_injury", State.NOT_ASSESSED),
    ],
    ids=[
        "never-raised",
        "rises-by-more-than-half-the-limit",
        "crosses-the-limit-by-the-1-h-rule-in-change-of-5",
        "crosses-the-limit-by-less",
        "rises-between-two-later-samples",
        "rises-by-more-than-a-fifth",
        "falls-by-more-than-a-fifth",
        "rises-by-a-fifth",
        "one-sample",
        "censored",
    ],
)
def test_injury_is_acute_with_a_significant_change_and_chronic_without(
    values: tuple[Any, ...], code: str, state: State
) -> None:
    result = run(*(sample(60 * i, v) for i, v in enumerate(values)), now=130)
    assert _finding(result, code).state is state


def test_the_series_shows_change_and_time_since_the_first_sample() -> None:
    result = run(sample(60, 12.3), sample(0, 10), sample(180, "<6"), now=200)
    assert [s.minutes for s in result.series] == [0, 60, 180]
    assert [str(s.change) for s in result.series] == ["None", "2.3 ng/L", "[-10, -4) ng/L"]
    assert all(s.evidence for s in result.series)
    assert result.series[0].time == at(0)
