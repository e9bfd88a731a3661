"""Which results are one series: codes in mass and molar units are, two kinds of specimen are not.

Creatinine of 150 umol/L is 150 x 113.12 / 10000 = 1.697 mg/dL (molar mass 113.12 g/mol, PubChem CID
588): 0.697 over 1.0 and 1.7 times it, stage 1 by KDIGO (2012), section 2.1: 0.3 mg/dL in 48 h, or
1.5 to 1.9 times in 7 days. LOINC 2160-0 is mass, 14682-9 substance concentration, both in serum or
plasma; 38483-4 is of blood (loinc.org).
"""

from datetime import timedelta

import pytest

from knowledge.analytes import analytes
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, LOINC, Coding, Concept
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State
from knowledge.laboratory_patterns import laboratory_patterns
from knowledge.quantity import Interval, measured
from knowledge.result_sources import result_sources
from knowledge.timeline import Category, Fact
from tests.tools.labs.patterns.golden import NOW, chart
from tools.labs.change import change
from tools.labs.patterns.judge import judge
from tools.labs.patterns.verdict import PatternVerdict
from tools.labs.result_source import comparable_result

_MG_DL = 150 * 113.12 / 10_000


def result(code: str, value: float, hours: float, *, specimen: str | None = None) -> Finding:
    codings = (Coding(system=ANALYTE, code="creatinine"), Coding(system=LOINC, code=code))
    return Finding(
        concept=Concept(text="Creatinine", codings=codings),
        state=State.PRESENT,
        value=measured(Interval.exact(value), "mg/dL"),
        time=ClinicalTime(at=NOW + timedelta(hours=hours)),
        specimen=specimen,
        evidence=(RecordEvidence(file="laboratory.csv", record=f"{code} {hours:g} h"),),
    )


def verdict(*findings: Finding) -> PatternVerdict:
    facts = tuple(Fact(category=Category.LABORATORY, finding=f) for f in findings)
    return judge(laboratory_patterns()["acute_kidney_injury"], chart(facts, {}))


@pytest.mark.parametrize(
    ("before", "now"), [(None, None), ("serum", "serum"), ("serum", None), (None, "plasma")]
)
def test_creatinine_in_mg_and_then_in_umol_is_one_series(
    before: str | None, now: str | None
) -> None:
    first = result("2160-0", 1.0, -26, specimen=before)
    found = verdict(first, result("14682-9", _MG_DL, -2, specimen=now))
    assert found.verdict == "supported"
    assert "stage 1" in found.statement.en
    assert any("not stated" in caveat.en for caveat in found.caveats)


@pytest.mark.parametrize(
    ("codes", "specimens", "reason"),
    [
        (("38483-4", "14682-9"), (None, None), "whole blood and serum or plasma"),
        (("2160-0", "14682-9"), ("serum", "plasma"), "serum and plasma"),
    ],
)
def test_two_specimens_are_no_series_and_that_is_the_reason(
    codes: tuple[str, str], specimens: tuple[str | None, str | None], reason: str
) -> None:
    first = result(codes[0], 1.0, -26, specimen=specimens[0])
    later = result(codes[1], _MG_DL, -2, specimen=specimens[1])
    found = verdict(first, later)
    assert found.verdict == "not assessed"
    missing = {item.fact: item.reason.detail for item in found.missing}
    assert missing["rise"] == f"not comparable: results of two kinds of specimen: {reason}"
    settling = next(item.words.en for item in found.settle if item.test == "creatinine")
    assert "by the same method in the same kind of specimen" in settling
    one, other = comparable_result(first), comparable_result(later)
    # the comparison that is shown beside the result rests on the same rule
    assert change(one, other).not_assessed.detail == missing["rise"]  # type: ignore[arg-type, union-attr]


def test_an_earlier_result_is_missing_only_where_there_is_none() -> None:
    found = verdict(result("2160-0", 1.7, -2))
    assert {item.reason.detail for item in found.missing if item.fact == "rise"} == {
        "no earlier comparable result of Creatinine within 48 h"
    }


def test_codes_of_one_test_are_of_one_analyte_in_one_specimen() -> None:
    table = result_sources()
    of_code = {c: key for key, row in analytes().analytes.items() for c in row.loinc}
    groups = table.codes_of_one_test
    for codes in (*groups.property.codes, *groups.method_unnamed.codes):
        assert len({of_code[code] for code in codes}) == 1, codes
        assert len({table.specimen_of_loinc(code) for code in codes}) == 1, codes


def test_two_formulas_of_the_filtration_rate_are_not_one_test() -> None:
    # LOINC 33914-3 is MDRD, 98979-8 CKD-EPI 2021 (loinc.org)
    held = result_sources().codes_of_one_test
    assert not held.property.hold("33914-3", "98979-8")
    assert not held.method_unnamed.hold("33914-3", "98979-8")
