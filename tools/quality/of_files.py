"""Items of the files of a case: not read, in doubt whose they are, twice, entries not used."""

from collections.abc import Iterator, Sequence

from knowledge.errors import IdentityConflictError
from tools.intake.belonging import NEEDS_STATEMENT
from tools.intake.lab_file import MAX_TOLD
from tools.intake.result import CaseFiles, InputFile
from tools.quality.model import QualityItem

_TWICE = ("same content as ", "duplicate of ", "the same recording as ")
_REMARKS = (
    "columns not used:",
    "no column of collection times",
    "lines of words that are no result:",
    "from a document:",
    "read as ",
    "named like ",
    "holds headings",
)
"""What is told of a file although nothing of it is lost."""

_LEFT_OUT = ("rows of other patients were not used", "hidden rows were read too")

_LONGEST = 300


def file_items(inputs: Sequence[InputFile]) -> Iterator[QualityItem]:
    """Yield what is to be said of each file."""
    for item in inputs:
        reason = item.reason or ""
        if reason.startswith(_TWICE):
            yield QualityItem(kind="duplicate-file", file=item.file, what=reason[:_LONGEST])
        elif NEEDS_STATEMENT in reason:
            what = "carries no identity that can be compared"
            yield QualityItem(kind="identity-doubt", file=item.file, what=what)
        elif item.status == "failed" or (item.unread and item.status == "ignored"):
            yield QualityItem(kind="unread-file", file=item.file, what=reason[:_LONGEST])
        for problem in item.problems[: MAX_TOLD + 10]:
            if not problem.startswith(_REMARKS) and not problem.endswith(_LEFT_OUT):
                yield _entry(item.file, problem)


def identity_items(case: CaseFiles) -> Iterator[QualityItem]:
    """Yield doubts about whose a file is that did not refuse the case."""
    for override in case.overrides:
        fields = ", ".join(override.differs)
        said = f"stated to be of this patient ({override.by})"
        what = f"{said} although it differs in {fields}" if fields else said
        yield QualityItem(kind="identity-doubt", file=override.file, what=what)


def conflict_items(error: IdentityConflictError) -> Iterator[QualityItem]:
    """Yield why a case is refused: one item for each file that disagrees."""
    for file in error.files or (error.item,):
        yield QualityItem(kind="identity-doubt", file=file, what=error.reason[:_LONGEST])


def _entry(file: str, problem: str) -> QualityItem:
    """Return an entry that was not used; its place is what stands before the first colon."""
    where, colon, what = problem.partition(": ")
    if not colon or len(where) > 80:
        where, what = "", problem
    return QualityItem(kind="entry-not-used", file=file, where=where, what=what[:_LONGEST])
