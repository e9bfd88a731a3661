"""Laboratory tables by a mapping file: what is read, what is refused with its row, and why."""

from pathlib import Path

import pytest

from knowledge.errors import IdentityConflictError, InputError
from knowledge.finding import State, Why
from knowledge.quantity import Quantity
from tests.tools.intake.tables.samples import (
    HEADER,
    MAPPING,
    POTASSIUM,
    case,
    content,
    findings,
    mapping,
    only,
    table,
    told,
)
from tools.intake.lab_file import MAX_TOLD
from tools.intake.tables.read import read_table


def test_a_row_is_read_as_its_mapping_says() -> None:
    # 5,9 with a decimal comma is 5.9; 08:10 in Berlin in November is 07:10 UTC
    found = only(table(POTASSIUM))
    assert found.value == Quantity(value=5.9, unit="mmol/L")
    assert str(found.time) == "2026-11-20 07:10 UTC"
    assert found.flags == ("lab-high",)
    assert found.reported == "5.9 mmol/L (laboratory's range: 3.5-5.1)"
    assert found.specimen == "serum"
    assert found.concept.has("urn:epicrisis:analyte", "potassium")
    assert found.evidence[0].model_dump() == {
        "kind": "record",
        "file": "labs.csv",
        "record": "row 2",
    }


def test_thousands_are_read_only_where_their_sign_is_declared() -> None:
    # NT-proBNP 1.234 pg/mL with the German point between thousands is 1234
    row = "0012;NT-proBNP;1.234;pg/mL;20.11.2026 08:10;<300;;Serum"
    assert only(table(row)).value == Quantity(value=1234, unit="pg/mL")
    undeclared = MAPPING.replace("decimal: comma", "").replace("thousands: point", "")
    lab = table(row.replace("1.234", "1,234"), by=undeclared)
    assert not lab.facts
    assert "row 2: value: the comma has two readings" in lab.problems[0]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("0012;Kalium;5,9;mmol/L;20.11.2026 08:10;3.5-5.1;+", "7 cells where the heading has 8"),
        (POTASSIUM + ";more", "9 cells where the heading has 8"),
        ("0012;Kalium;mmol/L;5,9;20.11.2026 08:10;3.5-5.1;+;Serum", "shifted"),
        ("0012;Kalium;=1+4;mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum", "formula"),
        ("0012;Kalium;@SUM(A1);mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum", "formula"),
        ('0012;Kalium;"5,9\n0012";mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum', "line break"),
        ("0012;Kalium;5,9,1;mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum", "not one plain number"),
        ("0012;Kalium;5.9;mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum", "as the numbers here"),
        (";Kalium;5,9;mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum", "no patient number"),
        ("0012;;5,9;mmol/L;20.11.2026 08:10;3.5-5.1;+;Serum", "no test is named"),
        ("0012,Kalium,5.9,mmol/L,20.11.2026 08:10,3.5-5.1,+,Serum", "1 cells where"),
    ],
    ids=lambda value: value[:24],
)
def test_a_bad_row_is_told_with_its_number_and_the_others_are_read(row: str, kind: str) -> None:
    lab = table(row, POTASSIUM.replace("5,9", "4,0"))
    assert [f.value for f in findings(lab)] == [Quantity(value=4.0, unit="mmol/L")]
    assert len(lab.problems) == 1
    assert lab.problems[0].startswith("row 2: ")
    assert kind in lab.problems[0]
    assert lab.problems[0].endswith("the row is not used")
    assert lab.unread


def test_the_same_row_twice_is_used_once_and_told() -> None:
    lab = table(POTASSIUM, POTASSIUM)
    assert len(lab.facts) == 1
    assert lab.problems == ("row 3: the same as row 2; the row is not used",)
    assert not lab.unread


@pytest.mark.parametrize(
    ("value", "state", "shown"),
    [
        ("<0,5", State.PRESENT, "<0.5 mmol/L"),
        ("> 9,9", State.PRESENT, ">9.9 mmol/L"),
        ("\uff1c2", State.PRESENT, "<2 mmol/L"),
        ("5,9 H", State.PRESENT, "5.9 mmol/L"),
        ("5,9\u2191", State.PRESENT, "5.9 mmol/L"),
        ("hämolytisch", State.NOT_ASSESSED, "hämolytisch mmol/L"),
        ("pending", State.NOT_ASSESSED, "pending mmol/L"),
        ("-3", State.NOT_ASSESSED, "-3 mmol/L"),
        ("59", State.NOT_ASSESSED, "59 mmol/L"),
    ],
)
def test_values_are_bounds_numbers_or_a_reason(value: str, state: State, shown: str) -> None:
    found = only(table(POTASSIUM.replace("5,9", value)))
    assert found.state is state
    said = str(found.value) if found.value is not None else found.reported or ""
    assert said.startswith(shown)


