"""Every row of the reference intervals, in the units its sources print it in.

Expected bounds are copied by hand from the fact sheet's tables B1.1 to B1.10 (ABIM with
testing.com, sophiewell, national standards, recalled), in their own unit; the product keeps them in
another file and often in another unit. The bound itself is normal; one step of its last digit
beyond it is not.
"""

import pytest

from tests.tools.labs.lab_results import MAN, WOMAN, flag, flagged, subject
from tools.labs.interval_model import Flag, Subject

Row = tuple[str, str, Subject, float | None, float | None, float]

OLD_MAN, OLD_WOMAN = subject("male", 70), subject("female", 70)
FASTING = subject("male", fasting=True)
# LOINC, unit, person, lower and upper bound that are both normal, step of the last digit
CLOSED: list[Row] = [
    # B1.1 haematology
    ("718-7", "g/dL", MAN, 13.5, 17.5, 0.1),
    ("718-7", "g/dL", WOMAN, 12.0, 15.5, 0.1),
    ("718-7", "g/L", MAN, 135, 175, 1),
    ("718-7", "g/L", WOMAN, 120, 155, 1),
    ("4544-3", "%", MAN, 41, 50, 1),
    ("4544-3", "%", WOMAN, 36, 44, 1),
    ("4544-3", "L/L", MAN, 0.41, 0.50, 0.01),
    ("789-8", "10*6/uL", MAN, 4.6, 6.2, 0.1),
    ("789-8", "10*12/L", WOMAN, 4.2, 5.4, 0.1),
    ("6690-2", "10*3/uL", MAN, 4.5, 11.0, 0.1),
    ("751-8", "10*9/L", MAN, 2.0, 8.25, 0.01),
    ("731-0", "10*9/L", MAN, 1.2, 4.95, 0.01),
    ("742-7", "10*9/L", MAN, None, 0.66, 0.01),
    ("711-2", "10*9/L", MAN, None, 0.33, 0.01),
    ("704-7", "10*9/L", MAN, None, 0.11, 0.01),
    ("787-2", "fL", MAN, 80, 100, 1),
    ("785-6", "pg", MAN, 27, 32, 1),
    ("786-4", "g/dL", MAN, 32, 36, 1),
    ("788-0", "%", MAN, 11.5, 14.5, 0.1),
    ("777-3", "10*3/uL", MAN, 150, 400, 1),
    ("32623-1", "fL", MAN, 7.5, 11.5, 0.1),
    ("17849-1", "%", MAN, 0.5, 2.5, 0.1),
    ("4537-7", "mm/h", MAN, None, 15, 1),
    ("4537-7", "mm/h", OLD_MAN, None, 20, 1),
    ("4537-7", "mm/h", WOMAN, None, 20, 1),
    ("4537-7", "mm/h", OLD_WOMAN, None, 30, 1),
    # B1.2 electrolytes, kidney, glucose
    ("2951-2", "mmol/L", MAN, 135, 145, 1),
    ("2823-3", "mmol/L", MAN, 3.5, 5.0, 0.1),
    ("2075-0", "mmol/L", MAN, 98, 107, 1),
    ("2028-9", "mmol/L", MAN, 22, 29, 1),
    ("33037-3", "mmol/L", MAN, 7, 13, 1),
    ("3094-0", "mg/dL", MAN, 7, 20, 1),
    ("22664-7", "mmol/L", MAN, 2.5, 7.1, 0.1),
    ("2160-0", "mg/dL", MAN, 0.7, 1.3, 0.1),
    ("2160-0", "mg/dL", WOMAN, 0.5, 1.1, 0.1),
    ("14682-9", "umol/L", MAN, 62, 115, 1),
    ("14682-9", "umol/L", WOMAN, 44, 97, 1),
    ("98979-8", "mL/min/{1.73_m2}", MAN, 60, None, 1),
    ("33863-2", "mg/L", MAN, 0.6, 1.0, 0.1),
    ("1558-6", "mg/dL", MAN, 70, 99, 1),
    ("14749-6", "mmol/L", FASTING, 3.9, 5.5, 0.1),
    ("17861-6", "mg/dL", MAN, 8.6, 10.3, 0.1),
    ("2000-8", "mmol/L", MAN, 2.15, 2.57, 0.01),
    ("1994-3", "mmol/L", MAN, 1.12, 1.32, 0.01),
    ("1994-3", "mg/dL", MAN, 4.5, 5.3, 0.1),
    ("19123-9", "mg/dL", MAN, 1.5, 2.5, 0.1),
    ("2777-1", "mg/dL", MAN, 3.0, 4.5, 0.1),
    ("3084-1", "mg/dL", MAN, 4, 8, 0.1),
    ("3084-1", "mg/dL", WOMAN, 2.5, 7, 0.1),
    ("2692-2", "mosm/kg", MAN, 275, 295, 1),
    ("2524-7", "mmol/L", MAN, 0.5, 2.2, 0.1),
    ("2518-9", "mmol/L", MAN, 0.5, 1.6, 0.1),
    ("2524-7", "mg/dL", MAN, 4.5, 19.8, 0.1),
    ("16362-6", "umol/L", MAN, 11, 35, 1),
    # B1.3 liver, pancreas, muscle, protein
    ("1751-7", "g/dL", MAN, 3.5, 5.0, 0.1),
    ("1751-7", "g/L", MAN, 35, 50, 1),
    ("2885-2", "g/dL", MAN, 6.0, 8.3, 0.1),
    ("1742-6", "U/L", MAN, 7, 56, 1),
    ("1920-8", "U/L", MAN, 10, 40, 1),
    ("6768-6", "U/L", MAN, 44, 147, 1),
    ("2324-2", "U/L", MAN, 9, 50, 1),
    ("2324-2", "U/L", WOMAN, 8, 40, 1),
    ("1975-2", "mg/dL", MAN, 0.1, 1.2, 0.1),
    ("14631-6", "umol/L", MAN, 2, 21, 1),
    ("1968-7", "mg/dL", MAN, 0.1, 0.3, 0.1),
    ("2532-0", "U/L", MAN, 80, 225, 1),
    ("2157-6", "U/L", MAN, 55, 170, 1),
    ("2157-6", "U/L", WOMAN, 30, 135, 1),
    ("1798-8", "U/L", MAN, 25, 125, 1),
    ("3040-3", "U/L", MAN, 10, 60, 1),
    # B1.4 lipids, HbA1c (the limits "< x" are below)
    ("2085-9", "mg/dL", MAN, 40, None, 1),
    ("2085-9", "mg/dL", WOMAN, 50, None, 1),
    ("2085-9", "mmol/L", MAN, 1.03, None, 0.01),
    ("2085-9", "mmol/L", WOMAN, 1.29, None, 0.01),
    ("4548-4", "%", MAN, 4.0, 5.6, 0.1),
    ("59261-8", "mmol/mol", MAN, 20, 38, 1),
    # B1.5 coagulation
    ("5902-2", "s", MAN, 11, 13.5, 0.1),
    ("6301-6", "{INR}", MAN, 0.8, 1.2, 0.1),
    ("14979-9", "s", MAN, 25, 35, 1),
    ("3255-7", "mg/dL", MAN, 200, 400, 1),
    ("3255-7", "g/L", MAN, 2.0, 4.0, 0.1),
    ("3243-3", "s", MAN, 14, 19, 1),
    ("3174-0", "%", MAN, 80, 120, 1),
    # B1.6 inflammation, iron
    ("1988-5", "mg/L", MAN, None, 8, 1),
    ("1988-5", "mg/dL", MAN, None, 0.8, 0.1),
    ("2276-4", "ng/mL", WOMAN, 24, 307, 1),
    ("2276-4", "ng/mL", MAN, 24, 336, 1),
    ("2498-4", "ug/dL", MAN, 50, 150, 1),
    ("2500-7", "ug/dL", MAN, 250, 450, 1),
    ("2502-3", "%", MAN, 20, 50, 1),
    ("3034-6", "mg/dL", MAN, 200, 360, 1),
    # B1.7 arterial blood gas
    ("2744-1", "[pH]", MAN, 7.35, 7.45, 0.01),
    ("2019-8", "mm[Hg]", MAN, 35, 45, 1),
    ("2019-8", "kPa", MAN, 4.7, 6.0, 0.1),
    ("2703-7", "mm[Hg]", subject("male", on_oxygen=False), 80, 100, 1),
    ("2703-7", "kPa", subject("male", on_oxygen=False), 10.6, 13.3, 0.1),
    ("2703-7", "mm[Hg]", subject("male", on_oxygen=True), 80, None, 1),
    ("1960-4", "mmol/L", MAN, 22, 26, 1),
    ("1925-7", "mmol/L", MAN, -2, 2, 1),
    ("59408-5", "%", MAN, 95, None, 1),
    # B1.8 endocrine, vitamins
    ("3016-3", "m[IU]/L", MAN, 0.4, 4.0, 0.1),
    ("3024-7", "ng/dL", MAN, 0.8, 1.8, 0.1),
    ("14920-3", "pmol/L", MAN, 10, 23, 1),
    ("3051-0", "pg/mL", MAN, 2.3, 4.2, 0.1),
    ("14928-6", "pmol/L", MAN, 3.5, 6.5, 0.1),
    ("3026-2", "ug/dL", MAN, 5, 12, 1),
    ("3053-6", "ng/dL", MAN, 80, 180, 1),
    ("2143-6", "ug/dL", subject("male", morning=True), 5, 25, 1),
    ("2143-6", "nmol/L", subject("male", morning=True), 138, 690, 1),
    ("2731-8", "pg/mL", MAN, 15, 65, 1),
    ("2132-9", "pg/mL", MAN, 200, 900, 1),
    ("2284-8", "ng/mL", MAN, 1.8, 9.0, 0.1),
    ("1989-3", "ng/mL", MAN, 30, 100, 1),
    ("2986-8", "ng/dL", MAN, 291, 1100, 1),
    ("2986-8", "ng/dL", WOMAN, 18, 54, 1),
    # B1.9 urine
    ("2965-2", "1", MAN, 1.005, 1.030, 0.001),
    ("2756-5", "[pH]", MAN, 4.5, 8.0, 0.1),
    # B1.10 tumour markers
    ("2039-6", "ug/L", subject("male", smoker=False), None, 3.0, 0.1),
    ("2039-6", "ug/L", subject("male", smoker=True), None, 5.0, 0.1),
    ("1952-1", "mg/L", MAN, 0.8, 2.2, 0.1),
]


