"""Withdrawals and corrections whose names are not quite those of what they mean.

HL7 v2.5.1, table 0085: D deletes the OBX record, W says that the result was posted as wrong, X that
no result can be obtained, C corrects a final result; table 0123: X cancels the order. What is
expected follows from these meanings: a result that may have been taken back is never used.
"""

from pathlib import Path

import pytest

from knowledge.finding import State, Why
from tests.tools.intake.hl7v2.messages import PID, TROPONIN, message, msh, obr, obx, oru
from tests.tools.intake.hl7v2.test_results import case, numbers, problems, the, troponins
from tools.intake.hl7v2.wire import split_file

LATER = {"control": "M2", "at": "20261120093000+0000"}
FIRST = oru(obx("60"))


def test_a_blank_sub_id_means_the_only_result_of_its_order_and_code(tmp_path: Path) -> None:
    read = case(tmp_path, oru(obx("60", sub="1")), oru(obx("", status="D"), **LATER))
    assert troponins(read) == []


def test_a_blank_sub_id_leaves_several_results_open(tmp_path: Path) -> None:
    two = oru(obx("60", sub="1"), obx("61", sub="2", number=2))
    read = case(tmp_path, two, oru(obx("", status="D"), **LATER))
    assert [f.finding.state for f in troponins(read)] == [State.NOT_ASSESSED] * 2
    assert "there are 2 results that it may mean" in problems(read)


def test_an_alternate_identifier_means_the_same_test(tmp_path: Path) -> None:
    local = obx("60", code="TNT^Troponin T hs^L^67151-1^hsTnT^LN")
    back = obx("", code="67151-1^hsTnT^LN", status="W")
    assert troponins(case(tmp_path, oru(local), oru(back, **LATER))) == []


@pytest.mark.parametrize("status", ["D", "W"])
@pytest.mark.parametrize("case_of", ["no number", "other sender"])
def test_what_a_withdrawal_may_mean_is_not_used_and_told(
    status: str, case_of: str, tmp_path: Path
) -> None:
    back = oru(obr("" if case_of == "no number" else "F1"), obx("", status=status), **LATER)
    if case_of == "other sender":
        back = back.replace(b"|HOSP|EPI", b"|HOSP2|EPI")
    read = case(tmp_path, FIRST, back)
    found = the(read).finding
    assert found.not_assessed is not None
    assert (found.not_assessed.why, found.value) == (Why.CONFLICTING, None)
    assert found.not_assessed.detail.startswith("a withdrawal may mean this result")
    assert "do not name for certain" in problems(read)


def test_a_withdrawal_of_another_test_or_patient_leaves_a_result_as_it_is(tmp_path: Path) -> None:
    other = oru(obr(""), obx("", code="2823-3^Potassium^LN", status="D"), **LATER)
    assert numbers(case(tmp_path, FIRST, other)) == [60]


def test_a_withdrawal_reported_before_the_result_leaves_it_open(tmp_path: Path) -> None:
    early = oru(obx("", status="D"), control="M2", at="20261120083000+0000")
    read = case(tmp_path, FIRST, early)
    assert the(read).finding.state is State.NOT_ASSESSED
    assert "takes back a result that was reported later" in problems(read)


def test_a_result_that_is_issued_again_after_its_withdrawal_counts(tmp_path: Path) -> None:
    again = oru(obx("61"), control="M3", at="20261120100000+0000")
    read = case(tmp_path, FIRST, oru(obx("", status="D"), **LATER), again)
    assert numbers(read) == [61]


def test_a_withdrawal_of_nothing_that_is_here_is_told(tmp_path: Path) -> None:
    assert "is in no file here" in problems(case(tmp_path, oru(obx("", status="W"))))


CANCEL = message(
    msh("OML^O21", "M2", at="20261120093000+0000"), PID, "ORC|CA|P1|F1", obr("F1", placer="P1")
)


@pytest.mark.parametrize("cancel", [oru(obr(status="X"), **LATER), CANCEL], ids=["OBR-25", "ORC"])
def test_a_cancelled_order_takes_back_its_results(cancel: bytes, tmp_path: Path) -> None:
    read = case(tmp_path, FIRST, cancel)
    assert troponins(read) == []
    assert any("cancelled by another version" in r.reason for r in read.retracted)


BARE = message(msh("ORM^O01", "M2", at="20261120093000+0000"), PID, "ORC|CA||F1")


