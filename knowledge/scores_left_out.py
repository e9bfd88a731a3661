"""Published scores that are not offered, each with the reason and what there is instead."""

from collections.abc import Mapping
from functools import cache

from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.scores import score_ids


class LeftOut(Frozen):
    """One score.

    Args:
        name: As it is known.
        terms: Words of a question for it, as in ``chat_terms.yaml``.
        because: Why it is not offered.
        because_zh: The same in Chinese.
        instead: Ids of scores that are offered for the same question.
    """

    name: str
    terms: tuple[str, ...] = ()
    because: str
    because_zh: str
    instead: tuple[str, ...] = ()
    source: str
    review: str


class ScoresLeftOut(Table):
    """The whole file."""

    scores: Mapping[str, LeftOut]


@cache
def scores_left_out() -> ScoresLeftOut:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row cites no source, or names a score that there is not.
    """
    table = load("scores_left_out", ScoresLeftOut)
    for key, row in table.scores.items():
        table.cite(f"scores_left_out: {key}", row.source, row.review)
        if not set(row.instead) <= set(score_ids()):
            raise ReferenceDataError(f"scores_left_out.yaml: {key}", "`instead` is no score")
    return table