def test_a_blank_value_is_a_result_without_one() -> None:
    found = only(table(POTASSIUM.replace("5,9", "")))
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.MISSING


def test_a_missing_unit_is_refused_where_two_are_possible() -> None:
    # clinical.md B3: creatinine 1 or 88 without unit is not read; this one is named by its mapping
    unnamed = only(table("0012;creatinine;88;;20.11.2026 08:10;;;Serum"))
    assert unnamed.not_assessed is not None
    assert unnamed.not_assessed.why is Why.UNIT_NOT_RECOGNISED
    # 88 umol/L / 88.4 = 0.995 mg/dL
    mapped = only(table("0012;Kreatinin;88;;20.11.2026 08:10;;;Serum"))
    assert isinstance(mapped.value, Quantity)
    assert mapped.value.value == pytest.approx(88 / 88.4, rel=1e-3)


def test_a_flag_and_a_time_that_are_not_understood_cost_only_themselves() -> None:
    lab = table("0012;Kalium;5,9;mmol/L;2026/20/11;3.5-5.1;§;Serum")
    found = only(lab)
    assert found.time is None
    assert found.flags == ("no-collection-time",)
    assert len(lab.problems) == 2
    assert all(p.startswith("row 2: ") for p in lab.problems)
    assert not lab.unread


def test_a_test_of_another_specimen_is_not_taken_for_one_of_blood() -> None:
    lab = table("0012;Kalium;45;mmol/L;20.11.2026 08:10;;;Urin", "0012;glucose;45;mmol/L;;;;urine")
    by_name = {f.concept.text: f for f in findings(lab)}
    assert not by_name["glucose"].concept.has("urn:epicrisis:analyte", "glucose")
    assert any("is not held for urine" in p for p in lab.problems)


def test_a_code_that_contradicts_the_mapped_name_names_no_test() -> None:
    by = MAPPING.replace("  test: Test", "  test: Test\n  code: Material").replace(
        "  specimen: Material\n", ""
    )
    lab = table("0012;Kalium;5,9;mmol/L;20.11.2026 08:10;;;2951-2", by=by)
    assert only(lab).value == Quantity(value=5.9, unit="mmol/L")
    assert "urn:epicrisis:analyte" not in {c.system for c in only(lab).concept.codings}
    assert "two tests" in lab.problems[0]


def test_zero_to_zero_means_no_interval_only_where_the_mapping_says_so() -> None:
    by = MAPPING.replace("  interval: Referenz", "  low: Referenz\n  high: Mark").replace(
        '  flag: {column: Mark, values: {"*": abnormal, "+": high, "-": low}}\n', ""
    )
    row = "0012;Kalium;5,9;mmol/L;20.11.2026 08:10;0;0;Serum"
    assert "0 to 0" in (only(table(row, by=by)).reported or "")
    none = by + '\nno_interval: [["0", "0"]]\n'
    assert only(table(row, by=none)).reported is None
    low_only = row.replace(";0;0;", ";3,5;;")
    assert "from 3.5" in (only(table(low_only, by=none)).reported or "")


def test_many_problems_are_counted_not_dropped() -> None:
    lab = table(*(f"0012;Kalium;5,9,{n};mmol/L;20.11.2026 08:10;;;Serum" for n in range(300)))
    assert len(lab.problems) == MAX_TOLD + 1
    assert lab.problems[-1] == "and 100 more rows or lines"


# ---- encodings, delimiters, headings


@pytest.mark.parametrize(
    ("data", "by"),
    [
        (f"\ufeff{HEADER}\n{POTASSIUM}\n".encode(), MAPPING),
        (f"{HEADER}\r\n{POTASSIUM}\r\n".encode("utf-16"), MAPPING),
        (
            f"{HEADER}\r\n{POTASSIUM}\r\n".encode("windows-1252"),
            MAPPING + "\nencoding: windows-1252",
        ),
        (f"{HEADER}\n\n\n{POTASSIUM}".encode(), MAPPING),
    ],
    ids=["utf-8 mark", "utf-16", "windows-1252", "blank lines"],
)
def test_encodings_and_line_ends(data: bytes, by: str) -> None:
    lab = read_table(content(data), mapping(by), zone=None)
    assert only(lab).value == Quantity(value=5.9, unit="mmol/L")