def test_an_order_that_is_cancelled_by_its_number_alone_takes_back_results_and_reports(
    tmp_path: Path,
) -> None:
    """HL7 v2.5.1 table 0119: CA cancels the order that ORC-2 and ORC-3 name."""
    read = case(tmp_path, FIRST, BARE)
    assert troponins(read) == []
    said = [r.reason for r in read.retracted]
    assert sum("cancelled by another version" in reason for reason in said) == 2


@pytest.mark.parametrize(
    "other",
    [
        BARE.replace(b"ORC|CA", b"ORC|DC"),
        BARE.replace(b"||F1", b"||F2"),
        BARE + b"RXO|1^Aspirin^L\r",
    ],
    ids=["discontinued", "other order", "order of a drug"],
)
def test_a_bare_order_that_cancels_nothing_of_it_leaves_a_result(
    other: bytes, tmp_path: Path
) -> None:
    assert numbers(case(tmp_path, FIRST, other)) == [60]


def test_a_discontinued_order_keeps_the_results_it_had(tmp_path: Path) -> None:
    assert numbers(case(tmp_path, FIRST, CANCEL.replace(b"ORC|CA", b"ORC|DC"))) == [60]


def test_a_correction_under_a_new_number_is_no_second_sample(tmp_path: Path) -> None:
    read = case(tmp_path, FIRST, oru(obr("F1-1"), obx("6", status="C"), **LATER))
    assert [f.finding.value for f in troponins(read)] == [None, None]
    assert "corrects a result" in problems(read)


@pytest.mark.parametrize(
    ("kind", "value"), [("NM", "5.4^6.9"), ("NM", "5.4&6.9"), ("NM", "<^5"), ("SN", "^5.4&6.9")]
)
def test_a_value_of_several_parts_is_not_one_of_them(kind: str, value: str, tmp_path: Path) -> None:
    found = the(case(tmp_path, oru(obx(value, kind=kind)))).finding
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.UNREADABLE
    assert value in (found.reported or "")


@pytest.mark.parametrize(
    ("note", "flag"),
    [
        ("Probe stark haemolytisch", "haemolysed"),
        ("Probe hämolytisch", "haemolysed"),
        ("Serum lipämisch", "lipaemic"),
        ("leicht ikterisch", "icteric"),
    ],
)
def test_a_german_comment_on_the_specimen_is_understood_and_kept(
    note: str, flag: str, tmp_path: Path
) -> None:
    sent = message(msh(charset="UNICODE UTF-8"), PID, obr(), obx("12"), f"NTE|1||{note}")
    found = the(case(tmp_path, sent)).finding
    assert flag in found.flags
    assert found.note == note


@pytest.mark.parametrize("note", ["nicht hämolytisch", "Hämolyse: keine", "Hämolyseindex 3"])
def test_a_denied_state_of_the_specimen_is_none(note: str, tmp_path: Path) -> None:
    sent = message(msh(charset="UNICODE UTF-8"), PID, obr(), obx("12"), f"NTE|1||{note}")
    assert "haemolysed" not in the(case(tmp_path, sent)).finding.flags


def test_line_feeds_end_segments_before_the_character_set_is_read() -> None:
    from tools.intake.hl7v2.charset import declared

    sent = message(msh(charset="8859/1"), PID).replace(b"\r", b"\n")
    assert declared(sent) == "8859/1"
    assert declared(message(msh(charset=""), PID).replace(b"\r", b"\n")) == ""


def test_numbers_that_no_one_is_named_for_are_not_compared(tmp_path: Path) -> None:
    """Two hospitals number from 1: the same 7 without an assigner is not shown to be one person."""
    bare = FIRST.replace(b"|LIS|HOSP|", b"|||").replace(PID.encode(), b"PID|1||7")
    other = bare.replace(b"|M1|", b"|M2|").replace(b"F1|", b"F2|")
    read = case(tmp_path, bare, other)
    assert sorted(one.status for one in read.inputs) == ["failed", "read"]


def test_a_file_that_ends_within_a_result_is_told_and_the_part_is_not_used() -> None:
    whole = oru(obx("12"), obx("60", number=2))
    half = whole[: whole.index(b"|60|") + 2]  # of the value 60 only the 6 is left
    found = split_file(half, "f.hl7")
    assert any("was cut off" in problem for problem in found.problems)
    assert b"OBX|2" not in found.messages[0].data
    assert split_file(whole.rstrip(b"\r"), "f.hl7").problems == ()
    assert TROPONIN.encode() in found.messages[0].data
