"""HL7 v2 results to facts; expected values stand in the invented messages themselves."""

from pathlib import Path

import pytest

from knowledge.clinical_time import ClinicalTime, elapsed, parse_fhir
from knowledge.codes import ANALYTE
from knowledge.finding import State, Why
from knowledge.quantity import Quantity, QuantityInterval, Text
from knowledge.settings import Settings
from knowledge.timeline import Fact
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles

AT = parse_fhir("2026-11-20T12:00:00Z", clock="test")


def case(folder: Path, *messages: bytes, zone: str | None = None) -> CaseFiles:
    for number, content in enumerate(messages):
        (folder / f"m{number}.hl7").write_bytes(content)
    settings = Settings.model_validate({"time_zone": zone})
    return read_case([folder], at=None, now=AT, settings=settings)


def troponins(read: CaseFiles) -> list[Fact]:
    found = read.timeline.with_code(ANALYTE, "hs_ctnt")
    return sorted(found, key=lambda f: f.finding.time.sort_key if f.finding.time else AT.sort_key)


def numbers(read: CaseFiles) -> list[float | None]:
    values = [f.finding.value for f in troponins(read)]
    return [v.value if isinstance(v, Quantity) else None for v in values]


def the(read: CaseFiles) -> Fact:
    (only,) = troponins(read)
    return only


def problems(read: CaseFiles) -> str:
    return " / ".join(p for one in read.inputs for p in one.problems)


def test_serial_troponins_of_two_messages_are_two_samples_at_their_collection_times(
    tmp_path: Path,
) -> None:
    read = case(
        tmp_path,
        oru(obr("F1", taken="20261120080000+0000"), obx("12")),
        oru(
            obr("F2", taken="20261120090500+0000"),
            obx("60"),
            control="M2",
            at="20261120094500+0000",
        ),
    )
    assert numbers(read) == [12, 60]
    first, second = (f.finding.time for f in troponins(read))
    assert first is not None
    assert first.at.isoformat() == "2026-11-20T08:00:00+00:00"
    minutes = elapsed(first, second).minutes
    assert minutes is not None
    assert (minutes.low, minutes.high) == (65, 65)


def test_serial_troponins_under_one_order_number_are_two_samples(tmp_path: Path) -> None:
    later = oru(
        obr("F1", taken="20261120090000+0000"),
        obx("60"),
        control="M2",
        at="20261120093000+0000",
    )
    read = case(tmp_path, oru(obr("F1"), obx("12")), later)
    assert numbers(read) == [12, 60]
    assert {r.resource.split("/")[0] for r in read.retracted} == {"DiagnosticReport"}


def test_two_samples_in_one_report_are_told_apart_by_obx_14(tmp_path: Path) -> None:
    read = case(
        tmp_path,
        oru(
            obx("12", taken="20261120080000+0000"),
            obx("60", number=2, taken="20261120090000+0000"),
        ),
    )
    assert numbers(read) == [12, 60]


def test_the_same_message_twice_is_one_sample(tmp_path: Path) -> None:
    read = case(tmp_path, oru(obx("12")), oru(obx("12"), control="M2", at="20261120091000+0000"))
    assert numbers(read) == [12]


@pytest.mark.parametrize(
    ("status", "state", "flags"),
    [
        ("F", State.PRESENT, ()),
        ("V", State.PRESENT, ()),
        ("P", State.PRESENT, ("preliminary",)),
        ("R", State.PRESENT, ("preliminary",)),
        ("S", State.PRESENT, ("preliminary",)),
        ("C", State.PRESENT, ("corrected",)),
        ("A", State.PRESENT, ("amended",)),
        ("B", State.PRESENT, ("amended",)),
        ("U", State.PRESENT, ()),
        ("", State.PRESENT, ("status-not-stated",)),
        ("N", State.NOT_ASSESSED, ()),
    ],
)
def test_each_status_of_a_result_that_counts(
    status: str, state: State, flags: tuple[str, ...], tmp_path: Path
) -> None:
    found = the(case(tmp_path, oru(obx("12", status=status)))).finding
    assert (found.state, found.flags) == (state, flags)


@pytest.mark.parametrize("status", ["D", "W", "X"])
def test_each_status_that_takes_a_result_back(status: str, tmp_path: Path) -> None:
    read = case(tmp_path, oru(obx("12", status=status)))
    assert troponins(read) == []
    assert [r.resource.split("/")[0] for r in read.retracted] == ["Observation"]


