"""Every nodule that somebody marked on a CT: measured once, compared, and what guidelines say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from knowledge.errors import ContractError, InputError
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.model import Frozen
from tools.imaging.ct.growth import Growth, ct_nodule_growth
from tools.imaging.ct.in_lungs import LungGate, lung_gate, nodule_in_lungs, same_lesion
from tools.imaging.ct.model import Point, Volume
from tools.imaging.ct.nodule import Measured, NoduleMeasure
from tools.imaging.ct.nodule_level import NoduleManagement, ct_nodule_management


class NoduleResult(Frozen):
    """What became of one seed.

    Args:
        seed_lps: The seed, mm.
        measure: None where nothing was measured.
        same_as: Number, from 1, of the earlier seed that lies in the same lesion; it is one nodule
            and measured there.
        growth: Against the earlier series, where one was given and could be compared.
        management: Guidelines, models and the suggested level.
        not_assessed: What there is not and why: ``nodule``, ``growth``.
    """

    seed_lps: Point
    measure: NoduleMeasure | None = None
    same_as: int | None = None
    growth: Growth | None = None
    management: NoduleManagement | None = None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Earlier:
    """An earlier series and the same nodules on it.

    Args:
        volume: The series.
        seeds: One for each seed of the later series, in their order.
        same_patient: Somebody who knows says that both are of one patient.
    """

    volume: Volume
    seeds: tuple[Point, ...]
    same_patient: bool = False


def marked_nodules(
    volume: Volume,
    gate: LungGate,
    seeds: Sequence[Point],
    answers: Mapping[str, Finding],
    earlier: Earlier | None,
) -> tuple[NoduleResult, ...]:
    """Return what became of each seed; two seeds in one lesion are one nodule.

    Args:
        volume: The series.
        gate: What places a nodule of it in the lungs.
        seeds: A point in each nodule.
        answers: What else is known, by clinical-input id.
        earlier: An earlier series with as many seeds.

    Raises:
        IdentityConflictError: The two series are not of one patient.
    """
    found = tuple(_each(volume, gate, seeds))
    before: tuple[Measured | int | NotAssessed, ...] = ()
    if earlier is not None and seeds:
        there = lung_gate(earlier.volume)
        before = tuple(_each(earlier.volume, there, earlier.seeds))
    made = []
    for place, (seed, one) in enumerate(zip(seeds, found, strict=True)):
        if isinstance(one, Measured):
            then = before[place] if before else None
            made.append(_result(seed, one.measure, then, answers, earlier))
        else:
            same = one if isinstance(one, int) else None
            reason = _same(one) if isinstance(one, int) else one
            made.append(NoduleResult(seed_lps=seed, same_as=same, not_assessed={"nodule": reason}))
    return tuple(made)


def why(error: InputError) -> NotAssessed:
    """Return a refusal as the reason of something that is not assessed."""
    kind = Why.OUTSIDE_CONTRACT if isinstance(error, ContractError) else Why.QUALITY
    return NotAssessed(why=kind, detail=f"{error.item}: {error.reason}")


def _each(
    volume: Volume, gate: LungGate, seeds: Sequence[Point]
) -> Iterator[Measured | int | NotAssessed]:
    """Yield for each seed its nodule, the number of the seed with the same one, or why none."""
    known: dict[int, Measured] = {}
    for number, seed in enumerate(seeds, start=1):
        try:
            one = nodule_in_lungs(volume, seed, gate)
        except InputError as error:
            yield why(error)
            continue
        same = next((n for n, other in known.items() if same_lesion(other, one)), None)
        if same is not None:
            yield same
            continue
        known[number] = one
        yield one


def _result(
    seed: Point,
    found: NoduleMeasure,
    before: Measured | int | NotAssessed | None,
    answers: Mapping[str, Finding],
    earlier: Earlier | None,
) -> NoduleResult:
    missing: dict[str, NotAssessed] = {}
    growth = None
    if earlier is not None and before is not None:
        growth = _growth(found, before, earlier, missing)
    return NoduleResult(
        seed_lps=seed,
        measure=found,
        growth=growth,
        management=ct_nodule_management(found, answers=dict(answers), growth=growth),
        not_assessed=missing,
    )


def _growth(
    found: NoduleMeasure,
    before: Measured | int | NotAssessed,
    earlier: Earlier,
    missing: dict[str, NotAssessed],
) -> Growth | None:
    if isinstance(before, int):
        missing["growth"] = NotAssessed(
            why=Why.CONFLICTING,
            detail=f"its seed on the earlier CT lies in the lesion of nodule {before}",
        )
        return None
    if isinstance(before, NotAssessed):
        detail = f"on the earlier CT: {before.detail}"
        missing["growth"] = before.model_copy(update={"detail": detail})
        return None
    try:
        return ct_nodule_growth(before.measure, found, same_patient=earlier.same_patient)
    except InputError as error:
        missing["growth"] = why(error)
        return None


def _same(number: int) -> NotAssessed:
    return NotAssessed(
        why=Why.CONFLICTING,
        detail=f"the same lesion as nodule {number}: marked twice, counted and measured once",
    )