CHINESE = (
    "病案号,项目,结果,单位,参考区间,提示,标本,采样时间\n"
    "0099,钾,3.1,mmol/L,3.5-5.3,↓,血清,2026/11/20 08:10\n"
)


def test_a_chinese_table_is_read_by_its_headings_in_gb18030_too() -> None:
    for encoding in ("utf-8", "gb18030"):
        lab = read_table(content(CHINESE.encode(encoding)), None, zone="Asia/Shanghai")
        found = only(lab)
        # 08:10 in Shanghai is 00:10 UTC
        assert str(found.time) == "2026-11-20 00:10 UTC"
        assert found.flags == ("lab-low",)
        assert found.specimen == "serum"
        assert ("read as GB18030: its headings are known words in it" in lab.notes) == (
            encoding == "gb18030"
        )


@pytest.mark.parametrize(
    ("data", "reason", "way_out"),
    [
        ("Größe;Wert\nä;5\n".encode("windows-1252"), "not UTF-8", "encoding:"),
        (b"PID,NAME,RES,U\n1,K,4.0,mmol/L\n", "no column known", "schema: epicrisis/lab-mapping/1"),
        (b"test,result,result value,unit\nK,4,5,mmol/L\n", "two columns that look like value", "m"),
        (b"test,value\nK,4\n", "no column known to hold the unit", "still to name: unit"),
        (b"test;value,unit\nK;4,mmol/L\n", "two delimiters", "delimiter:"),
        (b'test,value,unit\nK,"4,mmol/L\n', "quotation mark is not closed", "export"),
        (b"=cmd(),value,unit\nK,4,mmol/L\n", "formula cell among its headings", "plain"),
    ],
)
def test_a_table_that_is_not_certain_is_refused_with_the_way_out(
    data: bytes, reason: str, way_out: str
) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_table(content(data), None, zone=None)
    assert way_out in caught.value.way_out


def test_a_mapped_heading_that_is_missing_or_twice_refuses_the_table() -> None:
    with pytest.raises(InputError, match="'Wert' that the mapping names is not there"):
        table("x", header=HEADER.replace("Wert", "Ergebnis"))
    with pytest.raises(InputError, match="'Wert' that the mapping names is there more than once"):
        table("x", header=HEADER.replace("Mark", "Wert"))


def test_commas_among_numbers_make_points_of_three_digits_doubtful() -> None:
    rows = ("test,value,unit", 'K,"4,1",mmol/L', "PLT,1.234,10*9/L", "CRP,5.4,mg/L")
    lab = read_table(content("\n".join(rows)), None, zone=None)
    assert [str(f.value) for f in findings(lab)] == ["5.4 mg/L"]
    assert "nobody has said that it is the decimal sign" in lab.problems[0]
    assert "the point has two readings" in lab.problems[1]


def test_a_date_with_two_readings_is_no_time() -> None:
    lab = read_table(
        content("test,value,unit,collected\nK,4.1,mmol/L,03/04/2026 08:10\n"), None, zone=None
    )
    assert only(lab).time is None
    assert "say its form in a mapping file" in lab.problems[0]


# ---- in a case: identity and the list of files

CASE = (
    'schema: epicrisis/case/1\npatient: {identifiers: [{system: "urn:oid:1.2.3", value: "0012"}]}\n'
)
ROWS = f"{HEADER}\n{POTASSIUM}\n"


def test_rows_of_the_patient_are_facts_of_the_case(tmp_path: Path) -> None:
    read = case(tmp_path, labs_csv=ROWS, mapping_yaml=MAPPING, case_yaml=CASE)
    assert len(read.timeline.facts) == 1
    item = told(read, "labs.csv")
    assert (item.status, item.kind, dict(item.counts)) == (
        "read",
        "laboratory table",
        {"results": 1, "rows": 1},
    )
    assert told(read, "mapping.yaml").status == "read"
    assert ("case.yaml", "labs.csv") in {c.files for c in read.identity.comparisons}


def test_rows_of_another_patient_refuse_the_case(tmp_path: Path) -> None:
    other = ROWS.replace("0012;", "0013;")
    with pytest.raises(IdentityConflictError, match="differ in identifier"):
        case(tmp_path, labs_csv=other, mapping_yaml=MAPPING, case_yaml=CASE)


def test_two_patients_in_one_table_refuse_the_case_even_without_an_assigner(tmp_path: Path) -> None:
    by = MAPPING.replace(', system: "urn:oid:1.2.3"', "")
    rows = ROWS + POTASSIUM.replace("0012", "0013") + "\n"
    with pytest.raises(IdentityConflictError):
        case(tmp_path, labs_csv=rows, mapping_yaml=by)


