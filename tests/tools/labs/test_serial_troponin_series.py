"""A whole series: later samples, slots long past, repeated, haemolysed and unplaced results.

The limits are those of the guideline table: Architect hs-cTnI 4, 5, 2, 64, 6 at 1 h, low 6 and
rule-in change 15 at 2 h, 99th percentile 26.2 ng/L; Elecsys hs-cTnT 5, 12, 3, 52, 5, and 14 ng/L.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.finding import Finding, State, Why
from tests.tools.labs.troponin_cases import (
    TNI,
    UNKNOWN,
    answers,
    missing,
    risk,
    run,
    sample,
)
from tools.labs.serial_troponin import SerialTroponin

SYSTEM = "urn:epicrisis:statement"
SHORT = ("ESC 0/1 h", "ESC 0/2 h")
CONVENTIONAL = (sample(0, 8, analyte="ctni"), sample(60, 240, analyte="ctni"))
LONG = ("ESC 0/3 h", "High-STEACS")


def _architect(*values: tuple[float | None, Any], **more: Any) -> SerialTroponin:
    made = [sample(minutes, value, analyte="hs_ctni") for minutes, value in values]
    last = max((minutes or 0 for minutes, _ in values), default=0)
    given: dict[str, Any] = {"now": last + 10, "onset_h": 4.8, "grace_points": 90.0}
    return run(*made, assay=TNI, **{**given, **more})


def _statement(result: SerialTroponin, code: str) -> Finding:
    return next(f for f in result.findings if f.concept.has(SYSTEM, code))


def _words(result: SerialTroponin, name: str) -> str:
    return " ".join((risk(result, name).statement, *risk(result, name).caveats))


# ---- a later sample that a rule-out does not allow


@pytest.mark.parametrize("name", [*SHORT, *LONG])
def test_a_third_sample_that_rises_by_9_forbids_the_rule_out_of_every_algorithm(name: str) -> None:
    flat = _architect((0, 2.6), (60, 2.9), (120, 2.9), (180, 3.0))
    assert risk(flat, name).category == "rule-out"
    rising = risk(_architect((0, 2.6), (60, 2.9), (120, 2.9), (180, 12)), name)
    assert rising.category == "observe"
    assert "then 12 ng/L after 180 min" in rising.statement


@pytest.mark.parametrize("name", SHORT)
def test_the_series_of_the_review_is_observed_and_every_value_is_named(name: str) -> None:
    found = risk(_architect((0, 2.6), (60, 2.9), (180, 12)), name)
    assert found.category == "observe"
    for words in ("2.6 ng/L", "then 2.9 ng/L after 60 min", "then 12 ng/L after 180 min"):
        assert words in found.statement
    assert any("not compatible with a rule-out" in c for c in found.caveats)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("ESC 0/1 h", ((0, 2.6), (60, 2.9), (180, 4.9)), "rule-out"),
        ("ESC 0/1 h", ((0, 2.6), (60, 2.9), (180, 5)), "observe"),
        ("ESC 0/2 h", ((0, 2.6), (120, 2.9), (180, 5.9)), "rule-out"),
        ("ESC 0/2 h", ((0, 2.6), (120, 2.9), (180, 6)), "observe"),
        ("ESC 0/2 h", ((0, 2.6), (120, 12)), "observe"),
        ("ESC 0/1 h", ((0, 2.6), (60, 5)), "observe"),
        ("ESC 0/1 h", ((0, 3.5), (60, 5)), "rule-out"),
        ("ESC 0/3 h", ((0, 2.6), (60, 2.9), (180, 8.5)), "rule-out"),
        ("ESC 0/3 h", ((0, 2.6), (60, 2.9), (180, 8.6)), "observe"),
        ("High-STEACS", ((0, 2.6), (60, 2.9), (180, 2.9), (240, 5.5)), "rule-out"),
        ("High-STEACS", ((0, 2.6), (60, 2.9), (180, 2.9), (240, 5.6)), "observe"),
    ],
    ids=[
        "below-the-low-limit-of-5",
        "at-the-low-limit-of-5",
        "below-the-low-limit-of-6-at-2-h",
        "at-the-low-limit-of-6-at-2-h",
        "the-second-sample-takes-back-a-single-sample-rule-out",
        "the-second-sample-leaves-the-low-zone-and-moves-2.4",
        "the-pair-itself-is-low-and-flat-as-published",
        "moves-5.9",
        "moves-6",
        "moves-2.9",
        "moves-3",
    ],
)
def test_the_limits_of_what_a_later_sample_may_be(
    name: str, values: tuple[tuple[float, float], ...], expected: str
) -> None:
    assert risk(_architect(*values), name).category == expected


@pytest.mark.parametrize(
    ("extra", "expected"),
    [((300, 14), "rule-out"), ((300, 15), "observe"), ((300, 9), "observe")],
    ids=["low-and-flat", "at-15", "moves-4"],
)
def test_a_sample_after_the_observe_zone_rule_must_be_compatible_with_it(
    extra: tuple[float, float], expected: str
) -> None:
    result = run(sample(0, 13), sample(60, 13), sample(180, 13), sample(*extra), now=310)
    assert risk(result, "ESC observe zone (0/3 h)").category == expected


# ---- slots of the past, and windows to come


def test_a_rise_across_the_99th_percentile_is_acute_injury_and_nothing_of_the_past_is_due() -> None:
    result = _architect((0, 2.6), (60, 2.9), (300, 30))
    injury = _statement(result, "acute_myocardial_injury")
    assert injury.state is State.PRESENT
    assert "Acute myocardial injury" in str(injury.value)
    for found in result.risks:
        assert (found.next_due, found.overdue) == (None, None)
        assert any("Acute myocardial injury" in c for c in found.caveats)
    assert "rule-out" not in {found.category for found in result.risks}
    assert "third sample at 3 h and" not in _words(result, "ESC 0/1 h")


def test_a_low_sample_at_5_h_ends_the_wait_of_a_very_early_presenter() -> None:
    waiting = run(sample(0, 8), sample(60, 9), onset_h=0.5, now=70)
    assert risk(waiting, "ESC 0/1 h").category == "rule-out pending a 3 h sample"
    later = run(sample(0, 8), sample(60, 9), sample(300, 9), onset_h=0.5, now=310)
    assert (risk(later, "ESC 0/1 h").category, risk(later, "ESC 0/1 h").next_due) == (
        "rule-out",
        None,
    )


@settings(max_examples=100, deadline=None)
@given(
    first=st.integers(0, 100).map(float),
    later=st.lists(
        st.tuples(st.integers(1, 500), st.integers(0, 100).map(float)),
        max_size=3,
        unique_by=lambda pair: pair[0],
    ),
    hours=st.sampled_from([0.5, 2.0, 5.0]),
    wait=st.integers(0, 300),
)
def test_nothing_is_due_before_the_last_sample(
    first: float, later: list[tuple[int, float]], hours: float, wait: int
) -> None:
    made = [sample(0, first), *(sample(m, v) for m, v in later)]
    last = max([0, *(m for m, _ in later)])
    result = run(*made, onset_h=hours, now=last + wait)
    for found in result.risks:
        assert found.next_due is None or found.next_due.at >= result.series[-1].time.at


def test_between_two_windows_the_next_one_is_named_with_its_times() -> None:
    between = risk(_architect((0, 2.6), now=86, onset_h=1.3), "ESC 0/1 h")
    caveat = next(c for c in between.caveats if "window has passed" in c)
    for words in ("ESC 0/2 h", "2026-11-20 09:50 UTC", "2026-11-20 10:10 UTC", "110 to 130 min"):
        assert words in caveat
    assert "now" not in caveat
    assert between.overdue is True


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (115, "take it now, in the window of ESC 0/2 h, which closes 2026-11-20 10:10 UTC"),
        (140, "of ESC 0/3 h, opens 2026-11-20 10:30 UTC"),
        (180, "take it now, in the window of ESC 0/3 h"),
        (211, "no longer algorithm is in the table"),
    ],
)
def test_what_to_do_once_a_window_has_passed(now: float, words: str) -> None:
    assert words in _words(_architect((0, 2.6), now=now, onset_h=1.3), "ESC 0/1 h")


# ---- haemolysis


def _haemolysed(minutes: float, value: float) -> Finding:
    return sample(minutes, value, flags=("haemolysed",))


@pytest.mark.parametrize(
    "samples",
    [
        (_haemolysed(0, 8), sample(60, 9)),
        (sample(0, 8), _haemolysed(60, 9)),
        (_haemolysed(0, 4),),
        (sample(0, 8), sample(60, 9), _haemolysed(180, 9)),
    ],
    ids=["first", "second", "single-sample", "after-the-pair"],
)
def test_a_haemolysed_sample_that_reads_low_supports_no_rule_out(
    samples: tuple[Finding, ...],
) -> None:
    found = risk(run(*samples, now=190 if len(samples) > 2 else 70), "ESC 0/1 h")
    assert answers(found) == {"rule-out", "observe", "rule-in"}
    assert any("cannot support a rule-out" in c for c in found.caveats)
    assert "troponin_second_sample" in {m.input for m in found.missing}


def test_a_haemolysed_sample_that_was_repeated_does_not_block_the_next_pair() -> None:
    result = run(sample(0, 8), _haemolysed(60, 9), sample(120, 9), now=130)
    assert risk(result, "ESC 0/1 h").category == "not determined"
    assert risk(result, "ESC 0/2 h").category == "rule-out"


def test_a_haemolysed_sample_that_reads_low_still_rules_in() -> None:
    assert risk(run(_haemolysed(0, 60)), "ESC 0/1 h").category == "rule-in"


def test_an_assay_that_haemolysis_does_not_lower_has_a_caveat_only() -> None:
    made = [sample(m, 2, analyte="hs_ctni", flags=("haemolysed",)) for m in (0, 60)]
    found = risk(run(*made, assay=TNI), "ESC 0/1 h")
    assert found.category == "rule-out"
    assert any("flagged as haemolysed" in c for c in found.caveats)


def test_a_haemolysed_sample_denies_nothing_that_needs_a_low_value() -> None:
    result = run(_haemolysed(0, 8), sample(120, 9), now=130)
    by_code = {c.code: f for f in result.findings for c in f.concept.codings}
    for code in ("troponin_not_elevated_0_2h", "myocardial_injury"):
        reason = by_code[code].not_assessed
        assert reason is not None
        assert reason.why is Why.QUALITY
    low = by_code["troponin_times_limit"].interval
    assert low is not None
    assert (low.compare("ge", 8 / 14 - 1e-9), low.high) == (True, None)


# ---- two results of one time


def test_two_results_for_one_time_are_both_shown() -> None:
    found = risk(_architect((0, 2.6), (60, 2.9), (60, 70)), "ESC 0/1 h")
    assert found.category == "not determined"
    assert "2.9 and 70 ng/L" in found.statement
    assert any("Two results for one time: 2.9 and 70 ng/L" in c for c in found.caveats)
    equal = risk(_architect((0, 2.6), (60, 2.9), (60, 2.9)), "ESC 0/1 h")
    assert "results for one time" not in " ".join(equal.caveats)


def test_two_results_on_both_sides_of_the_limit_are_a_conflict() -> None:
    result = _architect((0, 2.6), (60, 2.9), (60, 70))
    reason = _statement(result, "above_99th").not_assessed
    assert reason is not None
    assert reason.why is Why.CONFLICTING


# ---- values that no rule judges


def test_a_very_high_sample_without_a_time_is_in_the_statement() -> None:
    alone, beside = run(sample(None, 500)), run(sample(0, 8), sample(60, 9), sample(None, 500))
    for result in (alone, beside):
        for name in (*SHORT, "ESC 0/3 h"):
            assert "500 ng/L" in risk(result, name).statement
            assert "act on it without waiting" in risk(result, name).statement


@pytest.mark.parametrize(
    ("assay", "analyte", "words"),
    [
        (UNKNOWN, "hs_ctnt", "no assay named"),
        ("conventional-ctnt", "ctnt", "high-sensitivity assays only"),
        ("another", "hs_ctnt", "not in the assay table"),
    ],
)
def test_values_that_no_rule_judges_are_listed_with_the_reason(
    assay: str, analyte: str, words: str
) -> None:
    result = run(sample(0, 24, analyte=analyte), sample(60, 43, analyte=analyte), assay=assay)
    for found in result.risks:
        assert "samples 24 ng/L, 43 ng/L: not judged because" in found.statement
        assert words in found.statement


@pytest.mark.parametrize(
    ("samples", "assay", "state"),
    [
        ((sample(0, 52),), UNKNOWN, State.PRESENT),
        ((sample(0, 51.9),), UNKNOWN, State.ABSENT),
        ((sample(0, 160, analyte="hs_ctni"),), UNKNOWN, State.PRESENT),
        ((sample(0, 159, analyte="hs_ctni"),), UNKNOWN, State.ABSENT),
        (CONVENTIONAL, "conventional-ctni", State.PRESENT),
        ((sample(None, 500),), UNKNOWN, State.PRESENT),
        ((sample(0, "<60"),), UNKNOWN, State.NOT_ASSESSED),
        ((), UNKNOWN, State.NOT_ASSESSED),
        ((sample(0, 8), sample(30, -3)), UNKNOWN, State.NOT_ASSESSED),
        ((missing("troponin_times_limit", Why.UNREADABLE),), UNKNOWN, State.NOT_ASSESSED),
        ((sample(-60 * 48, 500),), UNKNOWN, State.NOT_ASSESSED),
    ],
    ids=[
        "T-at-52",
        "T-below-52",
        "I-at-160",
        "I-below-160",
        "conventional-I-later-sample",
        "no-collection-time",
        "censored",
        "none",
        "one-impossible",
        "unreadable",
        "two-days-old",
    ],
)
def test_a_value_above_every_rule_in_limit_is_said_without_any_rule(
    samples: tuple[Finding, ...], assay: str, state: State
) -> None:
    found = _statement(run(*samples, assay=assay), "above_every_rule_in_limit")
    assert found.state is state


def test_a_sample_of_an_unnamed_troponin_needs_the_limit_of_all_assays() -> None:
    bare = sample(0, 100).concept.model_copy(update={"codings": ()})
    low, high = (sample(0, value, concept=bare) for value in (100, 160))
    assert _statement(run(low), "above_every_rule_in_limit").state is State.ABSENT
    found = _statement(run(high), "above_every_rule_in_limit")
    assert found.state is State.PRESENT
    assert "160 ng/L" in str(found.value)


def test_a_value_above_every_limit_is_in_the_statement_where_no_assay_is_named() -> None:
    result = run(sample(0, 240), assay=UNKNOWN)
    assert all("act on it whichever assay it was" in r.statement for r in result.risks)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        (((0, 2.6), (60, 26.3)), State.PRESENT),
        (((0, 2.6), (60, 26.2)), State.ABSENT),
        (((0, 90), (60, 10)), State.ABSENT),
        (((0, 2.6), (60, "<30")), State.NOT_ASSESSED),
        (((0, 2.6), (None, 10)), State.NOT_ASSESSED),
    ],
    ids=["above", "at-the-limit", "only-an-earlier-one", "censored", "another-unplaced"],
)
def test_the_latest_sample_against_the_99th_percentile(
    values: tuple[tuple[float | None, Any], ...], state: State
) -> None:
    assert _statement(_architect(*values), "above_99th").state is state


# ---- what is open around a rule-out


@pytest.mark.parametrize(
    ("unknown", "condition"),
    [
        (("stemi_criteria",), "if the ECG is read without ST elevation;"),
        (("age_years",), "if the age is 18 or more;"),
        (
            ("stemi_criteria", "age_years"),
            "if the ECG is read without ST elevation and the age is 18 or more;",
        ),
    ],
    ids=["ecg", "age", "both"],
)
def test_a_rule_out_while_the_population_is_open_says_what_it_waits_for(
    unknown: tuple[str, ...], condition: str
) -> None:
    given: dict[str, Any] = dict.fromkeys(unknown, UNKNOWN)
    found = risk(run(sample(0, 8), sample(60, 9), **given), "ESC 0/1 h")
    assert found.category == "not determined"
    assert f"Rule-out by troponin {condition} not yet applied" in found.statement
    assert "not assessed" not in found.statement
    pending = risk(run(sample(0, 8), sample(60, 9), onset_h=0.5, **given), "ESC 0/1 h")
    assert "a further sample 3 h after the first decides" in pending.statement
    assert condition[:-1] in pending.statement
    open_too = risk(run(sample(0, 8), sample(60, "<12"), **given), "ESC 0/1 h")
    assert "the rule-out only " + condition[:-1] in open_too.statement


# ---- results that are not final


@pytest.mark.parametrize("flag", ["preliminary", "status-unknown", "status-not-stated"])
@pytest.mark.parametrize("which", [0, 1], ids=["first", "second"])
def test_a_result_that_is_not_final_supports_no_rule_out(flag: str, which: int) -> None:
    flags: list[tuple[str, ...]] = [(), ()]
    flags[which] = (flag,)
    pair = (sample(0, 8, flags=flags[0]), sample(60, 9, flags=flags[1]))
    found = risk(run(*pair), "ESC 0/1 h")
    assert found.category == "not determined"
    assert any("cannot support a rule-out" in c for c in found.caveats)
    assert "troponin_final_result" in [m.input for m in found.missing]


@pytest.mark.parametrize("flag", ["amended", "corrected", "has-note"])
def test_a_corrected_result_is_final(flag: str) -> None:
    found = run(sample(0, 8, flags=(flag,)), sample(60, 9))
    assert (
        risk(found, "ESC 0/1 h").category == "rule-out"
    )  # hs-cTnT 8 then 9: below 12, change below 3


def test_a_preliminary_result_still_rules_in() -> None:
    found = run(sample(0, 60, flags=("preliminary",)))
    assert risk(found, "ESC 0/1 h").category == "rule-in"  # at least 52 ng/L
