"""The golden cases of the scores: one file each under ``tests/golden/scores``.

The expected points stand beside the arithmetic by hand; nothing in a file comes from the engine.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.finding import Finding
from knowledge.model import Frozen
from knowledge.quantity import Interval
from tests.tools.risk.given import Plain, given

FOLDER = Path(__file__).parents[2] / "golden" / "scores"


class Case(Frozen):
    """One case.

    Args:
        name: What it is about.
        set: What differs from the file's patient: a value, a span [low, high], None for unknown.
        points: The total; None for a rule and where it is a range.
        range: Lowest and highest total.
        band: The one category.
        bands: Every category still possible.
        missing: Inputs that are asked for.
        error: Whether the value is refused as impossible.
        by: The arithmetic by hand.
    """

    name: str
    set: Mapping[str, Any]
    points: float | None = None
    range: tuple[float, float] | None = None
    band: str | None = None
    bands: tuple[str, ...] = ()
    missing: tuple[str, ...] | None = None
    error: bool = False
    by: str


class Golden(Frozen):
    """The file of one score."""

    score: str
    source: str
    clear: Mapping[str, Any]
    cases: tuple[Case, ...]

    def findings(self, case: Case) -> dict[str, Finding]:
        """Return the findings of a case."""
        answers = {**self.clear, **case.set}
        return given(**{key: plain(value) for key, value in answers.items()})


def plain(value: Any) -> Plain | None:
    """Return an answer as `given` takes it; [low, high] is a span."""
    if isinstance(value, list | tuple):
        return Interval(low=value[0], high=value[1])
    found: Plain | None = value
    return found


@cache
def golden(score_id: str) -> Golden:
    """Return the golden cases of one score."""
    text = (FOLDER / f"{score_id}.yaml").read_text(encoding="utf-8")
    return Golden.model_validate(yaml.safe_load(text))


def ids() -> tuple[str, ...]:
    """Return the ids of the scores with a file, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def cases() -> Iterator[tuple[str, Case]]:
    """Yield every case with the id of its score."""
    for score_id in ids():
        yield from ((score_id, case) for case in golden(score_id).cases)
