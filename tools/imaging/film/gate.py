"""The gate: what is wrong or doubtful with a film, and what may be measured on it.

Every item is worded so that `present` is the defect. Nothing is assumed: what neither header nor
pixels nor a person say is not assessed.
"""

from collections.abc import Iterator

from knowledge.film_measurements import film_measurements, limit
from knowledge.finding import NotAssessed, State, Why
from tools.imaging.film.look import Look, polarity_is_clear
from tools.imaging.film.model import FilmFacts, FilmGate, GateItem, Measure, Told

ALL: tuple[Measure, ...] = ("lung-fields", "cardiothoracic-ratio", "ratio-against-limit")
_JUDGED: tuple[Measure, ...] = ("ratio-against-limit",)

SWITCHED_OFF = NotAssessed(
    why=Why.SWITCHED_OFF, detail="switched off (EPICRISIS_DEVICE_FUNCTIONS=true switches it on)"
)
_LABELS = {
    "not-a-film": "Another kind of image than a radiograph",
    "not-human": "Not of a human",
    "not-a-chest": "Not a chest",
    "colour": "A colour picture",
    "small": "Too few pixels",
    "empty": "Nothing on the picture",
    "captured": "A captured picture, not the film as the device made it",
    "lateral": "Lateral or oblique view",
    "ap": "AP view",
    "bedside": "Portable or supine",
    "child": "Patient below 18 years",
    "stored-inverted": "Stored inverted",
    "inverted": "Shown inverted: light and dark exchanged",
    "windows": "Several windows",
    "no-scale": "No usable pixel spacing",
    "turned": "Turned or mirrored picture",
    "text-in-picture": "Text about the patient in the picture",
    "saturated": "Grey values lost at an end of the scale",
    "cut-off": "A lung field cut off by the edge",
    "rotation": "Rotated patient",
    "inspiration": "Shallow inspiration",
}
_UNMEASURED = "no validated method: look at the clavicles and the spinous processes"
_RIBS = "no validated method: count the ribs"


def film_gate(
    facts: FilmFacts, seen: Look | None, *, cut_off: tuple[State, str] | None = None
) -> FilmGate:
    """Return the gate of a film.

    Args:
        facts: What is known of it.
        seen: What its grey values show; None where looking is switched off.
        cut_off: Whether a lung field reaches the edge, where one was outlined; and what was seen.
    """
    items = (
        *_kind(facts, seen),
        *_projection(facts),
        *_grey(facts, seen),
        *_place(facts, cut_off, off=seen is None),
    )
    refused: dict[Measure, NotAssessed] = {}
    for item in items:
        for measure in item.stops if item.state is State.PRESENT else ():
            refused.setdefault(
                measure, NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=item.detail or item.label)
            )
    if seen is None:
        refused = dict.fromkeys(ALL, SWITCHED_OFF)
    unknown = "; ".join(_unknown(facts))
    if unknown:
        refused.setdefault("ratio-against-limit", NotAssessed(why=Why.MISSING, detail=unknown))
    return FilmGate(items=items, may=tuple(m for m in ALL if m not in refused), refused=refused)


def _unknown(facts: FilmFacts) -> Iterator[str]:
    """Yield what must be known before a ratio is held against the limit of adults on PA films."""
    if facts.view is None:
        yield "the view is not known, and the limit is that of PA films"
    if facts.age_years is None:
        yield "the age is not known, and the limit is that of adults"


def _kind(facts: FilmFacts, seen: Look | None) -> Iterator[GateItem]:
    known = film_measurements()
    if facts.picture:
        yield _unknown_item("not-a-film", "a picture without a header: not known")
        yield _unknown_item("not-human", "a picture without a header: not known")
        yield _unknown_item("not-a-chest", "a picture without a header: not known")
    else:
        other = facts.modality not in known.modalities.words
        detail = f"modality {facts.modality.upper() or 'not stated'}"
        yield _item("not-a-film", other, detail, "header", ALL)
        yield _unknown_item(
            "not-human", "the header names no animal; that it is a human is not shown by that"
        )
        if facts.body_part:
            elsewhere = facts.body_part not in known.chest.words
            yield _item("not-a-chest", elsewhere, f"body part {facts.body_part}", "header", ALL)
        else:
            yield _unknown_item("not-a-chest", "the body part is not stated")
    coloured = 100 * facts.coloured
    yield _item(
        "colour", coloured > limit("colour_share"), f"{coloured:.1f} % coloured", "pixels", ALL
    )
    small = min(facts.rows, facts.columns) < limit("side_min")
    yield _item("small", small, f"{facts.columns} x {facts.rows} pixels", "pixels", ALL)
    if seen is None:
        yield _item_off("empty")
    else:
        yield _item("empty", seen.empty, "all pixels alike" if seen.empty else "", "pixels", ALL)
    if facts.picture:
        yield _unknown_item("captured", "a picture without a header: not known")
    else:
        yield _item("captured", facts.captured, "", "header")


