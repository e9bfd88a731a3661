"""The patient's line: what the record says, cut and cleaned, and what it does not say."""

from knowledge.clinical_time import parse_fhir
from knowledge.patient import Identity, Patient
from serving.cases.patient import patient_line, report_words

FREI = Identity(
    source="chart.json",
    identifiers=(("urn:hospital", "MY-1"), ("urn:insurer", "756.1")),
    family="Frei",
    given=("Hans", "Jakob"),
    sex="male",
)


def test_it_is_the_name_the_numbers_the_birth_date_and_the_sex_of_the_record() -> None:
    born = parse_fhir("1980-03-01", clock="chart.json")
    line = patient_line(Patient(identities=(FREI,), birth_date=born, sex="male"))
    assert line.parts() == ("Frei, Hans Jakob", "MY-1, 756.1", "born 1980-03-01", "male")


def test_what_the_record_does_not_say_is_said_to_be_missing() -> None:
    line = patient_line(Patient(identities=(FREI.model_copy(update={"sex": None}),)))
    assert line.parts()[2:] == ("birth date not given", "sex not given")
    nobody = patient_line(Patient())
    assert nobody.is_empty
    assert report_words(nobody) == "Patient: the record does not say who the patient is"
    assert "not established" in report_words(None)


def test_a_name_cannot_break_the_line_or_hide_in_it() -> None:
    hostile = FREI.model_copy(update={"family": "Fr\u202eei\n" + "x" * 400, "given": ()})
    name = patient_line(Patient(identities=(hostile,))).name
    assert name.startswith("Frei xxx")
    assert len(name) == 120