@pytest.mark.parametrize(
    ("loinc", "unit", "person", "low", "high", "step"),
    CLOSED,
    ids=[f"{r[0]}-{r[1]}-{r[2].sex}-{r[3]}" for r in CLOSED],
)
def test_the_bound_is_normal_and_one_step_beyond_it_is_not(
    loinc: str, unit: str, person: Subject, low: float | None, high: float | None, step: float
) -> None:
    inside = {Flag.NORMAL}
    if low is not None:
        assert flag(loinc, low, unit, person) in inside
        below = flag(loinc, round(low - step, 6), unit, person)
        assert below in (Flag.LOW, Flag.CRITICAL_LOW)
    if high is not None:
        assert flag(loinc, high, unit, person) in inside
        above = flag(loinc, round(high + step, 6), unit, person)
        assert above in (Flag.HIGH, Flag.CRITICAL_HIGH)


# LOINC, unit, person, the first value that is high: the sheet prints "< x"
BELOW: list[tuple[str, str, Subject, float, float]] = [
    ("2093-3", "mg/dL", MAN, 200, 1),
    ("2093-3", "mmol/L", MAN, 5.18, 0.01),
    ("2089-1", "mg/dL", MAN, 100, 1),
    ("2089-1", "mmol/L", MAN, 2.6, 0.1),
    ("2571-8", "mg/dL", MAN, 150, 1),
    ("2571-8", "mmol/L", MAN, 1.69, 0.01),
    ("43396-1", "mg/dL", MAN, 130, 1),
    ("43396-1", "mmol/L", MAN, 3.4, 0.1),
    ("1884-6", "mg/dL", MAN, 90, 1),
    ("10835-7", "mg/dL", MAN, 30, 1),
    ("43583-4", "nmol/L", MAN, 75, 1),
    ("9318-7", "mg/g", MAN, 30, 1),
    ("9318-7", "mg/mmol", MAN, 3, 0.1),
    ("48065-7", "ng/mL", MAN, 500, 1),
    ("48065-7", "mg/L", MAN, 0.5, 0.01),
    ("48066-5", "ng/mL", MAN, 230, 1),
    ("13969-1", "ng/mL", MAN, 5, 1),
    ("2639-3", "ng/mL", MAN, 70, 1),
    ("33959-8", "ug/L", MAN, 0.05, 0.01),
    ("26881-3", "pg/mL", MAN, 7, 1),
    ("30934-4", "pg/mL", subject("male", acute_setting=False), 35, 1),
    ("30934-4", "pg/mL", subject("male", acute_setting=True), 100, 1),
    ("33762-6", "pg/mL", subject("male", acute_setting=False), 125, 1),
    ("33762-6", "pg/mL", subject("male", acute_setting=True), 300, 1),
    ("20563-3", "%", subject("male", smoker=False), 1.5, 0.1),
    ("20563-3", "%", subject("male", smoker=True), 9, 0.1),
    ("2614-6", "%", MAN, 1.5, 0.1),
    ("21198-7", "[IU]/L", MAN, 5, 1),
    ("2345-7", "mg/dL", subject("male", fasting=False), 200, 1),
    ("14749-6", "mmol/L", subject("male", fasting=False), 11.1, 0.1),
    ("1834-1", "ug/L", MAN, 8, 1),
    ("24108-3", "U/mL", MAN, 37, 1),
    ("10334-1", "U/mL", MAN, 35, 1),
    ("6875-9", "U/mL", MAN, 25, 1),
    ("2857-1", "ng/mL", MAN, 4.0, 0.1),
    ("15060-7", "ng/mL", MAN, 16.3, 0.1),
    ("25390-6", "ng/mL", MAN, 3.3, 0.1),
    ("9679-2", "ng/mL", MAN, 1.5, 0.1),
    ("96461-9", "pg/mL", MAN, 65, 1),
    ("55180-4", "pmol/L", subject("female", postmenopausal=False), 70, 1),
    ("55180-4", "pmol/L", subject("female", postmenopausal=True), 140, 1),
    ("17843-4", "U/mL", MAN, 6.9, 0.1),
    ("1992-7", "pg/mL", MAN, 8.4, 0.1),
    ("1992-7", "pg/mL", WOMAN, 5, 1),
    ("3013-0", "ng/mL", subject("male", thyroid_ablated=True), 0.2, 0.1),
]


