"""Measured nodules as entries of a nodule reading, and the models on the reading's own items."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from evals.phantoms.readings import reading
from knowledge.errors import ContractError, IdentityConflictError
from knowledge.finding import State
from knowledge.patient import Identity
from knowledge.reading_form import reading_form
from tests.tools.imaging.ct.phantoms import Nodule, block, volume_of
from tools.imaging.ct.into_reading import with_ct
from tools.imaging.ct.nodule_models import with_nodule_models
from tools.imaging.ct.report import CtReport, measured
from tools.readings.category import outcomes
from tools.readings.check import faults
from tools.readings.fhir_in import reading_from_fhir
from tools.readings.fhir_out import fhir_bundle
from tools.readings.model import Reading
from tools.readings.outcome import outcome_of
from tools.readings.sr_in import reading_from_sr
from tools.readings.sr_out import reading_sr

AT = datetime(2026, 3, 2, tzinfo=UTC)
SPACING = (1.25, 0.7, 0.7)
FORM = "ct_nodules"


@pytest.fixture(scope="module")
def report() -> CtReport:
    """Return a piece of a chest with one nodule of 10 mm, marked twice."""
    made = volume_of(block([Nodule((30, 30, 30), 10)], spacing=SPACING), SPACING)
    identity = Identity(source="phantom", sex="female")
    volume = replace(made, facts=made.facts.model_copy(update={"identity": identity}))
    return measured(volume, seeds=((30, 30, 30), (30, 30, 31)), answers={})


def _empty(**items: Any) -> Reading:
    made = reading(FORM, items)
    return made.model_copy(update={"study": made.study.model_copy(update={"images": ()})})


def test_one_measured_lesion_is_one_entry_with_its_numbers(report: CtReport) -> None:
    """The sphere of 10 mm holds 4/3 pi 5^3 = 523.6 mm3."""
    filled = with_ct(_empty(), report, study="1.2.3", at=AT)
    (entry,) = filled.items["nodules"].entries
    assert entry.items["nodule_diameter"].number == pytest.approx(10, abs=0.4)
    assert entry.items["nodule_volume"].number == pytest.approx(523.6, rel=0.05)
    assert entry.items["nodule_type"].choices == ("solid",)
    assert filled.items["age_years"].number == 60
    assert filled.items["sex"].choices == ("female",)
    assert entry.items["nodule_diameter"].said is not None
    assert entry.items["nodule_diameter"].said.by == "measurement"
    assert "could not be outlined" in entry.items["nodule_diameter"].text
    probability = entry.items["malignancy_probability"]
    assert probability.state is State.NOT_ASSESSED
    assert probability.not_assessed is not None
    assert "not known" in probability.not_assessed.detail
    assert list(faults(filled)) == []


def test_it_goes_out_as_fhir_and_sr_and_comes_back_the_same(report: CtReport) -> None:
    filled = with_ct(_empty(), report, study="1.2.3", at=AT)
    assert reading_from_fhir(fhir_bundle(filled)) == filled
    assert reading_from_sr(reading_sr(filled)).items == filled.items


def test_a_readers_nodules_are_not_mixed_with_measured_ones(report: CtReport) -> None:
    stated = _empty(nodules={"n1": {"nodule_diameter": "7 mm"}})
    with pytest.raises(ContractError, match="were stated by Dr Reader"):
        with_ct(stated, report, study="1.2.3", at=AT)
    with pytest.raises(IdentityConflictError, match="not shown to be of the study"):
        with_ct(_empty(), report, study="1.2.9", at=AT)


def test_what_a_reader_stated_of_the_patient_stays(report: CtReport) -> None:
    filled = with_ct(_empty(sex="male"), report, study="1.2.3", at=AT)
    assert filled.items["sex"].choices == ("male",)
    assert filled.items["sex"].said is not None
    assert filled.items["sex"].said.by == "reader"


def test_without_a_seed_nodules_are_not_assessed_and_never_absent() -> None:
    volume = volume_of(block([], spacing=SPACING), SPACING)
    none = measured(volume, seeds=(), answers={})
    filled = with_ct(_empty(), none, study="1.2.3", at=AT)
    nodules = filled.items["nodules"]
    assert nodules.state is State.NOT_ASSESSED
    assert nodules.not_assessed is not None
    assert "none is looked for" in nodules.not_assessed.detail


MAYO: dict[str, Any] = {
    "age_years": "55 a", "smoking_ever": "absent", "extrathoracic_cancer_over_5_years": "absent",
    "cancer_within_5_years_or_lung": "absent", "lung_cancer_screening": "absent",
}  # fmt: skip
PLAIN = {
    "nodule_diameter": "20 mm", "nodule_type": "solid", "nodule_spiculated": "absent",
    "nodule_lobe": "left-lower", "calcification": "none", "nodule_perifissural": "absent",
    "nodule_status": "baseline", "fdg_uptake": "not-done",
}  # fmt: skip


def test_the_models_on_the_readings_own_items() -> None:
    """Swensen 1997: 55 years, 20 mm, none of the others: 10.63 %; with intense uptake 60.45 %."""
    made = with_nodule_models(_empty(**MAYO, nodules={"n1": PLAIN}), at=AT)
    said = made.at("nodules/n1/malignancy_probability")
    assert said.number == pytest.approx(10.63, abs=0.01)
    assert said.text == "Mayo nodule model"
    level = outcome_of(outcomes(reading_form(FORM), made.items), "nodule_level", "n1")
    assert level.category == "suspected-benign"
    after = {**PLAIN, "fdg_uptake": "intense"}
    pet = with_nodule_models(_empty(**MAYO, nodules={"n1": after}), at=AT)
    assert pet.at("nodules/n1/malignancy_probability").number == pytest.approx(60.45, abs=0.05)


def test_an_unknown_input_gives_no_number() -> None:
    unknown = {k: v for k, v in PLAIN.items() if k != "nodule_lobe"}
    made = with_nodule_models(_empty(**MAYO, nodules={"n1": unknown}), at=AT)
    said = made.at("nodules/n1/malignancy_probability")
    assert said.number is None
    assert said.not_assessed is not None
    assert "Nodule in an upper lobe" in said.not_assessed.detail
    with pytest.raises(ContractError, match="has no nodule"):
        with_nodule_models(_empty(), at=AT)
