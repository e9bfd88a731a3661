"""What an admit reason (PV2-3) states of chest pain, and which of several of one visit counts.

The wordings are ones that triage staff write; what each means is read by a person, not by the
code. A denial at the head of a list holds for the list (NegEx, Chapman 2001).
"""

from pathlib import Path

import pytest

from tests.tools.intake.hl7v2.messages import PID, message, msh
from tests.tools.intake.hl7v2.test_results import case
from tools.intake.hl7v2.admit_reason import states_chest_pain
from tools.intake.result import CaseFiles

VISIT = "PV1|1|E" + "|" * 17 + "{}"
STATED = (
    "CHEST PAIN",
    "Chest Pains",
    "CHESTPAIN",
    "CHEST-PAIN",
    "CHEST_PAIN",
    "CP",
    "CHEST PAIN/SOB",
    "chest tightness",
    "胸痛",
    "CHEST PAIN, DENIES SOB",
    "CHEST PAIN W/O RADIATION",
    "CHEST PAIN R/O MI",
    "CHEST PAIN, ?ACS",
    "CHEST PAIN OF UNKNOWN ORIGIN",
    "CHEST PAIN, TROPONIN NEGATIVE",
    "R/O ACS, CHEST PAIN",
    "NO FEVER BUT CHEST PAIN",
    "DENIES SOB. CHEST PAIN SINCE 6",
    "NON-SMOKER, CHEST PAIN",
    "HISTORY OF CAD, CHEST PAIN",
    "发热\uff1b胸痛",
)
NOT_STATED = (
    "FALL. DENIES SYNCOPE, CHEST PAIN, DYSPNOEA",
    "SOB W/O CHEST PAIN",
    "NO FEVER, CHEST PAIN, OR SOB",
    "EXCLUDE CHEST PAIN",
    "CHEST PAIN UNKNOWN",
    "CHEST PAIN, UNKNOWN",
    "CHEST PAIN?",
    "?CHEST PAIN",
    "POSSIBLE CHEST PAIN",
    "CHEST PAIN IS UNLIKELY",
    "CHEST PAIN: NO",
    "CHEST PAIN DENIED",
    "SOB, CHEST PAIN, SYNCOPE DENIED",
    "CHEST-PAIN-FREE",
    "DENIES COMPLAINING OF CHEST PAIN",
    "DOESN'T HAVE FEVER, CHEST PAIN OR SOB",
    "NON-CARDIAC CHEST PAIN",
    "H/O CHEST PAIN",
    "FATHER HAS CHEST PAIN",
    "NO CP",
    "CP EXAM",
    "CHEST WALL PAIN",
    "否认胸痛、气促",
    "无发热、胸痛",
)


def adt(event: str, reason: str | None, hour: int, *, visit: str = "V1") -> bytes:
    """An ADT message with an admit reason; None for one without PV2."""
    pv2 = [] if reason is None else [f"PV2|||{reason}"]
    head = msh(f"ADT^{event}", f"M{hour}", at=f"20261120{hour:02}0000+0000")
    return message(head, f"EVN|{event}", PID, VISIT.format(visit), *pv2)


def complaints(read: CaseFiles) -> list[str]:
    return [
        f.finding.state.value for f in read.timeline.facts if f.finding.concept.text == "Chest pain"
    ]


@pytest.mark.parametrize("words", STATED)
def test_chest_pain_is_read_in_the_forms_in_which_it_is_written(words: str) -> None:
    assert states_chest_pain({"text": words})


@pytest.mark.parametrize("words", NOT_STATED)
def test_what_is_denied_or_not_clear_states_nothing(words: str) -> None:
    assert not states_chest_pain({"text": words})


@pytest.mark.parametrize("event", ["A11", "A27", "A38", "A03"])
def test_a_cancelled_admission_or_a_discharge_states_no_complaint(
    event: str, tmp_path: Path
) -> None:
    read = case(tmp_path, adt(event, "^CHEST PAIN", 9))
    assert complaints(read) == []
    assert not any("Condition" in one.resource for one in read.retracted)


def test_a_cancelled_admission_takes_its_complaint_back(tmp_path: Path) -> None:
    read = case(tmp_path, adt("A01", "^CHEST PAIN", 8), adt("A11", None, 9))
    assert complaints(read) == []


def test_the_newest_reason_of_a_visit_counts_in_whatever_order_it_came(tmp_path: Path) -> None:
    pain, ankle = adt("A01", "^CHEST PAIN", 8), adt("A08", "^ANKLE FRACTURE", 9)
    for number, messages in enumerate(((pain, ankle), (ankle, pain))):
        folder = tmp_path / str(number)
        folder.mkdir()
        read = case(folder, *messages)
        assert complaints(read) == []
        assert any("states no chest pain" in p for one in read.inputs for p in one.problems)


def test_an_older_other_reason_takes_nothing_away(tmp_path: Path) -> None:
    read = case(tmp_path, adt("A08", "^SYNCOPE", 8), adt("A08", "^CHEST PAIN", 9))
    assert complaints(read) == ["present"]


@pytest.mark.parametrize("second", ["^CHEST PAIN, SOB", "", None])
def test_the_same_reason_again_or_none_changes_nothing(second: str | None, tmp_path: Path) -> None:
    read = case(tmp_path, adt("A01", "^CHEST PAIN", 8), adt("A08", second, 9))
    assert complaints(read) == ["present"]


def test_a_deleted_reason_is_stated_no_more(tmp_path: Path) -> None:
    read = case(tmp_path, adt("A01", "^CHEST PAIN", 8), adt("A08", '""', 9))
    assert complaints(read) == []


def test_another_reason_alone_is_not_told_as_one_that_was_taken_back(tmp_path: Path) -> None:
    read = case(tmp_path, adt("A01", "^ANKLE FRACTURE", 8))
    assert complaints(read) == []
    assert read.retracted == ()
