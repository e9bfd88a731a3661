"""The probability that a score's source attaches to an exact total: always called approximate."""

import itertools
import math
from collections.abc import Iterator, Mapping

from knowledge.quantity import Interval, format_number
from knowledge.reference import Review
from knowledge.rules import Answer, holds
from knowledge.score_rows import ProbabilityTable, Regression, Term
from knowledge.scores import Score


def approximate(score: Score, total: float, answers: Mapping[str, Answer]) -> Iterator[str]:
    """Yield one sentence for each probability the score's file holds.

    Args:
        score: The score; files without a table or regression yield nothing.
        total: The exact total.
        answers: The inputs; a regression is left out unless each of its terms is exact.
    """
    if score.table is not None:
        words = Review(tag=score.table.review).words
        yield f"Approximate {score.table.outcome}: {between(score.table, total)} ({words})."
    if score.regression is not None:
        chance = probability(score.regression, answers)
        if chance is not None:
            words = Review(tag=score.regression.review).words
            percent = format_number(float(f"{100 * chance:.2g}"))
            yield f"Approximate {score.regression.outcome}: {percent} % ({words})."


def between(table: ProbabilityTable, total: float) -> str:
    """Return the table's statement on a total; between two rows both are given, never a guess."""
    rows = sorted(table.rows, key=lambda row: row.points)
    if total <= rows[0].points:
        return f"about {format_number(rows[0].percent)} %"
    if total >= rows[-1].points:
        return f"at least {format_number(rows[-1].percent)} %"
    low, high = next((a, b) for a, b in itertools.pairwise(rows) if a.points <= total < b.points)
    if total == low.points:
        return f"about {format_number(low.percent)} %"
    return f"{format_number(low.percent)} to {format_number(high.percent)} %"


def probability(regression: Regression, answers: Mapping[str, Answer]) -> float | None:
    """Return the probability (0 to 1) of a logistic regression; None unless all is exact."""
    terms = [_value(term, answers) for term in regression.terms]
    known = [value for value in terms if value is not None]
    if len(known) < len(terms):
        return None
    return 1.0 / (1.0 + math.exp(-(regression.intercept + sum(known))))


def _value(term: Term, answers: Mapping[str, Answer]) -> float | None:
    if term.when is not None:
        truth = holds(term.when, answers)
        return None if truth is None else term.coefficient * truth
    answer = answers.get(term.input or "")
    if isinstance(answer, str):
        return term.coefficient * term.values[answer]
    if isinstance(answer, Interval) and answer.is_exact and answer.low is not None:
        return term.coefficient * answer.low
    return None
