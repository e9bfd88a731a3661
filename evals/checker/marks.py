"""A sentence as marks: what is named where, in order of appearance."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from evals.checker.vocabulary import (
    ANALYTES,
    CATEGORIES,
    DIAGNOSES,
    ECG,
    FACTS,
    LEAD,
    SCORES,
    SEX,
    UNIT,
)

Kind = Literal[
    "score",
    "analyte",
    "ecg",
    "fact",
    "diagnosis",
    "sex",
    "lead",
    "category",
    "moment",
    "duration",
    "range",
    "number",
    "count",
]

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}|(?<!\d)\d{1,2}:\d{2}(?!\d)")
_DURATION = re.compile(
    r"(?:(?P<h>\d+) ?(?:h(?:ours?)?\b|小时)(?: ?(?:and )?(?P<m>\d+) ?(?:min(?:utes?)?\b|分钟))?"
    r"|(?P<only>\d+) ?(?:min(?:utes?)?\b|分钟)|(?P<days>\d+) ?(?:days?\b|天))"
)
_RANGE = re.compile(
    rf"(?:between |from )?(?P<low>-?\d+(?:\.\d+)?) ?(?:to|and|-|\u2013|至) ?(?P<high>\d+(?:\.\d+)?)"
    rf"(?P<unit> ?(?:{UNIT}))?",
)
_COUNT = re.compile(r"(?P<n>\d+) ?(?:inputs?|items?|项)[^,;)。]{0,12}?(?:missing|缺失)")
_VALUE = rf"(?P<sign>[<>≤≥]?) ?(?P<value>[+-]?\d+(?:\.\d+)?)(?P<unit>[ -]?(?:{UNIT}))?"
_NUMBER = re.compile(rf"(?<![\w./+-])(?<!\d,){_VALUE}(?![\w]|\.\d)")
_NUMBER_ZH = re.compile(rf"(?<![\d./+A-Za-z-])(?<!\d,){_VALUE}(?!\d|\.\d)")
_NO_CLAIM = re.compile(
    r"\d+(?:-|\s)week|\d+周|\d+(?:-|\s)day (?:MACE|death)|\d{2}th percentile|\d+-lead"
    r"|0/[123][ -]?(?:h(?:our)?|小时)|\bat 0 h and [23] h\b|(?<![\w.])s\d+:"
)


@dataclass(frozen=True)
class Mark:
    """Something named at a place of a sentence.

    Args:
        kind: What sort.
        key: Which one; the text itself for numbers and times.
        start, end: Where.
        parts: Named pieces: value, unit, sign, low, high.
    """

    kind: Kind
    key: str
    start: int
    end: int
    parts: Mapping[str, str]


def plain(text: str) -> str:
    """Return a text with one form of every character and no invisible ones."""
    shown = unicodedata.normalize("NFKC", text)
    return "".join(c for c in shown if unicodedata.category(c) not in ("Cf", "Cc") or c == "\n")


def marks_of(text: str) -> list[Mark]:
    """Return the marks of a plain text in order; of two that overlap, the earlier, longer one."""
    found = sorted(_all(text), key=lambda m: (m.start, -(m.end - m.start), m.kind != "score"))
    kept: list[Mark] = []
    for mark in found:
        if not kept or mark.start >= kept[-1].end:
            kept.append(mark)
    return kept


def _all(text: str) -> Iterator[Mark]:
    tables: tuple[tuple[Mapping[str, str], Kind], ...] = (
        (SCORES, "score"),
        (ANALYTES, "analyte"),
        (DIAGNOSES, "diagnosis"),
        (CATEGORIES, "category"),
    )
    for names, kind in tables:
        yield from _named(text, names, kind)
    yield from _named(text, {key: pattern for key, (pattern, _) in ECG.items()}, "ecg")
    yield from _named(text, {key: pattern for key, (pattern, _) in FACTS.items()}, "fact")
    for sex, pattern in SEX.items():
        for match in pattern.finditer(text):
            yield Mark("sex", sex, match.start(), match.end(), {})
    for match in LEAD.finditer(text):
        yield Mark("lead", match.group(), match.start(), match.end(), {})
    yield from _measures(text)


def _named(text: str, names: Mapping[str, str], kind: Kind) -> Iterator[Mark]:
    for key, pattern in names.items():
        for match in re.finditer(pattern, text, re.IGNORECASE if kind != "score" else 0):
            yield Mark(kind, key, match.start(), match.end(), {"text": match.group()})


def _measures(text: str) -> Iterator[Mark]:
    """Yield times, ranges and numbers; what is only part of a name is blanked out first."""
    left = _NO_CLAIM.sub(lambda m: "#" * len(m.group()), text)
    patterns: tuple[tuple[re.Pattern[str], Kind], ...] = (
        (_MOMENT, "moment"),
        (_COUNT, "count"),
        (_DURATION, "duration"),
        (_RANGE, "range"),
        (_NUMBER_ZH if re.search(r"[\u4e00-\u9fff]", text) else _NUMBER, "number"),
    )
    for pattern, kind in patterns:
        for match in pattern.finditer(left):
            parts = {key: value for key, value in match.groupdict().items() if value is not None}
            yield Mark(kind, match.group(), match.start(), match.end(), parts)
        left = pattern.sub(lambda m: "#" * len(m.group()), left)
