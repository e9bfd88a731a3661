"""Whether a sentence says that a finding is present, absent or open, clause by clause.

A predicate after a list is said of each of its members; a heading before a colon is said of all
that stand below it, over semicolons, until a clause says something of its own.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from evals.checker.marks import Mark
from evals.checker.vocabulary import NEGATIONS, SCOPE_ENDS

Said = Literal["present", "absent", "open"]

_FILLER = re.compile(
    r"\s+|[,、/()]|\b(?:and|or|nor|as|with|like|also|besides|too|together|both|all|each|is|are"
    r"|was|were"
    r"|has been|have been|had been|have|has|had|a|an|the|any|other|of the rules applied|well"
    r"|in turn"
    r"|equally|pain|could|can|be|been|did|does|do)\b|与|和|及|或|以及|均|都|皆|也|同样|为|呈|结果|检查",
    re.IGNORECASE,
)
_PREDICATES: tuple[tuple[Said, re.Pattern[str]], ...] = (
    (
        "open",
        re.compile(
            r"[:\s-]*(?:not (?:been |yet )*(?:assessed|known|determined|recorded|asked"
            r"|in the record)"
            r"|unknown|open\b|未评估|不详|未知|未确定|未询问|没有评估)",
            re.IGNORECASE,
        ),
    ),
    (
        "absent",
        re.compile(
            r"[:\s-]*(?:all |both )?(?:absent|denied|negative|free\b(?! of)|lacking|ruled out"
            r"|excluded|missing in"
            r"|not (?:met|occur|exist|present|seen|found|there|reported|a finding)"
            r"|no\b(?=\s*(?:[;,.]|$))"
            r"|not(?=\s*(?:[;,.]|$))|none\b|阴性|不存在|否认|没有|未见|无(?=\s*(?:[;,。.]|$)))",
            re.IGNORECASE,
        ),
    ),
    (
        "present",
        re.compile(
            r"[:\s-]*(?:all |both )?(?:present|known|positive|reported|recorded|documented"
            r"|confirmed"
            r"|met\b|seen\b|found\b|there\b|yes\b|阳性|存在|有(?=\s*(?:[;,。.]|$))|是(?=\s*(?:[;,。.]|$)))",
            re.IGNORECASE,
        ),
    ),
)
_HEADING = re.compile(
    r"^\s*(?:(?P<absent>absent|negative(?: for)?|denied|without|no|none of|not present"
    r"|阴性|无|否认|没有)"
    r"|(?P<open>not assessed|unknown|not known|open|未评估|不详|未知)"
    r"|(?P<present>present|positive(?: for)?|known|存在|阳性|有))\b\s*(?P<colon>:?)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[;。]|\.(?=\s|$)")
_NEITHER = re.compile(r"\bneither\b|既不|既无", re.IGNORECASE)
_OPEN_BEFORE = re.compile(
    r"(?:not (?:been )?(?:assessed|known|recorded)|unknown|未评估|不详|未知)"
    r"(?: \w+)?\s*:?[^;。:]*$",
    re.IGNORECASE,
)
_SHARED = re.compile(
    r"\b(absent|denied|negative|present|positive|unknown|not assessed),? (?:as|like|so) "
    r"(?:was|were|is|are|has been)? ?(?:the |any )?$",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:is|are|was|were|has|have|had|shows?|does|do|did|there|met|meets|he|she)\b|\d|:|有|示|见"
    r"|为|达|符合",
    re.IGNORECASE,
)


def said_of(text: str, marks: Sequence[Mark], index: int) -> Said:
    """Return what a sentence says of the finding at one of its marks."""
    mark = marks[index]
    after = _after(text, marks, index)
    before = _before(text, mark)
    if before is None and after is None:
        before = _carried(text, marks, mark)
    if before == "absent" and after == "present":
        return "absent"
    return after or before or "present"


def _after(text: str, marks: Sequence[Mark], index: int) -> Said | None:
    """Return the predicate that follows the list the mark is a member of."""
    place = marks[index].end
    members = {m.start: m.end for m in marks[index + 1 :] if m.kind in ("ecg", "fact", "lead")}
    while place < len(text):
        for said, pattern in _PREDICATES:
            if pattern.match(text, place):
                return said
        filler = _FILLER.match(text, place)
        if place in members:
            place = members[place]
        elif filler is not None:
            place = filler.end()
        else:
            return None
    return None


def _before(text: str, mark: Mark) -> Said | None:
    """Return what the words before the mark say of it, within their reach."""
    before = text[: mark.start]
    ends = [m.end() for m in SCOPE_ENDS.finditer(before)]
    scope = before[ends[-1] :] if ends else before
    shared = _SHARED.search(scope)
    if shared is not None:
        return next((said for said, p in _PREDICATES if p.fullmatch(shared[1])), None)
    told = [m.end() for _, p in _PREDICATES for m in p.finditer(scope) if _closed(scope[m.end() :])]
    scope = scope[max(told) :] if told else scope
    if _OPEN_BEFORE.search(scope):
        return "open"
    if _NEITHER.search(before[_clause_start(before) :]) or NEGATIONS.search(scope):
        return "absent"
    heading = _HEADING.match(before[_clause_start(before) :])
    return _named(heading) if heading is not None else None


def _closed(rest: str) -> bool:
    """Return whether a predicate is over: a comma or an "and" follows it."""
    return re.match(r"\s*(?:,|、|and\b|but\b|while\b)", rest) is not None


def _clause_start(before: str) -> int:
    ends = [m.end() for m in _BREAK.finditer(before)]
    return ends[-1] if ends else 0


def _named(match: re.Match[str]) -> Said:
    if match["absent"]:
        return "absent"
    return "open" if match["open"] else "present"


def _carried(text: str, marks: Sequence[Mark], mark: Mark) -> Said | None:
    """Return what a bare clause takes from its neighbours: a heading before, a predicate after."""
    bounds = [0, *(m.end() for m in re.finditer(r";", text)), len(text) + 1]
    clauses = [text[a : b - 1] for a, b in pairwise(bounds)]
    here = max(i for i, start in enumerate(bounds[:-1]) if start <= mark.start)
    if len(clauses) < 2 or _OWN.search(_bare(clauses[here])):
        return None
    for place in range(here - 1, -1, -1):
        heading = _HEADING.match(clauses[place])
        if heading is not None:
            return _named(heading)
        if _OWN.search(_bare(clauses[place])):
            return None
    for place in range(here + 1, len(clauses)):
        inside = [
            i
            for i, m in enumerate(marks)
            if bounds[place] <= m.start < bounds[place + 1] and m.kind in ("ecg", "fact")
        ]
        told = _after(text, marks, inside[0]) if inside else None
        if told is not None or _OWN.search(clauses[place]):
            return told
    return None


def _bare(clause: str) -> str:
    """Return a clause without a full stop and what follows it."""
    return re.split(r"[。]|\.(?=\s|$)", clause)[-1]
