"""Bone age less age, brain volumes against a norm file, the hanging of mammograms."""

import json
from typing import Any

import pytest
from pydicom.dataset import Dataset

from knowledge.errors import ContractError, InvalidValueError, UnreadableError
from knowledge.finding import State
from knowledge.reading_form import reading_form
from tests.data_folder import shared_data
from tests.tools.readings.made import NOON, reading
from tools.dicom_out.sources import read_sources
from tools.readings.brain_norm import Person, Scanner, read_norm, scored
from tools.readings.category import outcomes
from tools.readings.hanging import hanging
from tools.readings.measured import with_bone_age, with_norm
from tools.readings.model import Subject
from tools.readings.outcome import outcome_of

SCANNER = {
    "manufacturer": "Maker", "model": "One", "field_t": 3.0, "sequence": "T1 3D",
    "segmentation": "Tool 2.1",
}  # fmt: skip
NORM: dict[str, Any] = {
    "schema": "epicrisis/brain-norm/1",
    "id": "invented norm 1",
    "source": "invented numbers for a test, of no person",
    "people": 200,
    "scanners": [SCANNER],
    "icv_ml": [1100, 1900],
    "curves": [
        {
            "structure": "hippocampus_left",
            "sex": "female",
            "rows": [
                {"age": 60, "mean": 3.6, "sd": 0.4},
                {"age": 80, "mean": 3.0, "sd": 0.4},
            ],
        },
        {
            "structure": "brain",
            "sex": "female",
            "rows": [{"age": 60, "mean": 1100, "sd": 50}, {"age": 80, "mean": 1000, "sd": 50}],
            "icv_slope": 0.5,
            "icv_mean": 1400,
        },
    ],
}
WOMAN = Person(age_years=70, sex="female", icv_ml=1500)


def norm(**changes: Any) -> Any:
    return read_norm(json.dumps({**NORM, **changes}).encode(), name="norm.json")


def test_z_and_percentile_by_hand() -> None:
    """At 70 years the mean is 3.3: (2.5 - 3.3) / 0.4 = -2, of which 2.28 % lie below.

    Brain: 1050 + 0.5 x (1500 - 1400) = 1100 at this head size; (1182.24 - 1100) / 50 = 1.6448,
    which is the 95th percentile of the standard normal distribution.
    """
    volumes = {"hippocampus_left": 2.5, "brain": 1182.24}
    left, brain = scored(norm(), volumes, person=WOMAN, scanner=Scanner.model_validate(SCANNER))
    assert (left.z, left.percentile) == (-2.0, 2.28)
    assert brain.z == pytest.approx(1.645, abs=0.001)
    assert brain.percentile == pytest.approx(95.0, abs=0.01)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"age_years": 59.9}, "age is outside 60 to 80"),
        ({"age_years": 80.1}, "age is outside 60 to 80"),
        ({"age_years": None}, "age is not known"),
        ({"sex": "male"}, "no norm of it for this sex"),
        ({"sex": "unknown"}, "sex is not known"),
        ({"icv_ml": 1950}, "outside 1100 to 1900 mL"),
        ({"icv_ml": None}, "intracranial volume is not known"),
    ],
)
def test_outside_the_norm_there_is_no_number(change: dict[str, Any], says: str) -> None:
    person = WOMAN.model_copy(update=change)
    how = Scanner.model_validate(SCANNER)
    found = scored(norm(), {"hippocampus_left": 2.5}, person=person, scanner=how)[0]
    assert found.z is None
    assert found.percentile is None
    assert found.not_assessed is not None
    assert says in found.not_assessed.detail


@pytest.mark.parametrize("key", list(SCANNER))
def test_another_scanner_or_software_is_refused(key: str) -> None:
    other = Scanner.model_validate({**SCANNER, key: 1.5 if key == "field_t" else "other"})
    found = scored(norm(), {"hippocampus_left": 2.5}, person=WOMAN, scanner=other)[0]
    assert found.not_assessed is not None
    assert "not of this scanner" in found.not_assessed.detail