def test_a_pending_result_is_awaited_and_one_of_unknown_status_is_told(tmp_path: Path) -> None:
    read = case(tmp_path, oru(obx("", status="I")))
    (awaited,) = [f for f in read.timeline.facts if "result-awaited" in f.finding.flags]
    assert awaited.finding.state is State.NOT_ASSESSED
    unknown = case(tmp_path, oru(obx("12", status="Q")))
    assert troponins(unknown) == []
    assert "OBX-11 'Q' is no status (HL7 table 0085); not used" in problems(unknown)


def test_a_description_of_the_order_is_no_result_and_is_told(tmp_path: Path) -> None:
    read = case(tmp_path, oru(obx("12", status="O")))
    assert troponins(read) == []
    assert "status O" in problems(read)


@pytest.mark.parametrize("status", ["D", "W", "X"])
@pytest.mark.parametrize("time", ["20261120080000+0000", ""])
def test_a_withdrawal_takes_back_what_an_earlier_message_said(
    status: str, time: str, tmp_path: Path
) -> None:
    back = oru(obr(taken=time), obx("", status=status), control="M2", at="20261120101500+0000")
    for messages in ((oru(obx("12")), back), (back, oru(obx("12")))):
        read = case(tmp_path, *messages)
        assert troponins(read) == []
        assert any(r.resource.startswith("Observation/") for r in read.retracted)


def test_a_withdrawal_without_a_time_takes_back_every_serial_sample(tmp_path: Path) -> None:
    back = oru(obr(taken=""), obx("", status="W"), control="M3", at="20261120101500+0000")
    second = oru(obr(taken="20261120090000+0000"), obx("60"), control="M2")
    assert troponins(case(tmp_path, oru(obx("12")), second, back)) == []


def test_a_withdrawal_of_one_sample_leaves_the_other(tmp_path: Path) -> None:
    second = oru(obr(taken="20261120090000+0000"), obx("60"), control="M2")
    back = oru(
        obr(taken="20261120090000+0000"),
        obx("", status="W"),
        control="M3",
        at="20261120101500+0000",
    )
    assert numbers(case(tmp_path, oru(obx("12")), second, back)) == [12]


def test_a_correction_takes_the_place_of_what_it_corrects_whatever_the_order_of_files(
    tmp_path: Path,
) -> None:
    corrected = oru(obx("120", status="C"), control="M2", at="20261120101500+0000")
    for messages in ((oru(obx("12")), corrected), (corrected, oru(obx("12")))):
        read = case(tmp_path, *messages)
        assert numbers(read) == [120]
        assert the(read).finding.flags == ("corrected",)


def test_a_correction_of_the_time_of_the_only_sample_replaces_it(tmp_path: Path) -> None:
    corrected = oru(
        obr(taken="20261120074500+0000"),
        obx("12", status="C"),
        control="M2",
        at="20261120101500+0000",
    )
    found = the(case(tmp_path, oru(obx("12")), corrected)).finding
    assert found.time is not None
    assert found.time.at.isoformat() == "2026-11-20T07:45:00+00:00"


def test_a_correction_that_fits_several_samples_leaves_them_open(tmp_path: Path) -> None:
    second = oru(obr(taken="20261120090000+0000"), obx("60"), control="M2")
    corrected = oru(
        obr(taken="20261120074500+0000"),
        obx("13", status="C"),
        control="M3",
        at="20261120101500+0000",
    )
    read = case(tmp_path, oru(obx("12")), second, corrected)
    whys = {f.finding.not_assessed.why for f in troponins(read) if f.finding.not_assessed}
    assert len(troponins(read)) == 3
    assert whys == {Why.CONFLICTING}
    assert "fits several earlier results" in problems(read)


def test_a_final_that_is_not_sent_again_makes_the_preliminary_value_final(tmp_path: Path) -> None:
    final = oru(obx("", status="U"), control="M2", at="20261120101500+0000")
    read = case(tmp_path, oru(obx("12", status="P")), final)
    assert numbers(read) == [12]
    assert the(read).finding.flags == ()


def test_a_result_without_any_time_of_collection_never_has_the_message_s(tmp_path: Path) -> None:
    found = the(case(tmp_path, oru(obr(taken=""), obx("12")))).finding
    assert found.time is None
    assert "no-collection-time" in found.flags


