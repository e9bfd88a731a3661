"""A film's gate and measurements, put into the items of a chest-film reading that they answer.

A reader's word is never replaced. A sign that only eyes or a model could see is not assessed, with
that reason; software that looked at its edges never makes a sign absent.
"""

from collections.abc import Iterator

from pydantic import AwareDatetime

from knowledge.errors import ContractError, IdentityConflictError
from knowledge.film_measurements import limit
from knowledge.finding import NotAssessed, State, Why
from knowledge.reading_form import reading_form
from knowledge.reading_items import Item
from tools.imaging.film.model import FilmGate
from tools.imaging.film.report import APPROXIMATE, METHOD, NOT_LOOKED_FOR, FilmReport
from tools.readings.model import NOBODY, Reading, Said, Stated
from tools.readings.versions import edited

FORM = "chest_film"
_OPEN = NotAssessed(why=Why.QUALITY, detail="software cannot say that it is not so; look at it")


def with_film(reading: Reading, report: FilmReport, *, at: AwareDatetime) -> Reading:
    """Return the next version of a reading, with what gate and measurement answer.

    Args:
        reading: Of the form ``chest_film``, not signed, of the study the film belongs to.
        report: Of the film.
        at: When it was measured.

    Raises:
        ContractError: Another form, or a signed reading.
        IdentityConflictError: The film is not shown to be of the reading's study.
    """
    if reading.form != FORM:
        raise ContractError(f"reading {reading.id}", f"is of the form {reading.form}", FORM)
    _check_study(reading, report)
    said = Said(by="measurement", who=METHOD, at=at)
    answers = dict(_answers(report, said))
    changes = {}
    for name, item in reading_form(FORM).items.items():
        before = reading.items.get(name, NOBODY)
        if before.said is not None and before.said.by not in ("measurement",):
            continue
        stated = answers.get(name) or _no_model(item, said)
        if stated is not None:
            changes[name] = stated
    return edited(reading, changes, by=said)


def _check_study(reading: Reading, report: FilmReport) -> None:
    image = report.facts.image
    instances = {one.sop_uid for one in reading.study.images}
    if image.study and image.study == reading.study.study_uid:
        if not instances or image.instance in instances:
            return
    elif image.instance and image.instance in instances:
        return
    raise IdentityConflictError(
        f"{image.file} and reading {reading.id}",
        "the film is not shown to be of the study that is read",
        "give a film of that study as DICOM",
        files=(image.file,),
    )


def _answers(report: FilmReport, said: Said) -> Iterator[tuple[str, Stated]]:
    yield "projection", _projection(report, said)
    for name, item, text in (
        ("clipped", "cut-off", "by the outline of the lung fields"),
        ("exposure_fault", "saturated", "grey values are lost at an end of the scale"),
    ):
        yield name, _defect(report.gate, item, text, said)
    for name, item in (("rotation", "rotation"), ("poor_inspiration", "inspiration")):
        why = NotAssessed(why=Why.NO_MODEL, detail=report.gate.item(item).detail)
        yield name, _silent(why, said)
    ratio = report.ratio
    if ratio is None:
        why = report.not_assessed["cardiothoracic-ratio"]
        yield "ctr", _silent(why, said)
        yield "cardiomegaly", _silent(why, said)
        return
    text = f"{APPROXIMATE}; {ratio.spread:.2f} between settings of the outline"
    yield (
        "ctr",
        Stated(
            state=State.PRESENT,
            number=ratio.ratio,
            unit="1",
            margin=limit("ratio_margin"),
            text=text,
            said=said,
        ),
    )
    side = "" if ratio.judged is None else f", {ratio.judged} {ratio.limit:.2f}"
    detail = f"ratio about {ratio.ratio:.2f}{side}; {APPROXIMATE}: a reader decides"
    yield "cardiomegaly", _silent(NotAssessed(why=Why.UNCONFIRMED, detail=detail), said)


def _projection(report: FilmReport, said: Said) -> Stated:
    facts = report.facts
    if facts.view == "pa" and not facts.bedside:
        return Stated(state=State.PRESENT, choices=("pa",), text="by the view stated", said=said)
    if facts.view == "ap":
        detail = "AP as stated; whether sitting or supine is not"
    else:
        detail = "the view is not known" if facts.view is None else f"view {facts.view}"
    return _silent(NotAssessed(why=Why.MISSING, detail=detail), said)


def _defect(gate: FilmGate, item: str, text: str, said: Said) -> Stated:
    found = gate.item(item)
    if found.state is State.PRESENT:
        return Stated(state=State.PRESENT, text=text, said=said)
    return _silent(found.not_assessed or _OPEN, said)


def _no_model(item: Item, said: Said) -> Stated | None:
    """Return that a sign was not looked for; None for what only a reader writes."""
    return _silent(NOT_LOOKED_FOR, said) if item.kind == "sign" else None


def _silent(why: NotAssessed, said: Said) -> Stated:
    if why.why is Why.MISSING:
        why = why.model_copy(update={"why": Why.DEPENDS})
    return Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)
