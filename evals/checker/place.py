"""Where something is named in a sentence, and what is said around it."""

import re
from collections.abc import Sequence

from evals.checker.marks import Mark


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

    def near(self, pattern: re.Pattern[str], *, before: int = 60, after: int = 40) -> bool:
        """Return whether something is said around the mark, within its own statement."""
        left = re.split(
            r"[;。]|\.\s", self.text[max(0, self.mark.start - before) : self.mark.start]
        )
        right = re.split(r"[;。]|\.\s", self.text[self.mark.end : self.mark.end + after])
        return pattern.search(f"{left[-1]} \u241f {right[0]}") is not None
