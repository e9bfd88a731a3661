"""Whether troponin went the way a sentence says, worked out from the samples themselves."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from evals.checker.marks import Mark
from evals.checker.truth import Truth
from evals.checker.vocabulary import TROPONIN_RULES

Way = Literal["up", "down", "flat"]

_FLAT = (
    r"unchanged|(?:remain|stay|was|were|is|are)\w*\s+(?:stable|constant|the same|flat)|plateau\w*"
    r"|\bno (?:\w+ )?(?:change|difference)|(?:did|does|has) not change\w*|static"
    r"|无(?:明显|显著)?(?:变化|差异|改变)|未(?:见)?(?:明显)?变化|稳定|持平|不变"
)
_UP = (
    r"\brose\b|upwards?\b|worsen\w*|\bris(?:e|es|en|ing)\b|increas\w+|\bclimb\w*|\bgrew\b"
    r"|w(?:ent|as) up\b|\bdoubl\w+"
    r"|升至|升到|升高|上升|增高|增加|增至|增长|升为"
)
_DOWN = (
    r"\bfell\b|normali[sz]\w+|improv\w+|\bresolv\w+|\brecover\w+|downwards?\b|\bfall(?:s|en"
    r"|ing)?\b|declin\w+|decreas\w+|\bdrop\w*|\breduc\w+|\bhalv\w+"
    r"|(?:came|w(?:ent|as)) down\b|\blower(?:ed|ing)\b|降至|降到|下降|降低|减少|减至|回落|降为"
)
_WAYS: tuple[tuple[Way, re.Pattern[str]], ...] = (
    ("flat", re.compile(_FLAT, re.IGNORECASE)),
    ("up", re.compile(_UP, re.IGNORECASE)),
    ("down", re.compile(_DOWN, re.IGNORECASE)),
)
_NOT_SAID = re.compile(
    r"\bif\b|whether|can(?:not)? be (?:told|judged|seen)|should|\bmay\b|\bmight\b|watch|look for"
    r"|(?:ris\w+|fall\w*) (?:and/or|or|and) "
    r"(?:a )?(?:fall|ris)|是否|若|如果|升高或|下降或",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:\bnot?|n't|without(?: a| any)?|未(?:见)?|无|没有)\s*\w{0,6}\s*$")
_THAN = re.compile(r"(?P<way>higher|greater|more|lower|less|smaller) than|(?P<zh>高于|低于)")
_PAIR = re.compile(
    r"(?:from|由|从)\s*(\d+(?:\.\d+)?)(?:\s*ng/L)?\D{0,20}?(?:to|至|到|为)\s*(\d+(?:\.\d+)?)"
)


def wrong_way(text: str, marks: Sequence[Mark], truth: Truth) -> Iterator[str]:
    """Yield what is wrong with the way that a sentence says troponin went."""
    if not any(_troponin(mark) for mark in marks):
        return
    series = [sample.number.value for sample in truth.samples]
    for start, clause in _clauses(text):
        if _about(start, clause, marks) and not _NOT_SAID.search(clause):
            yield from _told(clause, series)
            yield from _pairs(clause, series)
            yield from _compared(start, clause, marks)


def _troponin(mark: Mark) -> bool:
    return mark.key == "troponin" or mark.key in TROPONIN_RULES


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    """Yield place and text of each statement: a point inside a number ends none."""
    start = 0
    for end in re.finditer(r"[;。]|\.(?=\s|$)|$", text):
        yield start, text[start : end.start()]
        start = end.end()


def _about(start: int, clause: str, marks: Sequence[Mark]) -> bool:
    """Return whether a statement is about troponin: nothing else that is measured is in it."""
    inside = [m for m in marks if start <= m.start < start + len(clause)]
    measured = [m for m in inside if m.kind in ("analyte", "score")]
    before = [m for m in marks if m.kind in ("analyte", "score") and m.start < start]
    spoken = measured or before[-1:]
    return bool(spoken) and all(_troponin(m) for m in spoken)


def _told(clause: str, series: Sequence[Decimal]) -> Iterator[str]:
    left = clause
    for way, pattern in _WAYS:
        for match in pattern.finditer(left):
            denied = _NEGATED.search(left[: match.start()]) is not None and way != "flat"
            if len(series) < 2:
                yield f"{match.group()}: one sample goes no way"
            elif denied is (way in _ways(series)):
                yield f"{match.group()}: troponin went {' and '.join(sorted(_ways(series)))}"
        left = pattern.sub(lambda m: "#" * len(m.group()), left)


def _ways(series: Sequence[Decimal]) -> set[Way]:
    """Return each way that troponin went between two samples, one after the other."""
    steps = list(pairwise(series))
    found: set[Way] = set()
    for one, other in [*steps, (series[0], series[-1])]:
        found.add("flat" if one == other else "up" if other > one else "down")
    return found


def _pairs(clause: str, series: Sequence[Decimal]) -> Iterator[str]:
    """Yield pairs of values that are no two samples in this order."""
    for match in _PAIR.finditer(clause):
        one, other = Decimal(match[1]), Decimal(match[2])
        places = [
            (i, j)
            for i, a in enumerate(series)
            for j, b in enumerate(series)
            if (a, b) == (one, other)
        ]
        if not any(i < j for i, j in places):
            yield f"{match.group()}: not in this order"


def _compared(start: int, clause: str, marks: Sequence[Mark]) -> Iterator[str]:
    """Yield comparisons that do not hold between the two numbers that they stand between."""
    for match in _THAN.finditer(clause):
        here = start + match.start()
        numbers = [m for m in marks if m.kind == "number" and "ng" in m.parts.get("unit", "")]
        before = [m for m in numbers if start <= m.start < here]
        after = [m for m in numbers if here < m.start < start + len(clause)]
        if before and after:
            one, other = (Decimal(m.parts["value"]) for m in (before[-1], after[0]))
            higher = match["way"] in ("higher", "greater", "more") or match["zh"] == "高于"
            if (one > other) is not higher:
                yield f"{one:f} {match.group()} {other:f}"
