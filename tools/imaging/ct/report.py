"""Everything that is measured on one CT series, each value or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from knowledge.ct_measurements import MaskOf, errors_of, limit
from knowledge.errors import ContractError, InputError
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.model import Frozen
from tools.imaging.ct.agatston import Agatston, agatston
from tools.imaging.ct.aorta import AortaMeasures, aorta
from tools.imaging.ct.emphysema import LungMeasures, lung_measures
from tools.imaging.ct.given_mask import MaskGiven
from tools.imaging.ct.header_answers import with_header
from tools.imaging.ct.in_lungs import LungGate, lung_gate
from tools.imaging.ct.marked import Earlier, NoduleResult, marked_nodules, why
from tools.imaging.ct.model import Point, SeriesFacts, Volume
from tools.toolbox import Card, tool

NOT_LOOKED_FOR = NotAssessed(
    why=Why.NO_MODEL,
    detail="no validated model configured: nodules are not looked for and nothing else of what the "
    "images show is assessed",
)
_NOT_COMPARED = NotAssessed(
    why=Why.MISSING, detail="an earlier CT was given, and no seed: nothing was compared with it"
)


class CtReport(Frozen):
    """What was measured on one series.

    Args:
        series: What the headers say.
        lungs: Lung volume and emphysema index.
        nodules: One for each seed.
        agatston, aorta: Where a mask was given.
        not_assessed: What was not measured and why: ``lungs``, ``agatston``, ``aorta``,
            ``detection``, ``nodule-growth``.
        cautions: What must be read with every value.
    """

    series: SeriesFacts
    lungs: LungMeasures | None = None
    nodules: tuple[NoduleResult, ...] = ()
    agatston: Agatston | None = None
    aorta: AortaMeasures | None = None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Masks:
    """Masks that others made, on the voxels of the series.

    Args:
        calcium: Of the coronaries.
        aorta: Of the aorta.
        refused: Why one that was given is not used.
    """

    calcium: MaskGiven | None = None
    aorta: MaskGiven | None = None
    refused: Mapping[MaskOf, NotAssessed] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known of them."""
        given = (one for one in (self.calcium, self.aorta) if one is not None)
        return tuple(dict.fromkeys(note for one in given for note in one.notes))


CARD = Card(
    title="Measurements on one chest CT series",
    group="imaging",
    topic="chest CT",
    needs=(
        "the folder of one axial CT series",
        "for a nodule: a point in it (mm, LPS); for growth: an earlier series and a point there",
    ),
    refuses=(
        "gaps, duplicate or uneven slices, gantry tilt, mixed reconstructions, pixel spacing 0, "
        "truncated pixels, no Hounsfield scale",
        "another body part: lungs by volume, pair and attenuation; a nodule that does not lie in "
        "them",
        "a nodule that grows into pleura, wall or a vessel, a mass, slices above 3 mm; volume and "
        "type on slices above 1.5 mm",
        "patients below 18 years",
    ),
    limits=(
        "CT of adults in Hounsfield units. A nodule is marked by a person: none is looked for.",
        "Below 6 mm a part-solid nodule cannot be told, and may be measured as its solid core.",
        "The emphysema index depends on kernel, slice and inspiration, and is given with them.",
    ),
    sources=("10.1148/radiol.2017162894", "10.1148/radiol.2015141579"),
    accuracy=errors_of("nodule-diameter", "nodule-volume", "nodule-type", "lungs"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=CARD, version="1")
def ct_measurements_of_series(
    series: Volume,
    *,
    seeds: tuple[Point, ...] = (),
    answers: dict[str, Finding] | None = None,
) -> CtReport:
    """Return what is measured on one CT series: lungs, emphysema index, and each marked nodule.

    Args:
        series: The series.
        seeds: A point in each nodule, mm LPS.
        answers: What else is known, by clinical-input id, for guidelines and models.
    """
    return measured(series, seeds=seeds, answers=answers or {})


def measured(
    volume: Volume,
    *,
    seeds: Sequence[Point],
    answers: Mapping[str, Finding],
    earlier: Earlier | None = None,
    masks: Masks | None = None,
) -> CtReport:
    """Return what is measured on one series, with an earlier one and masks where given.

    Raises:
        ContractError: The patient is a child, or the seeds of the two series do not pair.
        IdentityConflictError: The two series are not of one patient.
    """
    _check_age(volume)
    if earlier is not None and len(earlier.seeds) != len(seeds):
        raise ContractError(
            "seeds",
            f"{len(seeds)} on the series and {len(earlier.seeds)} on the earlier one",
            "give the same nodules in the same order",
        )
    missing: dict[str, NotAssessed] = {"detection": NOT_LOOKED_FOR}
    if earlier is not None and not seeds:
        missing["nodule-growth"] = _NOT_COMPARED
    gate = lung_gate(volume)
    lung = _lungs(volume, gate, missing)
    known, conflicts = with_header(volume.facts, answers)
    nodules = marked_nodules(volume, gate, seeds, known, earlier)
    given = masks or Masks()
    return CtReport(
        series=volume.facts,
        lungs=lung,
        nodules=nodules,
        agatston=_agatston(volume, given, missing),
        aorta=_aorta(volume, given, missing),
        not_assessed=missing,
        cautions=(*_cautions(volume), *conflicts, *given.notes),
    )


def _check_age(volume: Volume) -> None:
    age = volume.facts.age_years
    if age is not None and age < limit("adult_from"):
        raise ContractError(
            "CT measurements", f"made for adults; the patient is {age:.0f}", "read the images"
        )


def _lungs(volume: Volume, gate: LungGate, missing: dict[str, NotAssessed]) -> LungMeasures | None:
    try:
        if gate.lungs is not None:
            return lung_measures(volume, gate.lungs)
        problem = gate.problem
    except InputError as error:
        problem = error
    if problem is not None:
        missing["lungs"] = why(problem)
    return None


def _agatston(volume: Volume, masks: Masks, missing: dict[str, NotAssessed]) -> Agatston | None:
    given = masks.calcium
    if given is None:
        none = NotAssessed(why=Why.MISSING, detail="no mask of the coronaries given")
        missing["agatston"] = masks.refused.get("calcium", none)
        return None
    try:
        return agatston(volume, given.mask, mask_of=given.mask_of)
    except InputError as error:
        missing["agatston"] = why(error)
        return None


def _aorta(volume: Volume, masks: Masks, missing: dict[str, NotAssessed]) -> AortaMeasures | None:
    given = masks.aorta
    if given is None:
        none = NotAssessed(why=Why.MISSING, detail="no mask of the aorta given")
        missing["aorta"] = masks.refused.get("aorta", none)
        return None
    try:
        return aorta(volume, given.mask, mask_of=given.mask_of)
    except InputError as error:
        missing["aorta"] = why(error)
        return None


def _cautions(volume: Volume) -> list[str]:
    facts = volume.facts
    found = list(facts.notes)
    if facts.age_years is None:
        found.append("the patient's age is not stated; the measurements are for adults")
    if facts.left_out:
        found.append(f"{len(facts.left_out)} files or series were left out")
    return found
