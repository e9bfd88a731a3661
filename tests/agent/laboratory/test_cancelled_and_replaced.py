"""What is told of results that were cancelled, taken back or replaced by a later version.

FHIR R4, ObservationStatus: *cancelled* - unavailable because the measurement was not started or
not completed; *entered-in-error* - withdrawn; *corrected* and *amended* follow *final*, which
follows *preliminary*. HL7 v2.8, table 0085: X - results cannot be obtained, D - deletes the record,
W - post original as wrong. The charts are made up.
"""

from pathlib import Path
from typing import Any

import pytest

from agent.assess import assess_paths
from knowledge.settings import Settings
from tests.agent.laboratory.chart import AT, FIRST, SECOND
from tests.agent.laboratory.test_which_result_holds import observation, part, report_of
from tests.tools.intake.hl7v2.messages import obr, obx, oru


def potassium(name: str, value: float, status: str, **more: Any) -> Any:
    return observation(name, "2823-3", value, "mmol/L", SECOND, **{"status": status, **more})


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("cancelled", "cancelled, there is no result"),
        ("entered-in-error", "entered in error, a value seen before does not hold"),
    ],
)
def test_a_result_that_was_taken_back_is_told_without_its_value(
    status: str, said: str, tmp_path: Path
) -> None:
    report = report_of(
        tmp_path,
        observation("c", "2951-2", 118, "mmol/L", SECOND, status=status),
        observation("o", "2951-2", 140, "mmol/L", FIRST),
    )
    (one,) = report.cancelled
    assert (one.name, one.in_error) == ("Sodium", status != "cancelled")
    told = part(report, "cancelled")
    assert "Sodium (2026-11-20 09:30)" in told
    assert said in told
    assert "118" not in report.model_dump_json()
    assert [r.value for r in report.results] == ["140 mmol/L"]


def test_a_chart_of_cancelled_results_alone_is_not_silent(tmp_path: Path) -> None:
    note = [{"text": "Specimen clotted"}]
    cancelled = observation("c", "777-3", 40, "10*9/L", SECOND, status="cancelled", note=note)
    report = report_of(tmp_path, cancelled)
    assert not report.results
    assert "Platelets" in part(report, "cancelled")
    assert "Specimen clotted" in part(report, "cancelled")


def test_a_cancelled_result_of_long_ago_is_no_news(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        observation("c", "2951-2", 118, "mmol/L", "2026-10-01T08:00:00+01:00", status="cancelled"),
        potassium("k", 4.2, "final"),
    )
    assert report.cancelled == ()


@pytest.mark.parametrize(("status", "in_error"), [("X", False), ("D", True), ("W", True)])
def test_a_withdrawal_of_hl7_v2_is_told(status: str, in_error: bool, tmp_path: Path) -> None:
    taken = "20261120083000+0000"
    code = "2951-2^Sodium^LN"
    first = oru(obr(taken=taken), obx("118", code=code, unit="mmol/L^^UCUM", printed=""))
    back = oru(
        obr(taken=taken), obx("", code=code, status=status), control="M2", at="20261120093000+0000"
    )
    for number, content in enumerate((first, back)):
        (tmp_path / f"m{number}.hl7").write_bytes(content)
    report = assess_paths([tmp_path], at=AT, now=AT, settings=Settings()).assessment.laboratory
    assert report is not None
    assert [(one.name, one.in_error) for one in report.cancelled] == [("Sodium", in_error)]
    assert report.cancelled[0].time is not None
    assert not report.results


@pytest.mark.parametrize(
    ("old", "new"),
    [("preliminary", "final"), ("final", "corrected"), ("final", "amended")],
)
def test_the_version_of_the_furthest_status_holds_and_the_other_is_told(
    old: str, new: str, tmp_path: Path
) -> None:
    report = report_of(tmp_path, potassium("a", 7.4, old), potassium("b", 4.4, new))
    assert report.conflicts == ()
    assert report.urgent == ()
    assert [r.value for r in report.results if r.latest] == ["4.4 mmol/L"]
    told = part(report, "replaced")
    assert "Potassium 7.4 mmol/L" in told
    assert "replaced by 4.4 mmol/L" in told
    assert "was critical" in told


