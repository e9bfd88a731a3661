"""Which column of a table holds what: by its mapping file, or by headings that are known words.

Without a mapping a table is read only where every heading it needs is there exactly once. Otherwise
the reason says which mapping file to write, with the columns as they look.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.errors import UnsupportedError
from knowledge.identity_words import identity_words
from knowledge.laboratory_vocabulary import as_compared, laboratory_vocabulary
from tools.intake.tables.cells import Grid, Row
from tools.intake.tables.mapping import SCHEMA, LabMapping

_SHOWN = 12
_ORIENTING = frozenset({"unit", "interval", "low", "collected", "flag"})
"""At least one of these beside test and value, so that a table of something else is not taken."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of one table.

    Args:
        header: Number of the row with the headings.
        width: Cells of that row.
        at: What a column holds, to its index from 0.
        headings: Index to the heading as printed.
        rows: Those below the headings.
        unused: Headings of columns that are not used.
        persons: Index of columns that are not used and look like they name a person.
    """

    header: int
    width: int
    at: Mapping[str, int]
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    unused: tuple[str, ...]
    persons: tuple[int, ...] = ()


def mapped_layout(grid: Grid, file: str, mapping: LabMapping) -> Layout:
    """Return the columns that a mapping names.

    Raises:
        UnsupportedError: A mapped heading is not there, or is there twice.
    """
    header = next((row for row in grid.rows if row.number >= mapping.header_row), None)
    if header is None:
        raise UnsupportedError(file, "has no row of headings", "correct `header_row:`")
    headings = _headings(header, file)
    wanted = mapping.columns.headings()
    at: dict[str, int] = {}
    for holds, heading in wanted.items():
        places = [i for i, h in enumerate(headings) if as_compared(h) == as_compared(heading)]
        if len(places) != 1:
            fault = "is not there" if not places else "is there more than once"
            shown = ", ".join(headings[:_SHOWN])
            raise UnsupportedError(
                file,
                f"the column {heading[:40]!r} that the mapping names {fault}",
                f"its headings are: {shown[:300]}",
            )
        at[holds] = places[0]
    return _layout(grid, header, headings, at)


def known_layout(grid: Grid, file: str) -> Layout:
    """Return the columns of a table whose headings are known words.

    Raises:
        UnsupportedError: A heading it needs is missing, or two columns have one meaning.
    """
    if not grid.rows:
        raise UnsupportedError(file, "an empty table", "export it again")
    header = grid.rows[0]
    headings = _headings(header, file)
    words = laboratory_vocabulary()
    meant = {i: holds for i, h in enumerate(headings) if (holds := words.heading(h)) is not None}
    twice = [h for h, n in Counter(meant.values()).items() if n > 1 and h != "other_time"]
    if twice:
        raise _needs_mapping(file, headings, f"two columns that look like {twice[0]}")
    at = {holds: index for index, holds in meant.items() if holds != "other_time"}
    at |= _of_person(grid, headings, at)
    if "value" not in at or not {"test", "code"} & set(at):
        raise _needs_mapping(file, headings, "no column known to hold the test, or its result")
    if not _ORIENTING & set(at):
        raise _needs_mapping(file, headings, "no column known to hold the unit")
    if "interval" in at and {"low", "high"} & set(at):
        raise _needs_mapping(file, headings, "two columns that look like the interval")
    return _layout(grid, header, headings, at)


def looks_like_results(headings: list[str]) -> bool:
    """Return whether a first line has the headings of laboratory results."""
    meant = {laboratory_vocabulary().heading(h) for h in headings}
    return "value" in meant and bool({"test", "code"} & meant) and bool(_ORIENTING & meant)


def suggestion(headings: tuple[str, ...] | list[str]) -> str:
    """Return the columns of a mapping file as they look, for a person to complete."""
    words = laboratory_vocabulary()
    found: dict[str, str] = {}
    for heading in headings:
        holds = words.heading(heading)
        if holds is not None and holds != "other_time":
            found.setdefault(holds, heading)
    named = ", ".join(f"{holds}: {heading[:40]}" for holds, heading in found.items())
    open_ = [holds for holds in ("test", "value", "unit", "collected") if holds not in found]
    return (
        f"write a mapping file beside it (schema: {SCHEMA}) with columns: {{{named or '...'}}}"
        + (f"; still to name: {', '.join(open_)}" if open_ else "")
    )


def _needs_mapping(file: str, headings: tuple[str, ...], reason: str) -> UnsupportedError:
    return UnsupportedError(
        file, f"a table with {reason}, and no mapping file", suggestion(headings)
    )


def _headings(header: Row, file: str) -> tuple[str, ...]:
    for cell in header.cells:
        if cell.problem is not None and cell.problem[0] in ("formula", "merged"):
            kind = cell.problem[0]
            raise UnsupportedError(
                file, f"a {kind} cell among its headings", "write plain headings, one a column"
            )
    return tuple(cell.text.strip() for cell in header.cells)


def _of_person(grid: Grid, headings: tuple[str, ...], at: Mapping[str, int]) -> dict[str, int]:
    """Return the columns that name the person by another heading; none that may name the test."""
    found: dict[str, int] = {}
    for index, holds in _persons(headings, at):
        key = {"number": "patient_id", "name": "name"}.get(holds)
        taken = key in at or key in found or (key == "name" and {"family", "given"} & set(at))
        if key is not None and not taken and "test" in at and not names_tests(grid.rows, index):
            found[key] = index
    return found


def names_tests(rows: Iterable[Row], index: int) -> bool:
    """Return whether a column holds a known name of a test, so that it names no person."""
    said = {row.cells[index].text for row in rows if index < len(row.cells)}
    words = laboratory_vocabulary()
    return any(words.named_test(text) is not None for text in said)


def _persons(headings: tuple[str, ...], at: Mapping[str, int]) -> list[tuple[int, str]]:
    used, words = set(at.values()), identity_words()
    named = ((i, words.column(h)) for i, h in enumerate(headings) if i not in used)
    return [(i, holds) for i, holds in named if holds is not None]


def _layout(grid: Grid, header: Row, headings: tuple[str, ...], at: Mapping[str, int]) -> Layout:
    used = set(at.values())
    return Layout(
        header=header.number,
        width=len(headings),
        at=at,
        headings=headings,
        rows=tuple(row for row in grid.rows if row.number > header.number),
        unused=tuple(h for i, h in enumerate(headings) if h and i not in used),
        persons=tuple(i for i, _ in _persons(headings, at)),
    )
