"""Two readings of one patient: what changed, and what cannot be compared."""

from datetime import timedelta
from typing import Any

import pytest

from knowledge.errors import ContractError, IdentityConflictError
from tests.tools.readings.made import NOON, reading
from tools.readings.compare import Compared, compared
from tools.readings.model import Subject


def rows(form: str, before: dict[str, Any], now: dict[str, Any]) -> dict[str, Compared]:
    prior = reading(form, before, id="prior")
    return {row.path: row for row in compared(reading(form, now, id="now"), prior).rows}


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ("absent", "present", "new"),
        ("present", "absent", "gone"),
        ("absent", "absent", "none"),
        ("present;side=left;size_mm=10", "present;side=left;size_mm=10", "stable"),
        ("present;side=left;size_mm=10", "present;side=left;size_mm=14", "not-comparable"),
        ("present;size_mm=10", "present;size_mm=14;change=larger", "larger"),
        ("present;side=left", "present;side=right", "not-comparable"),
        ("present", "present;change=smaller", "smaller"),
        ("present", "present;change=new", "not-comparable"),
        ("present", "present", "not-comparable"),
        ("not-assessed;why=quality;detail=x", "present", "not-comparable"),
        ("present", "not-assessed;why=quality;detail=x", "not-comparable"),
        ("present;size_mm=10", "present;size_mm=10;change=larger", "not-comparable"),
    ],
)
def test_a_sign(before: str, now: str, verdict: str) -> None:
    found = rows("chest_film", {"effusion": before}, {"effusion": now})["effusion"]
    assert found.verdict == verdict
    if verdict == "not-comparable":
        assert found.why is not None


def test_what_nobody_looked_at_then_is_not_new_now() -> None:
    found = rows("chest_film", {}, {"effusion": "present"})["effusion"]
    assert found.verdict == "not-comparable"
    assert found.why is not None
    assert found.why.en == "not assessed on the prior reading"
    assert "effusion" not in rows("chest_film", {}, {})


@pytest.mark.parametrize(("months", "verdict"), [(100, "stable"), (105, "stable"), (106, "larger"),
                                                 (94, "smaller")])  # fmt: skip
def test_a_number_changes_beyond_its_smallest_change(months: int, verdict: str) -> None:
    found = rows("bone_age", {"assessed_bone_age": "100 mo"}, {"assessed_bone_age": f"{months} mo"})
    assert found["assessed_bone_age"].verdict == verdict


def test_answers_in_order_and_without() -> None:
    found = rows(
        "mammography_birads",
        {"density": "b", "indication": "screening"},
        {"density": "c", "indication": "diagnostic"},
    )
    assert found["density"].verdict == "larger"
    assert found["indication"].verdict == "not-comparable"


def test_entries_are_matched_by_their_ids() -> None:
    one = {"composition": "solid", "largest_diameter": "10 mm"}
    found = rows(
        "thyroid_tirads",
        {"nodules": {"n1": one, "n2": one}},
        {"nodules": {"n1": one, "n3": {**one, "composition": "cystic"}}},
    )
    assert found["nodules/n2"].verdict == "gone"
    assert found["nodules/n3"].verdict == "new"
    assert found["nodules/n1/composition"].verdict == "stable"
    unseen = rows("thyroid_tirads", {}, {"nodules": {"n1": one}})
    assert unseen["nodules"].verdict == "not-comparable"


def test_a_category_is_compared_where_both_have_one() -> None:
    clear = {"tracheal_tube": "absent", "projection": "pa"}
    found = rows("chest_film", {**clear, "ctr": 0.45}, {**clear, "ctr": 0.6})
    assert found["heart_size"].verdict == "larger"
    assert found["heart_size"].categories == (("normal",), ("enlarged",))
    unknown = rows("chest_film", clear, {**clear, "ctr": 0.6})
    assert unknown["heart_size"].verdict == "not-comparable"


def test_another_patient_form_or_a_later_prior_is_refused() -> None:
    now, prior = reading("chest_film", id="now"), reading("chest_film", id="prior")
    for subject in (Subject(id="P2", issuer="urn:hospital"), Subject(id="P1", issuer="urn:other")):
        with pytest.raises(IdentityConflictError):
            compared(now, prior.model_copy(update={"subject": subject}))
    with pytest.raises(ContractError, match="is a bone_age"):
        compared(now, reading("bone_age"))
    study = prior.study.model_copy(update={"done": NOON + timedelta(days=1)})
    with pytest.raises(ContractError, match="later examination"):
        compared(now, prior.model_copy(update={"study": study}))
    assert compared(now, prior).days == 0
