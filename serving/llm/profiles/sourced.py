"""The base of every group of a profile: where its numbers come from, and how sure they are."""

from typing import Literal

from knowledge.model import Frozen

ReviewState = Literal["V", "C", "S", "R"]
"""``V`` run or counted on a real instance; ``C`` computed from other fields of the same file;
``S`` read in the published configuration file or in source code; ``R`` read elsewhere."""

REVIEW_WORDS: dict[str, str] = {
    "V": "run or counted here",
    "C": "computed",
    "S": "read in a configuration file or in source code",
    "R": "read elsewhere, not checked here",
}


class Sourced(Frozen):
    """A group of facts with one origin.

    Args:
        source: Key of the profile's `sources`; several are joined by a comma.
        review: How the facts were obtained.
    """

    source: str
    review: ReviewState

    @property
    def source_keys(self) -> tuple[str, ...]:
        """The keys of the profile's `sources`."""
        return tuple(key.strip() for key in self.source.split(","))


class NotKnown(Frozen):
    """A figure that cannot be given.

    Args:
        reason: Which field is missing, in words.
    """

    reason: str
