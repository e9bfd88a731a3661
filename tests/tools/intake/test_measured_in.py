"""Specimen and kind of method of FHIR results: stated, or not stated; never concluded."""

from typing import Any

import orjson
import pytest

from knowledge.analytes import analytes
from knowledge.codes import LOINC, Coding, Concept
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Quantity
from knowledge.result_sources import result_sources, stated_method, stated_specimen
from knowledge.timeline import Category
from tests.data_folder import shared_data
from tests.tools.intake.samples import chart, observation, only_fact, patient
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import read_chart
from tools.labs.change import change
from tools.labs.paired_result import LabResult
from tools.labs.result_source import comparable_result, specimen_of


def specimen(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Specimen",
        "id": "s1",
        "subject": {"reference": "Patient/p1"},
        **changes,
    }


def measured(*, of: dict[str, Any] | None = None, **changes: Any) -> Finding:
    given = [patient(), observation(4.1, "mmol/L", "2823-3", **changes)]
    facts = chart(*given, *([of] if of is not None else [])).facts
    return next(f.finding for f in facts if f.category is Category.LABORATORY)


def test_what_is_not_stated_stays_not_stated() -> None:
    found = measured(category=[{"coding": [{"code": "laboratory"}]}])
    assert (found.specimen, found.method_kind) == (None, None)


def test_an_unstated_specimen_changes_no_stored_id() -> None:
    # the published form of a finding, of which its id is made, has no new key
    assert not {"specimen", "method_kind"} & set(
        only_fact(patient(), observation()).finding.to_json()
    )


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        # HL7 v2 table 0487: SER serum, BLDA blood arterial, UR urine
        (
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "SER"}
                ]
            },
            "serum",
        ),
        (
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v2-0487", "code": "BLDA"}
                ]
            },
            "arterial blood",
        ),
        # displays of the FHIR R4 examples Specimen-101 and Bundle-ghp
        ({"coding": [{"code": "122555007", "display": "Venous blood specimen"}]}, "venous blood"),
        ({"coding": [{"code": "445295009", "display": "Blood specimen with EDTA"}]}, "whole blood"),
        ({"text": "血浆"}, "plasma"),
        ({"text": "Bile"}, "bile"),
    ],
)
def test_the_specimen_is_what_its_resource_says(type_: dict[str, Any], expected: str) -> None:
    found = measured(of=specimen(type=type_), specimen={"reference": "Specimen/s1"})
    assert found.specimen == expected


def test_a_tube_is_not_a_specimen() -> None:
    assert measured(specimen={"display": "Lavender Top Tube"}).specimen is None
    assert measured(specimen={"display": "Urine sample"}).specimen == "urine"


def test_a_specimen_that_is_not_valid_costs_no_result() -> None:
    found = measured(of=specimen(type="serum"), specimen={"reference": "Specimen/s1"})
    assert found.state is State.PRESENT
    assert found.specimen is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": {"text": "POCT, i-STAT"}}, "point-of-care"),
        ({"device": {"display": "Bedside glucose meter"}}, "point-of-care"),
        ({"category": [{"coding": [{"system": "urn:site", "code": "POC"}]}]}, "point-of-care"),
        (
            {"performer": [{"reference": "Organization/1", "display": "Acme Laboratory, Inc"}]},
            "laboratory",
        ),
        ({"performer": [{"reference": "Practitioner/1", "display": "Jane Laboratory"}]}, None),
        ({"method": {"text": "Roche Elecsys"}}, None),
        ({"performer": "nobody"}, None),
        (
            {
                "method": {"text": "point of care"},
                "performer": [{"reference": "Organization/1", "display": "Acme Laboratory"}],
            },
            None,
        ),
    ],
)
def test_the_kind_of_method_is_named_by_one_side_only(
    changes: dict[str, Any], expected: str | None
) -> None:
    assert measured(**changes).method_kind == expected


def test_a_specimen_that_the_laboratory_registered_is_of_the_laboratory() -> None:
    # FHIR R4 Specimen.accessionIdentifier: "identifier assigned by the lab"
    own = specimen(accessionIdentifier={"value": "X352356"}, type={"text": "serum"})
    assert measured(of=own, specimen={"reference": "Specimen/s1"}).method_kind == "laboratory"


def test_the_real_bundle_of_the_standard_states_urine_and_the_laboratory() -> None:
    # Bundle-ghp: u1 to u9 refer to Specimen/urine; every performer is "Acme Laboratory, Inc"
    file = shared_data("fhir-r4-examples") / "Bundle-ghp.json"
    facts = read_chart([parse(file.read_bytes(), file.name)], at=None).facts
    urine = [f.finding for f in facts if f.finding.specimen == "urine"]
    places = {e.resource for f in urine for e in f.evidence if e.kind == "fhir"}
    assert {f"Observation/u{n}" for n in range(1, 10)} <= places
    assert {f.finding.method_kind for f in facts if f.finding.method_kind} == {"laboratory"}


