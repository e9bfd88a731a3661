"""Answers that cannot stand together: no category, no signature, until they are settled.

Expected values: CAD-RADS 2.0 (2022; 0 is no plaque), BI-RADS 5 (a spiculated margin is suspicious),
Fleischner glossary 2008 (a nodule is up to 3 cm), ASCO/CAP 2018 and arithmetic shown in the test.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from knowledge.errors import ContractError, InvalidValueError
from knowledge.plain_text import has_chinese
from knowledge.reading_contradictions import Derived
from knowledge.reading_form import ReadingForm, reading_form, reading_form_ids
from knowledge.reference import raw
from tests.tools.readings.made import NOON, READER, reading
from tools.readings.any_file import read_any
from tools.readings.category import contradictions, outcomes
from tools.readings.fhir_in import reading_from_fhir
from tools.readings.fhir_out import fhir_bundle
from tools.readings.model import Reading, Said, Stated
from tools.readings.outcome import outcome_of
from tools.readings.report import reading_report
from tools.readings.sr_in import reading_from_sr
from tools.readings.sr_out import reading_sr
from tools.readings.text import plain
from tools.readings.typed import typed_changes
from tools.readings.versions import (
    ContradictionError,
    EmptyReadingError,
    accepted,
    edited,
    open_clashes,
    signed,
)

LATER = Said(by="reader", who="Dr Two", at=NOON + timedelta(minutes=5))
FREE = {"lm": "none", "lad": "none", "lcx": "none", "rca": "none"}
CALCIUM = {**FREE, "plaque_method": "cac", "cac": "450 1", "acute_chest_pain": "present"}
SPICULATED = {
    "findings": {"f1": {"breast": "left", "finding_type": "mass", "mass_margin": "spiculated"}},
    "breasts": {"right": {"assessment": "1"}, "left": {"assessment": "2"}},
}


def typed(form_id: str, items: Mapping[str, str]) -> Reading:
    """Return a reading as a person types it."""
    made, form = reading(form_id), reading_form(form_id)
    stated = {p: typed_changes(made, form.item(p), p, t, LATER) for p, t in items.items()}
    return edited(made, stated, by=LATER)


CANNOT = [
    ("coronary_cad_rads", {**FREE, "cac": "450"}, "calcium_without_plaque"),
    ("coronary_cad_rads", {**FREE, "plaque_method": "sis", "sis": "9"}, "segments_without_plaque"),
    ("coronary_cad_rads", {**FREE, "stent": "present"}, "stent_without_plaque"),
    ("coronary_cad_rads", {**FREE, "napkin_ring": "present"}, "features_without_plaque"),
    ("chest_film", {"nodule": "present;size_mm=45"}, "nodule_too_large"),
    ("chest_film", {"mass": "present;size_mm=12"}, "mass_too_small"),
    ("chest_film", {"multiple_nodules": "present", "nodule": "absent"}, "several_without_nodule"),
    ("chest_ct", {"agatston": "12", "coronary_calcium": "absent"}, "calcium_unseen"),
    ("pathology_breast", {"er_percent": "80", "er_intensity": "none"}, "er_nuclei_without_stain"),
    (
        "pathology_breast",
        {"nodes_positive": "0", "extranodal": "present"},
        "extranodal_without_node",
    ),
    ("pathology_lung", {"total_size": "12", "invasive_size": "15"}, "invasive_beyond_total"),
    ("pathology_pd_l1", {"tps": "60", "cps": "20"}, "combined_below_tumour_score"),
    (
        "pathology_colon",
        {"margin": "involved", "margin_distance": "4"},
        "margin_involved_at_distance",
    ),
    ("brain_volumetry", {"icv": "1400", "brain": "1500"}, "brain_beyond_skull"),
]


@pytest.mark.parametrize(("form_id", "items", "key"), CANNOT, ids=[key for *_, key in CANNOT])
def test_what_cannot_stand_together_is_named_and_not_signed(
    form_id: str, items: dict[str, str], key: str
) -> None:
    made = typed(form_id, items)
    assert [(one.key, one.look_again) for one in contradictions(made)] == [(key, False)]
    with pytest.raises(ContradictionError, match=key):
        signed(made, by=LATER)
    with pytest.raises(ContractError, match="cannot be confirmed"):
        accepted(made, [key], by=LATER)


AGAIN = [
    ("chest_film", {"ctr": "0.62", "cardiomegaly": "absent"}, "large_ratio"),
    ("chest_film", {"projection": "pa", "ctr": "0.52", "cardiomegaly": "absent"}, "large_ratio"),
    ("chest_ct", {"contrast": "absent", "embolus": "absent"}, "embolus_without_contrast"),
    ("pathology_colon", {"mlh1": "lost", "pms2": "retained"}, "mlh1_without_pms2"),
    (
        "pathology_thyroid_cytology",
        {"diagnosis": "benign", "groups": "5"},
        "benign_with_few_groups",
    ),
    ("stroke_aspects", {"side": "posterior", "m1": "present"}, "posterior_with_middle"),
    (
        "general_imaging",
        {"abnormal": "absent", "urgent_contact": "present"},
        "urgent_without_finding",
    ),
]


@pytest.mark.parametrize(("form_id", "items", "key"), AGAIN, ids=[key for *_, key in AGAIN])
def test_what_is_unlikely_is_confirmed_by_name_and_printed(
    form_id: str, items: dict[str, str], key: str
) -> None:
    made = typed(form_id, items)
    assert [(one.key, one.look_again) for one in open_clashes(made)] == [(key, True)]
    with pytest.raises(ContradictionError, match="look again"):
        signed(made, by=LATER)
    assert "not confirmed yet" in plain(reading_report(made))
    done = signed(accepted(made, [key], by=LATER), by=LATER)
    assert "confirmed as stated by Dr Two" in plain(reading_report(done))
    assert "Dr Two 已确认" in plain(reading_report(done, language="zh"))


FITS = [
    ("coronary_cad_rads", {**FREE, "cac": "0", "stent": "absent"}),
    ("coronary_cad_rads", {"lm": "none", "lad": "none", "lcx": "none", "cac": "450"}),
    ("coronary_cad_rads", {**FREE, "rca": "minimal", "cac": "450"}),
    ("chest_film", {"nodule": "present;size_mm=30"}),
    ("chest_film", {"nodule": "present"}),
    ("chest_film", {"projection": "ap-supine", "ctr": "0.54", "cardiomegaly": "absent"}),
    ("pathology_pd_l1", {"tps": "60", "cps": "60"}),
    ("bone_age", {"chronological_age": "96", "assessed_bone_age": "132", "difference": "36"}),
]


@pytest.mark.parametrize(("form_id", "items"), FITS)
def test_what_goes_together_or_is_not_known_is_no_contradiction(
    form_id: str, items: dict[str, str]
) -> None:
    made = typed(form_id, items)
    assert contradictions(made) == ()
    assert signed(made, by=LATER).status == "final"


def test_no_category_rests_on_a_contradiction() -> None:
    """CAD-RADS 0 is no plaque; an Agatston score of 450 is plaque."""
    made = reading("coronary_cad_rads", {k: v for k, v in CALCIUM.items()})
    found = outcomes(reading_form(made.form), made.items)
    for table in ("cad_rads", "plaque", "modifier_n", "acute"):
        outcome = outcome_of(found, table)
        assert outcome.category is None
        assert outcome.contradictions == ("calcium_without_plaque",)
    shown = plain(reading_report(made))
    assert "CAD-RADS category: not determined: contradiction" in shown
    assert "no plaque" not in shown.split("Stenosis by vessel")[0]
    assert "is unlikely" not in shown


def test_a_ratio_known_within_a_margin_contradicts_only_where_all_of_it_does() -> None:
    made = reading("chest_film", {"projection": "pa", "cardiomegaly": "absent"})
    for margin, clashes in ((0.03, 0), (0.01, 1)):
        ratio = Stated(state="present", number=0.52, unit="1", margin=margin, said=READER)  # type: ignore[arg-type]
        held = made.model_copy(update={"items": {**made.items, "ctr": ratio}})
        assert len(contradictions(held)) == clashes


def test_a_suspicious_finding_names_its_breast_in_the_summary() -> None:
    made = reading("mammography_birads", SPICULATED)
    assert [one.key for one in contradictions(made)] == ["low_category_left/f1"]
    report = reading_report(made)
    assert report.summary[0] == "BI-RADS 2"
    assert report.summary[1].startswith("Look again: Finding f1: A finding of the left breast")
    assert "Routine screening" not in [c.management for c in report.categories if "left" in c.label]
    with pytest.raises(ContradictionError, match="left breast"):
        signed(made, by=LATER)
    done = signed(accepted(made, ["low_category_left/f1"], by=LATER), by=LATER)
    assert "confirmed as stated by Dr Two" in reading_report(done).summary[1]


def test_what_was_confirmed_survives_export_and_falls_with_an_edit() -> None:
    made = accepted(reading("mammography_birads", SPICULATED), ["low_category_left/f1"], by=LATER)
    assert reading_from_fhir(fhir_bundle(made), name="x") == made
    assert reading_from_sr(reading_sr(made), name="x") == made
    assert read_any(made.model_dump_json(by_alias=True).encode(), name="x") == made
    form = reading_form(made.form)
    path = "breasts/left/assessment"
    again = edited(made, {path: typed_changes(made, form.item(path), path, "3", LATER)}, by=LATER)
    assert again.accepted == ()
    assert len(open_clashes(again)) == 1
    other = edited(
        made,
        {"density": typed_changes(made, form.item("density"), "density", "b", LATER)},
        by=LATER,
    )
    assert other.accepted == made.accepted


def test_only_what_is_open_can_be_confirmed_by_a_reader() -> None:
    made = typed("chest_film", {"ctr": "0.62", "cardiomegaly": "absent"})
    with pytest.raises(InvalidValueError, match="open: large_ratio"):
        accepted(made, ["small_ratio"], by=LATER)
    machine = Said(by="measurement", who="ruler", at=LATER.at)
    with pytest.raises(ContractError, match="by a reader"):
        accepted(made, ["large_ratio"], by=machine)
    assert (
        accepted(accepted(made, ["large_ratio"], by=LATER), ["large_ratio"], by=LATER).version == 3
    )


def test_a_number_that_does_not_follow_names_both() -> None:
    """132 - 96 = +36 months; 36 / 10 = +3.6 SD: advanced, not delayed."""
    items = {"chronological_age": "96", "assessed_bone_age": "132", "reference_sd": "10"}
    made = typed("bone_age", {**items, "difference": "-36", "difference_sd": "-3.6"})
    found = contradictions(made)
    assert [one.key for one in found] == ["difference", "difference_sd"]
    assert "stated -36 months, computed 36 months" in found[0].because.en
    assert "stated -3.6, computed 3.6" in found[1].because.en
    assert outcome_of(outcomes(reading_form("bone_age"), made.items), "maturity").category is None
    with pytest.raises(ContradictionError, match="computed 36 months"):
        signed(made, by=LATER)
    right = typed("bone_age", {**items, "difference": "36", "difference_sd": "3.6"})
    assert outcome_of(outcomes(reading_form("bone_age"), right.items), "maturity").category == (
        "advanced"
    )


def test_a_percentile_follows_from_its_z_score() -> None:
    """A standard normal distribution: z -1.645 is the 5th percentile (printed tables)."""
    made = typed("brain_volumetry", {"brain_z": "-1.645", "brain_percentile": "5"})
    assert contradictions(made) == ()
    made = typed("brain_volumetry", {"brain_z": "-1.645", "brain_percentile": "95"})
    assert [one.key for one in contradictions(made)] == ["brain_percentile"]


@pytest.mark.parametrize("form_id", reading_form_ids())
def test_a_reading_that_says_nothing_is_not_signed(form_id: str) -> None:
    with pytest.raises(EmptyReadingError) as error:
        signed(reading(form_id), by=LATER)
    assert reading_form(form_id).sections[0].label.en in error.value.way_out


def test_what_only_a_tool_left_open_says_nothing() -> None:
    made = reading("chest_film")
    tool = Said(by="measurement", who="ruler", at=NOON)
    why = {"why": "quality", "detail": "dark"}
    given = Stated.model_validate({"state": "not_assessed", "not_assessed": why, "said": tool})
    held = made.model_copy(update={"items": {**made.items, "ctr": given}})
    with pytest.raises(EmptyReadingError):
        signed(held, by=LATER)
    own = made.model_copy(
        update={"items": {**made.items, "ctr": given.model_copy(update={"said": LATER})}}
    )
    assert signed(own, by=LATER).status == "final"


@pytest.mark.parametrize("form_id", reading_form_ids())
def test_every_contradiction_and_summary_is_in_both_languages(form_id: str) -> None:
    form = reading_form(form_id)
    assert form.contradictions or form.derived
    for rule in form.contradictions:
        assert has_chinese(rule.because.zh)
        assert not has_chinese(rule.because.en)
    assert reading_report(reading(form_id)).summary == ("nothing has been looked at",)


def _with(form_id: str, **more: Any) -> dict[str, Any]:
    return {**raw(f"readings/{form_id}"), **more}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"when": {"input": "colour", "is": "present"}}, "not there"),
        ({"when": {"input": "nodule", "is": "green"}}, "no answer green"),
        ({"when": {"input": "nodule", "gt": 3}}, "is no number"),
        ({"when": {"input": "nodule", "is": "present"}, "of": "heap"}, "list that is not there"),
        ({"when": {"input": "nodule", "is": "present"}, "id": "nodule"}, "given twice"),
        ({"when": {"input": "nodule", "is": "present"}, "source": "x"}, "not among"),
    ],
)
def test_a_contradiction_that_reads_what_is_not_there_is_refused(
    rule: dict[str, Any], says: str
) -> None:
    base = {"id": "odd", "because": {"en": "a", "zh": "甲"}, "source": "epicrisis", "review": "R90"}
    with pytest.raises(ValueError, match=says):
        ReadingForm.model_validate(_with("chest_film", contradictions=[{**base, **rule}]))


def test_a_derived_item_has_one_formula_over_numbers() -> None:
    base = {"item": "difference", "within": 1, "source": "epicrisis", "review": "R90"}
    with pytest.raises(ValueError, match="exactly one"):
        Derived.model_validate(base)
    for formula in ({"percentile": "hand"}, {"percentile": "difference"}):
        with pytest.raises(ValueError, match="derived 'difference'"):
            ReadingForm.model_validate(_with("bone_age", derived=[{**base, **formula}]))
