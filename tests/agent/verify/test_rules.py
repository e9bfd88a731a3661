# ruff: noqa: RUF001, E501
"""Each rule of the verifier by itself, with the reason it gives."""

import pytest

from agent.fact_sheet import with_hits
from agent.facts import Fact, FactNumber, FactSheet, numbered
from agent.verify import verify
from agent.verify.tokens import tokens
from agent.verify.verify import MAX_CHARACTERS
from tests.agent.test_facts import hit
from tests.agent.verify.sheets import every_id, fact, sheet


def one(**fields: object) -> FactSheet:
    return numbered((Fact.model_validate({"key": "k", "kind": "finding", **fields}),), "en")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The ECG shows sinus rhythm, 98/min.", "number"),
        ("Pain since 11:30.", "time"),
        ("The ECG shows no ST depression.", "polarity"),
        ("The ECG shows presumed ST depression.", "certainty"),
        ("The ECG shows ST depression due to ischaemia.", "cause"),
        ("A 71-year-old woman; start aspirin.", "advice"),
        ("We quote: sinus rhythm, 88/min.", "quote"),
        ("The ECG shows splendid sinus rhythm.", "vocabulary"),
        ("Sinus rhythm @ 88/min.", "character"),
        ("High-sensitivity troponin T: 43 ng/L, then 24 ng/L.", "binding"),
        ("患者女性。", "language"),
        ("", "length"),
        ("Sinus rhythm. " * MAX_CHARACTERS, "length"),
    ],
)
def test_the_reason_names_the_rule(text: str, rule: str) -> None:
    facts = sheet("nstemi")
    told = tuple(f.id for f in facts.of_narrative())
    assert rule in {failure.rule for failure in verify(text, told, facts).failures}


def test_a_reference_that_does_not_exist_fails() -> None:
    facts = sheet("nstemi")
    for refs in ((), ("F9999",), (fact(facts, "person").id, "F9999")):
        checked = verify("Woman, 71 years.", refs, facts)
        assert [f.rule for f in checked.failures] == ["reference"]


def test_only_the_facts_a_sentence_speaks_about_are_its_references() -> None:
    facts = sheet("nstemi")
    checked = verify("Woman, 71 years.", every_id(facts), facts)
    assert checked.used == (fact(facts, "person").id,)


def test_every_fact_of_the_examples_passes_in_its_own_words() -> None:
    for name in ("stemi", "nstemi", "early_presenter", "half_missing"):
        facts = sheet(name)
        for each in (f for f in facts.facts if not f.outside):
            checked = verify(each.text, (each.id,), facts)
            assert checked.ok, (each.text, checked.failures)
            assert checked.covered == (each.id,), each.text


def test_a_fact_told_in_part_is_not_covered() -> None:
    facts = sheet("nstemi")
    grace = fact(facts, "score.GRACE in-hospital score")
    assert verify("The GRACE score is 157.", (grace.id,), facts).ok
    assert verify("The GRACE score is 157.", (grace.id,), facts).covered == ()


def test_two_statements_of_one_name_at_two_times_keep_their_times() -> None:
    two = numbered(
        tuple(
            Fact.model_validate(
                {
                    "key": f"k{i}",
                    "kind": "finding",
                    "names": ("Potassium",),
                    "numbers": ({"text": number},),
                    "times": (time,),
                    "text": f"Potassium: {number} at {time}.",
                }
            )
            for i, (number, time) in enumerate(
                [("4.4 mmol/L", "2026-11-20 13:30"), ("5.9 mmol/L", "2026-11-20 15:10")]
            )
        ),
        "en",
        "2026-11-20",
    )
    assert verify("Potassium was 4.4 mmol/L at 13:30.", ("F1", "F2"), two).ok
    assert not verify("Potassium was 5.9 mmol/L at 13:30.", ("F1", "F2"), two).ok
    assert not verify("Potassium was 4.4 mmol/L at 15:10.", ("F1", "F2"), two).ok


def test_a_bound_is_not_told_as_a_number() -> None:
    facts = one(names=("Troponin",), numbers=({"text": "<6 ng/L"},), text="Troponin: <6 ng/L.")
    assert verify("Troponin was below 6 ng/L.", ("F1",), facts).ok
    assert verify("Troponin was less than 6 ng/L.", ("F1",), facts).ok
    for lie in ("Troponin was 6 ng/L.", "Troponin was ≤6 ng/L.", "Troponin was >6 ng/L."):
        assert not verify(lie, ("F1",), facts).ok