@pytest.mark.parametrize(
    ("loinc", "unit", "person", "limit", "step"),
    BELOW,
    ids=[f"{r[0]}-{r[1]}-{r[2].sex}-{r[3]}" for r in BELOW],
)
def test_a_limit_printed_with_less_than_is_high_itself(
    loinc: str, unit: str, person: Subject, limit: float, step: float
) -> None:
    assert flag(loinc, limit, unit, person) is Flag.HIGH
    assert flag(loinc, round(limit - step, 6), unit, person) is Flag.NORMAL


# where sources differ: a value, the fallback's flag, and the other source's words and flag
DIFFERING = [
    ("718-7", "g/dL", MAN, 13.8, Flag.NORMAL, "14 to 18 g/dL", Flag.LOW),
    ("718-7", "g/dL", WOMAN, 15.8, Flag.HIGH, "12 to 16 g/dL", Flag.NORMAL),
    ("4544-3", "%", MAN, 41, Flag.NORMAL, "42 to 50 %", Flag.LOW),
    ("6690-2", "10*9/L", MAN, 4.0, Flag.LOW, "3.5 to 9.5 10*9/L", Flag.NORMAL),
    ("777-3", "10*9/L", MAN, 430, Flag.HIGH, "150 to 450 10*9/L", Flag.NORMAL),
    ("777-3", "10*9/L", MAN, 380, Flag.NORMAL, "125 to 350 10*9/L", Flag.HIGH),
    ("2951-2", "mmol/L", MAN, 135, Flag.NORMAL, "136 to 145 mmol/L", Flag.LOW),
    ("1742-6", "U/L", MAN, 50, Flag.NORMAL, "10 to 40 U/L", Flag.HIGH),
    ("1742-6", "U/L", WOMAN, 30, Flag.NORMAL, "<= 25 U/L", Flag.HIGH),
    ("6768-6", "U/L", MAN, 40, Flag.LOW, "30 to 120 U/L", Flag.NORMAL),
    ("2532-0", "U/L", MAN, 100, Flag.NORMAL, "125 to 220 U/L", Flag.LOW),
    ("2157-6", "U/L", MAN, 300, Flag.HIGH, "26 to 366 U/L", Flag.NORMAL),
    ("2276-4", "ng/mL", WOMAN, 20, Flag.LOW, "15 to 150 ng/mL", Flag.NORMAL),
    ("3016-3", "m[IU]/L", MAN, 0.45, Flag.NORMAL, "0.5 to 4 m[IU]/L", Flag.LOW),
    ("1988-5", "mg/L", MAN, 6, Flag.NORMAL, "< 5 mg/L", Flag.HIGH),
    ("1989-3", "ng/mL", MAN, 25, Flag.LOW, ">= 20 ng/mL", Flag.NORMAL),
    ("1834-1", "ug/L", MAN, 9, Flag.HIGH, "< 10 ug/L", Flag.NORMAL),
]


