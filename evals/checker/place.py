"""Where something is named in a sentence, and what is said around it."""

import re
from collections.abc import Sequence

from evals.checker.marks import Mark
from evals.checker.vocabulary import NEGATIONS, SCOPE_ENDS


class Place:
    """Where a mark stands."""

    def __init__(
        self,
        *,
        text: str,
        marks: Sequence[Mark],
        index: int,
        subject: Mark | None,
        ecg: Mark | None,
    ) -> None:
        self.text = text
        self.marks = marks
        self.index = index
        self.subject = subject
        self.ecg = ecg

    @property
    def mark(self) -> Mark:
        """The mark itself."""
        return self.marks[self.index]

    def negated(self) -> bool:
        """Return whether a negation before the mark reaches it, or one follows at once."""
        before = self.text[: self.mark.start]
        ends = [m.end() for m in SCOPE_ENDS.finditer(before)]
        scope = before[ends[-1] :] if ends else before
        after = self.text[self.mark.end : self.mark.end + 24]
        follows = re.match(
            r"\s*(?:(?:is|are|was|were)\s+)?(?:not (?:met|present|seen)|absent)|:?不存在", after
        )
        return bool(NEGATIONS.search(scope)) or follows is not None

    def near(self, pattern: re.Pattern[str], *, before: int = 60, after: int = 40) -> bool:
        """Return whether something is said around the mark, within its own statement."""
        left = re.split(
            r"[;。]|\.\s", self.text[max(0, self.mark.start - before) : self.mark.start]
        )
        right = re.split(r"[;。]|\.\s", self.text[self.mark.end : self.mark.end + after])
        return pattern.search(f"{left[-1]} \u241f {right[0]}") is not None