@pytest.mark.parametrize(
    "change",
    [
        {"people": 3},
        {"scanners": []},
        {"icv_ml": [1900, 1100]},
        {"curves": [NORM["curves"][0]] * 2},
        {"curves": [{**NORM["curves"][0], "rows": NORM["curves"][0]["rows"][::-1]}]},
        {"curves": [{**NORM["curves"][0], "icv_slope": 1}]},
        {"colour": "red"},
    ],
)
def test_a_norm_file_that_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        norm(**change)


def test_a_norm_file_that_is_no_json() -> None:
    with pytest.raises(UnreadableError):
        read_norm(b"age,mean", name="norm.csv")


def test_a_volumetry_gets_its_scores_and_its_range() -> None:
    made = reading(
        "brain_volumetry",
        {"hippocampus_left": "2.5 mL", "icv": "1500 mL", "segmentation_checked": "present"},
        subject=Subject(id="P1", age_years=70, sex="female"),
    )
    found = with_norm(made, norm(), Scanner.model_validate(SCANNER), at=NOON)
    assert found.items["hippocampus_left_z"].number == -2
    said = found.items["hippocampus_left_z"].said
    assert said is not None
    assert (said.by, "invented norm 1" in said.who) == ("measurement", True)
    assert found.items["hippocampus_right_z"].state is State.NOT_ASSESSED
    below = outcome_of(outcomes(reading_form("brain_volumetry"), found.items), "hippocampi")
    assert below.category == "hippocampi-below"
    with pytest.raises(ContractError):
        with_norm(reading("bone_age"), norm(), Scanner.model_validate(SCANNER), at=NOON)


def test_bone_age_less_age_and_without_a_table() -> None:
    ages = {"chronological_age": "96 mo", "assessed_bone_age": "126 mo"}
    found = with_bone_age(reading("bone_age", {**ages, "reference_sd": "10 mo"}), at=NOON)
    assert (found.items["difference"].number, found.items["difference_sd"].number) == (30, 3)
    without = with_bone_age(reading("bone_age", ages), at=NOON)
    assert without.items["difference"].number == 30
    lacking = without.items["difference_sd"].not_assessed
    assert lacking is not None
    assert "no standard deviation" in lacking.detail
    nothing = with_bone_age(reading("bone_age"), at=NOON)
    assert nothing.items["difference"].state is State.NOT_ASSESSED
    with pytest.raises(ContractError):
        with_bone_age(reading("chest_film"), at=NOON)


def film(uid: str, **given: Any) -> Dataset:
    ds = Dataset()
    ds.SOPInstanceUID, ds.Modality = uid, "MG"
    for key, value in given.items():
        setattr(ds, key, value)
    return ds


def test_cc_above_mlo_and_right_beside_left() -> None:
    found = hanging(
        [
            film("1.1", ViewPosition="MLO", ImageLaterality="L", PatientOrientation=["A", "FR"]),
            film("1.2", ViewPosition="CC", Laterality="L", PatientOrientation=["P", "L"]),
            film("1.3", ViewPosition="MLO", ImageLaterality="R", PatientOrientation=["P", "FL"]),
            film("1.4", ViewPosition="CC", ImageLaterality="R"),
        ]
    )
    placed = [(f.side, f.view, f.row, f.column, f.mirror) for f in found.films]
    assert placed == [
        ("right", "CC", 0, 0, None),
        ("left", "CC", 0, 1, True),
        ("right", "MLO", 1, 0, False),
        ("left", "MLO", 1, 1, False),
    ]
    assert found.missing == ()


def test_what_states_no_side_or_is_no_mammogram_is_refused() -> None:
    for ds in (film("1.1", ViewPosition="CC"), film("1.1", ImageLaterality="R", Modality="DX")):
        with pytest.raises(ContractError):
            hanging([ds])


def test_a_real_mammogram() -> None:
    """GH133 states: right, medio-lateral oblique (R-10226), rows run to posterior."""
    sources = read_sources({"GH133": shared_data("dicom-misc") / "GH133.dcm"})
    found = hanging(sources.datasets)
    assert [(f.side, f.view, f.mirror) for f in found.films] == [("right", "MLO", False)]
    assert found.missing == ("right CC", "left CC", "left MLO")
