"""The probability of malignancy of each nodule of a reading, from the reading's own items."""

from collections.abc import Iterator, Mapping

from pydantic import AwareDatetime

from knowledge.errors import ContractError
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import format_number
from knowledge.reading_form import reading_form
from knowledge.risk import Risk
from tools.imaging.ct.into_nodules import FORM, LIST, PROBABILITY
from tools.imaging.ct.nodule_level import model_of
from tools.intake.answer import stated_finding
from tools.readings.model import NOBODY, Entry, Reading, Said, Stated
from tools.readings.versions import edited
from tools.risk.score import evaluate, inputs_of

METHOD = "nodule models 1"
_UPPER = ("right-upper", "left-upper")
_NO_PET = "not-done"
_PRETEST, _HERDER, _MAYO = "nodule_pretest_probability", "herder_nodule", "mayo_nodule"


def with_nodule_models(reading: Reading, *, at: AwareDatetime) -> Reading:
    """Return the next version of a nodule reading with the probability of the model that fits.

    After PET it is Herder's model on Mayo's probability, in screening Brock's, else Mayo's. With an
    unknown input there is a range and no number: not assessed, with what it needs.

    Args:
        reading: Of the form ``ct_nodules``, not signed.
        at: When it is computed.

    Raises:
        ContractError: Another form, or no nodule is stated.
    """
    if reading.form != FORM:
        raise ContractError(f"reading {reading.id}", f"is of the form {reading.form}", FORM)
    entries = reading.items.get(LIST, NOBODY).entries
    if not entries:
        raise ContractError(
            f"reading {reading.id}", "has no nodule", "state the nodules, or measure them, first"
        )
    said = Said(by="measurement", who=METHOD, at=at)
    changes = {}
    for entry in entries:
        before = entry.items.get(PROBABILITY, NOBODY)
        if before.said is None or before.said.by == "measurement":
            findings = dict(_findings(reading, entry, len(entries)))
            changes[f"{LIST}/{entry.id}/{PROBABILITY}"] = _stated(_risk(findings), said)
    return edited(reading, changes, by=said) if changes else reading


def _findings(reading: Reading, entry: Entry, count: int) -> Iterator[tuple[str, Finding]]:
    """Yield what the reading answers, by clinical-input id; what it does not is left out."""
    items = reading_form(FORM).items
    known = {i for score in (_MAYO, _HERDER, "brock_nodule") for i in inputs_of(score)}
    known |= {"lung_cancer_screening", "fdg_uptake"}
    places: list[tuple[str, Stated]] = [(k, s) for k, s in reading.items.items() if k in items]
    places += list(entry.items.items())
    for name, stated in places:
        if name in known and stated.state is not State.NOT_ASSESSED:
            answer = _answer(stated)
            if name != "fdg_uptake" or answer != _NO_PET:
                yield name, _finding(reading, name, answer)
    lobe = entry.items.get("nodule_lobe", NOBODY).choices
    if lobe:
        word = "yes" if lobe[0] in _UPPER else "no"
        yield "nodule_upper_lobe", _finding(reading, "nodule_upper_lobe", word)
    yield "pulmonary_nodule", _finding(reading, "pulmonary_nodule", "yes")
    yield "nodule_count", _finding(reading, "nodule_count", str(count))


def _answer(stated: Stated) -> str:
    if stated.number is not None:
        return f"{format_number(stated.number)} {stated.unit}"
    if stated.choices:
        return stated.choices[0]
    return "yes" if stated.state is State.PRESENT else "no"


def _finding(reading: Reading, name: str, answer: str) -> Finding:
    return stated_finding(name, answer, file=f"reading {reading.id}", record=name)


def _risk(findings: Mapping[str, Finding]) -> Risk:
    name = model_of(findings)
    if name != _HERDER:
        return _of(name, findings)
    before = _of(_MAYO, findings)
    if before.value is None:
        return before
    answer = stated_finding(_PRETEST, f"{before.value} %", file="Mayo model", record=_PRETEST)
    return _of(_HERDER, {**findings, _PRETEST: answer})


def _of(score: str, findings: Mapping[str, Finding]) -> Risk:
    return evaluate(score, {k: findings[k] for k in inputs_of(score) if k in findings})


def _stated(risk: Risk, said: Said) -> Stated:
    if risk.value is not None:
        number = float(format_number(risk.value))
        return Stated(state=State.PRESENT, number=number, unit="%", text=risk.name, said=said)
    if risk.not_assessed is not None:
        why = risk.not_assessed
    else:
        low, high = risk.range or (0.0, 100.0)
        needs = ", ".join(one.label for one in risk.missing)
        detail = f"{risk.name}: {low:g} to {high:g} %; not known: {needs}"
        why = NotAssessed(why=Why.DEPENDS, detail=detail)
    if why.why is Why.MISSING:
        why = why.model_copy(update={"why": Why.DEPENDS})
    return Stated(state=State.NOT_ASSESSED, not_assessed=why, said=said)
