"""What a plugged multiple-instance model makes of a slide, and where its weights lie."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import rankdata

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from tools.models.loaded import LoadedModel
from tools.models.result import ModelResult
from tools.models.run import ask
from tools.pathology.slide.embed import Embedded, EmbedReport

MEANS = (
    "Bright: tiles that weigh most in the model's answer, by rank. "
    "No probability, no finding, no outline of a tumour."
)

NO_MAP = "There is no map: nothing is said of where in the slide the answer comes from."
_EQUAL = 1e-6
"""Weights that differ by less than this share of the largest are the same: rounding of float32."""


class TopTile(Frozen):
    """One of the tiles with the largest weights.

    Args:
        x, y, side: Upper left corner and side in pixels of the slide's first level.
        weight: As the model gave it.
    """

    x: int
    y: int
    side: int
    weight: float


class HeatReport(Frozen):
    """The answer of a multiple-instance model about a slide.

    Args:
        result: Its scores, model and provenance.
        vectors: What the answer rests on: tiles, those left out, pixel size, stains.
        top: The tiles that weigh most.
        not_assessed: ``map`` where the model gives no weights, or the same to every tile.
        means: What the map shows.
    """

    result: ModelResult
    vectors: EmbedReport
    top: tuple[TopTile, ...] = ()
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    means: str = MEANS


@dataclass(frozen=True, kw_only=True, eq=False)
class Heat:
    """A report with its map.

    Args:
        report: See there.
        ranks: (rows, columns) of the plan's grid: 0 to 1 by rank of the weight, NaN where
            there is no vector; None where the model gives no weights.
    """

    report: HeatReport
    ranks: NDArray[np.float64] | None = field(repr=False)


def heat_of(model: LoadedModel, embedded: Embedded, *, top: int = 10) -> Heat:
    """Return what a multiple-instance model says of the vectors of a slide.

    Args:
        model: With ``embedding_of`` naming the model that made the vectors.
        embedded: All vectors of the slide.
        top: How many of the tiles with the largest weights are listed.

    Raises:
        ContractError: The vectors are unfinished, there is none, or they are of another model.
    """
    bag = embedded.bag
    if bag is None:
        reason = (
            "no tile has a vector" if embedded.report.finished else "its vectors are unfinished"
        )
        raise ContractError(embedded.report.file, reason, "run `epicrisis slide embed` again")
    result = ask(model, bag).result
    plan, weights = embedded.plan, np.array(result.attention)
    side = plan.side_first
    # The weights stand in the map and the list; a slide has thousands of them.
    short = result.model_copy(update={"attention": ()})
    if not weights.size:
        return _without_map(short, embedded, f"{model.contract.name} gives no weights")
    if np.ptp(weights) <= _EQUAL * float(np.abs(weights).max()):
        detail = f"{model.contract.name} gives every tile the same weight: none weighs most"
        return _without_map(short, embedded, detail)
    ranks = np.full(plan.grid, np.nan)
    share = (rankdata(weights) - 0.5) / len(weights)
    places = [plan.places[int(n)] for n in embedded.part.numbers]
    for (row, column), value in zip(places, share, strict=True):
        ranks[row, column] = value
    best = np.argsort(-weights, kind="stable")[:top]
    listed = tuple(
        TopTile(
            x=round(places[i][1] * side), y=round(places[i][0] * side), side=round(side),
            weight=float(weights[i]),
        )
        for i in best
    )  # fmt: skip
    report = HeatReport(result=short, vectors=embedded.report, top=listed)
    return Heat(report=report, ranks=ranks)


def _without_map(result: ModelResult, embedded: Embedded, detail: str) -> Heat:
    missing = NotAssessed(why=Why.MISSING, detail=detail)
    report = HeatReport(
        result=result, vectors=embedded.report, not_assessed={"map": missing}, means=NO_MAP
    )
    return Heat(report=report, ranks=None)