def test_a_statement_does_not_make_one_patient_of_two(tmp_path: Path) -> None:
    rows = ROWS + POTASSIUM.replace("0012", "0013") + "\n"
    attach = CASE + "attach: [{file: labs.csv, patient: same}]\n"
    read = case(tmp_path, labs_csv=rows, mapping_yaml=MAPPING, case_yaml=attach)
    assert not read.timeline.facts
    item = told(read, "labs.csv")
    assert item.unread
    assert "several patients" in (item.reason or "")


def test_of_several_patients_only_the_rows_of_the_case_are_used(tmp_path: Path) -> None:
    by = MAPPING + "\nrows: several patients\n"
    rows = ROWS + POTASSIUM.replace("0012", "0013").replace("5,9", "3,0") + "\n"
    read = case(tmp_path, labs_csv=rows, mapping_yaml=by, case_yaml=CASE)
    assert [str(f.finding.value) for f in read.timeline.facts] == ["5.9 mmol/L"]
    assert "1 rows of other patients were not used" in told(read, "labs.csv").problems
    nobody = case(tmp_path, case_yaml=CASE.replace("0012", "0077"))
    assert not nobody.timeline.facts
    assert "none matches the patient of the case" in (told(nobody, "labs.csv").reason or "")


def test_a_table_without_identity_needs_a_statement(tmp_path: Path) -> None:
    by = MAPPING.replace('  patient_id: {column: Pat, system: "urn:oid:1.2.3"}\n', "")
    read = case(tmp_path, labs_csv=ROWS, mapping_yaml=by, case_yaml=CASE)
    assert not read.timeline.facts
    assert told(read, "labs.csv").status == "failed"
    stated = CASE + "attach: [{file: labs.csv, patient: same}]\n"
    assert len(case(tmp_path, case_yaml=stated).timeline.facts) == 1


def test_the_case_file_names_the_mapping_of_a_table(tmp_path: Path) -> None:
    unnamed = MAPPING.replace('files: ["labs*"]\n', "")
    named = CASE + "tables: [{file: labs.csv, mapping: mapping.yaml}]\n"
    read = case(tmp_path, labs_csv=ROWS, mapping_yaml=unnamed, case_yaml=named)
    assert len(read.timeline.facts) == 1
    missing = named.replace("mapping.yaml", "other.yaml")
    read = case(tmp_path, case_yaml=missing)
    assert "no readable file 'other.yaml'" in told(read, "case.yaml").problems[0]


def test_a_broken_mapping_is_told_and_the_table_is_not_read_by_it(tmp_path: Path) -> None:
    read = case(tmp_path, labs_csv=ROWS, mapping_yaml=MAPPING + "\nnonsense: 1\n", case_yaml=CASE)
    assert told(read, "mapping.yaml").status in ("failed", "ignored")
    assert "nonsense" in (told(read, "mapping.yaml").reason or "")
    assert told(read, "labs.csv").unread
    assert not read.timeline.facts