def _projection(facts: FilmFacts) -> Iterator[GateItem]:
    told = facts.told.get("view", "header")
    why = "not known: a picture without a header" if facts.picture else "the view is not stated"
    if facts.view is None and facts.view_said:
        why = f"the view is written in an unknown way ({facts.view_said})"
    if facts.view is None:
        yield _unknown_item("lateral", why)
        yield _unknown_item("ap", why)
    else:
        words = f"view {facts.view.upper()}"
        yield _item("lateral", facts.view in ("lateral", "oblique"), words, told, ALL)
        yield _item("ap", facts.view == "ap", words, told, _JUDGED)
    if facts.bedside:
        detail = f"the header says {facts.bedside}"
        yield _item("bedside", True, detail, "header", _JUDGED)
    else:
        yield _unknown_item("bedside", "not stated" if not facts.picture else "not known")
    if facts.age_years is None:
        yield _unknown_item("child", "the age is not known")
    else:
        young = facts.age_years < limit("adult_from")
        detail = f"{facts.age_years:.0f} years"
        if young:
            detail += (
                f": made for adults; the limit of {limit('ratio_pa'):.2f} is not a child's "
                f"({limit('ratio_neonate'):.2f} is used for newborns)"
            )
        yield _item("child", young, detail, facts.told.get("age_years", "header"), ALL)


def _grey(facts: FilmFacts, seen: Look | None) -> Iterator[GateItem]:
    if facts.picture:
        yield _unknown_item("stored-inverted", "a picture without a header: not known")
    else:
        stored = facts.photometric == "MONOCHROME1" or facts.inverse_shape
        detail = f"{facts.photometric}; turned round before anything is measured" if stored else ""
        yield _item("stored-inverted", stored, detail or facts.photometric, "header")
    if seen is None:
        yield _item_off("inverted")
    elif seen.empty or not polarity_is_clear(seen):
        yield _unknown_item(
            "inverted", "the middle is neither clearly lighter nor darker", told="pixels"
        )
    else:
        inverted = seen.polarity < 0
        detail = (
            "the middle of the chest is darker than its sides, against what the file says"
            if inverted
            else "the middle of the chest is lighter than its sides"
        )
        yield _item("inverted", inverted, detail, "pixels", ALL)
    if facts.picture:
        yield _unknown_item("windows", "not known how grey values were made from the film's")
    else:
        detail = f"{facts.windows} in the file; none is used, what is measured is before any window"
        yield _item("windows", facts.windows > 1, detail, "header")
    if seen is None:
        yield _item_off("saturated")
    else:
        lost = seen.saturated > limit("saturated_share")
        detail = f"{seen.saturated:.1f} % of the body is at the {seen.end or 'same'} end"
        yield _item("saturated", lost, detail, "pixels", ("cardiothoracic-ratio", *_JUDGED))


def _place(facts: FilmFacts, cut_off: tuple[State, str] | None, *, off: bool) -> Iterator[GateItem]:
    codes = {p.code: p.detail for p in facts.image.problems}
    if facts.picture:
        yield _item("no-scale", True, "a picture states none: nothing is given in mm", "nobody")
    else:
        missing = codes.get("spacing-zero") or codes.get("spacing-missing")
        detail = missing or "stated at the detector; a projection magnifies: nothing is given in mm"
        yield _item("no-scale", missing is not None, detail, "header")
    if facts.orientation and len(facts.orientation) == 2:
        detail = f"patient orientation {' '.join(facts.orientation)}"
        if facts.turned:
            detail += f"; {facts.turned} before anything is measured"
        yield _item("turned", bool(facts.turned), detail, "header")
    else:
        yield _unknown_item(
            "turned", "the orientation is not stated: sides are those of the usual way"
        )
    if "burned-in" in codes:
        yield _item("text-in-picture", True, codes["burned-in"], "header")
    else:
        yield _unknown_item("text-in-picture", "not stated")
    if off:
        yield _item_off("cut-off")
    elif cut_off is None:
        yield _unknown_item("cut-off", "no lung fields were outlined", told="pixels")
    else:
        state, detail = cut_off
        yield _item("cut-off", state is State.PRESENT, detail, "pixels")
    yield _unknown_item("rotation", _UNMEASURED, told="nobody")
    yield _unknown_item("inspiration", _RIBS, told="nobody")


def _item(
    name: str, present: bool, detail: str, told: Told, stops: tuple[Measure, ...] = ()
) -> GateItem:
    return GateItem(
        id=name,
        label=_LABELS[name],
        state=State.PRESENT if present else State.ABSENT,
        detail=detail,
        told=told,
        stops=stops,
    )


def _unknown_item(name: str, detail: str, *, told: Told = "header") -> GateItem:
    return GateItem(
        id=name,
        label=_LABELS[name],
        state=State.NOT_ASSESSED,
        detail=detail,
        not_assessed=NotAssessed(why=Why.MISSING, detail=detail),
        told=told,
    )


def _item_off(name: str) -> GateItem:
    return GateItem(
        id=name,
        label=_LABELS[name],
        state=State.NOT_ASSESSED,
        detail=SWITCHED_OFF.detail,
        not_assessed=SWITCHED_OFF,
        told="nobody",
    )
