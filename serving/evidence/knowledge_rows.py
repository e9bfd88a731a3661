"""Rows of our reference data, and statements of guideline knowledge, with source and review."""

from collections.abc import Iterator, Mapping
from typing import Any

from agent.assessment import Assessment
from knowledge.cards import card_passages
from knowledge.errors import InvalidValueError, ReferenceDataError, UnavailableError
from knowledge.evidence import GuidelineEvidence, ReferenceEvidence
from knowledge.passages import Passage, Searcher
from knowledge.plain_text import visible
from knowledge.reference import Citation, Table, raw
from knowledge.tables import load_table
from serving.evidence.protocol import NotShown, Row, StatementShown, TableShown

_HEAD = frozenset({"title", "version", "licence", "sources"})
_MOST_ROWS = 60


def show_row(evidence: ReferenceEvidence) -> TableShown | NotShown:
    """Return a row of reference data with the sources of its numbers."""
    try:
        table, data = load_table(evidence.table), raw(evidence.table)
    except ReferenceDataError as error:
        return NotShown(reason=str(error))
    found = _find(data, evidence.row)
    if found is None:
        return NotShown(
            reason=f"row {visible(evidence.row)} is not in table {visible(evidence.table)} "
            "of this version",
            way_out="the assessment names the hash of the table it used",
        )
    node, above = found
    rows = tuple(Row(name=name, value=value) for name, value in _leaves(node, ""))
    return TableShown(
        table=evidence.table,
        row=evidence.row,
        title=table.title,
        rows=rows[:_MOST_ROWS],
        sources=tuple(_sources(node, above, evidence.table, table)),
    )


def show_passage(
    evidence: GuidelineEvidence, searcher: Searcher | None
) -> StatementShown | NotShown:
    """Return a statement of guideline knowledge: our card's, or a document's own words.

    Args:
        evidence: Names the passage.
        searcher: The index, for passages of documents.
    """
    passage = next((p for p in card_passages() if p.id == evidence.passage), None)
    if passage is None and searcher is not None:
        try:
            passage = searcher.passage(evidence.passage)
        except (InvalidValueError, UnavailableError):
            passage = None
    if passage is None:
        return NotShown(
            reason=f"passage {visible(evidence.passage)} is not in the knowledge of this version",
            way_out="rebuild the index with the document it came from",
        )
    return of_passage(passage)


def of_passage(passage: Passage) -> StatementShown:
    """Return a passage as it is shown."""
    citation = passage.citation
    return StatementShown(
        statement=visible(passage.text),
        wording=visible(passage.label),
        source=visible(citation.label),
        year=str(passage.published.year) if passage.published else "",
        doi=citation.doi or "",
        url=citation.url or "",
        strength=passage.strength or "",
        review=citation.review,
        licence=citation.licence,
        superseded_by=passage.superseded_by or "",
    )


def show_citation(citation: Citation, assessment: Assessment | None) -> StatementShown:
    """Return a source with the statement that cites it, where the assessment makes one."""
    statement, wording, strength = _statement(citation, assessment)
    return StatementShown(
        statement=visible(statement),
        wording=wording,
        source=visible(citation.label),
        year=_year(citation.label),
        doi=citation.doi or "",
        url=citation.url or "",
        strength=strength,
        review=citation.review,
        licence=citation.licence,
    )


def _statement(citation: Citation, assessment: Assessment | None) -> tuple[str, str, str]:
    plain = "Epicrisis summary, not verbatim"
    if assessment is None:
        return "", plain, ""
    for row in assessment.recommendations:
        if row.citation == citation.id:
            return row.text, row.label, row.strength or ""
    for entry in assessment.differential:
        for reason in (*entry.supporting, *entry.against):
            if reason.citation == citation.id:
                return reason.text, f"Epicrisis summary of {citation.label}, not verbatim", ""
    return "", plain, ""


def _year(label: str) -> str:
    """Return the year a label ends with, in brackets.

    Examples:
        >>> _year("ESC Guidelines (2023)")
        '2023'
    """
    inner = label.rstrip(")").rpartition("(")[2]
    return inner if len(inner) == 4 and inner.isdigit() else ""


def _find(data: Mapping[str, Any], row: str) -> tuple[Any, tuple[Any, ...]] | None:
    """Return a row and what stands above it: by its path, else by its name anywhere."""
    body = {key: value for key, value in data.items() if key not in _HEAD}
    node: Any = body
    above: list[Any] = []
    for key in row.split("."):
        if not isinstance(node, Mapping) or key not in node:
            return next(_named(body, row, ()), None)
        above.append(node)
        node = node[key]
    return node, tuple(above)


def _named(node: Any, name: str, above: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    if isinstance(node, Mapping):
        if name in (node.get("id"), node.get("name")):
            yield node, above
        for key, value in node.items():
            if key == name:
                yield value, (*above, node)
            yield from _named(value, name, (*above, node))
    elif isinstance(node, list):
        for value in node:
            yield from _named(value, name, above)


def _leaves(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        if all(isinstance(value, str | int | float) for value in node):
            yield path, visible(", ".join(str(value) for value in node))
            return
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
    else:
        yield path or "value", visible(str(node))


def _sources(
    node: Any, above: tuple[Any, ...], name: str, table: Table
) -> Iterator[StatementShown]:
    pairs = list(dict.fromkeys(_pairs(node)))
    if not pairs:
        for outer in reversed(above):
            if isinstance(outer, Mapping) and "source" in outer and "review" in outer:
                pairs = [(str(outer["source"]), str(outer["review"]))]
                break
    for source, review in pairs:
        citation = table.cite(name, source, review)
        head = table.sources[source]
        yield StatementShown(
            wording="Epicrisis table of published numbers, not verbatim",
            source=citation.label,
            year=str(head.year) if head.year is not None else "",
            doi=citation.doi or "",
            url=citation.url or "",
            review=citation.review,
            licence=citation.licence,
        )


def _pairs(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        if isinstance(node.get("source"), str) and isinstance(node.get("review"), str):
            yield node["source"], node["review"]
        for value in node.values():
            yield from _pairs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _pairs(value)
