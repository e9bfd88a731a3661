"""What a term means where it stands in a note: said, denied, or not clearly either.

Rules over word lists (`knowledge/data/note_terms.yaml`), in the manner of NegEx (Chapman 2001): a
cue, the words between it and the term, and the sentence. Whatever the rules do not settle is
unclear, and a fact that rests on it is dropped; a false "unclear" costs a question to a person.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from knowledge.note_terms import Cues, InputTerms, note_terms, pattern, spans

Meaning = Literal["said", "denied", "unclear"]

_END = re.compile(r"[!;\u3002\uff01\uff1b]|\.(?=\s|$)")
"""A question mark ends nothing: what stands before it or behind it is in question."""
_HEADER = re.compile(r"^[ \t]*([A-Za-z\u4e00-\u9fff][^\n:\uff1a.]{0,50})[:\uff1a]", re.MULTILINE)
_CLAUSE_END = re.compile(r"[,;\uff0c\uff1b\n]")
_HARD_LINE = re.compile(
    r"[.:;!\u3002\uff1a\uff1b\uff01]\s*\n|\n\s*\n|\n\s*(?:[-*\u2022\u00b7]|\d+[.)])"
)

_MINUS = re.compile(r"\s?[-\u2013\u2212](?=[\s,;.)]|$)")
"""``HTN-``: a denial in shorthand, or a dash; not told apart."""

_FORMER = re.compile(r"\b(?:ex|former)[- ]?$", re.IGNORECASE)
_BOX = re.compile(r"\[\s*[xX]?\s*\]|[\u2610-\u2612]")
"""A form with boxes: which of them belongs to the term cannot be told from running text."""

_YES = re.compile(
    r"\s*[:=\uff1a]?\s*(?:yes\b|y\b|present\b|positive\b|\(?\+|\d|\u6709)", re.IGNORECASE
)
_TICK = re.compile(r"\s*[:=]\s*[0nN]\b|\s+[NY]\b|\s*[\u2713\u2714\u2717\u2718]")

_AFTER = 40
"""Characters behind a term in which its own denial may stand."""

_LONG_LIST = 120
"""Characters a list of denied things may be long before it is doubted."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a term means, and why where it is unclear."""

    meaning: Meaning
    because: str = ""


def meaning_at(text: str, start: int, end: int, row: InputTerms) -> Reading:
    """Return what the term at ``text[start:end]`` means for one clinical input.

    Args:
        text: The whole note.
        start: First character of the term.
        end: The character behind it.
        row: The word lists of the input: whether it speaks of the past or of relatives.
    """
    low, high = _sentence(text, start, end)
    before, after = text[low:start], text[end:high]
    cues = note_terms().cues
    # the words of the term itself are no cue: "previous MI" speaks of the past by itself
    around = f"{before} | {after}"
    doubt = next(_doubts(around, _header(text, start), row, cues), None)
    if doubt is None and (_FORMER.search(before) or _BOX.search(f"{before}{after}")):
        doubt = "said of the past, or as a form"
    if doubt is not None:
        return Reading(meaning="unclear", because=doubt)
    lead = _before(before, cues)
    tail = _after(after, cues)
    if "unclear" in (lead, tail) or (lead == "denied" and tail == "denied"):
        return Reading(meaning="unclear", because="not clear whether it is denied")
    if "denied" in (lead, tail) and (_YES.match(after) or spans(cues.but_after, after)):
        return Reading(meaning="unclear", because="denied for a part, or for another time")
    if "denied" in (lead, tail):
        return Reading(meaning="denied")
    if _half_denied(before, after, cues):
        return Reading(meaning="unclear", because="a denial in its clause that is not understood")
    return Reading(meaning="said")


def _doubts(around: str, header: str, row: InputTerms, cues: Cues) -> Iterator[str]:
    """Yield every reason for which the sentence is not a plain statement of now and this person."""
    both = pattern(cues.now).sub(" ", f"{header} : {around}")
    relatives = bool(spans(cues.family, both))
    if spans(cues.instruction, around):
        yield "reads like an instruction, not like a finding"
    if spans(cues.pseudo, around):
        yield "a denial that is none"
    if relatives and not row.family:
        yield "said of a relative"
    if row.family and not relatives:
        yield "names no relative"
    if spans(cues.other_person, around):
        yield "may be said of somebody else"
    if spans(cues.uncertain, both):
        yield "uncertain"
    if spans(cues.hypothetical, both):
        yield "said of what may happen, or as advice"
    if spans(cues.past, both) and not row.past_counts:
        yield "said of the past"


def _before(before: str, cues: Cues) -> Meaning:
    """Return what the words in front of a term do to it."""
    strong, weak = spans(cues.denies, before), spans(cues.no, before)
    if not strong and not weak:
        return "said"
    last = max(end for _, end in strong + weak)
    gap = before[last:]
    if spans(cues.ended, gap) and pattern(cues.between).sub("", gap).strip():
        return "said"
    if "\n" in gap or len(gap) > _LONG_LIST or spans(cues.broken, gap):
        return "unclear"
    if not gap.strip():
        return "denied"
    if not (_CLAUSE_END.search(gap) or spans(cues.list, gap)):
        return "unclear" if pattern(cues.between).sub("", gap).strip() else "denied"
    by_strong = any(end == last for _, end in strong)
    return "denied" if by_strong or _closed(gap, cues) else "unclear"


def _half_denied(before: str, after: str, cues: Cues) -> bool:
    """Return whether the clause of a term holds a denial that the other rules passed over."""
    own_before = before[_last_comma(before) :]
    ended = spans(cues.ended, own_before)
    own_before = own_before[max((end for _, end in ended), default=0) :]
    own_after = _own_clause(after)
    own = f"{own_before} | {own_after}"
    return bool(
        spans(cues.other_denial, own) or spans(cues.no, own_after) or _MINUS.match(own_after)
    )


def _closed(gap: str, cues: Cues) -> bool:
    """Return whether a list says that it is one: its last item follows an "or" or an "and"."""
    tail = gap[_last_comma(gap) :]
    return bool(spans(cues.list, tail))


def _last_comma(gap: str) -> int:
    found = [match.end() for match in _CLAUSE_END.finditer(gap)]
    return found[-1] if found else 0


def _after(after: str, cues: Cues) -> Meaning:
    """Return what the words behind a term, in its own clause, do to it."""
    own = _own_clause(after)[:_AFTER]
    found = pattern(cues.denied_after).search(own)
    if found is None:
        return "unclear" if _TICK.match(own) or spans(cues.but_after, own) else "said"
    return "unclear" if own[found.end() :].strip(" .):\uff1a\uff09") else "denied"


def _own_clause(after: str) -> str:
    end = _CLAUSE_END.search(after)
    return after[: end.start()] if end else after


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the sentence around a term; a line break ends it only where the lines say so."""
    lows = [match.end() for match in _END.finditer(text, 0, start)]
    lows += [match.end() for match in _HARD_LINE.finditer(text, 0, start)]
    high = _END.search(text, end)
    hard = _HARD_LINE.search(text, end)
    highs = [match.start() for match in (high, hard) if match is not None]
    return max(lows, default=0), min(highs, default=len(text))


def _header(text: str, start: int) -> str:
    """Return the nearest heading above a term: a section on relatives may be a page long."""
    found = [match.group(1) for match in _HEADER.finditer(text, 0, start)]
    return found[-1] if found else ""
