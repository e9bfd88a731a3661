"""Everything that is said of one chest film: the gate, and the measurements or why not."""

from collections.abc import Iterator

from pydantic import Field

from knowledge.codes import Coding, Concept
from knowledge.errors import ContractError
from knowledge.film_measurements import figures_in_words, limit
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.quantity import Quantity
from tools.imaging.film.fields import (
    Lungs,
    check_edge,
    check_lungs,
    ground_of,
    lungs_of,
    reaches_rim,
)
from tools.imaging.film.gate import film_gate
from tools.imaging.film.heart import check_walls, heart_ratio
from tools.imaging.film.look import look
from tools.imaging.film.model import Film, FilmFacts, FilmGate, HeartRatio, LungField, Measure
from tools.imaging.study import IMAGING
from tools.toolbox import Card, tool

VERSION = "1"
METHOD = f"chest-film measurement {VERSION}"
APPROXIMATE = "approximate: review the overlay"
NOT_LOOKED_FOR = NotAssessed(
    why=Why.NO_MODEL, detail="no validated model configured: no sign of disease is looked for"
)


class FilmReport(Frozen):
    """What is said of one film.

    Args:
        facts: What is known of it.
        gate: What is wrong or doubtful.
        fields: Outlines of the lung fields; empty where they were not accepted.
        ratio: The cardiothoracic ratio; None where it was not accepted.
        not_assessed: What there is not and why: ``lung-fields``, ``cardiothoracic-ratio``,
            ``signs``.
        cautions: What must be read with every value.
    """

    facts: FilmFacts
    gate: FilmGate
    fields: tuple[LungField, ...] = ()
    ratio: HeartRatio | None = None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    cautions: tuple[str, ...] = ()


CARD = Card(
    title="Gate of a chest film, lung fields and cardiothoracic ratio",
    group="imaging",
    topic="chest film",
    needs=("one frontal chest film of an adult: DICOM, PNG or JPEG",),
    refuses=(
        "lateral and oblique views, other body parts and modalities, animals, patients below 18",
        "inverted against its header, no grey values, truncated or undecodable pixels",
        "outlines that are not those of two lungs, cut off, or that change with their settings",
        "widths in mm: a projection magnifies, and spacing may be 0 or absent",
    ),
    limits=(
        f"Lung fields and ratio are {APPROXIMATE}. No accuracy against experts was measured.",
        "The ratio is held against its limit only on PA films of adults, and not near the limit.",
        "Rotation and inspiration are not assessed; both and AP or portable films widen the heart.",
    ),
    sources=("Danzer 1919",),
    accuracy=figures_in_words(),
    on_request=True,
    regulatory="device-function",
)


@tool(card=CARD, version=VERSION)
def chest_film(film: Film) -> FilmReport:
    """Return what may be measured on a chest film, and lung fields and cardiothoracic ratio.

    Args:
        film: The film.
    """
    return measured(film)


def checked(film: Film, *, device_functions: bool = True) -> FilmGate:
    """Return the gate of a film alone.

    Args:
        film: The film.
        device_functions: Whether the pixels may be looked at.
    """
    return film_gate(film.facts, look(film) if device_functions else None)


def measured(film: Film, *, device_functions: bool = True) -> FilmReport:
    """Return what is said of a film.

    Args:
        film: The film.
        device_functions: Off leaves everything that looks at pixels not assessed.
    """
    missing: dict[str, NotAssessed] = {"signs": NOT_LOOKED_FOR}
    gate = checked(film, device_functions=device_functions)
    fields: tuple[LungField, ...] = ()
    ratio = None
    if device_functions and "lung-fields" in gate.may:
        lungs, why, cut = _lungs(film)
        gate = film_gate(film.facts, look(film), cut_off=cut)
        if lungs is None:
            missing |= dict.fromkeys(("lung-fields", "cardiothoracic-ratio"), why or NOT_LOOKED_FOR)
        else:
            fields = lungs.fields()
            ratio = _ratio(lungs, gate, missing)
    else:
        missing["lung-fields"] = gate.refused["lung-fields"]
        missing["cardiothoracic-ratio"] = gate.refused["cardiothoracic-ratio"]
    return FilmReport(
        facts=film.facts,
        gate=gate,
        fields=fields,
        ratio=ratio,
        not_assessed=missing,
        cautions=tuple(_cautions(film.facts, ratio)) if fields else (),
    )