SPM = "SPM|1|||BLD^Blood^HL70487|||||||||||||20261120075000+0000|20261120083000+0000"


@pytest.mark.parametrize(
    ("observed", "specimen", "minute"),
    [
        ("20261120081000+0000", "", "08:10"),
        ("20261120081000+0000", SPM, "08:10"),
        ("20261120091000+0000", SPM, "07:50"),  # after the specimen's arrival: its analysis
        ("", SPM, "07:50"),
        ("", "", "08:00"),
    ],
    ids=["OBX-14", "OBX-14 before arrival", "OBX-14 is of the analysis", "SPM-17", "OBR-7"],
)
def test_which_of_the_times_is_that_of_collection(
    observed: str, specimen: str, minute: str, tmp_path: Path
) -> None:
    extra = (specimen,) if specimen else ()
    time = the(case(tmp_path, oru(obr(), obx("12", taken=observed), *extra))).finding.time
    assert time is not None
    assert f"{time.at:%H:%M}" == minute


def test_the_offset_of_msh_7_holds_for_times_without_their_own(tmp_path: Path) -> None:
    read = case(tmp_path, oru(obr(taken="20261120080000"), obx("12"), at="20261120090000-0500"))
    time = the(read).finding.time
    assert time is not None
    assert time.at.isoformat() == "2026-11-20T13:00:00+00:00"


def test_messages_of_one_sender_share_a_clock_where_no_zone_is_known(tmp_path: Path) -> None:
    read = case(
        tmp_path,
        oru(obr("F1", taken="20261120080000"), obx("12"), at="20261120090000"),
        oru(obr("F2", taken="20261120090000"), obx("60"), control="M2", at="20261120100000"),
    )
    first, second = (f.finding.time for f in troponins(read))
    minutes = elapsed(first, second).minutes
    assert minutes is not None
    assert (minutes.low, minutes.high) == (60, 60)


def test_a_naive_time_is_of_the_declared_zone(tmp_path: Path) -> None:
    read = case(
        tmp_path,
        oru(obr(taken="20261120080000"), obx("12"), at="20261120090000"),
        zone="Asia/Shanghai",
    )
    time = the(read).finding.time
    assert isinstance(time, ClinicalTime)
    assert time.at.hour == 0


@pytest.mark.parametrize(
    ("kind", "value", "unit", "expected"),
    [
        ("NM", "12", "ng/L^^UCUM", "12"),
        ("NM", "12", "pg/mL", "12"),
        ("NM", "0.012", "ng/mL^^UCUM", "12"),
        ("NM", "1.234", "ng/L", "1.234"),
        ("ST", "0.012", "ng/mL^^UCUM", "12"),
        ("SN", "^12", "ng/L", "12"),
        ("SN", "=^12", "ng/L", "12"),
        ("ST", "12", "ng/L", "12"),
        ("ST", "12 ng/L", "", "12"),
        ("NM", "<3", "ng/L", "<3"),
        ("SN", "<^3", "ng/L", "<3"),
        ("SN", ">=^10000", "ng/L", ">=10000"),
    ],
)
def test_a_number_in_each_form_a_laboratory_sends(
    kind: str, value: str, unit: str, expected: str, tmp_path: Path
) -> None:
    found = the(case(tmp_path, oru(obx(value, kind=kind, unit=unit)))).finding.value
    if isinstance(found, QuantityInterval):
        assert (str(found.interval), found.unit) == (expected, "ng/L")
    else:
        assert isinstance(found, Quantity)
        assert (f"{found.value:g}", found.unit) == (expected, "ng/L")


@pytest.mark.parametrize(
    ("kind", "value", "unit", "why"),
    [
        ("NM", "", "ng/L", Why.MISSING),
        ("NM", '""', "ng/L", Why.MISSING),
        ("NM", "12", "furlong", Why.UNIT_NOT_RECOGNISED),
        ("NM", "12~60", "ng/L", Why.UNREADABLE),
        ("ST", "see comment", "", Why.UNREADABLE),
        ("ST", "1.234", "ng/L", Why.UNREADABLE),  # 1234 as German laboratories print it
        ("ST", "1.234 ng/L", "", Why.UNREADABLE),
        ("NM", "12,5", "ng/L", Why.UNREADABLE),
        ("CWE", "NEG^negative^L", "", Why.UNREADABLE),
    ],
)
def test_what_is_no_number_is_not_assessed_with_the_reason(
    kind: str, value: str, unit: str, why: Why, tmp_path: Path
) -> None:
    found = the(case(tmp_path, oru(obx(value, kind=kind, unit=unit)))).finding
    assert found.not_assessed is not None
    assert found.not_assessed.why is why


