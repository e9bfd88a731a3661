"""Whose a row of a table is: the identity its own columns state, and which rows are the case's.

Numbers of one column are of one assigner, so that two of them in one table are two patients even
where nobody has said who gave them.
"""

from collections.abc import Sequence

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError, UnsupportedError
from knowledge.laboratory_vocabulary import as_compared, laboratory_vocabulary
from knowledge.patient import Identity, Sex
from tools.intake.identity import compare
from tools.intake.tables.cells import Cell, Row
from tools.intake.tables.columns import names_tests
from tools.intake.tables.mapping import Columns
from tools.intake.tables.row_result import Surroundings, read_time

_STATES = ("patient_id", "name", "family", "given", "birth_date", "sex")


def identity_of_row(row: Row, around: Surroundings) -> Identity | None:
    """Return who a row says the patient is; None where the table has no column that says it.

    Raises:
        InvalidValueError: The column of the patient's number is there, and its cell is blank.
    """
    if not set(_STATES) & set(around.layout.at):
        return None
    columns = around.mapping.columns if around.mapping is not None else None
    number = around.text(row, "patient_id")
    if "patient_id" in around.layout.at and not number:
        raise InvalidValueError("identity", "no patient number", "complete the row")
    said = tuple(around.text(row, holds) for holds in _STATES)
    if said in around.identities:
        return around.identities[said]
    told = len(around.problems)
    found = _identity(row, around, columns, number)
    if len(around.problems) == told:
        around.identities[said] = found
    return found


def _identity(row: Row, around: Surroundings, columns: Columns | None, number: str) -> Identity:
    family = around.text(row, "family") or around.text(row, "name") or None
    given = around.text(row, "given")
    return Identity(
        source=around.file,
        identifiers=((_system(around, columns), number),) if number else (),
        family=family,
        given=(given,) if given else (),
        birth_date=_born(row, around, columns),
        sex=_sex(around.text(row, "sex"), columns),
    )


def refuse_several(rows: Sequence[Row], around: Surroundings) -> None:
    """Refuse a table whose rows may be of several people by a column that identifies nobody else.

    That is a column that is not used and looks like it names a person, where no column in use does,
    and dates of birth of which one cannot be read.

    Raises:
        UnsupportedError: It holds more than one value.
    """
    if around.mapping is not None and around.mapping.rows == "several patients":
        return
    born = [row for row in rows if around.text(row, "birth_date")]
    texts = {as_compared(around.text(row, "birth_date")) for row in born}
    columns = around.mapping.columns if around.mapping is not None else None
    if len(texts) > 1 and any(not _is_date(row, around, columns) for row in born):
        raise _several(around, "dates of birth, of which one cannot be read")
    if {"patient_id", "name", "family"} & set(around.layout.at):
        return
    for index in around.layout.persons:
        said = {as_compared(row.cells[index].text) for row in rows if index < len(row.cells)}
        if len(said - {""}) > 1 and not names_tests(rows, index):
            raise _several(around, f"values in the column {around.layout.headings[index][:40]!r}")


def _several(around: Surroundings, what: str) -> UnsupportedError:
    return UnsupportedError(
        around.file,
        f"may hold rows of several people: different {what}",
        "say in a mapping file which column is the patient's number or name, or give one "
        "patient's rows",
    )


def _is_date(row: Row, around: Surroundings, columns: Columns | None) -> bool:
    column = columns.birth_date if columns is not None else None
    try:
        read_time(around.cell(row, "birth_date"), Cell(), column, file=around.file, zone=None)
    except InvalidValueError:
        return False
    return True


def is_of(identity: Identity, known: Sequence[Identity]) -> bool:
    """Return whether an identity matches one that is known, and disagrees with none."""
    results = {compare(identity, other).result for other in known}
    return "match" in results and "mismatch" not in results


def _system(around: Surroundings, columns: Columns | None) -> str:
    stated = columns.patient_id if columns is not None else None
    if stated is not None and stated.system:
        return stated.system
    return f"urn:epicrisis:table:{around.file}:{around.layout.at['patient_id']}"


def _born(row: Row, around: Surroundings, columns: Columns | None) -> ClinicalTime | None:
    cell = around.cell(row, "birth_date")
    if not (cell.text.strip() or cell.at):
        return None
    column = columns.birth_date if columns is not None else None
    try:
        return read_time(cell, Cell(), column, file=around.file, zone=None)
    except InvalidValueError as error:
        around.problem(row, "identity", f"date of birth: {error.reason}", used=True)
        return None


def _sex(text: str, columns: Columns | None) -> Sex | None:
    own = columns.sex.values if columns is not None and columns.sex is not None else {}
    return own.get(text) or (laboratory_vocabulary().sex(text) if text else None)
