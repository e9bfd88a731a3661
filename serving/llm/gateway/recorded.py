"""What was recorded of shadow requests, added up."""

from collections import defaultdict
from pathlib import Path
from statistics import median

from pydantic import NonNegativeFloat, NonNegativeInt, ValidationError

from agent.llm.pool.opening import SHADOW_FILE
from agent.llm.pool.shadow import Comparison
from knowledge.errors import UnavailableError
from knowledge.model import Frozen


class ShadowSummary(Frozen):
    """The shadow requests of one candidate beside one model.

    Args:
        candidate, model: Names.
        same, differs, failed: How many.
        fields_same, fields: Leaves of structured answers, equal ones and all.
        seconds, candidate_seconds: Medians of the answers that were compared.
    """

    candidate: str
    model: str
    same: NonNegativeInt = 0
    differs: NonNegativeInt = 0
    failed: NonNegativeInt = 0
    fields_same: NonNegativeInt = 0
    fields: NonNegativeInt = 0
    seconds: NonNegativeFloat | None = None
    candidate_seconds: NonNegativeFloat | None = None


def shadow_summary(data_dir: Path) -> tuple[ShadowSummary, ...]:
    """Return what was recorded, by candidate and model; nothing where nothing was.

    Raises:
        UnavailableError: The record cannot be read, or a line of it is none.
    """
    try:
        lines = (data_dir / SHADOW_FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UnavailableError(SHADOW_FILE, f"cannot be read: {error.strerror}") from error
    found: dict[tuple[str, str], list[Comparison]] = defaultdict(list)
    for number, line in enumerate(lines, 1):
        try:
            one = Comparison.model_validate_json(line)
        except ValidationError as error:
            raise UnavailableError(
                f"{SHADOW_FILE}, line {number}", "is no comparison", "take it out or move the file"
            ) from error
        found[one.candidate.name, one.model.name].append(one)
    return tuple(_added(*names, found[names]) for names in sorted(found))


def _added(candidate: str, model: str, rows: list[Comparison]) -> ShadowSummary:
    compared = [row for row in rows if row.candidate_seconds is not None]
    return ShadowSummary(
        candidate=candidate,
        model=model,
        same=sum(row.verdict == "same" for row in rows),
        differs=sum(row.verdict == "differs" for row in rows),
        failed=sum(row.verdict == "failed" for row in rows),
        fields_same=sum(row.fields_same or 0 for row in rows),
        fields=sum(row.fields or 0 for row in rows),
        seconds=round(median(row.seconds for row in compared), 3) if compared else None,
        candidate_seconds=round(median(row.candidate_seconds or 0.0 for row in compared), 3)
        if compared
        else None,
    )