def finding(loinc: str, **changes: Any) -> Finding:
    key = analytes().for_loinc(loinc)
    codings = [Coding(system=LOINC, code=loinc)]
    codings += [Coding(system="urn:epicrisis:analyte", code=key)] if key else []
    base = only_fact(patient(), observation()).finding
    return base.model_copy(
        update={
            "concept": Concept(text="test", codings=tuple(codings)),
            "value": Quantity(value=4.1, unit="mmol/L"),
            **changes,
        }
    )


def test_the_code_fills_in_what_the_source_does_not_state() -> None:
    assert specimen_of(finding("2823-3")) == "serum or plasma"
    assert specimen_of(finding("2823-3", specimen="serum")) == "serum"
    assert specimen_of(finding("6298-4", specimen="capillary blood")) == "capillary blood"
    contradicted = specimen_of(finding("2823-3", specimen="urine"))
    assert isinstance(contradicted, NotAssessed)
    assert contradicted.why is Why.CONFLICTING


def test_two_results_are_compared_once_both_are_stated() -> None:
    first = observation(
        4.0,
        "mmol/L",
        "2823-3",
        id="a",
        effectiveDateTime="2026-11-19T08:00:00+01:00",
        performer=[{"display": "City Laboratory"}],
    )
    second = observation(
        5.5, "mmol/L", "2823-3", id="b", performer=[{"display": "City Laboratory"}]
    )
    bedside = observation(5.5, "mmol/L", "2823-3", id="c", method={"text": "bedside"})
    facts = chart(patient(), first, second, bedside).facts
    results = [comparable_result(f.finding) for f in facts]
    by_name = {r.evidence[0].resource: r for r in results if isinstance(r, LabResult)}  # type: ignore[union-attr]
    a, b, c = (by_name[f"Observation/{name}"] for name in "abc")
    # 4.0 -> 5.5 is +37.5 %; the reference change value of potassium is 11.6 % (EFLM)
    assert change(a, b).verdict == "beyond 99 %"
    refused = change(a, c).not_assessed
    assert refused is not None
    assert "point-of-care" in refused.detail


def test_every_laboratory_code_is_placed() -> None:
    table = result_sources()
    placed = {*table.not_fixed, *(c for row in table.specimens.values() for c in row.loinc)}
    rows = analytes().analytes.values()
    assert {c for row in rows if row.group == "laboratory" for c in row.loinc} <= placed


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (" in Serum or Plasma", "serum or plasma"),
        (" in Platelet poor plasma", "plasma"),
        (" in Blood", "whole blood"),
        (" of Blood", "whole blood"),
        (" of Urine", "urine"),
    ],
)
def test_codes_agree_with_the_names_that_real_records_give_them(part: str, expected: str) -> None:
    # LOINC's own names, as the public bundles carry them
    seen = 0
    for file in sorted(shared_data("synthea-fhir-r4").glob("*.json")) + sorted(
        shared_data("fhir-r4-examples").glob("*.json")
    ):
        for code, display in _loinc(orjson.loads(file.read_bytes())):
            if part in display and result_sources().specimen_of_loinc(code) is not None:
                seen += 1
                assert result_sources().specimen_of_loinc(code) == expected, (code, display)
    if expected != "plasma":
        assert seen > 0


def _loinc(node: Any) -> list[tuple[str, str]]:
    if isinstance(node, list):
        return [pair for item in node for pair in _loinc(item)]
    if not isinstance(node, dict):
        return []
    found = [pair for item in node.values() for pair in _loinc(item)]
    if node.get("system") == LOINC and isinstance(node.get("display"), str):
        found.append((str(node.get("code")), node["display"]))
    return found


def test_words_of_two_specimens_or_methods_name_neither() -> None:
    assert stated_specimen("serum and urine") == "serum and urine"
    assert stated_method("laboratory or point of care") is None


def test_a_code_that_contradicts_its_name_is_not_assessed_and_told() -> None:
    # 2823-3: potassium in serum or plasma (LOINC); 770-8: neutrophils per 100 leucocytes
    code = {"coding": [{"system": "http://loinc.org", "code": "2823-3", "display": "Sodium"}]}
    found = chart(patient(), observation(6.0, "mmol/L", id="a", code=code))
    (fact,) = found.facts
    why = fact.finding.not_assessed
    assert why is not None
    assert why.why is Why.CONFLICTING
    assert "Sodium" in why.detail
    assert "potassium" not in [c.code for c in fact.finding.concept.codings]
    general = {"coding": [{"system": "http://loinc.org", "code": "770-8"}], "text": "Neutrophils"}
    share = only_fact(patient(), observation(60, "%", code=general)).finding
    assert "neutrophils_percent" in [c.code for c in share.concept.codings]
