"""Comparing identities: what agrees, what differs, what cannot be compared."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical_time import parse_fhir
from knowledge.patient import Identity
from tests.tools.intake.samples import bundle, observation, patient, read, report, write
from tools.intake.belonging import numbers_told
from tools.intake.identity import compare, compare_all


def identity(source: str = "a", **parts: Any) -> Identity:
    if "born" in parts:
        parts["birth_date"] = parse_fhir(parts.pop("born"), clock=source)
    return Identity(source=source, **parts)


CLARA: dict[str, Any] = {"family": "Muster", "given": ("Clara",)}

NAMES = [
    ({"family": "MUSTER", "given": ("clara",)}, True),
    ({"family": "Clara", "given": ("Muster",)}, True),
    ({"family": "Muster", "given": ("Clara", "Sophie")}, True),
    ({"family": "Muster", "given": ("C",)}, True),
    ({"family": "Muster"}, True),
    ({"family": "Muster", "given": ("Karla",)}, False),
    ({"family": "Master", "given": ("Clara",)}, False),
    ({"family": "ANONYMOUS"}, False),
    ({"family": "王", "given": ("小明",)}, None),
    ({}, None),
]


@pytest.mark.parametrize(("other", "same"), NAMES, ids=[str(n[0]) for n in NAMES])
def test_names_are_compared_without_case_and_order(
    other: dict[str, Any], same: bool | None
) -> None:
    result = compare(identity(**CLARA), identity("b", **other))
    assert ("name" in result.agree, "name" in result.differ) == (same is True, same is False)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "Mueller"),
        ("Müller", "Muller"),
        ("Sørensen", "Sorensen"),
        ("Łukasz", "Lukasz"),
        ("O'Hara", "o hara"),
        ("García", "GARCIA"),
        ("Weiß", "Weiss"),
    ],
)
def test_diacritics_and_their_transliterations_agree(one: str, other: str) -> None:
    assert "name" in compare(identity(family=one), identity("b", family=other)).agree


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1955-07-21", "1955-07-21", True),
        ("1955-07-21", "1955", True),
        ("1955-07-21", "1955-07", True),
        ("1955-07-21", "1955-07-22", False),
        ("1955-07-21", "1956", False),
    ],
)
def test_birth_dates_are_compared_as_finely_as_both_are_stated(
    one: str, other: str, same: bool
) -> None:
    result = compare(identity(born=one), identity("b", born=other))
    assert ("birth date" in result.agree) == same
    assert ("birth date" in result.differ) == (not same)


IDENTIFIERS = [
    ((("urn:a", "1"),), (("urn:a", "1"),), "match"),
    ((("urn:a", "1"),), (("urn:a", "2"),), "mismatch"),
    ((("urn:a", "1"),), (("urn:b", "1"),), "not comparable"),
    ((("", "1"),), (("", "1"),), "not comparable"),
    ((("", "1"),), (("", "2"),), "not comparable"),
    ((("urn:a", "1"), ("urn:a", "9")), (("urn:a", "9"),), "match"),
    ((("urn:a", "1"), ("urn:b", "5")), (("urn:a", "1"), ("urn:b", "6")), "mismatch"),
    ((("urn:a", "x1"),), (("urn:a", " X1 "),), "match"),
    ((("urn:a", "01"),), (("urn:a", "1"),), "mismatch"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "result"), IDENTIFIERS)
def test_identifiers_are_compared_within_one_assigner_only(
    one: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...], result: str
) -> None:
    assert compare(identity(identifiers=one), identity("b", identifiers=other)).result == result


@pytest.mark.parametrize(
    "parts",
    [CLARA, {"born": "1955-07-21"}, {"sex": "female"}, {**CLARA, "sex": "female"}],
    ids=["name", "birth date", "sex", "name and sex"],
)
def test_one_weak_field_identifies_nobody(parts: dict[str, Any]) -> None:
    result = compare(identity(**parts), identity("b", **parts))
    assert result.result == "not comparable"
    assert result.differ == ()


def test_name_and_birth_date_together_match() -> None:
    parts: dict[str, Any] = {**CLARA, "born": "1955-07-21"}
    assert compare(identity(**parts), identity("b", **parts)).result == "match"


def test_one_field_that_differs_is_a_mismatch_whatever_agrees() -> None:
    parts: dict[str, Any] = {**CLARA, "born": "1955-07-21", "identifiers": (("urn:a", "1"),)}
    result = compare(identity(**parts, sex="female"), identity("b", **parts, sex="male"))
    assert (result.result, result.differ) == ("mismatch", ("sex",))


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "family": st.sampled_from(["Muster", "Müller", "Li"]),
        "given": st.sampled_from([("Clara",), ("C", "S")]),
        "born": st.sampled_from(["1955", "1955-07-21", "1960-01-01"]),
        "sex": st.sampled_from(["female", "male"]),
        "identifiers": st.sampled_from([(("urn:a", "1"),), (("urn:a", "2"),), (("", "1"),)]),
    },
)


@given(PARTS, PARTS)
def test_a_comparison_does_not_depend_on_the_order(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert compare(identity(**a), identity("b", **b)) == compare(identity("b", **b), identity(**a))


@given(PARTS)
def test_nobody_differs_from_themselves(parts: dict[str, Any]) -> None:
    assert compare(identity(**parts), identity("b", **parts)).differ == ()


@given(st.permutations([{**CLARA}, {"born": "1955"}, {"family": "Li"}, {}]))
def test_the_report_does_not_depend_on_the_order_of_files(order: list[dict[str, Any]]) -> None:
    def report(parts: list[dict[str, Any]]) -> Any:
        return compare_all([identity(str(sorted(p)) + str(p.get("family")), **p) for p in parts])

    assert report(order) == report([{**CLARA}, {"born": "1955"}, {"family": "Li"}, {}])


@pytest.mark.parametrize("name", ["a.json", "z.json"])
def test_a_patient_of_whom_nothing_is_stated_never_displaces_a_named_one(
    tmp_path: Path, name: str
) -> None:
    nobody = {"resourceType": "Patient", "id": "p2"}
    write(tmp_path, "chart.json", bundle(patient(), observation()))
    write(tmp_path, name, bundle(nobody, observation(id="o2", subject={"reference": "Patient/p2"})))
    case = read(tmp_path)
    assert report(case, "chart.json").status == "read"
    assert (report(case, name).status, len(case.timeline.facts)) == ("failed", 1)


UNKNOWN: dict[str, Any] = {"family": "Unknown", "given": ("Unknown",), "sex": "male"}
PROVE_NOTHING = [
    ({**UNKNOWN, "born": "1970-01-01"}, {**UNKNOWN, "born": "1970-01-01"}),
    ({**UNKNOWN, "born": "1900-01-01"}, {**UNKNOWN, "born": "1900-01-01"}),
    ({**UNKNOWN, "born": "1955-07-21"}, {**UNKNOWN, "born": "1955-07-21"}),
    ({"family": "Unbekannt", "born": "1955-07-21"}, {"family": "UNBEKANNT", "born": "1955-07-21"}),
    ({"family": "无名氏", "born": "1955-07-21"}, {"family": "无名氏", "born": "1955-07-21"}),
    (
        {"family": "Doe", "given": ("John",), "born": "1955-07-21"},
        {"family": "Doe", "given": ("John",), "born": "1955-07-21"},
    ),
    ({**CLARA, "born": "1900-01-01"}, {**CLARA, "born": "1900-01-01"}),
    ({**CLARA, "born": "1970-01-01"}, {**CLARA, "born": "1970-01-01"}),
    ({**CLARA, "born": "1955-07-21"}, {"family": "C", "born": "1955-07-21"}),
    ({"family": "M", "given": ("C",), "born": "1955-07-21"}, {**CLARA, "born": "1955-07-21"}),
    ({**CLARA, "born": "1955-07-21"}, {**CLARA, "born": "1955"}),
    ({**CLARA, "born": "1955-07"}, {**CLARA, "born": "1955-07"}),
]


@pytest.mark.parametrize(("one", "other"), PROVE_NOTHING)
def test_what_any_two_people_may_share_is_no_proof(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    result = compare(identity(**one), identity("b", **other))
    assert (result.result, result.differ) == ("not comparable", ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"family": "李", "given": ("明",)}, {"family": "李", "given": ("明",)}),
        ({"family": "Muster", "given": ("C",)}, CLARA),
        ({"family": "김", "given": ("민",)}, {"family": "김", "given": ("민",)}),
    ],
)
def test_a_name_with_a_part_of_its_own_is_proof_beside_a_birth_date(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    born = {"born": "1955-07-21"}
    assert compare(identity(**one, **born), identity("b", **other, **born)).result == "match"


NUMBER: dict[str, Any] = {"identifiers": (("urn:oid:1.2.3", "0012"),)}
PLACEHOLDERS: list[dict[str, Any]] = [
    {"family": "UNKNOWN", "given": ("UNKNOWN",)},
    {"family": "Unbekannt"},
    {"family": "XX-MALE"},
    {"family": "无名氏"},
    {"family": "Doe", "given": ("Jane",)},
    {"family": "Trauma", "given": ("7",)},
]


@pytest.mark.parametrize("name", PLACEHOLDERS, ids=str)
def test_a_placeholder_name_is_not_compared_where_the_number_agrees(name: dict[str, Any]) -> None:
    real = {"family": "李", "given": ("明",)} if name["family"] == "无名氏" else CLARA
    found = compare(identity(**name, **NUMBER), identity("b", **real, **NUMBER))
    assert (found.result, found.not_compared, found.differ) == ("match", ("name",), ())
    assert "name" not in found.agree


@pytest.mark.parametrize("name", PLACEHOLDERS, ids=str)
@pytest.mark.parametrize(
    "more", [{}, {"born": "1955-07-21"}, {"sex": "female", "born": "1955-07-21"}], ids=str
)
def test_without_an_agreeing_number_a_placeholder_and_a_name_still_differ(
    name: dict[str, Any], more: dict[str, Any]
) -> None:
    real = {"family": "李", "given": ("明",)} if name["family"] == "无名氏" else CLARA
    found = compare(identity(**name, **more), identity("b", **real, **more))
    assert (found.result, found.not_compared) == ("mismatch", ())


@pytest.mark.parametrize("other", [{"family": "Male", "given": ("Anna",)}, {"family": "J S"}])
def test_a_name_with_a_part_of_its_own_is_no_placeholder(other: dict[str, Any]) -> None:
    found = compare(identity(**other, **NUMBER), identity("b", **CLARA, **NUMBER))
    assert (found.result, found.differ) == ("mismatch", ("name",))


def test_a_placeholder_that_was_not_compared_is_told_and_another_field_still_differs(
    tmp_path: Path,
) -> None:
    unknown = patient(name=[{"family": "UNKNOWN", "given": ["UNKNOWN"]}])
    write(tmp_path, "a.json", bundle(unknown, observation(id="o1")))
    write(tmp_path, "b.json", bundle(patient(), observation(id="o2")))
    case = read(tmp_path)
    said = "name not compared with a.json: one says a placeholder; the patient's number agrees"
    assert said in report(case, "b.json").problems
    two = {"sex": "male"}, {"sex": "female"}
    differ = compare(
        identity(**PLACEHOLDERS[0], **NUMBER, **two[0]), identity("b", **CLARA, **NUMBER, **two[1])
    )
    assert (differ.result, differ.differ) == ("mismatch", ("sex",))


def test_images_joined_over_different_numbers_are_told_once_and_other_files_not() -> None:
    """Name and birth date agree, no issuer is stated: one patient, and that is said."""
    born = parse_fhir("1960-01-01", clock="x")
    said: dict[str, Any] = {"family": "Lindqvist", "given": ("Karin",), "birth_date": born}
    files = {name: number for name, number in (("a", "7081233"), ("b", "OTHER"), ("c", "OTHER"))}
    found = compare_all(
        [Identity(source=n, identifiers=(("", v),), **said) for n, v in files.items()]
    )
    assert {c.result for c in found.comparisons} == {"match"}
    (told,) = numbers_told(found, files).items()
    assert told[0] == "b"
    assert "not that of a" in told[1]
    assert numbers_told(found, ("a",)) == {}