@pytest.mark.parametrize(
    ("loinc", "unit", "person", "value", "ours", "words", "theirs"),
    DIFFERING,
    ids=[f"{r[0]}-{r[3]}-{r[5]}" for r in DIFFERING],
)
def test_another_source_that_flags_otherwise_is_shown_with_its_review_state(
    loinc: str, unit: str, person: Subject, value: float, ours: Flag, words: str, theirs: Flag
) -> None:
    result = flagged(loinc, value, unit, person)
    assert result.flag is ours
    (other,) = [o for o in result.others if o.interval.words == words]
    assert other.flags == (theirs,)
    assert other.interval.citation is not None
    assert "sources disagree" in other.interval.citation.review


def test_haemoglobin_in_pregnancy_has_the_limit_of_anaemia_of_who() -> None:
    # WHO 2011: anaemia in pregnancy below 110 g/L
    pregnant = subject("female", 30, pregnant=True)
    assert flag("718-7", 110, "g/L", pregnant) is Flag.NORMAL
    assert flag("718-7", 109, "g/L", pregnant) is Flag.LOW


@pytest.mark.parametrize("loinc", ["67151-1", "89579-7", "2243-4", "20448-7", "770-8", "2746-6"])
def test_a_test_without_an_interval_says_why_and_is_no_normal_one(loinc: str) -> None:
    units = {"67151-1": "ng/L", "89579-7": "ng/L", "2243-4": "pg/mL", "20448-7": "m[IU]/L"}
    unit = units.get(loinc, "%" if loinc == "770-8" else "[pH]")
    result = flagged(loinc, 7.3 if loinc == "2746-6" else 50, unit)
    assert result.flag is None
    assert result.not_assessed is not None
    assert "no reference interval" in result.not_assessed.detail
