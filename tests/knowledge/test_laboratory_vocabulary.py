"""Words of laboratory tables and reports: whole, in two languages, and never of two meanings."""

import pytest

from knowledge.laboratory_vocabulary import NamedTest, laboratory_vocabulary


@pytest.mark.parametrize(
    ("name", "analyte"),
    [
        ("K", "potassium"),
        ("Serum Potassium", "potassium"),
        ("血清钾", "potassium"),
        ("白细胞计数(WBC)", "wbc"),
        ("白细胞计数（WBC）", "wbc"),  # noqa: RUF001 - as it is printed
        ("肌酐(Cr)", "creatinine"),
        ("HbA1c", "hba1c"),
        ("hs-cTnT", "hs_ctnt"),
        ("高敏肌钙蛋白I", "hs_ctni"),
        ("NT-proBNP:", "nt_probnp"),
    ],
)
def test_a_name_stands_for_one_test(name: str, analyte: str) -> None:
    found = laboratory_vocabulary().named_test(name)
    assert found is not None
    assert found.analyte == analyte


@pytest.mark.parametrize(
    "name",
    ["Troponin T", "肌钙蛋白I", "CK-MB", "pH", "Calcium (ionised)", "钙(iCa)", "Cr", ""],
)
def test_a_name_of_two_tests_stands_for_none(name: str) -> None:
    assert laboratory_vocabulary().named_test(name) is None


def test_a_name_may_fix_what_the_number_counts() -> None:
    # LOINC 3094-0 urea nitrogen, 3091-6 urea
    assert laboratory_vocabulary().named_test("BUN") == NamedTest(analyte="urea", loinc="3094-0")
    assert laboratory_vocabulary().named_test("尿素") == NamedTest(analyte="urea", loinc="3091-6")


def test_headings_labels_flags_and_sexes() -> None:
    words = laboratory_vocabulary()
    assert words.heading("参考区间") == words.heading("Reference Range") == "interval"
    assert words.heading("Reported") == "other_time"
    assert words.label("采样时间") == "collected"
    assert (words.flag("HH"), words.flag("↓"), words.flag("?")) == (
        "lab-critical-high",
        "lab-low",
        None,
    )
    assert (words.sex("男"), words.sex("F"), words.sex("X")) == ("male", "female", None)
    assert words.says_no_result("Pending")
    assert not words.says_no_result("negative")
