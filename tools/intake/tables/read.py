"""The laboratory tables of a case: each with its mapping file, to results and named problems."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatch

from knowledge.errors import InputError, InvalidValueError, UnsupportedError
from knowledge.patient import Identity
from knowledge.timeline import Fact
from tools.intake.content import Content, refused
from tools.intake.identity import compare
from tools.intake.lab_file import LabFile, LabFiles, told
from tools.intake.printed_result import NumberFormat
from tools.intake.result import InputFile
from tools.intake.tables.cells import Grid, Row, RowProblem
from tools.intake.tables.columns import (
    Layout,
    known_layout,
    looks_like_results,
    mapped_layout,
)
from tools.intake.tables.delimited import decoded, delimited, known_headings
from tools.intake.tables.mapping import LabMapping, read_mapping
from tools.intake.tables.row_identity import identity_of_row, is_of, refuse_several
from tools.intake.tables.row_result import Surroundings, fault_of, result_of_row
from tools.intake.tables.workbook import workbook

KIND = "laboratory table"
_TABLE_NAMES = (".csv", ".tsv", ".tab")


def read_tables(
    contents: Mapping[str, Content],
    *,
    named: Mapping[str, str],
    zone: str | None,
    known: Sequence[Identity],
    stated: Collection[str],
) -> LabFiles:
    """Return the laboratory tables among the contents; one bad table does not stop the rest.

    Args:
        contents: Every file of the case.
        named: Table to the mapping file that the case file names for it.
        zone: IANA zone declared for the case.
        known: Identities of the case's other sources, to pick rows of several patients by.
        stated: Files said to be of this patient.
    """
    mappings, failed = _mappings(contents)
    used: Counter[str] = Counter()
    read: dict[str, LabFile] = {}
    done: list[InputFile] = list(failed)
    for file, content in contents.items():
        try:
            mapping_file = _mapping_of(content, mappings, named)
            if mapping_file is None and not _is_table(content):
                continue
            mapping = mappings[mapping_file] if mapping_file is not None else None
            used.update([mapping_file] if mapping_file is not None else [])
            read[file] = read_table(content, mapping, zone=zone, known=known, stated=file in stated)
        except InputError as error:
            report = refused(file, KIND, error, sha256=content.sha256)
            done.append(report.model_copy(update={"unread": True}))
    broken = {report.file for report in failed}
    done += [
        contents[file].report(
            "read" if file in used else "ignored",
            None if file in used else "names no table of the case in `files:`",
            kind="mapping of laboratory tables",
            counts={"tables": used[file]} if file in used else {},
        )
        for file in mappings
        if file not in broken
    ]
    return LabFiles(read=read, failed=tuple(done))


def read_table(
    content: Content,
    mapping: LabMapping | None,
    *,
    zone: str | None,
    known: Sequence[Identity] = (),
    stated: bool = False,
) -> LabFile:
    """Return the results of one table.

    Args:
        content: The file.
        mapping: Its mapping; None where none is given.
        zone: IANA zone declared for the case.
        known: Identities of the case's other sources.
        stated: Whether the file is said to be of this patient.

    Raises:
        InputError: The table as a whole cannot be used; the reason names the way out.
    """
    file = content.file
    if content.kind == "Excel workbook":
        grid = workbook(content.data, file, mapping)
    else:
        grid = delimited(content.data, file, mapping)
    layout = known_layout(grid, file) if mapping is None else mapped_layout(grid, file, mapping)
    around = Surroundings(
        file=file,
        place=grid.place,
        layout=layout,
        mapping=mapping,
        numbers=_numbers(layout, mapping),
        zone=(mapping.time_zone if mapping is not None else None) or zone,
    )
    rows = _usable(layout, around)
    identities, rows, others = _of_patient(rows, around, known)
    refuse_several(rows, around)
    if stated and _several(identities):
        raise UnsupportedError(
            file, "holds rows of several patients", "write `rows: several patients` in its mapping"
        )
    facts = [fact for row in rows if (fact := result_of_row(row, around)) is not None]
    return _lab_file(content, grid, around, identities, facts, others)


def _unused_names(layout: Layout) -> list[str]:
    """Return that a column which may name the patient or the test is not used."""
    if {"test", "patient_id", "name", "family"} & set(layout.at):
        return []
    named = [layout.headings[i][:40] for i in layout.persons]
    return [
        f"the column {one!r} is not used: it may name the patient or the test; say in a mapping "
        "file which it is"
        for one in named
    ]


def _lab_file(
    content: Content,
    grid: Grid,
    around: Surroundings,
    identities: tuple[Identity, ...],
    facts: list[Fact],
    others: int,
) -> LabFile:
    layout, problems = around.layout, [str(p) for p in _in_order(around.problems)]
    lost = sum(not p.used and p.kind != "duplicate" for p in around.problems)
    notes = list(grid.notes)
    if layout.unused:
        notes.append(f"columns not used: {', '.join(layout.unused)[:300]}")
    notes += _unused_names(layout)
    if "collected" not in layout.at:
        notes.append("no column of collection times: the results have none")
    if others:
        notes.append(f"{others} rows of other patients were not used")
    unread = lost > 0
    if not layout.rows:
        notes.append("holds headings and no row")
    return LabFile(
        file=content.file,
        kind=KIND,
        identities=identities,
        facts=tuple(facts),
        counts={"rows": len(layout.rows), "results": len(facts)},
        notes=tuple(notes),
        problems=told(problems),
        unread=unread,
    )


def _mappings(
    contents: Mapping[str, Content],
) -> tuple[dict[str, LabMapping], list[InputFile]]:
    mappings: dict[str, LabMapping] = {}
    failed: list[InputFile] = []
    for file, content in contents.items():
        if content.kind != "lab mapping":
            continue
        try:
            mappings[file] = read_mapping(content.data, file)
        except InputError as error:
            failed.append(refused(file, "mapping file", error, sha256=content.sha256))
    return mappings, failed


def _mapping_of(
    content: Content, mappings: Mapping[str, LabMapping], named: Mapping[str, str]
) -> str | None:
    """Return the mapping file of a table: named for it, or beside it with a pattern that fits.

    Raises:
        UnsupportedError: The named mapping could not be read, or two mappings fit.
    """
    if content.kind not in ("text", "Excel workbook"):
        return None
    if content.file in named:
        if named[content.file] not in mappings:
            raise UnsupportedError(
                content.file, "its mapping file could not be read", "see what is said of it"
            )
        return named[content.file]
    fitting = [
        file
        for file, mapping in mappings.items()
        if file.rpartition("/")[0] == content.folder
        and any(fnmatch(content.name, pattern) for pattern in mapping.files)
    ]
    if len(fitting) > 1:
        raise UnsupportedError(
            content.file, "two mapping files name it", "name one in case.yaml, under tables"
        )
    return fitting[0] if fitting else None


def _is_table(content: Content) -> bool:
    """Return whether a content is, or is named as, a table that has no mapping."""
    if content.kind == "Excel workbook":
        return True
    if content.kind != "text":
        return False
    if content.name.lower().endswith(_TABLE_NAMES):
        return True
    try:
        text, _ = decoded(content.data, content.file, None)
    except InputError:
        return False
    return looks_like_results(known_headings(text))


def _numbers(layout: Layout, mapping: LabMapping | None) -> NumberFormat:
    if mapping is not None and mapping.decimal is not None:
        return NumberFormat(decimal=mapping.decimal, thousands=mapping.thousands)
    index = layout.at["value"]
    texts = [row.cells[index].text for row in layout.rows if index < len(row.cells)]
    mixed = any("," in text and text.replace(",", "").replace(".", "").isdigit() for text in texts)
    others = [layout.at[key] for key in ("interval", "low", "high") if key in layout.at]
    beside = [row.cells[i].text for row in layout.rows for i in others if i < len(row.cells)]
    return NumberFormat(mixed=mixed, point=NumberFormat.of([*texts, *beside]).point)


def _usable(layout: Layout, around: Surroundings) -> list[Row]:
    """Return the rows that are whole and not copies of an earlier one."""
    first: dict[tuple[str, ...], int] = {}
    kept = []
    for row in layout.rows:
        fault = fault_of(row, around)
        if fault is not None:
            around.problem(row, fault[0], fault[1])
            continue
        key = tuple(cell.text for cell in row.cells)
        if key in first:
            around.problem(row, "duplicate", f"the same as row {first[key]}", used=False)
            continue
        first[key] = row.number
        kept.append(row)
    return kept


def _of_patient(
    rows: list[Row], around: Surroundings, known: Sequence[Identity]
) -> tuple[tuple[Identity, ...], list[Row], int]:
    """Return the identities of the rows used, these rows, and how many are of other patients.

    Raises:
        UnsupportedError: Rows of several patients, and none is the case's.
    """
    several = around.mapping is not None and around.mapping.rows == "several patients"
    by_identity: dict[str, Identity] = {}
    mine: dict[str, bool] = {}
    kept: list[Row] = []
    others = 0
    for row in rows:
        try:
            identity = identity_of_row(row, around)
        except InvalidValueError as error:
            around.problem(row, "identity", error.reason)
            continue
        if identity is None:
            kept.append(row)
            continue
        key = identity.model_dump_json()
        if several:
            if key not in mine:
                mine[key] = is_of(identity, known)
            if not mine[key]:
                others += 1
                continue
        by_identity.setdefault(key, identity)
        kept.append(row)
    if several and others and not kept:
        raise UnsupportedError(
            around.file,
            "holds rows of several patients, and none matches the patient of the case",
            "say the patient's number with its assigner in case.yaml, as the mapping names it",
        )
    return tuple(by_identity.values()), kept, others


def _several(identities: tuple[Identity, ...]) -> bool:
    first = identities[0] if identities else None
    return first is not None and any(compare(first, i).result == "mismatch" for i in identities[1:])


def _in_order(problems: list[RowProblem]) -> list[RowProblem]:
    return sorted(problems, key=lambda p: (p.row, p.detail))