def test_results_later_than_now_are_withheld(tmp_path: Path) -> None:
    later = ROWS.replace("20.11.2026", "20.11.2027")
    read = case(tmp_path, labs_csv=later, mapping_yaml=MAPPING, case_yaml=CASE)
    assert [f.finding.not_assessed.why for f in read.timeline.facts if f.finding.not_assessed] == [
        Why.FUTURE_TIME
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("decimal: comma", "decimal: point"), "one sign cannot be"),
        (("decimal: comma", ""), "thousands sign needs the decimal sign"),
        (("%d.%m.%Y %H:%M", "%d.%m.%y"), "%y is not taken"),
        (("analyte: potassium", "analyte: potasium"), "did you mean potassium"),
        (("{loinc: 2951-2}", "{loinc: 2951-2, analyte: potassium}"), "the code is sodium"),
        (("Europe/Berlin", "Berlin"), "not an IANA time zone"),
        (("  value: Wert\n", ""), "value"),
        (("  test: Test\n", ""), "name the column of the test"),
        (("Kalium: {", "kalium: {analyte: sodium}\n  Kalium: {"), "a test is named twice"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        mapping(MAPPING.replace(*change))


PLAIN = "Test,Result,Unit,Specimen,Collected\n{},{},mmol/L,{},2026-11-20 08:00\n"


@pytest.mark.parametrize(
    ("specimen", "taken"),
    [
        ("Serum", True),
        ("Blutplasma", True),
        ("Vollblut", True),
        ("静脉血", True),
        ("Urin", False),
        ("Spontanurin", False),
        ("24-h-Urin", False),
        ("Sammelurin", False),
        ("Liquor", False),
        ("尿", False),
        ("Pleuraerguss", False),
        ("unklar", False),
        ("Punktat", False),
    ],
)
def test_only_what_is_known_to_be_of_blood_is_taken_as_of_blood(specimen: str, taken: bool) -> None:
    table = PLAIN.format("Potassium", "5.5", specimen)
    found = read_table(content(table), None, zone="UTC", stated=True)
    (fact,) = found.facts
    assert ("potassium" in [c.code for c in fact.finding.concept.codings]) == taken
    assert any("Potassium" in problem for problem in found.problems) != taken


@pytest.mark.parametrize("specimen", ["Urin", "Liquor", "Punktat"])
def test_a_mapped_name_is_not_taken_for_another_specimen_either(specimen: str) -> None:
    row = POTASSIUM.replace("Serum", specimen)
    found = read_table(content(f"{HEADER}\n{row}\n"), mapping(), zone=None)
    (fact,) = found.facts
    assert "potassium" not in [c.code for c in fact.finding.concept.codings]
    assert any("Potassium" in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        # a German laboratory prints 150,000 platelets as 150.000
        (["Platelets,150.000,/uL"], None),
        (["Troponin T hs,1.234,ng/L"], None),
        (["Troponin T hs,1.234,ng/L", "Potassium,5.4,mmol/L"], 1.234),
        (["Troponin T hs,0.060,ug/L"], 60.0),
    ],
)
def test_a_point_before_three_digits_is_read_only_where_others_show_what_it_is(
    rows: list[str], shown: float | None
) -> None:
    text = "\n".join(["Test,Result,Unit", *rows])
    found = read_table(content(text), None, zone="UTC", stated=True)
    values = [f.finding.quantity for f in found.facts if f.finding.concept.text != "Potassium"]
    if shown is None:
        assert not values
        assert any("two readings" in problem for problem in found.problems)
    else:
        assert isinstance(values[0], Quantity)
        assert values[0].value == pytest.approx(shown)


def test_a_code_that_contradicts_the_name_names_no_test() -> None:
    # 2823-3: potassium in serum or plasma (LOINC)
    text = "Test,LOINC,Result,Unit\nSodium,2823-3,6.0,mmol/L\nK,2823-3,4.5,mmol/L\n"
    found = read_table(content(text), None, zone="UTC", stated=True)
    first, second = (f.finding.concept for f in found.facts)
    assert not first.codings
    assert "potassium" in [c.code for c in second.codings]
    assert "Sodium" in found.problems[0]


@pytest.mark.parametrize(
    ("heading", "first", "second"),
    [
        ("Name", "Muster Clara", "Meier Anna"),
        ("Patient No", "0012", "0013"),
        ("User", "A", "B"),
        ("Patientennummer", "0012", "0013"),
    ],
)
def test_two_people_in_one_table_are_refused_by_any_column_that_names_them(
    heading: str, first: str, second: str
) -> None:
    text = (
        f"{heading},Test,Result,Unit\n{first},Potassium,6.9,mmol/L\n{second},Potassium,3.1,mmol/L\n"
    )
    with pytest.raises(InputError, match="several"):
        read_table(content(text), None, zone="UTC", stated=True)


def test_a_birth_date_that_cannot_be_read_beside_another_is_not_one_person() -> None:
    text = (
        "Name,Date of birth,Test,Result,Unit\nMuster Clara,21.07.1955,Potassium,6.9,mmol/L\n"
        "Muster Clara,1990-01-01,Potassium,3.1,mmol/L\n"
    )
    with pytest.raises(InputError, match="dates of birth"):
        read_table(content(text), None, zone="UTC")


def test_a_column_of_the_tests_own_long_names_names_nobody() -> None:
    text = "Test,Name,Result,Unit\nK,Potassium,4.5,mmol/L\nNa,Sodium,140,mmol/L\n"
    found = read_table(content(text), None, zone="UTC", stated=True)
    assert len(found.facts) == 2


def test_a_column_that_may_name_the_patient_or_the_test_is_told_with_the_way_out(
    tmp_path: Path,
) -> None:
    rows = "2823-3,{},4.1,mmol/L,2026-11-20 08:00\n2951-2,{},140,mmol/L,2026-11-20 08:00\n"
    text = "LOINC,Name,Result,Unit,Collected\n" + rows.format("Muster Clara", "Muster Clara")
    found = told(case(tmp_path, labs_csv=text), "labs.csv")
    assert any(
        one.startswith("the column 'Name' is not used: it may name the patient or the test")
        and "mapping file" in one
        for one in found.problems
    )
