"""What stands beside the results: what was not read, and what of documents is not confirmed."""

from collections.abc import Iterable, Iterator

from agent.laboratory.model import DocumentedResult, NotRead
from knowledge.codes import ANALYTE
from knowledge.finding import Finding
from knowledge.laboratory_tests import laboratory_tests
from knowledge.timeline import Fact
from tools.intake.result import InputFile

_SHOWN = 5
"""Problems of one file named one by one; the list of files has them all."""

_NO_RESULTS = ("ECG", "wearable", "home pressure", "table of home", "signal file", "image", "note")
"""How kinds begin that hold no laboratory results."""

_RESULTS = ("HL7 v2", "FHIR JSON")
"""Kinds that may hold them, so that what of one was not understood may be one.

A table or a report of a laboratory says itself whether what was not understood may be a result.
"""


def not_read(inputs: Iterable[InputFile]) -> tuple[NotRead, ...]:
    """Return the files that may hold a laboratory result and were not read, or not all of them."""
    return tuple(
        NotRead(
            file=item.file,
            kind=item.kind,
            reason=_reason(item),
            in_part=item.status == "read",
        )
        for item in inputs
        if _may_hold_a_result(item)
    )


def documented_results(facts: Iterable[Fact]) -> tuple[DocumentedResult, ...]:
    """Return results read from documents, in their order."""
    return tuple(_documented(fact.finding) for fact in facts)


def _may_hold_a_result(item: InputFile) -> bool:
    if item.kind.startswith(_NO_RESULTS):
        return False
    lost = item.status == "failed" or item.unread
    return lost or (bool(item.problems) and item.kind.startswith(_RESULTS))


def _reason(item: InputFile) -> str:
    return "; ".join(dict.fromkeys(_said(item)))


def _said(item: InputFile) -> Iterator[str]:
    if item.reason:
        yield item.reason
    yield from item.problems[:_SHOWN]
    if len(item.problems) > _SHOWN:
        yield f"and {len(item.problems) - _SHOWN} more"


def _documented(finding: Finding) -> DocumentedResult:
    key = next((c.code for c in finding.concept.codings if c.system == ANALYTE), None)
    row = laboratory_tests().tests.get(key or "")
    value = finding.reported or ("" if finding.value is None else str(finding.value))
    if not value and finding.not_assessed is not None:
        value = finding.not_assessed.detail
    return DocumentedResult(
        test=key,
        name=finding.concept.text,
        chinese=row.chinese if row is not None else "",
        value=value,
        time=finding.time,
        evidence=finding.evidence,
    )
