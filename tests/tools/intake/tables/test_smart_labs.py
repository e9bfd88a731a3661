"""The public SMART sample patients: a real tab table of 31 patients, checked against the file."""

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from knowledge.analytes import analytes
from knowledge.errors import IdentityConflictError
from knowledge.finding import State
from knowledge.quantity import Quantity
from tests.data_folder import shared_data
from tests.tools.intake.tables.samples import case, told
from tools.labs.printed_interval import printed_interval

MAPPING = """
schema: epicrisis/lab-mapping/1
files: [labs.txt]
delimiter: tab
decimal: point
rows: several patients
columns:
  patient_id: {column: PID, system: "urn:smart"}
  test: NAME
  code: LOINC
  value: VALUE
  unit: UNITS
  collected: DATE
  low: LOW
  high: HIGH
no_interval: [["0", "0"]]
"""


def lines(patient: str) -> list[dict[str, str]]:
    """The rows of one patient as Python's own reader gives them."""
    with (shared_data("smart-sample-patients") / "labs.txt").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 2380
    return [row for row in rows if row["PID"] == patient]


def smart(folder: Path, patient: str) -> None:
    shutil.copy(shared_data("smart-sample-patients") / "labs.txt", folder / "labs.txt")
    (folder / "mapping.yaml").write_text(MAPPING, "utf-8")
    (folder / "case.yaml").write_text(
        "schema: epicrisis/case/1\n"
        f'patient: {{identifiers: [{{system: "urn:smart", value: "{patient}"}}]}}\n',
        "utf-8",
    )


@pytest.mark.parametrize("patient", ["1520204", "8888802", "8888801", "1288992"])
def test_every_row_of_a_patient_is_a_result_or_told(tmp_path: Path, patient: str) -> None:
    smart(tmp_path, patient)
    read = case(tmp_path)
    given = lines(patient)
    item = told(read, "labs.txt")
    refused = [p for p in item.problems if p.endswith("the row is not used")]
    assert len(read.timeline.facts) + len(refused) == len(given)
    others = 2380 - len(given)
    assert f"{others} rows of other patients were not used" in item.problems


def test_figures_are_those_of_the_file(tmp_path: Path) -> None:
    # of 1520204 on 2008-01-24: HDL 53, calcium 10.2, LDL 160 mg/dL with the interval 0 to 129
    smart(tmp_path, "1520204")
    read = case(tmp_path)
    by_row = {f.finding.evidence[0].model_dump()["record"]: f.finding for f in read.timeline.facts}
    hdl, ldl = by_row["row 2"], by_row["row 5"]
    assert hdl.value == Quantity(value=53, unit="mg/dL")
    assert str(hdl.time) == "2008-01-24"
    assert ldl.value == Quantity(value=160, unit="mg/dL")
    printed = printed_interval(ldl, "ldl_cholesterol")
    assert printed is not None
    assert printed.bounds is not None
    assert (printed.bounds.low, printed.bounds.high) == (0, 129)
    numbers: Counter[str] = Counter()
    for row in lines("1520204"):
        key = analytes().for_loinc(row["LOINC"])
        if key is not None and row["VALUE"].replace(".", "", 1).isdigit():
            numbers[key] += 1
    read_numbers = Counter(
        c.code
        for f in read.timeline.facts
        if f.finding.state is State.PRESENT and f.finding.quantity is not None
        for c in f.finding.concept.codings
        if c.system == "urn:epicrisis:analyte"
    )
    refused = numbers - read_numbers
    assert not read_numbers - numbers
    reasons = [
        f.finding.not_assessed
        for f in read.timeline.facts
        if f.finding.not_assessed is not None and f.finding.reported
    ]
    assert sum(refused.values()) <= len(reasons)


def test_zero_to_zero_is_no_interval_in_this_file(tmp_path: Path) -> None:
    # 82 rows of the file have LOW 0 and HIGH 0
    with (shared_data("smart-sample-patients") / "labs.txt").open(encoding="utf-8") as file:
        zero = [
            r for r in csv.DictReader(file, delimiter="\t") if (r["LOW"], r["HIGH"]) == ("0", "0")
        ]
    assert len(zero) == 82
    patient = Counter(row["PID"] for row in zero).most_common(1)[0][0]
    smart(tmp_path, patient)
    read = case(tmp_path)
    assert not [f for f in read.timeline.facts if "0 to 0" in (f.finding.reported or "")]


def test_the_whole_table_without_a_mapping_is_of_many_patients_and_refused(tmp_path: Path) -> None:
    # its headings are known words, and its 31 patient numbers are of one column
    shutil.copy(shared_data("smart-sample-patients") / "labs.txt", tmp_path / "labs.tsv")
    with pytest.raises(IdentityConflictError, match="differ in identifier"):
        case(tmp_path)
