"""Received messages become cases: one for each patient and visit, identities compared."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from knowledge.settings import load_settings
from serving.access.errors import ConflictError, NotFoundError
from serving.assembly import assemble
from serving.audit.tables import AuditRow
from serving.cases.model import Case
from serving.cli import application
from serving.hl7_in.accept import Accepted, Refused, check
from serving.hl7_in.filing import PRINCIPAL, Filing
from serving.hl7_in.store import Kept, MessageStore
from serving.storage.deletion import delete_case
from serving.worklist.service import worklist
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.hl7_in.listening import store_of
from tests.serving.storage.databases import KINDS
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru
from tests.tools.intake.hl7v2.test_results import case as read_files
from tests.tools.intake.hl7v2.test_results import numbers as troponin_values

VISIT = "PV1|1|E" + "|" * 17 + "{number}"
FIRST = oru(obx("12"))
SECOND = oru(
    obr("F2", taken="20261120090000+0000"), obx("60"), control="M2", at="20261120093000+0000"
)


def accepted(content: bytes) -> Accepted:
    found = check(content, processing=("P",))
    assert isinstance(found, Accepted)
    return found


def filed(made: Fresh, *contents: bytes) -> MessageStore:
    store = MessageStore(
        made.services.database, clock=made.services.clock, audit=made.services.audit
    )
    for one in contents:
        store.keep([accepted(one)])
        Filing(made.services, store).file_all()
    return store


def headlines(made: Fresh) -> Sequence[str]:
    cases = made.services.cases
    found = [cases.assessment(case.id) for case in cases.list()]
    return [one.headline for one in found if one is not None]


def test_serial_results_of_a_patient_are_one_case_assessed_each_time(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, SECOND)
        (case,) = made.services.cases.list()
        assert (case.source, case.patient) == ("hl7", "hl7v2|urn:oid:1.2.3|0012")
        names = [file.name for file in made.services.cases.files(case.id)]
        assert names == ["hl7/00000001-ORU-R01-M1.hl7", "hl7/00000002-ORU-R01-M2.hl7"]
        newest = made.services.cases.assessment(case.id)
        assert newest is not None
        assert newest.version == 2
        assert [one["status"] for one in newest.body["inputs"]] == ["read", "read"]
        assert store.counts() == {"filed": 2}


def test_every_message_that_is_kept_or_filed_is_audited(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        filed(made, FIRST, SECOND)
        with made.services.database.reading() as session:
            rows = list(session.scalars(select(AuditRow).where(AuditRow.action.like("hl7.%"))))
        assert [row.action for row in rows] == ["hl7.created", "hl7.kept"] * 2
        assert not any("Muster" in str(row.body) for row in rows)


def test_messages_that_come_together_are_assessed_once_and_a_wrong_one_alone(
    tmp_path: Path,
) -> None:
    third = oru(obr("F3", taken="20261120100000+0000"), obx("90"), control="M3")
    wrong = oru(obx("1"), control="M4").replace(b"19550721", b"19880101")
    with fresh(tmp_path) as made:
        store = filed(made, FIRST)
        store.keep([accepted(SECOND), accepted(third)])
        assert Filing(made.services, store).file_all() == 2
        (case,) = made.services.cases.list()
        newest = made.services.cases.assessment(case.id)
        assert newest is not None
        assert (newest.version, len(newest.body["inputs"])) == (2, 3)
        store.keep([accepted(wrong), accepted(oru(obx("12"), control="M5"))])
        Filing(made.services, store).file_all()
        assert store.counts() == {"filed": 4, "held": 1}


def test_another_patient_is_another_case(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        other = SECOND.replace(b"0012^", b"0013^").replace(b"Muster^Clara", b"Other^Anna")
        filed(made, FIRST, other)
        assert {case.patient for case in made.services.cases.list()} == {
            "hl7v2|urn:oid:1.2.3|0012",
            "hl7v2|urn:oid:1.2.3|0013",
        }


def test_the_same_number_with_another_birth_date_is_held_and_the_case_stays(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, SECOND.replace(b"19550721", b"19880101"))
        (held,) = store.listed("held")
        assert held.control_id == "M2"
        (case,) = made.services.cases.list()
        assert len(made.services.cases.files(case.id)) == 1
        assert "0012" not in held.reason


def test_two_visits_of_one_patient_are_two_cases(tmp_path: Path) -> None:
    one, two = (
        message(msh(control=f"V{n}"), PID, VISIT.format(number=n), obr(f"F{n}"), obx(str(n)))
        for n in (1, 2)
    )
    with fresh(tmp_path) as made:
        filed(made, one, two)
        assert sorted(str(case.encounter) for case in made.services.cases.list()) == [
            "hl7v2|urn:hl7v2:HOSP|1",
            "hl7v2|urn:hl7v2:HOSP|2",
        ]


def test_an_admission_waits_for_a_case_and_then_belongs_to_it(tmp_path: Path) -> None:
    admission = message(msh("ADT^A01", "A1"), "EVN|A01", PID, "PV1|1|E")
    with fresh(tmp_path) as made:
        store = filed(made, admission)
        assert made.services.cases.list() == ()
        assert store.counts() == {"waiting": 1}
        filed(made, FIRST)
        assert store.counts() == {"filed": 2}
        (case,) = made.services.cases.list()
        assert len(made.services.cases.files(case.id)) == 2


def test_what_a_killed_process_left_is_filed_by_the_next(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        store = store_of(made.services)
        store.keep([accepted(FIRST)])
        filing = Filing(made.services, store)
        case = filing._filed(store.listed("received")[0])  # killed before it is noted
        assert case is not None
        assert store.counts() == {"received": 1}
        assert Filing(made.services, store).file_all() == 1
        (only,) = made.services.cases.list()
        assert len(made.services.cases.files(only.id)) == 1
        assert store.counts() == {"filed": 1}


def test_a_held_message_can_be_tried_again(tmp_path: Path) -> None:
    wrong = oru(obx("1"), control="M4").replace(b"19550721", b"19880101")
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, wrong)
        (held,) = store.listed("held")
        store.again(held.number)
        assert store.counts() == {"filed": 1, "received": 1}
        with pytest.raises(NotFoundError):
            store.again(held.number)


def test_a_merge_of_numbers_stays_held_until_a_person_decides_against_it(tmp_path: Path) -> None:
    merge = message(msh("ADT^A40", "A2"), "EVN|A40", PID, "MRG|0099^^^LAB")
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, merge)
        (held,) = store.listed("held")
        with pytest.raises(ConflictError, match="joins the numbers"):
            store.again(held.number)
        assert store.counts() == {"filed": 1, "held": 1}
        store.discard(held.number, by=PRINCIPAL, reason="merged in the other system")
        assert store.counts() == {"discarded": 1, "filed": 1}
        with pytest.raises(NotFoundError):
            store.discard(held.number, by=PRINCIPAL, reason="again")
        with made.services.database.reading() as session:
            actions = list(session.scalars(select(AuditRow.action)))
        assert actions.count("hl7.discarded") == 1


def visit(number: int, order: str, result: str, control: str) -> bytes:
    own = (VISIT.format(number=number),) if number else ()
    return message(msh(control=control), PID, *own, obr(order), result)


def test_a_withdrawal_goes_to_the_case_that_holds_the_result_whatever_visit_is_newest(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as made:
        back = visit(0, "Z1", obx("", status="W"), "W1").replace(b"0900", b"1000", 1)
        store = filed(made, visit(1, "Z1", obx("60"), "A1"), visit(2, "Z2", obx("12"), "A2"), back)
        cases = made.services.cases
        held = {str(c.encounter)[-1]: len(cases.files(c.id)) for c in cases.list()}
        assert held == {"1": 2, "2": 1}
        assert store.counts() == {"filed": 3}


def test_a_withdrawal_of_what_no_case_holds_is_held_and_shown_with_its_reason(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, visit(0, "Z9", obx("", status="D"), "W1"))
        assert store.counts() == {"filed": 1, "held": 1}
        found = worklist(made.services, PRINCIPAL)
        ((reason, messages),) = [(one.reason, one.messages) for one in found.held]
        assert messages == 1
        assert reason.startswith("takes back or corrects a result that no case")


BACK = "takes back or corrects a result that no case"


@pytest.mark.parametrize(
    "unmatched",
    [
        pytest.param(visit(1, "Z9", obx("9", status="C"), "C1"), id="correction in a known visit"),
        pytest.param(visit(2, "Z9", obx("9", status="C"), "C1"), id="correction in a new visit"),
        pytest.param(visit(0, "Z9", obx("9", status="C"), "C1"), id="correction without a visit"),
        pytest.param(visit(1, "Z9", obx("", status="X"), "X1"), id="cancelled in a known visit"),
        pytest.param(visit(2, "Z9", obx("", status="X"), "X1"), id="cancelled in a new visit"),
    ],
)
def test_a_correction_or_cancellation_of_what_no_case_holds_is_held_whatever_visit_it_names(
    unmatched: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, visit(1, "Z1", obx("60"), "A1"), unmatched)
        (case,) = made.services.cases.list()
        assert len(made.services.cases.files(case.id)) == 1
        (held,) = store.listed("held")
        assert BACK in held.reason
        assert "epicrisis hl7 show 2; then hl7 retry 2 or hl7 discard 2" in caplog.text


def test_a_held_correction_is_filed_once_what_it_corrects_has_come(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        early = visit(1, "Z9", obx("9", status="C"), "C1")
        store = filed(made, visit(1, "Z1", obx("60"), "A1"), early)
        assert store.counts() == {"filed": 1, "held": 1}
        filed(made, visit(1, "Z9", obx("90"), "A2"))
        assert store.counts() == {"filed": 3}


def test_a_cancelled_test_beside_new_results_is_filed_with_them(tmp_path: Path) -> None:
    both = message(
        msh(control="A1"), PID, VISIT.format(number=1), obr("Z1"), obx("60"),
        obx("", number=2, code="2823-3^Potassium^LN", unit="mmol/L", printed="", status="X"),
    )  # fmt: skip
    with fresh(tmp_path) as made:
        assert filed(made, both).counts() == {"filed": 1}


def test_a_cancellation_alone_opens_no_case(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, visit(1, "Z9", obx("", status="X"), "X1"))
        assert store.counts() == {"held": 1}
        assert not made.services.cases.list()


def test_the_numbers_of_a_patient_in_another_order_are_the_same_patient(tmp_path: Path) -> None:
    numbers = ("0012^^^LAB&1.2.3&ISO^MR", "77^^^WARD&1.2.4&ISO^MR")
    one, two = (
        sent.replace(numbers[0].encode(), "~".join(order).encode())
        for sent, order in ((FIRST, numbers), (SECOND, numbers[::-1]))
    )
    with fresh(tmp_path) as made:
        filed(made, one, two)
        (case,) = made.services.cases.list()
        assert len(made.services.cases.files(case.id)) == 2


BOTH = "0012^^^LAB&1.2.3&ISO^MR~77^^^WARD&1.2.4&ISO^PI"


def known_by(sent: bytes, numbers: str) -> bytes:
    return sent.replace(b"0012^^^LAB&1.2.3&ISO^MR", numbers.encode())


@pytest.mark.parametrize("kind", ["PI", "MR"])
def test_a_patient_of_two_numbers_is_known_by_the_second_alone(kind: str, tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        both = known_by(FIRST, BOTH.replace("PI", kind))
        filed(made, both, known_by(SECOND, f"77^^^WARD&1.2.4&ISO^{kind}"))
        (case,) = made.services.cases.list()
        assert case.patient == "hl7v2|urn:oid:1.2.3|0012"
        assert len(made.services.cases.files(case.id)) == 2


def test_the_same_number_of_another_giver_is_another_patient(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        filed(made, known_by(FIRST, BOTH), known_by(SECOND, "77^^^WARD&1.9.9&ISO^PI"))
        assert len(made.services.cases.list()) == 2


def test_the_second_number_with_another_birth_date_is_held(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        other = known_by(SECOND, "77^^^WARD&1.2.4&ISO^PI").replace(b"19550721", b"19600101")
        store = filed(made, known_by(FIRST, BOTH), other)
        assert store.counts() == {"filed": 1, "held": 1}


def test_a_number_that_two_patients_share_is_of_neither_by_itself(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        second = known_by(FIRST, BOTH.replace("0012", "0013")).replace(b"|M1|", b"|M2|")
        third = known_by(SECOND, "77^^^WARD&1.2.4&ISO^PI").replace(b"|M2|", b"|M3|")
        store = filed(made, known_by(FIRST, BOTH), second, third)
        assert store.counts() == {"filed": 2, "held": 1}
        assert len(made.services.cases.list()) == 2
        (held,) = store.listed("held")
        assert "several patients" in held.reason


def test_messages_are_deleted_with_their_case(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, FIRST)
        services = made.services
        (case,) = services.cases.list()
        done = delete_case(services.database, services.files, case.id, clock=services.clock)
        assert (done.rows["hl7_messages"], done.rows["hl7_numbers"]) == (1, 1)
        assert store.counts() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_control_id_is_kept_once_on_each_database(kind: str, tmp_path: Path) -> None:
    with fresh(tmp_path, kind) as made:
        store = store_of(made.services)
        first, again, other = store.keep(
            [accepted(FIRST), accepted(FIRST), accepted(oru(obx("13")))]
        )
        assert isinstance(first, Kept)
        assert again == Kept(number=first.number, again=True)
        assert isinstance(other, Refused)
        assert (other.code, other.error) == ("AE", "205")
        assert store.content(first.number) == FIRST
        assert store.counts() == {"received": 1}


def test_a_message_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with fresh(tmp_path) as made, pytest.raises(NotFoundError):
        store_of(made.services).content(7)


def test_reasons_name_no_patient(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, SECOND.replace(b"Muster^Clara", b"Geheim^Anna"))
        (held,) = store.listed("held")
        assert "Geheim" not in held.reason
        assert "Muster" not in held.reason


def test_the_command_line_names_whose_a_held_message_is_and_takes_a_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    services = assemble(load_settings())
    store = MessageStore(services.database, clock=services.clock)
    store.keep([accepted(message(msh("ADT^A40", "A2"), "EVN|A40", PID, "MRG|0099^^^LAB"))])
    services.database.close()
    listed = CliRunner().invoke(application(), ["hl7", "held"]).stdout
    assert "1 held ADT^A40 A2" in listed
    assert "from LIS|HOSP, patient urn:oid:1.2.3|0012, visit not named: joins" in listed
    assert "MRG|0099" in CliRunner().invoke(application(), ["hl7", "show", "1"]).stdout
    decided = ["hl7", "discard", "1", "--by", "Dr Anna", "--reason", "merged by hand"]
    assert CliRunner().invoke(application(), decided).exit_code == 0
    assert "1 discarded" in CliRunner().invoke(application(), ["hl7", "held"]).stdout
    assert "discarded" in CliRunner().invoke(application(), ["hl7", "show", "1"]).stdout


def shown(made: Fresh, case: Case, folder: Path) -> list[float]:
    """The hs-cTnT values that the files of a case make, ascending."""
    cases = made.services.cases
    (folder / "read").mkdir()
    found = troponin_values(
        read_files(folder / "read", *(cases.content(file) for file in cases.files(case.id)))
    )
    return sorted(value for value in found if value is not None)


@pytest.mark.parametrize("status", ["D", "W", "X", "C"])
@pytest.mark.parametrize("numbers", ["same", "second number"])
def test_a_revision_that_came_before_its_result_takes_effect_once_that_is_filed(
    status: str, numbers: str, tmp_path: Path
) -> None:
    """HL7 v2.5.1 table 0085: D deletes, W wrong, X no result, C corrects what was sent before."""
    back = visit(1, "Z9", obx("41" if status == "C" else "", status=status), "W1")
    result = visit(1, "Z9", obx("60"), "A2").replace(b"0900", b"0830", 1)
    first = visit(1, "Z1", obx("12"), "A1")
    if numbers == "second number":
        first, back = known_by(first, BOTH), known_by(back, "77^^^WARD&1.2.4&ISO^PI")
    with fresh(tmp_path) as made:
        store = filed(made, first, back)
        assert store.counts() == {"filed": 1, "held": 1}
        filed(made, result)
        assert store.counts() == {"filed": 3}
        (case,) = made.services.cases.list()
        assert shown(made, case, tmp_path) == ([12, 41] if status == "C" else [12])


def test_a_held_revision_of_another_patient_or_order_stays_held(tmp_path: Path) -> None:
    back = visit(1, "Z9", obx("", status="W"), "W1")
    other = visit(1, "Z9", obx("60"), "A2").replace(b"0012^", b"0013^")
    with fresh(tmp_path) as made:
        store = filed(made, back, visit(1, "Z1", obx("12"), "A1"), other)
        assert store.counts() == {"filed": 2, "held": 1}


BARE = "ORC|CA||Z9"


def bare(control: str, orc: str = BARE) -> bytes:
    return message(msh("ORM^O01", control, at="20261120100000+0000"), PID, orc)


def test_an_order_that_is_cancelled_by_its_number_alone_takes_its_results_back(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as made:
        store = filed(made, visit(1, "Z9", obx("60"), "A1"), bare("X1"))
        assert store.counts() == {"filed": 2}
        (case,) = made.services.cases.list()
        assert shown(made, case, tmp_path) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_bare_cancellation_of_an_unknown_order_is_held_and_opens_no_case(
    known: bool, tmp_path: Path
) -> None:
    before = (visit(1, "Z1", obx("12"), "A1"),) if known else ()
    with fresh(tmp_path) as made:
        store = filed(made, *before, bare("X1"))
        assert store.counts() == {"held": 1} | ({"filed": 1} if known else {})
        assert len(made.services.cases.list()) == len(before)


TWO = "2A^^^HOSP^MR~2B^^^HOSP^MR"


@pytest.mark.parametrize("after", [False, True])
def test_the_second_number_of_one_giver_alone_is_the_same_patient(
    after: bool, tmp_path: Path
) -> None:
    admission = message(msh("ADT^A01", "A1"), "EVN|A01", PID, "PV1|1|E")
    sent = [known_by(admission, TWO), known_by(FIRST, TWO), known_by(SECOND, "2B^^^HOSP^MR")]
    with fresh(tmp_path) as made:
        store = filed(made, *(sent[1:] + sent[:1] if after else sent))
        assert store.counts() == {"filed": 3}
        (case,) = made.services.cases.list()
        assert case.patient == "hl7v2|urn:hl7v2:HOSP|2A"


def test_a_known_number_beside_an_unknown_one_of_its_giver_is_held(tmp_path: Path) -> None:
    with fresh(tmp_path) as made:
        other = known_by(SECOND, "2B^^^HOSP^MR~2C^^^HOSP^MR")
        store = filed(made, known_by(FIRST, TWO), other)
        assert store.counts() == {"filed": 1, "held": 1}
        (held,) = store.listed("held")
        assert "beside one that no message of that patient has" in held.reason


@pytest.mark.parametrize("event", ["A45", "A47"])
def test_a_move_of_a_visit_or_a_change_of_numbers_is_held_as_a_merge(
    event: str, tmp_path: Path
) -> None:
    """HL7 v2.5.1 chapter 3: A45 moves visits to another number, A47 changes the number."""
    move = message(msh(f"ADT^{event}", "A2"), f"EVN|{event}", PID, "MRG|0099^^^LAB")
    with fresh(tmp_path) as made:
        store = filed(made, FIRST, move)
        (held,) = store.listed("held")
        with pytest.raises(ConflictError, match="joins the numbers"):
            store.again(held.number)
        assert store.counts() == {"filed": 1, "held": 1}