def test_of_two_corrections_the_one_issued_last_holds(tmp_path: Path) -> None:
    report = report_of(
        tmp_path,
        potassium("a", 4.4, "corrected", issued="2026-11-20T11:00:00+01:00"),
        potassium("b", 5.2, "corrected", issued="2026-11-20T10:00:00+01:00"),
    )
    assert [r.value for r in report.results if r.latest] == ["4.4 mmol/L"]


def contradicting() -> list[Any]:
    early, late = "2026-11-20T10:00:00+01:00", "2026-11-20T11:00:00+01:00"
    bedside = {"method": {"text": "Point of care"}, "device": {"display": "Blood gas analyser"}}
    return [
        (potassium("a", 7.4, "final"), potassium("b", 4.4, "final")),
        (
            potassium("a", 7.4, "preliminary", issued=late),
            potassium("b", 4.4, "final", issued=early),
        ),
        (
            potassium("a", 7.4, "final", **bedside),
            potassium("b", 4.4, "corrected", method={"text": "Central laboratory"}),
        ),
    ]


@pytest.mark.parametrize("pair", contradicting(), ids=["status", "issue-time", "two-methods"])
def test_what_no_status_settles_stays_a_conflict(pair: tuple[Any, Any], tmp_path: Path) -> None:
    report = report_of(tmp_path, *pair)
    assert len(report.conflicts) == 1
    assert report.urgent
    assert not part(report, "replaced")


@pytest.mark.parametrize("again", ["F", "C"])
@pytest.mark.parametrize("withdrawn", ["X", "D", "W"])
def test_a_result_reported_again_after_its_withdrawal_is_the_result(
    withdrawn: str, again: str, tmp_path: Path
) -> None:
    """OBR-22 stays at the collection in all three, as many laboratories send it: MSH-7 tells."""
    taken = "20261120083000+0000"
    code = "2823-3^Potassium^LN"
    order = f"OBR|1||F1|24320-4^BMP^LN|||{taken}" + "|" * 15 + f"{taken}||CH|F"
    sent = (
        ("20261120090000+0000", obx("6.9", code=code, unit="mmol/L^^UCUM", flag="HH")),
        ("20261120091000+0000", obx("6.9", code=code, unit="mmol/L^^UCUM", status=withdrawn)),
        (
            "20261120092000+0000",
            obx("6.7", code=code, unit="mmol/L^^UCUM", flag="HH", status=again),
        ),
    )
    for number, (at, line) in enumerate(sent):
        content = oru(order, line, control=f"M{number}", at=at)
        (tmp_path / f"m{number}.hl7").write_bytes(content)
    report = assess_paths([tmp_path], at=AT, now=AT, settings=Settings()).assessment.laboratory
    assert report is not None
    assert [result.value for result in report.results] == ["6.7 mmol/L"]
    assert "Potassium 6.7 mmol/L" in part(report, "urgent")
    assert report.cancelled == ()


def test_the_same_message_sent_once_more_brings_a_withdrawn_result_not_back(tmp_path: Path) -> None:
    taken = "20261120083000+0000"
    code = "2823-3^Potassium^LN"
    order = f"OBR|1||F1|24320-4^BMP^LN|||{taken}" + "|" * 15 + f"{taken}||CH|F"
    value = obx("6.9", code=code, unit="mmol/L^^UCUM")
    back = obx("6.9", code=code, unit="mmol/L^^UCUM", status="W")
    sent = (
        ("20261120090000+0000", value),
        ("20261120091000+0000", back),
        ("20261120092000+0000", value),
    )
    for number, (at, line) in enumerate(sent):
        content = oru(order, line, control=f"M{number}", at=at)
        (tmp_path / f"m{number}.hl7").write_bytes(content)
    report = assess_paths([tmp_path], at=AT, now=AT, settings=Settings()).assessment.laboratory
    assert report is not None
    assert report.results == ()
    assert [one.name for one in report.cancelled] == ["Potassium"]
