"""The mapping file of laboratory tables: which column holds what, and how it is written.

::

    schema: epicrisis/lab-mapping/1
    files: ["labs*.txt"]             # tables beside this file, by name or pattern
    encoding: utf-8                  # also utf-16, gb18030, windows-1252, ...
    delimiter: tab                   # tab, comma, semicolon, pipe; left out: the one that fits
    sheet: Results                   # of a workbook; left out: the only one with content
    header_row: 1
    decimal: point                   # or comma
    thousands: none                  # comma, point, space, apostrophe
    time_zone: Europe/Berlin         # of times without an offset
    rows: one patient                # or "several patients": this case's are picked
    columns:
      patient_id: {column: PID, system: "urn:oid:1.2.3"}   # compared with the other files
      family: Surname                # also given, name
      birth_date: {column: DOB, format: "%d.%m.%Y"}
      sex: {column: GENDER, values: {M: male, F: female}}
      test: NAME
      code: LOINC
      value: VALUE
      unit: UNITS
      collected: {column: DATE, time_column: TIME, format: "%d.%m.%Y %H:%M"}
      low: LOW                       # or interval: "Reference range"
      high: HIGH
      flag: {column: FLAG, values: {"*": abnormal}}
      specimen: SPECIMEN
      method: METHOD
    no_interval: [["0", "0"]]        # pairs of low and high that mean "none"
    constants: {specimen: serum, method_kind: laboratory}
    tests:                           # names of this laboratory
      Kalium: {analyte: potassium, unit: mmol/L}
      "TnT-hs": {loinc: 67151-1}
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, Self

import yaml
from pydantic import Field, PositiveInt, ValidationError, field_validator, model_validator

from knowledge.analytes import analytes
from knowledge.clinical_time import load_zone
from knowledge.errors import InvalidValueError, TooLargeError, UnreadableError
from knowledge.finding import MethodKind
from knowledge.laboratory_vocabulary import as_compared
from knowledge.model import Frozen
from knowledge.patient import Sex
from knowledge.reference import strict_yaml
from tools.intake.printed_result import Decimal, Thousands

SCHEMA = "epicrisis/lab-mapping/1"

MAX_BYTES = 256 * 1024
"""A mapping is written by hand: columns, and the names of a few hundred tests."""

MAX_DEPTH = 8
"""Levels of nesting: the deepest thing above has four."""

_ENCODINGS = Literal[
    "utf-8",
    "utf-16",
    "gb18030",
    "gbk",
    "big5",
    "windows-1252",
    "iso-8859-1",
    "iso-8859-15",
    "ascii",
]
_FLAGS = Literal["high", "low", "critical high", "critical low", "normal", "abnormal", "none"]
_DIRECTIVES = re.compile(r"%(.)")
_KNOWN = frozenset("YmdHMSzbB")


class Column(Frozen):
    """One column by its heading."""

    column: str


class PatientColumn(Column):
    """The column of patient numbers, and who gave them; blank where not known."""

    system: str = ""


class TimeColumn(Column):
    """A column of dates or times.

    Args:
        time_column: A second column with the time of day, joined by a blank.
        format: As of ``strptime`` (four-digit years); None for ISO 8601 and cells of a workbook.
    """

    time_column: str | None = None
    format: str | None = None

    @field_validator("format")
    @classmethod
    def _one_reading(cls, form: str | None) -> str | None:
        if form is None:
            return None
        directives = _DIRECTIVES.findall(form)
        unknown = sorted(set(directives) - _KNOWN)
        if unknown:
            raise ValueError(f"%{unknown[0]} is not taken; %Y %m %d %H %M %S %z %b are")
        if not {"Y", "d"} <= set(directives) or not {"m", "b", "B"} & set(directives):
            raise ValueError("a date needs %Y, %m and %d")
        return form


class SexColumn(Column):
    """The column of the sex, and what its values mean."""

    values: Mapping[str, Sex] = {}


class FlagColumn(Column):
    """The column of the laboratory's flags, and what its values mean."""

    values: Mapping[str, _FLAGS] = {}


