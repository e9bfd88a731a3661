"""A negation that punctuation cuts off from what it denies, so that the rest reads as a claim.

"Not. Decided" and "no; criterion present" are never written honestly. The one exception is a
negation that answers a finding named before it: "Diabetes: no; hypertension: yes".
"""

import re
from collections.abc import Iterator, Sequence

from evals.checker.marks import Mark

_TORN = re.compile(
    r"\b(?:(?P<verb>does|do|did|is|are|was|were|has|have|can|will|shall) ?)?"
    r"\b(?:not|n't|cannot)(?:\s*[.;:,!?]|\s+[-\u2013\u2014]\s)(?!\s*(?:however|so far|yet"
    r"|at present|though)\b)"
    r"|\b(?:no|without|neither|nor|never)(?:\s*[.;:,!?]|\s+[-\u2013\u2014]\s)"
    r"|(?:不能|尚未|并未|未能|未达|未见|没有|并无|否认|未|无|不)(?:到|可)?\s*[。.;:,]",
    re.IGNORECASE,
)
_ANSWER = re.compile(r"[\s:]*(?:均|都|皆|all|both|is|are|was|were)?\s*$", re.IGNORECASE)


def torn(text: str, marks: Sequence[Mark]) -> Iterator[str]:
    """Yield each negation that is cut off, as it is written."""
    for match in _TORN.finditer(text):
        if not _answers(text, match.start(), marks):
            yield match.group()


def _answers(text: str, start: int, marks: Sequence[Mark]) -> bool:
    """Return whether a finding stands directly before, so that the negation answers it."""
    before = [m for m in marks if m.kind in ("fact", "ecg") and m.end <= start]
    return bool(before) and _ANSWER.match(text[before[-1].end : start]) is not None
