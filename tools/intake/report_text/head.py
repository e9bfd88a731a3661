"""The head of a laboratory report: labels and what stands behind them."""

import re
from datetime import datetime
from functools import cache

from knowledge.clinical_time import ClinicalTime, Precision, place
from knowledge.errors import InvalidValueError
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from tools.intake.printed_result import plain
from tools.intake.tables.cells import Cell
from tools.intake.tables.row_result import read_time

_NAMED_MONTHS = (
    ("%d-%b-%Y %H:%M", Precision.MINUTE),
    ("%d %b %Y %H:%M", Precision.MINUTE),
    ("%d %B %Y %H:%M", Precision.MINUTE),
    ("%b %d, %Y %H:%M", Precision.MINUTE),
    ("%d-%b-%Y", Precision.DAY),
    ("%d %b %Y", Precision.DAY),
    ("%d %B %Y", Precision.DAY),
    ("%b %d, %Y", Precision.DAY),
)
_CHINESE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日\s*(\d{1,2}:\d\d(?::\d\d)?)?")
_PAGE = re.compile(
    r"(?:page|seite)\s*\d+(?:\s*(?:of|/)\s*\d+)?|第\s*\d+\s*页.*|-?\s*\d+\s*/\s*\d+\s*-?", re.I
)
_RULE = re.compile(r"[\W_]*")


def labelled(line: str) -> tuple[tuple[str, str], ...]:
    """Return what each known label of a line names; empty where there is none.

    Examples:
        >>> labelled("Name: Clara Muster   Sex: F  Age: 71")
        (('name', 'Clara Muster'), ('sex', 'F'), ('other', '71'))
    """
    text = " ".join(line.replace("\uff1a", ":").split())
    found = list(_labels().finditer(text))
    if not found or text[: found[0].start()].strip(" -*|"):
        return ()
    ends = [match.start() for match in found[1:]] + [len(text)]
    return tuple(
        (
            laboratory_vocabulary().label(match["label"]) or "other",
            text[match.end() : end].strip(" |"),
        )
        for match, end in zip(found, ends, strict=True)
    )


def is_heading(line: str) -> bool:
    """Return whether a line is one of column headings, a rule, or a page number."""
    text = plain(line)
    if _RULE.fullmatch(text) or _PAGE.fullmatch(text):
        return True
    words = laboratory_vocabulary()
    parts = [p for p in re.split(r"\s{2,}|\t|\|", line.strip()) if p]
    known = sum(words.heading(p) is not None for p in parts)
    tokens = text.split()
    single = sum(words.heading(t) is not None for t in tokens)
    return known >= 2 or (single >= 2 and single * 2 >= len(tokens))


def stated_time(text: str, *, file: str, zone: str | None) -> ClinicalTime:
    """Return a time of a report's head: year first, or with the month by name.

    Raises:
        InvalidValueError: Not a time, or one with two readings (03/04/2026).
    """
    shown = " ".join(text.split())
    match = _CHINESE.match(shown)
    if match is not None:
        shown = f"{match[1]}/{match[2]}/{match[3]} {match[4] or ''}".strip()
    for form, precision in _NAMED_MONTHS:
        try:
            at = datetime.strptime(shown, form)  # noqa: DTZ007 - the zone is attached below
        except ValueError:
            continue
        return place(at, clock=file, zone=zone, precision=precision)
    if not re.match(r"\d{4}\D", shown):
        raise InvalidValueError("time", "has two readings or is no time", "write YYYY-MM-DD hh:mm")
    return read_time(Cell(text=shown), Cell(), None, file=file, zone=zone)


@cache
def _labels() -> re.Pattern[str]:
    rows = laboratory_vocabulary().labels.values()
    words = sorted({word for row in rows for word in row.words}, key=len, reverse=True)
    either = "|".join(re.escape(word) for word in words)
    return re.compile(rf"(?:(?<=\s)|^|(?<=[^\x00-\x7f]))(?P<label>{either})\s*:\s*", re.IGNORECASE)