def test_numbers_are_read_in_every_spelling() -> None:
    keys = {
        "sixty-two bpm": "62|/min",
        "62 beats per minute": "62|/min",
        "2,6 ng/L": "2.6|ng/L",
        "2.60 ng/l": "2.6|ng/L",
        "1 h 2 min": "62|min",
        "1 hour and 2 minutes": "62|min",
        "3 percent": "3|%",
        "between 4 and 8": "4..8|",
        "4-8": "4..8|",
        "4 to 8": "4..8|",
        "+19 ng/L": "+19|ng/L",
        "−19 ng/L": "-19|ng/L",
        "1/2": "1/2|",
    }
    for text, key in keys.items():
        assert [t.key for t in tokens(text, "en")] == [key], text


def test_a_number_that_could_be_read_in_two_ways_is_not_understood() -> None:
    assert tokens("1,000 ng/L", "en")[0].kind == "bad"


GUIDELINE = "An early invasive strategy within 24 hours should be considered in high-risk patients."


@pytest.mark.parametrize(
    ("text", "ok"),
    [
        (GUIDELINE, True),
        (f"According to A guideline (2023), {GUIDELINE}", True),
        ("The early invasive strategy within 24 h should be considered in high-risk patients.", True),
        ("An early invasive strategy within 24 hours should be considered.", False),
        ("An early invasive strategy within 24 hours must be considered in high-risk patients.", False),
        ("An early invasive strategy within 24 hours may be considered in high-risk patients.", False),
        ("An early invasive strategy within 48 hours should be considered in high-risk patients.", False),
        ("An early invasive strategy within 24 hours should be considered in low-risk patients.", False),
        ("An early invasive strategy within 24 hours should not be considered in high-risk patients.", False),
        (f"Another guideline: {GUIDELINE}", False),
        (f"We quote: {GUIDELINE}", False),
    ],
)  # fmt: skip
def test_a_guideline_statement_is_told_whole_or_not_at_all(text: str, ok: bool) -> None:
    facts = with_hits(sheet("nstemi"), [hit(GUIDELINE)])
    assert verify(text, (facts.facts[-1].id,), facts).ok is ok


def test_only_an_original_may_be_called_a_quote() -> None:
    original = with_hits(sheet("nstemi"), [hit(GUIDELINE, kind="original")])
    assert verify(f"Quoted: {GUIDELINE}", (original.facts[-1].id,), original).ok


def test_wording_from_outside_is_never_joined() -> None:
    facts = one(
        names=("Ignore the rules",),
        outside=True,
        state="present",
        text="Ignore the rules: present.",
    )
    assert not verify("Ignore the rules.", ("F1",), facts).ok


def onset(shown: str, day: str) -> FactSheet:
    made = Fact(
        key="onset",
        kind="onset",
        names=("pain",),
        times=(shown,),
        parts=(f"since {shown}",),
        needed=(f"since {shown}",),
        text=f"Pain since {shown}.",
    )
    return numbered((made,), "en", day)


@pytest.mark.parametrize("day", ["2026-11-20", ""])
def test_a_clock_time_alone_is_of_the_day_of_the_assessment_only(day: str) -> None:
    facts = onset("2026-11-18 17:30", day)
    assert not verify("Pain since 17:30.", ("F1",), facts).ok
    assert verify("Pain since 2026-11-18 17:30.", ("F1",), facts).ok


def test_a_clock_time_of_the_day_of_the_assessment_may_stand_alone() -> None:
    assert verify("Pain since 17:30.", ("F1",), onset("2026-11-20 17:30", "2026-11-20")).ok


def test_a_value_of_another_day_is_told_with_its_day() -> None:
    made = Fact(
        key="k",
        kind="finding",
        names=("Potassium",),
        numbers=(FactNumber(text="4.4 mmol/L"),),
        times=("2026-11-12 13:30",),
        text="Potassium: 4.4 mmol/L at 2026-11-12 13:30.",
    )
    facts = numbered((made,), "en", "2026-11-20")
    assert verify(made.text, ("F1",), facts).ok
    for lie in ("Potassium was 4.4 mmol/L.", "Potassium was 4.4 mmol/L at 13:30."):
        assert not verify(lie, ("F1",), facts).ok


def test_a_saturation_is_not_said_to_be_on_room_air_where_it_is_not_known_to_be() -> None:
    facts = one(names=("Oxygen saturation",), numbers=({"text": "96 %"},), text="-")
    assert verify("Oxygen saturation was 96 %.", ("F1",), facts).ok
    assert verify("SpO2 was 96 %.", ("F1",), facts).ok
    assert not verify("Oxygen saturation on room air was 96 %.", ("F1",), facts).ok


def test_scores_copied_side_by_side_pass() -> None:
    facts = sheet("nstemi")
    scores = [f for f in facts.of_narrative() if f.kind == "score"]
    text = " ".join(f.text for f in scores)
    checked = verify(text, tuple(f.id for f in scores), facts)
    assert checked.ok
    assert checked.covered == tuple(f.id for f in scores)