def findings_of(report: FilmReport) -> tuple[Finding, ...]:
    """Return a report as findings: the ratio or why not, and that no sign was looked for."""
    ratio, why = report.ratio, report.not_assessed
    signs = _finding(report, "chest-film-signs", "Signs on the chest film", why=why["signs"])
    name, words = "cardiothoracic-ratio", "Cardiothoracic ratio (approximate)"
    if ratio is None:
        return _finding(report, name, words, why=why[name]), signs
    flags = ("approximate", "not-confirmed", *(("ap-view",) if report.facts.view == "ap" else ()))
    value = Quantity(value=ratio.ratio, unit="1")
    found = _finding(report, name, words, value=value, flags=flags, note=_note(ratio))
    return found, signs


def _finding(
    report: FilmReport,
    code: str,
    text: str,
    *,
    why: NotAssessed | None = None,
    value: Quantity | None = None,
    flags: tuple[str, ...] = (),
    note: str = "",
) -> Finding:
    image = report.facts.image
    return Finding(
        concept=Concept(text=text, codings=(Coding(system=IMAGING, code=code),)),
        state=State.PRESENT if why is None else State.NOT_ASSESSED,
        not_assessed=why,
        value=value,
        time=image.time,
        method=METHOD,
        flags=flags,
        evidence=(image.evidence,),
        note=note,
    )


def _note(ratio: HeartRatio) -> str:
    if ratio.judged is not None and ratio.limit is not None:
        return f"{APPROXIMATE}; {ratio.judged} {ratio.limit:.2f}"
    why = ratio.why_not_judged.detail if ratio.why_not_judged is not None else ""
    return f"{APPROXIMATE}; not held against a limit: {why}"


def _lungs(film: Film) -> tuple[Lungs | None, NotAssessed | None, tuple[State, str] | None]:
    """Return the outlines, why they are not accepted, and whether they reach the edge."""
    try:
        found = lungs_of(ground_of(film))
        check_lungs(found)
    except ContractError as error:
        return None, _no(error.reason), _untold(error)
    try:
        check_edge(found)
    except ContractError as error:
        cut = (State.PRESENT, error.reason) if reaches_rim(found) else _untold(error)
        return None, _no(error.reason), cut
    try:
        check_walls(found)
    except ContractError as error:
        return None, _no(error.reason), _untold(error)
    return found, None, (State.ABSENT, "the outlined lung fields do not reach the edge")


def _untold(error: ContractError) -> tuple[State, str]:
    """Return that an outline which is not accepted says nothing of the edge."""
    return State.NOT_ASSESSED, f"no outline was accepted: {error.reason}"


def _ratio(lungs: Lungs, gate: FilmGate, missing: dict[str, NotAssessed]) -> HeartRatio | None:
    name: Measure = "cardiothoracic-ratio"
    if name not in gate.may:
        missing[name] = gate.refused[name]
        return None
    try:
        found = heart_ratio(lungs)
    except ContractError as error:
        missing[name] = _no(error.reason)
        return None
    why = gate.refused.get("ratio-against-limit")
    near = abs(found.ratio - limit("ratio_pa")) <= limit("ratio_margin")
    if why is None and near:
        why = NotAssessed(
            why=Why.QUALITY,
            detail=f"too near to {limit('ratio_pa'):.2f} for an approximate ratio",
        )
    if why is not None:
        return found.model_copy(update={"why_not_judged": why})
    side = "above" if found.ratio > limit("ratio_pa") else "below"
    return found.model_copy(update={"judged": side, "limit": limit("ratio_pa")})


def _no(reason: str) -> NotAssessed:
    return NotAssessed(why=Why.QUALITY, detail=reason)


def _cautions(facts: FilmFacts, ratio: HeartRatio | None) -> Iterator[str]:
    yield f"Lung fields and ratio are {APPROXIMATE}."
    if ratio is None:
        return
    if facts.view == "ap" or facts.bedside:
        yield (
            "AP or portable film: the heart is magnified, the ratio is not reliable "
            f"(a limit of {limit('ratio_ap'):.2f} is in use)."
        )
    if facts.view is None:
        yield "The view is not known: on an AP film the heart is magnified."
    if facts.age_years is None:
        yield "The age is not known: children have other limits."
    yield "Rotation and shallow inspiration widen the heart; neither is assessed."
