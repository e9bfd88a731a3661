"""What a plugged model says, put into the slots of a form; a reader has to confirm it."""

from collections import defaultdict
from collections.abc import Iterable

from pydantic import AwareDatetime

from knowledge.finding import NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.reading_form import ReadingForm, Slot, reading_form
from tools.models.result import LabelScore, MaskPart, ModelResult
from tools.models.vocabulary import Code
from tools.readings.model import NOBODY, Reading, Said, Stated
from tools.readings.versions import edited


class Filled(Frozen):
    """A reading with what a model said.

    Args:
        reading: The next version; the same one where nothing was filled.
        filled: Items that were filled.
        kept: Items that a reader or a measurement had stated; they stay as they are.
        without_slot: Labels of the model that the form has no slot for.
    """

    reading: Reading
    filled: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    without_slot: tuple[str, ...] = ()


def from_model(reading: Reading, result: ModelResult, *, at: AwareDatetime) -> Filled:
    """Return a reading with a model's answers in the slots of its form.

    A label at or above its threshold is present, one below it is absent, as the model says; one
    that is undecided or has no threshold is not assessed. Where the model said nothing at all, the
    slots are not assessed with its reason.

    Args:
        reading: Not signed.
        result: Of `epicrisis model run`.
        at: When it ran.
    """
    form = reading_form(reading.form)
    said = Said(by="model", who=f"{result.model.id} {result.model.version}", at=at)
    found, unknown = _by_item(form, result)
    if result.not_assessed is not None:
        silent = Stated(state=State.NOT_ASSESSED, not_assessed=result.not_assessed, said=said)
        stated = {slot.item: silent for slot in form.slots}
    else:
        stated = {item: _stated(form, item, answers, said) for item, answers in found.items()}
    kept = [i for i in stated if not _free(reading.items.get(i, NOBODY))]
    filled = {item: answer for item, answer in stated.items() if item not in kept}
    return Filled(
        reading=edited(reading, filled, by=said) if filled else reading,
        filled=tuple(filled),
        kept=tuple(kept),
        without_slot=unknown,
    )


_Answer = tuple[Slot, LabelScore | MaskPart]


def _by_item(
    form: ReadingForm, result: ModelResult
) -> tuple[dict[str, list[_Answer]], tuple[str, ...]]:
    found: dict[str, list[_Answer]] = defaultdict(list)
    unknown = []
    parts: list[LabelScore | MaskPart] = [*result.scores, *result.boxes, *result.mask]
    for part in parts:
        slots = [slot for slot in form.slots if _fits(slot, part.label, part.code)]
        if not slots:
            unknown.append(part.label)
        for slot in slots:
            found[slot.item].append((slot, part))
    return found, tuple(dict.fromkeys(unknown))


def _fits(slot: Slot, label: str, code: Code | None) -> bool:
    if code is not None and slot.code is not None:
        return (code.system, code.code) == (slot.system, slot.code)
    return label.strip().lower().replace("_", " ") in slot.labels


def _free(given: Stated) -> bool:
    """Return whether a model may state the item: nobody has, or a model did."""
    return given.said is None or given.said.by == "model"


def _stated(form: ReadingForm, item_id: str, answers: Iterable[_Answer], said: Said) -> Stated:
    item = form.items[item_id]
    every = list(answers)
    masks = [part for _, part in every if isinstance(part, MaskPart)]
    if item.is_number:
        return _number(item.unit or "", masks, said)
    if masks:
        return _silent("a mask does not say whether the sign is there", said)
    scores = [(slot, part) for slot, part in every if isinstance(part, LabelScore)]
    positive = [(slot, part) for slot, part in scores if part.verdict == "at-or-above"]
    if item.kind in ("choice", "choices"):
        return _choice(item.kind, positive, said)
    if positive:
        best = max(part.probability or 0.0 for _, part in positive)
        calibrated = all(part.probability is not None for _, part in positive)
        sides = {slot.side for slot, _ in positive}
        side = sides.pop() if len(sides) == 1 else "both" if sides == {"left", "right"} else None
        return Stated(
            state=State.PRESENT,
            said=said,
            side=side if item.sided else None,
            certainty=best if calibrated else None,
        )
    if all(part.verdict == "below" for _, part in scores):
        return Stated(state=State.ABSENT, said=said)
    return _silent("; ".join(_undecided(part) for _, part in scores), said)


def _choice(kind: str, positive: list[tuple[Slot, LabelScore]], said: Said) -> Stated:
    answers = tuple(dict.fromkeys(slot.answer for slot, _ in positive if slot.answer))
    if not answers:
        return _silent("no answer reached its threshold", said)
    if len(answers) > 1 and kind == "choice":
        reason = NotAssessed(why=Why.CONFLICTING, detail="several answers reached their threshold")
        return Stated(state=State.NOT_ASSESSED, not_assessed=reason, said=said)
    return Stated(state=State.PRESENT, choices=answers, said=said)


def _number(unit: str, masks: list[MaskPart], said: Said) -> Stated:
    volumes = [part.volume_ml for part in masks if part.volume_ml is not None]
    if len(volumes) != 1 or unit not in ("mL", "cm3"):
        return _silent("the model gave no single volume", said)
    return Stated(state=State.PRESENT, number=volumes[0], unit=unit, said=said)


def _silent(detail: str, said: Said) -> Stated:
    reason = NotAssessed(why=Why.UNCONFIRMED, detail=detail)
    return Stated(state=State.NOT_ASSESSED, not_assessed=reason, said=said)


def _undecided(part: LabelScore) -> str:
    number = part.score if part.probability is None else part.probability
    return f"{part.label} {number:.2f}: {part.verdict}"
