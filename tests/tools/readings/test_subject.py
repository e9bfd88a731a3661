"""Age and sex in a reading are those of the patient who was examined, or it is not signed."""

import pytest

from tests.tools.readings.made import NOON, reading
from tools.readings.category import contradictions
from tools.readings.model import Said, Subject
from tools.readings.versions import ContradictionError, signed

MAN = Subject(id="P1", issuer="urn:hospital", age_years=43, sex="male")


@pytest.mark.parametrize(
    ("items", "subject", "keys"),
    [
        ({"age_years": "90", "sex": "female"}, MAN, ["age_years", "sex"]),
        ({"age_years": "45"}, MAN, ["age_years"]),
        ({"age_years": "44", "sex": "male"}, MAN, []),  # of the day after a birthday
        ({"age_years": "90", "sex": "female"}, Subject(id="P1"), []),  # nothing is known
    ],
)
def test_another_age_or_sex_than_the_patient_has_cannot_stand(
    items: dict[str, str], subject: Subject, keys: list[str]
) -> None:
    made = reading("ct_nodules", {**items, "nodules": "absent"}, subject=subject)
    found = contradictions(made)
    assert [one.key for one in found] == keys
    if keys:
        by = Said(by="reader", who="Dr Reader", at=NOON)
        with pytest.raises(ContradictionError, match=keys[0]):
            signed(made, by=by)


def test_both_ages_are_said_in_both_languages() -> None:
    (one,) = contradictions(reading("ct_nodules", {"age_years": "90"}, subject=MAN))
    for number in ("90", "43"):
        assert number in one.because.en
        assert number in one.because.zh
