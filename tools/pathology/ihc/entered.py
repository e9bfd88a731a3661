"""What a pathologist counts or estimates on a stain, put into the words of a report form.

HER2 and PD-L1 are not graded by a machine here: these functions only apply the published
definitions to numbers that a person entered.
"""

import itertools
from typing import Annotated

from pydantic import Field

from knowledge.errors import InvalidValueError
from knowledge.finding import NotAssessed, Why
from knowledge.ihc_measurements import limit
from knowledge.model import Frozen
from tools.toolbox import Card, tool

Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]


class MembranePattern(Frozen):
    """Pattern of the membrane stain for HER2.

    Args:
        pattern: Answer of the item ``her2_membrane`` of the breast report; None where open.
        possible: Every answer that is possible.
        not_assessed: Why it is open.
        missing: What was not entered and could decide.
    """

    pattern: str | None = None
    possible: tuple[str, ...]
    not_assessed: NotAssessed | None = None
    missing: tuple[str, ...] = ()


class PdL1Score(Frozen):
    """Scores of PD-L1 from counts.

    Args:
        tumour_cells: Viable tumour cells that were counted.
        tps_percent: Tumour proportion score, %; None where not assessed.
        cps: Combined positive score, at most 100; None where not assessed.
        not_assessed: What was not stated and why, by name.
    """

    tumour_cells: int
    tps_percent: float | None = None
    cps: float | None = None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)


@tool(
    card=Card(
        title="Pattern of HER2 membrane stain from what a pathologist entered",
        group="pathology",
        topic="immunohistochemistry",
        needs=(
            "shares of invasive tumour cells by completeness and intensity, from a pathologist",
        ),
        refuses=("shares above 100 % together",),
        limits=("It gives a pattern of the breast report; the pathologist grades.",),
        sources=("10.1200/JCO.2018.77.8738",),
        on_request=True,
    ),
    version="1",
)
def her2_membrane_pattern(
    *,
    strong_complete: Percent | None = None,
    weak_complete: Percent | None = None,
    faint_incomplete: Percent | None = None,
) -> MembranePattern:
    """Return the pattern of HER2 membrane stain (ASCO/CAP 2018) for entered shares of cells, %.

    Args:
        strong_complete: Complete and intense.
        weak_complete: Complete and weak to moderate.
        faint_incomplete: Incomplete and faint or barely perceptible.

    Raises:
        InvalidValueError: More than 100 % together, or a share that is none.

    Examples:
        >>> her2_membrane_pattern(strong_complete=15).pattern
        'strong-complete-gt10'
        >>> her2_membrane_pattern(strong_complete=0, weak_complete=0).possible
        ('none', 'faint-le10', 'faint-gt10')
    """
    given = {
        "strong_complete": strong_complete,
        "weak_complete": weak_complete,
        "faint_incomplete": faint_incomplete,
    }
    known = [share for share in given.values() if share is not None]
    if any(not 0 <= share <= 100 for share in known) or sum(known) > 100:
        raise InvalidValueError("HER2 shares", "are no shares of one whole", "estimate them again")
    edge, room = limit("her2_extent"), 100 - sum(known)
    tried = [
        (share,) if share is not None else tuple(v for v in (0, edge, edge + 1) if v <= room)
        for share in given.values()
    ]
    found = {_pattern(*shares) for shares in itertools.product(*tried) if sum(shares) <= 100}
    possible = tuple(p for p in _ORDER if p in found)
    if len(possible) == 1:
        return MembranePattern(pattern=possible[0], possible=possible)
    missing = tuple(name for name, share in given.items() if share is None)
    return MembranePattern(
        pattern=None,
        possible=possible,
        missing=missing,
        not_assessed=NotAssessed(
            why=Why.MISSING,
            detail="not entered: " + ", ".join(m.replace("_", " ") for m in missing),
        ),
    )


_ORDER = (
    "none", "faint-le10", "faint-gt10", "weak-complete-gt10", "strong-complete-le10",
    "strong-complete-gt10", "other",
)  # fmt: skip


def _pattern(strong: float, weak: float, faint: float) -> str:
    edge = limit("her2_extent")
    for share, above, below in (
        (strong, "strong-complete-gt10", ""),
        (weak, "weak-complete-gt10", ""),
        (strong, "strong-complete-gt10", "strong-complete-le10"),
        (weak, "weak-complete-gt10", "other"),
        (faint, "faint-gt10", "faint-le10"),
    ):
        if share > edge:
            return above
        if share > 0 and below:
            return below
    return "none"


@tool(
    card=Card(
        title="PD-L1 scores (TPS, CPS) from counts",
        group="pathology",
        topic="immunohistochemistry",
        needs=("counts of viable tumour cells and of stained cells, from a pathologist",),
        refuses=("more stained than counted tumour cells", "fewer than 100 viable tumour cells"),
        limits=(
            "A score says nothing without its assay, tumour and drug: report pathology_pd_l1.",
        ),
        sources=("PD-L1 scoring, recalled",),
        on_request=True,
    ),
    version="1",
)
def pd_l1_score(
    tumour_cells: Count,
    *,
    stained_tumour_cells: Count | None = None,
    stained_immune_cells: Count | None = None,
) -> PdL1Score:
    """Return TPS and CPS of counted cells.

    Args:
        tumour_cells: Viable tumour cells.
        stained_tumour_cells: Of them with a partial or complete membrane stain of any intensity.
        stained_immune_cells: Stained lymphocytes and macrophages.

    Raises:
        InvalidValueError: Counts below 0, or more stained tumour cells than tumour cells.

    Examples:
        >>> found = pd_l1_score(200, stained_tumour_cells=10, stained_immune_cells=20)
        >>> found.tps_percent, found.cps
        (5.0, 15.0)
    """
    given = [n for n in (tumour_cells, stained_tumour_cells, stained_immune_cells) if n is not None]
    if any(n < 0 for n in given) or (stained_tumour_cells or 0) > tumour_cells:
        raise InvalidValueError("PD-L1 counts", "are no counts of one field", "count again")
    least = limit("pd_l1_cells_min")
    if tumour_cells < least:
        few = NotAssessed(
            why=Why.QUALITY, detail=f"{tumour_cells} viable tumour cells; at least {least:g}"
        )
        return PdL1Score(tumour_cells=tumour_cells, not_assessed={"tps": few, "cps": few})
    missing: dict[str, NotAssessed] = {}
    tps = cps = None
    if stained_tumour_cells is None:
        lost = NotAssessed(why=Why.MISSING, detail="stained tumour cells were not counted")
        missing = {"tps": lost, "cps": lost}
    else:
        tps = round(100 * stained_tumour_cells / tumour_cells, 1)
    if stained_tumour_cells is not None and stained_immune_cells is None:
        missing["cps"] = NotAssessed(
            why=Why.MISSING, detail="stained immune cells were not counted"
        )
    elif stained_tumour_cells is not None and stained_immune_cells is not None:
        stained = stained_tumour_cells + stained_immune_cells
        cps = round(min(limit("cps_max"), 100 * stained / tumour_cells), 1)
    return PdL1Score(tumour_cells=tumour_cells, tps_percent=tps, cps=cps, not_assessed=missing)