def test_other_types_of_value_are_kept_as_they_are(tmp_path: Path) -> None:
    other = "5778-6^Colour of Urine^LN"
    read = case(
        tmp_path,
        oru(
            obx("RED^red^L", kind="CWE", code=other, unit="", printed=""),
            obx("^1^:^128", number=2, kind="SN", code="5048-4^ANA titre^LN", unit="", printed=""),
            obx("a\\T\\b \\X0D\\", number=3, kind="ST", code="1^one^L", unit="", printed=""),
        ),
    )
    values = {f.finding.concept.text: f.finding.value for f in read.timeline.facts}
    assert values["Colour of Urine"] == Text(text="red")
    assert values["ANA titre"] == Text(text="1 : 128")
    assert str(values["one"]).startswith("a&b")


def test_the_laboratory_s_own_flag_and_interval_are_kept_beside_the_value(tmp_path: Path) -> None:
    found = the(case(tmp_path, oru(obx("60", flag="HH", printed="0-14")))).finding
    assert "lab-critical-high" in found.flags
    assert found.reported == "60 ng/L (laboratory's range: 0-14)"


@pytest.mark.parametrize(
    "extra",
    [
        "NTE|1||Specimen HAEMOLYSED",
        "SPM|1|||BLD" + "|" * 20 + "HEM^Hemolyzed^HL70493",
    ],
    ids=["NTE", "SPM-24"],
)
def test_a_haemolysed_specimen_is_flagged(extra: str, tmp_path: Path) -> None:
    assert "haemolysed" in the(case(tmp_path, oru(obr(), obx("12"), extra))).finding.flags


def test_a_method_is_kept(tmp_path: Path) -> None:
    sent = obx("12") + "|||Elecsys hs-cTnT^Elecsys hs-cTnT^L"
    assert the(case(tmp_path, oru(sent))).finding.method == "Elecsys hs-cTnT"


def test_an_order_without_a_result_is_awaited_until_the_result_comes(tmp_path: Path) -> None:
    order = message(
        msh("OML^O21^OML_O21", "O1", at="20261120074000+0000"),
        PID,
        "ORC|NW|P1",
        "OBR|1|P1||67151-1^hs-cTnT^LN",
    )
    waiting = case(tmp_path, order)
    assert [f for f in waiting.timeline.facts if "result-awaited" in f.finding.flags]
    read = case(tmp_path, order, oru(obr("F1", placer="P1"), obx("12")))
    assert not [f for f in read.timeline.facts if "result-awaited" in f.finding.flags]
    assert numbers(read) == [12]


def test_a_cancelled_order_is_awaited_no_longer(tmp_path: Path) -> None:
    order = message(msh("OML^O21", "O1"), PID, "ORC|NW|P1", "OBR|1|P1||67151-1^hs-cTnT^LN")
    cancel = message(
        msh("OML^O21", "O2", at="20261120093000+0000"),
        PID,
        "ORC|CA|P1",
        "OBR|1|P1||67151-1^hs-cTnT^LN",
    )
    read = case(tmp_path, order, cancel)
    assert not [f for f in read.timeline.facts if "result-awaited" in f.finding.flags]


def test_results_of_one_order_in_two_messages_of_one_second_do_not_conflict(
    tmp_path: Path,
) -> None:
    other = "2823-3^Potassium^LN"
    second = oru(obx("4.1", code=other, unit="mmol/L", printed="3.5-5.1"), control="M2")
    read = case(tmp_path, oru(obx("12")), second)
    flags = {flag for f in read.timeline.facts for flag in f.finding.flags}
    assert "conflicting-versions" not in flags
    assert len([f for f in read.timeline.facts if f.finding.value is not None]) == 2


def test_lines_of_one_text_are_one_document(tmp_path: Path) -> None:
    lines = [
        obx(text, number=n, kind="TX", code="18842-5^Report^LN", unit="", printed="")
        for n, text in enumerate(("No effusion.", "Heart size normal."), start=1)
    ]
    read = case(tmp_path, oru(*lines))
    (document,) = read.timeline.documents
    assert document.text == "No effusion.\nHeart size normal."
