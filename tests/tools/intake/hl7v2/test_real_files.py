"""Every file of three public collections of HL7 v2 messages is read, or refused with its reason."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge.codes import LOINC
from knowledge.quantity import Quantity
from knowledge.settings import Settings
from knowledge.timeline import Category
from tests.data_folder import shared_data
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles

GOLDEN: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("real_files.yaml").read_text())
SENT = {"PID": "Patient", "PV1": "Encounter", "DG1": "Condition", "TXA": "DocumentReference"}
"""Segments of which each gives one resource in the messages that carry them."""


def read(name: str) -> CaseFiles:
    folder, _, rest = name.partition("/")
    return read_case([shared_data(folder) / rest], at=None, settings=Settings())


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_real_file_is_read_as_it_was_checked_by_hand(name: str) -> None:
    found, expected = read(name), GOLDEN[name]
    (one,) = found.inputs
    assert (one.status, dict(one.counts)) == (expected["status"], expected.get("counts", {}))
    assert (one.reason or "").startswith(expected.get("reason", ""))
    assert bool(one.reason) == ("reason" in expected)
    assert len(one.problems) == expected.get("problems", 0)
    assert len(found.timeline.documents) == expected.get("documents", 0)
    assert len(found.retracted) == expected.get("retracted", 0)


@pytest.mark.parametrize("name", sorted(n for n, g in GOLDEN.items() if g["status"] == "read"))
def test_the_counts_are_those_of_the_segments(name: str) -> None:
    folder, _, rest = name.partition("/")
    raw = (shared_data(folder) / rest).read_bytes()
    lines = re.split(rb"[\r\n]+", raw)
    counts = GOLDEN[name].get("counts", {})
    is_note = b"|MDM^" in raw
    for segment, kind in SENT.items():
        there = sum(line.startswith(segment.encode() + b"|") for line in lines)
        if segment != "TXA" or is_note:
            assert counts.get(kind, 0) == there, segment


@pytest.mark.parametrize("name", ["hl7v2-linuxforhealth", "hl7v2-msft", "hl7v2-nist"])
def test_no_file_is_left_out(name: str) -> None:
    folder = shared_data(name)
    there = {f"{name}/{p.relative_to(folder).as_posix()}" for p in folder.rglob("*.hl7")}
    assert there == {n for n in GOLDEN if n.startswith(f"{name}/")}


LRI = "hl7v2-msft/data/SampleData/Hl7v2/LRI_2.0-NG_CBC_Typ_Message.hl7"
LEAD = "hl7v2-nist/test/functional/test-data/valid/nist/ORU_R01_2.5.1_SampleTestCase1.hl7"


@pytest.mark.parametrize(
    ("name", "loinc", "value", "unit", "flag"),
    [
        (LRI, "20570-8", 41, "%", "lab-normal"),
        (LRI, "26464-8", 105.6, "10*9/L", "lab-critical-high"),  # printed 105600 {cells}/uL
        (LRI, "26453-1", 4.41, "10*12/L", "lab-normal"),  # printed 4.41 10*6/uL
        (LEAD, "10368-9", 50, "ug/dL", "lab-high"),
        (
            "hl7v2-msft/data/SampleData/Hl7v2/ORU-R01-RMGEAD.hl7",
            "1554-5",
            182,
            "mg/dl",
            "lab-high",
        ),
    ],
)
def test_a_value_is_the_one_that_stands_in_the_file(
    name: str, loinc: str, value: float, unit: str, flag: str
) -> None:
    facts = [f for f in read(name).timeline.facts if f.category is not Category.REPORT]
    (fact,) = [f for f in facts if any(c.code == loinc for c in f.finding.concept.codings)]
    assert isinstance(fact.finding.value, Quantity)
    assert fact.finding.value.value == pytest.approx(value)
    assert fact.finding.value.unit == unit
    assert flag in fact.finding.flags


def test_a_haemoglobin_in_the_wrong_unit_is_impossible_and_not_used() -> None:
    """The file says 12.5 g/mL: 1,000 times what blood holds."""
    (fact,) = [f for f in read(LRI).timeline.facts if f.finding.concept.has(LOINC, "718-7")]
    assert fact.finding.value is None
    assert fact.finding.not_assessed is not None
