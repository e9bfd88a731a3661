"""Marked nodules: in lungs only, one lesion once, no growth in no time, age and sex as stated."""

from dataclasses import replace

import pytest

from knowledge.finding import Finding, Why
from knowledge.nodule_levels import nodule_levels
from knowledge.patient import Identity
from tests.tools.imaging.ct.phantoms import Nodule, block, chest, volume_of
from tools.imaging.ct.header_answers import with_header
from tools.imaging.ct.marked import Earlier
from tools.imaging.ct.model import Volume
from tools.imaging.ct.report import measured
from tools.intake.answer import stated_finding

SPACING = (1.25, 0.7, 0.7)
SEED = (30.0, 30.0, 30.0)
ANNA = Identity(source="a", identifiers=(("", "7081233"),), sex="female")


def _piece(mm: float = 10, day: str = "2026-01-10", body_part: str = "chest") -> Volume:
    hu = block([Nodule((30, 30, 30), mm)], spacing=SPACING)
    made = volume_of(hu, SPACING, day=day, body_part=body_part)
    return replace(made, facts=made.facts.model_copy(update={"series": day + str(mm)}))


def _answer(key: str, value: str) -> dict[str, Finding]:
    return {key: stated_finding(key, value, file="test", record=key)}


@pytest.mark.parametrize("body_part", ["head", "abdomen", ""])
def test_nothing_is_said_of_a_nodule_that_is_not_shown_to_lie_in_a_lung(body_part: str) -> None:
    """The header names another part, or none, and no lungs are outlined."""
    found = measured(_piece(body_part=body_part), seeds=(SEED,), answers={})
    (one,) = found.nodules
    assert (one.measure, one.management, one.growth) == (None, None, None)
    assert one.not_assessed["nodule"].why is Why.OUTSIDE_CONTRACT
    assert "lies in a lung is not shown" in one.not_assessed["nodule"].detail


def test_a_piece_of_a_chest_is_measured_and_says_what_places_the_nodule() -> None:
    (one,) = measured(_piece(), seeds=(SEED,), answers={}).nodules
    assert one.measure is not None
    assert "rests on the header, which states the chest" in one.measure.flags[-1]


def test_within_outlined_lungs_a_nodule_is_measured_and_one_in_the_belly_is_not() -> None:
    """Lungs of 57.6 x 96 x 114 mm half axes; gas below them is no lung, nor a thing in it."""
    spacing = (2.0, 2.0, 2.0)
    hu = chest(spacing=spacing, shape=(130, 160, 160), vessels=0, noise=5,
               nodules=[Nodule((130, 160, 88), 14)])  # fmt: skip
    z, y, x = (slice(2, 22), slice(60, 100), slice(68, 92))
    gas = hu[z, y, x]
    gas[:] = -850
    gas[7:13, 17:23, 9:15] = 40
    volume = volume_of(hu, spacing, body_part="")
    found = measured(volume, seeds=((88, 160, 130), (160, 160, 24)), answers={})
    assert found.lungs is not None
    inside, outside = found.nodules
    assert inside.measure is not None
    assert inside.measure.mean_mm == pytest.approx(14, abs=1)
    assert outside.measure is None
    assert "does not lie in the lungs" in outside.not_assessed["nodule"].detail


def test_two_seeds_in_one_lesion_are_one_nodule() -> None:
    found = measured(_piece(), seeds=(SEED, (30, 30, 31)), answers={})
    first, second = found.nodules
    assert first.measure is not None
    assert (second.measure, second.same_as) == (None, 1)
    assert "the same lesion as nodule 1" in second.not_assessed["nodule"].detail


def test_two_nodules_against_one_earlier_lesion_are_not_compared_twice() -> None:
    hu = block([Nodule((30, 20, 20), 8), Nodule((30, 40, 40), 8)], spacing=SPACING)
    now = volume_of(hu, SPACING, day="2026-07-01")
    before = Earlier(volume=_piece(), seeds=(SEED, SEED), same_patient=True)
    found = measured(now, seeds=((20, 20, 30), (40, 40, 30)), answers={}, earlier=before)
    assert found.nodules[0].growth is not None
    assert found.nodules[1].growth is None
    assert "lesion of nodule 1" in found.nodules[1].not_assessed["growth"].detail


