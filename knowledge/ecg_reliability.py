"""How far an ECG statement may be trusted, by what was measured on labelled recordings."""

from collections.abc import Iterable
from enum import StrEnum

from knowledge.ecg_accuracy import StatementAccuracy, ecg_accuracy_table
from knowledge.ecg_criteria import ecg_criteria
from knowledge.wilson import wilson


class Grade(StrEnum):
    """What the measurement says."""

    GOOD = "good"
    LIMITED = "limited"
    FEW = "few labelled recordings"
    NOT_MEASURED = "not measured"


def grade(code: str) -> Grade:
    """Return the grade of one statement: its counts on all labelled recordings together.

    Recordings with electrodes exchanged by formula count as labelled.

    Args:
        code: Key of the criteria file's `statements`.
    """
    rule, rows = ecg_criteria().reliability, measured(code)
    labelled = sum(row.tp + row.fn for row in rows)
    if labelled == 0:
        return Grade.NOT_MEASURED
    if labelled < rule.positives_from:
        return Grade.FEW
    bounds = {
        "sensitivity": wilson(sum(row.tp for row in rows), labelled)[0],
        "specificity": _lowest_specificity(rows),
    }
    good = all(bounds[name] >= limit for name, limit in rule.good.items())
    return Grade.GOOD if good else Grade.LIMITED


def measured(code: str) -> tuple[StatementAccuracy, ...]:
    """Return the rows of one statement, one for each set of labelled recordings."""
    return tuple(row for row in ecg_accuracy_table().statements if row.statement == code)


def reliability_words(code: str) -> str:
    """Return the grade in words with its numbers, as a finding and a card show it."""
    rows = measured(code)
    if not rows:
        return "reliability not measured: no labelled recordings at hand"
    numbers = "; ".join(row.words for row in rows)
    return f"reliability {grade(code).value}: {numbers}"


def _lowest_specificity(rows: Iterable[StatementAccuracy]) -> float:
    absent = sum(row.tn for row in rows), sum(row.tn + row.fp for row in rows)
    return wilson(*absent)[0] if absent[1] else 0.0
