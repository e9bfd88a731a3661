"""One result as a laboratory printed it - name, value, unit, interval, flag - to a fact.

Used for rows of tables and lines of reports alike. Nothing is guessed: a number with two readings,
a name of two tests, a unit that is not one, are refused with the reason.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from knowledge.analytes import Converted, analytes, convert
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, LOINC, Coding, Concept
from knowledge.evidence import Evidence
from knowledge.finding import Finding, MethodKind, NotAssessed, State, Why
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from knowledge.quantity import Interval, Text, Value, measured
from knowledge.result_sources import result_sources
from knowledge.timeline import Category, Fact
from knowledge.units import parse_stated

Decimal = Literal["point", "comma"]
Thousands = Literal["none", "comma", "point", "space", "apostrophe"]

MAX_VALUE = 4000
"""Characters of a value in words that a finding keeps (`knowledge.quantity.Text`)."""

_GROUP_SIGNS = {"comma": ",", "point": ".", "space": " ", "apostrophe": "'"}
_SIGNED = re.compile(r"(?P<sign>[<>]=?|[≤≥])?\s*(?P<number>[-+]?[0-9][0-9.,' ]*)")
_TWO_READINGS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")
_IN_TEXT = re.compile(r"(?<![\w.,])[0-9]+(?:[.,][0-9]+)+(?![\w.,])")
_CODE = re.compile(r"[0-9]{3,5}-[0-9]")


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberFormat:
    """How numbers are written.

    Args:
        decimal: The decimal sign; None where nobody has said, so that a comma is not read.
        thousands: The sign between groups of three digits.
        mixed: Whether commas occur among numbers although nobody has said what they are.
        point: Whether other numbers show that the point is the decimal sign; `1.234` alone may be
            1234 as German and other laboratories print it.
    """

    decimal: Decimal | None = None
    thousands: Thousands = "none"
    mixed: bool = False
    point: bool = False

    @classmethod
    def of(cls, texts: Iterable[str]) -> "NumberFormat":
        """Return what numbers of one source show of how they are written; nothing is declared.

        Examples:
            >>> NumberFormat.of(["5.4", "1.234"]).point, NumberFormat.of(["1.234"]).point
            (True, False)
            >>> NumberFormat.of(["6,9"]).mixed
            True
        """
        found = [n for text in texts for n in _IN_TEXT.findall(plain(text))]
        two = [bool(_TWO_READINGS.fullmatch(n)) for n in found]
        return cls(
            mixed=any("," in n for n in found),
            point=any(n.count(".") == 1 and not t for n, t in zip(found, two, strict=True)),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredTest:
    """Which test a result is of.

    Args:
        name: As printed.
        analyte: Key of the analyte table, or None.
        loinc: The code it was printed or mapped with, or None.
        form_code: The code that fixes what the number counts.
        problem: Why no analyte was taken although a name or code was given.
    """

    name: str
    analyte: str | None = None
    loinc: str | None = None
    form_code: str | None = None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """One result as printed.

    Args:
        test: Which test.
        value: Without unit and flag; the number with a decimal point where `interval` is set.
        interval: The number or bound; None for words or nothing.
        unit: As printed.
        range_words: The laboratory's interval as printed.
        flags: The laboratory's own and further quality flags.
        time: Collection time.
        specimen, method, method_kind: As stated.
        evidence: Where it stands.
    """

    test: MeasuredTest
    value: str
    interval: Interval | None
    unit: str | None
    range_words: str = ""
    flags: tuple[str, ...] = ()
    time: ClinicalTime | None = None
    specimen: str | None = None
    method: str | None = None
    method_kind: MethodKind | None = None
    evidence: tuple[Evidence, ...] = ()


def plain(text: str) -> str:
    r"""Return a text with full-width signs made plain and single blanks.

    Examples:
        >>> plain(" \uff1c0.01 \u3000ng/L")
        '<0.01 ng/L'
    """
    keep = text.replace("\u00b5", "\ue000").replace("\u03bc", "\ue001").replace("\u00b2", "\ue002")
    wide = unicodedata.normalize("NFKC", keep).translate({0x2212: "-", 0x2019: "'"})
    back = wide.replace("\ue000", "\u00b5").replace("\ue001", "\u03bc").replace("\ue002", "\u00b2")
    return " ".join(back.split())


def read_number(text: str, form: NumberFormat) -> tuple[Interval, str] | str | None:
    """Return a number or bound with its plain print, why it has two readings, or None for words.

    Args:
        text: As printed, without unit and flag.
        form: How numbers are written.

    Examples:
        >>> read_number("<5", NumberFormat())[1]
        '<5'
        >>> read_number("5,4", NumberFormat(decimal="comma"))[1]
        '5.4'
        >>> read_number("1,234", NumberFormat())
        'the comma has two readings (decimal sign, or between thousands)'
        >>> read_number("1,234", NumberFormat(decimal="point", thousands="comma"))[1]
        '1234'
        >>> read_number("negative", NumberFormat()) is None
        True
        >>> read_number("150.000", NumberFormat())
        'the point has two readings (decimal sign, or between thousands)'
        >>> read_number("1.234", NumberFormat(point=True))[1]
        '1.234'
    """
    match = _SIGNED.fullmatch(plain(text))
    if match is None:
        return None
    number = match["number"].strip().removeprefix("+")
    written = _as_point(number, form)
    if form.mixed and "," not in number and _TWO_READINGS.fullmatch(number):
        return "the point has two readings: other numbers of the file have commas"
    declared = form.decimal is not None or form.point
    if not declared and "." in number and _TWO_READINGS.fullmatch(number):
        return "the point has two readings (decimal sign, or between thousands)"
    if written is None:
        return _why_not(number, form)
    stated = parse_stated(f"{match['sign'] or ''}{written}")
    if stated is None:
        return "not one plain number"
    return stated[0], f"{match['sign'] or ''}{written}"


def two_readings(text: str, form: NumberFormat) -> bool:
    """Return whether a number in a text may be a decimal one or one of thousands.

    Examples:
        >>> two_readings("150.000-400.000", NumberFormat())
        True
        >>> two_readings("3.5-5.1", NumberFormat())
        False
    """
    if form.decimal is not None or (form.point and not form.mixed):
        return False
    return any(_TWO_READINGS.fullmatch(number) for number in _IN_TEXT.findall(plain(text)))


def _as_point(number: str, form: NumberFormat) -> str | None:
    """Return a number with a decimal point, or None where it is not written as declared."""
    decimal = "," if form.decimal == "comma" else "."
    whole, sign, fraction = number.partition(decimal)
    if sign and not fraction.isdigit():
        return None
    group = _GROUP_SIGNS.get(form.thousands)
    if group is not None and group != decimal and group in whole:
        first, *rest = whole.lstrip("-").split(group)
        if not (first.isdigit() and len(first) <= 3 and all(len(r) == 3 for r in rest)):
            return None
        whole = ("-" if whole.startswith("-") else "") + first + "".join(rest)
    if not whole.lstrip("-").isdigit() or whole.count("-") > 1:
        return None
    return f"{whole}.{fraction}" if sign else whole


def _why_not(number: str, form: NumberFormat) -> str:
    if "," in number and form.decimal is None:
        if _TWO_READINGS.fullmatch(number):
            return "the comma has two readings (decimal sign, or between thousands)"
        return "a comma in a number, and nobody has said that it is the decimal sign"
    if _TWO_READINGS.fullmatch(number):
        return "the number has two readings by the declared signs"
    return "not one plain number as the numbers here are written"


@lru_cache(maxsize=4096)
def named_test(name: str, code: str | None, specimen: str | None) -> MeasuredTest:
    """Return which test a printed name and, where there is one, a LOINC code mean.

    Args:
        name: As printed.
        code: As printed in a column of LOINC codes; None or blank where there is none.
        specimen: What is stated of the specimen; a test is not taken for one of another specimen.
    """
    shown = " ".join(name.split())[:200]
    stated = (code or "").strip()
    if stated and not _CODE.fullmatch(stated):
        return MeasuredTest(name=shown or stated[:20], problem="the code is not one of LOINC")
    by_code = analytes().for_loinc(stated) if stated else None
    other = laboratory_vocabulary().contradicts(name, by_code) if by_code else None
    if by_code and other:
        problem = f"the code is of {analytes().analytes[by_code].label}, the name of {other}"
        return MeasuredTest(name=shown, problem=problem)
    by_name = laboratory_vocabulary().named_test(name) if not stated else None
    key = by_code or (by_name.analyte if by_name else None)
    form = stated if by_code else by_name.loinc if by_name else None
    loinc = stated or None
    if key is not None and specimen is not None and not fits_specimen(key, specimen):
        problem = not_of_specimen(key, specimen)
        return MeasuredTest(name=shown or stated, loinc=loinc, problem=problem)
    return MeasuredTest(name=shown or stated, analyte=key, loinc=loinc, form_code=form)


def fits_specimen(analyte: str, specimen: str) -> bool:
    """Return whether a test may be measured in a specimen, as far as its codes say.

    One that is stated in words that are not known fits none: it may be any.

    Args:
        analyte: Key of the analyte table.
        specimen: Kind of specimen, or words that name none.
    """
    table = result_sources()
    if specimen not in table.specimens:
        return False
    codes = analytes().analytes[analyte].loinc
    held = {s for code in codes if (s := table.specimen_of_loinc(code)) is not None}
    return not held or (_of_blood(specimen) and any(_of_blood(h) for h in held)) or specimen in held


def not_of_specimen(analyte: str, specimen: str) -> str:
    """Return why a test is not taken for one of a specimen."""
    label = analytes().analytes[analyte].label
    if specimen in result_sources().specimens:
        return f"{label} is not held for {specimen}"
    return f"the specimen {specimen[:40]!r} is not known: not taken for {label}"


def _of_blood(specimen: str) -> bool:
    row = result_sources().specimens.get(specimen)
    wider = row.within if row is not None else None
    blood = ("serum or plasma", "whole blood")
    return specimen in blood or wider in blood


def result_fact(printed: Printed) -> Fact:
    """Return the fact of a printed result: present, or not assessed with the reason."""
    test, flags = printed.test, printed.flags
    value, why, reported, more = _value(printed)
    if printed.time is None:
        flags += ("no-collection-time",)
    row = analytes().analytes.get(test.analyte) if test.analyte is not None else None
    finding = Finding(
        concept=_concept(test),
        state=State.PRESENT if why is None else State.NOT_ASSESSED,
        not_assessed=why,
        value=value,
        time=printed.time,
        method=printed.method,
        reported=_with_range(reported, value, printed.range_words),
        flags=tuple(dict.fromkeys((*flags, *more))),
        evidence=printed.evidence,
        specimen=printed.specimen,
        method_kind=printed.method_kind,
    )
    group = Category.VITAL_SIGN if row and row.group == "vital-sign" else Category.LABORATORY
    return Fact(category=group, finding=finding)


@lru_cache(maxsize=4096)
def _concept(test: MeasuredTest) -> Concept:
    codings = [Coding(system=LOINC, code=test.loinc)] if test.loinc is not None else []
    codings += [Coding(system=ANALYTE, code=test.analyte)] if test.analyte is not None else []
    return Concept(text=test.name or "result without a name", codings=tuple(codings))


def _value(
    printed: Printed,
) -> tuple[Value | None, NotAssessed | None, str | None, tuple[str, ...]]:
    """Return the value, why there is none, the value as printed, and what converting it flags."""
    text = f"{printed.value} {printed.unit or ''}".strip()[:MAX_VALUE]
    analyte = printed.test.analyte
    if not printed.value.strip():
        return None, NotAssessed(why=Why.MISSING, detail="no value is stated"), None, ()
    if laboratory_vocabulary().says_no_result(printed.value):
        why = NotAssessed(why=Why.MISSING, detail="the source says that there is no result")
        return None, why, text, ()
    if printed.interval is None:
        if analyte is not None:
            why = NotAssessed(why=Why.UNREADABLE, detail="the result is words, not a number")
            return None, why, text, ()
        return Text(text=text), None, None, ()
    if analyte is None:
        return measured(printed.interval, printed.unit or ""), None, None, ()
    result = convert(analyte, printed.interval, printed.unit, printed.test.form_code)
    if not isinstance(result, Converted):
        return None, result, text, ()
    return result.value, None, text if result.changed else None, result.flags


def _with_range(reported: str | None, value: Value | None, range_words: str) -> str | None:
    """Return the value with the interval as `tools.labs.printed_interval` expects it."""
    if not range_words:
        return reported
    shown = reported or (str(value) if value is not None else "")
    return f"{shown} (laboratory's range: {range_words[:200]})".strip()[:MAX_VALUE]