@pytest.mark.parametrize("day", ["2026-01-10", "2026-01-29"])
def test_no_growth_in_less_than_twenty_days(day: str) -> None:
    """8 to 10 mm is +95 %, but 0 and 19 days are too short: no verdict, no Lung-RADS status."""
    earlier = Earlier(volume=_piece(8), seeds=(SEED,), same_patient=True)
    found = measured(_piece(10, day), seeds=(SEED,), answers={}, earlier=earlier)
    growth = found.nodules[0].growth
    assert growth is not None
    assert (growth.verdict, growth.lung_rads_status) == ("not assessed", None)
    assert growth.not_assessed["interval"].why is Why.OUTSIDE_WINDOW
    management = found.nodules[0].management
    assert management is not None
    assert set(management.level.possible) <= set(nodule_levels().levels)
    rads = next(r for r in management.risks if r.tool == "lung_rads_2022")
    assert rads.category == "not determined"


def test_an_earlier_head_gives_no_growth() -> None:
    earlier = Earlier(volume=_piece(8, body_part="head"), seeds=(SEED,), same_patient=True)
    found = measured(_piece(10, "2026-07-01"), seeds=(SEED,), answers={}, earlier=earlier)
    assert found.nodules[0].growth is None
    assert "on the earlier CT" in found.nodules[0].not_assessed["growth"].detail


def test_an_earlier_ct_without_a_seed_is_said_not_to_be_compared() -> None:
    earlier = Earlier(volume=_piece(8), seeds=(), same_patient=True)
    found = measured(_piece(10, "2026-07-01"), seeds=(), answers={}, earlier=earlier)
    assert "nothing was compared" in found.not_assessed["nodule-growth"].detail


def test_numbers_that_differ_without_an_issuer_are_said() -> None:
    other = ANNA.model_copy(update={"source": "b", "identifiers": (("", "OTHER"),)})
    now, before = _piece(10, "2026-07-01"), _piece(8)
    now = replace(now, facts=now.facts.model_copy(update={"identity": ANNA}))
    for who, said in ((other, 1), (ANNA.model_copy(update={"source": "b"}), 0)):
        then = replace(before, facts=before.facts.model_copy(update={"identity": who}))
        earlier = Earlier(volume=then, seeds=(SEED,), same_patient=True)
        growth = measured(now, seeds=(SEED,), answers={}, earlier=earlier).nodules[0].growth
        assert growth is not None
        assert len(growth.cautions) == said


def test_age_and_sex_of_the_header_are_used_and_a_contradiction_is_named() -> None:
    made = _piece()
    facts = made.facts.model_copy(update={"identity": ANNA})
    known, conflicts = with_header(facts, {})
    assert str(known["age_years"].value) == "60 a"
    assert (known["sex"].choice, conflicts) == ("female", ())
    known, conflicts = with_header(facts, _answer("sex", "male"))
    assert known["sex"].not_assessed is not None
    assert known["sex"].not_assessed.why is Why.CONFLICTING
    assert "the header says female, the answer male" in conflicts[0]
    known, conflicts = with_header(facts, _answer("age_years", "67 a"))
    assert known["age_years"].not_assessed is not None
    assert "the header says 60, the answer 67" in conflicts[0]
    same, conflicts = with_header(facts, _answer("age_years", "60 a"))
    assert (same["age_years"].not_assessed, conflicts) == (None, ())


def test_a_typed_sex_against_the_header_leaves_a_range_and_a_line() -> None:
    made = _piece()
    volume = replace(made, facts=made.facts.model_copy(update={"identity": ANNA}))
    found = measured(volume, seeds=(SEED,), answers=_answer("sex", "male"))
    assert any("they conflict" in line for line in found.cautions)
    management = found.nodules[0].management
    assert management is not None
    brock = next(r for r in management.risks if r.tool == "brock_nodule")
    assert brock.value is None
    assert "sex" in {one.input for one in brock.missing}