class Columns(Frozen):
    """Which heading holds what; a plain text is the heading."""

    patient_id: PatientColumn | None = None
    name: Column | None = None
    family: Column | None = None
    given: Column | None = None
    birth_date: TimeColumn | None = None
    sex: SexColumn | None = None
    test: Column | None = None
    code: Column | None = None
    value: Column
    unit: Column | None = None
    collected: TimeColumn | None = None
    interval: Column | None = None
    low: Column | None = None
    high: Column | None = None
    flag: FlagColumn | None = None
    specimen: Column | None = None
    method: Column | None = None
    method_kind: Column | None = None
    laboratory: Column | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_text_is_a_heading(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {k: {"column": v} if isinstance(v, str) else v for k, v in data.items()}

    @model_validator(mode="after")
    def _says_which_test(self) -> Self:
        if self.test is None and self.code is None:
            raise ValueError("name the column of the test (test), or of its LOINC code (code)")
        if self.interval is not None and (self.low or self.high):
            raise ValueError("give interval, or low and high")
        return self

    def headings(self) -> dict[str, str]:
        """Return what each column holds, by what it holds."""
        held = {name: getattr(self, name) for name in type(self).model_fields}
        found = {name: column.column for name, column in held.items() if column is not None}
        if self.collected is not None and self.collected.time_column is not None:
            found["collected_time"] = self.collected.time_column
        return found


class Constants(Frozen):
    """What holds for every row that does not state it itself."""

    specimen: str | None = None
    method: str | None = None
    method_kind: MethodKind | None = None
    unit: str | None = None


class MappedTest(Frozen):
    """What a laboratory's own name of a test means."""

    analyte: str | None = None
    loinc: str | None = None
    unit: str | None = None
    specimen: str | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.analyte is not None and self.analyte not in analytes().analytes:
            near = get_close_matches(self.analyte, analytes().analytes, n=2)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"{self.analyte!r} is not in the analyte table{hint}")
        if self.analyte is None and self.loinc is None:
            raise ValueError("say which analyte or LOINC code the test is")
        by_code = None if self.loinc is None else analytes().for_loinc(self.loinc)
        if self.analyte is not None and by_code not in (None, self.analyte):
            raise ValueError(f"the code is {by_code}, not {self.analyte}")
        return self


class LabMapping(Frozen):
    """The whole file; see the module for an example of every key."""

    schema_: Literal["epicrisis/lab-mapping/1"] = Field(alias="schema")
    files: tuple[str, ...] = ()
    encoding: _ENCODINGS | None = None
    delimiter: Literal["tab", "comma", "semicolon", "pipe"] | None = None
    sheet: str | None = None
    header_row: PositiveInt = 1
    decimal: Decimal | None = None
    thousands: Thousands = "none"
    time_zone: str | None = None
    rows: Literal["one patient", "several patients"] = "one patient"
    columns: Columns
    no_interval: tuple[tuple[str, str], ...] = ()
    constants: Constants = Constants()
    tests: Mapping[str, MappedTest] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.thousands != "none" and self.decimal is None:
            raise ValueError("a thousands sign needs the decimal sign said too")
        if self.thousands == self.decimal:
            raise ValueError("one sign cannot be the decimal and the thousands sign")
        if self.time_zone is not None:
            try:
                load_zone(self.time_zone)
            except InvalidValueError as error:
                raise ValueError(error.reason) from error
        names = [as_compared(name) for name in self.tests]
        if len(set(names)) < len(names):
            raise ValueError("a test is named twice")
        if self.rows == "several patients" and self.columns.patient_id is None:
            raise ValueError("rows of several patients need the column patient_id")
        return self

    def test(self, name: str) -> MappedTest | None:
        """Return what the laboratory's own name of a test means, or None."""
        wanted = as_compared(name)
        return next((t for own, t in self.tests.items() if as_compared(own) == wanted), None)


def read_mapping(content: bytes, file: str) -> LabMapping:
    """Return a mapping file.

    Raises:
        UnreadableError: Not YAML, with aliases, or nested too deep.
        TooLargeError: Over 256 KiB.
        InvalidValueError: A key that is not documented, or a value that is not valid.
    """
    if len(content) > MAX_BYTES:
        raise TooLargeError(file, "over 256 KiB", "a mapping file is short")
    try:
        _check_events(content, file)
        data = strict_yaml(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0][:120] if str(error) else "not YAML"
        raise UnreadableError(
            file, f"not YAML: {first}", "see `epicrisis schema lab-mapping`"
        ) from error
    if not isinstance(data, dict):
        raise UnreadableError(file, "not a mapping of keys", "see `epicrisis schema lab-mapping`")
    try:
        return LabMapping.model_validate(data)
    except ValidationError as error:
        first_error = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first_error["loc"]) or "content"
        raise InvalidValueError(
            f"{file}: {where}", first_error["msg"], "see `epicrisis schema lab-mapping`"
        ) from error


def _check_events(content: bytes, file: str) -> None:
    """Refuse what a parser could be kept busy with, before anything is built.

    Raises:
        UnreadableError: With aliases, or nested too deep.
    """
    depth = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise UnreadableError(file, "YAML aliases are not taken", "write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise UnreadableError(
                file, "YAML nested too deep", "see `epicrisis schema lab-mapping`"
            )
