"""The gate: what is wrong or doubtful with a film, and what may be measured on it.

Every item is worded so that `present` is the defect. Nothing is assumed: what neither header nor
pixels nor a person say is not assessed, and so is light and dark on what is no frontal chest film.
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
    "not-human": "An animal",
    "not-a-chest": "Another part of the body than the chest",
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
    "no-scale": "Pixel spacing missing or 0",
    "turned": "Turned or mirrored picture",
    "text-in-picture": "Text about the patient in the picture",
    "saturated": "Grey values lost at an end of the scale",
    "cut-off": "A lung field cut off by the edge",
    "rotation": "Rotated patient",
    "inspiration": "Shallow inspiration",
}
_SPACING = {"spacing-zero": "stated as 0 mm", "spacing-missing": "none"}
_UNMEASURED = "no validated method: look at the clavicles and the spinous processes"
_RIBS = "no validated method: count the ribs"
_NO_MODALITY = "the modality is not stated"


def film_gate(
    facts: FilmFacts, seen: Look | None, *, cut_off: tuple[State, str] | None = None
) -> FilmGate:
    """Return the gate of a film.

    Args:
        facts: What is known of it.
        seen: What its grey values show; None where looking is switched off.
        cut_off: Whether a lung field reaches the edge, where one was outlined, and what was seen;
            not assessed with the reason where no outline was accepted.
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
    if not facts.picture and not facts.modality:
        for measure in ALL:
            refused.setdefault(measure, NotAssessed(why=Why.MISSING, detail=_NO_MODALITY))
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
        yield _unknown_item("not-a-film", "a picture without a header")
        yield _unknown_item("not-human", "a picture without a header")
        yield _unknown_item("not-a-chest", "a picture without a header")
    else:
        if facts.modality:
            other = facts.modality not in known.modalities.words
            detail = f"modality {facts.modality.upper()}"
            yield _item("not-a-film", other, detail, "header", ALL)
        else:
            yield _unknown_item("not-a-film", _NO_MODALITY)
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
        yield _unknown_item("captured", "a picture without a header")
    else:
        yield _item("captured", facts.captured, "", "header")


def _no_frontal_chest(facts: FilmFacts) -> str:
    """Return what says that the middle of the picture is not that of a frontal chest film."""
    known = film_measurements()
    if facts.picture:
        return ""
    if facts.modality not in known.modalities.words:
        return f"modality {facts.modality.upper()}" if facts.modality else _NO_MODALITY
    if facts.body_part and facts.body_part not in known.chest.words:
        return f"body part {facts.body_part}"
    return f"view {facts.view.upper()}" if facts.view in ("lateral", "oblique") else ""


def _projection(facts: FilmFacts) -> Iterator[GateItem]:
    told = facts.told.get("view", "header")
    why = "a picture without a header" if facts.picture else "the view is not stated"
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
        detail = f"stated as {facts.bedside}"
        yield _item("bedside", True, detail, "header", _JUDGED)
    else:
        yield _unknown_item(
            "bedside", "not stated" if not facts.picture else "a picture without a header"
        )
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
        yield _unknown_item("stored-inverted", "a picture without a header")
    else:
        stored = facts.photometric == "MONOCHROME1" or facts.inverse_shape
        detail = f"{facts.photometric}; turned round before anything is measured" if stored else ""
        yield _item("stored-inverted", stored, detail or facts.photometric, "header")
    if seen is None:
        yield _item_off("inverted")
    elif why := _no_frontal_chest(facts):
        yield _unknown_item("inverted", f"told on frontal chest films only: {why}")
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
        yield _unknown_item("windows", "how grey values were made from the film's is not stated")
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
        yield _item("no-scale", True, "a picture states none; no width is given in mm", "nobody")
    else:
        missing = [_SPACING[code] for code in _SPACING if code in codes]
        detail = missing[0] if missing else "that of the detector, and a projection magnifies"
        yield _item("no-scale", bool(missing), f"{detail}; no width is given in mm", "header")
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
        if state is State.NOT_ASSESSED:
            yield _unknown_item("cut-off", detail, told="pixels")
        else:
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
