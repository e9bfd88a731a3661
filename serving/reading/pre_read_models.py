"""The plugged models of this installation, asked for the slots of a reading's form."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from knowledge.errors import EpicrisisError
from knowledge.finding import NotAssessed, State, Why
from tools.models.in_case import ASKED_KINDS, CaseModels
from tools.models.loaded import LoadedModel
from tools.models.reading import content_sample, volume_sample
from tools.models.result import ModelResult
from tools.models.run import ask_or_say_why
from tools.models.sample import Sample
from tools.readings.from_model import from_model
from tools.readings.model import NOBODY, Reading, Said, Stated
from tools.readings.versions import edited

MOST_MODELS, MOST_IMAGES = 4, 4
"""Asked before a person reads: a reader waits for them."""

Fill = Callable[[Reading, datetime], Reading]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the models say.

    Args:
        fills: Each puts in what one model says.
        reasons: Why a model says nothing.
    """

    fills: tuple[Fill, ...] = ()
    reasons: tuple[str, ...] = ()


def answers_of(models: CaseModels, modality: str, contents: Mapping[str, bytes]) -> Asked:
    """Return what the models for a modality say of the images of one study.

    A model of single images fills the form only where it answers for exactly one of them: which of
    several answers counts is for a person to say.

    Args:
        models: Of this installation.
        modality: Code of DICOM.
        contents: File to its bytes.
    """
    fills: list[Fill] = []
    reasons: list[str] = []
    fitting = [
        one
        for one in models.store.contracts()
        if one.input.kind in ASKED_KINDS and modality in one.input.modality
    ]
    for contract in fitting[:MOST_MODELS]:
        name = f"{contract.id} {contract.version}"
        try:
            model = models.store.open(contract.id, contract.version)
            found = [ask_or_say_why(model, one).result for one in _samples(model, contents)]
        except EpicrisisError as error:
            reasons.append(f"{name}: {error.reason}")
            continue
        answered = [one for one in found if one.not_assessed is None]
        if len(answered) > 1:
            reasons.append(f"{name}: it answers for {len(answered)} images; look at each")
        elif found:
            fills.append(_fill(answered[0] if answered else found[0]))
    if len(fitting) > MOST_MODELS:
        reasons.append(f"{len(fitting) - MOST_MODELS} further models were not asked")
    return Asked(fills=tuple(fills), reasons=tuple(reasons))


def _samples(model: LoadedModel, contents: Mapping[str, bytes]) -> Iterator[Sample]:
    kind = model.contract.input.kind
    if kind == "volume3d":
        from tools.imaging.ct.volume import read_files

        yield volume_sample(read_files(contents), contents)
        return
    for name, content in list(contents.items())[:MOST_IMAGES]:
        yield content_sample(content, file=name, kind=kind)


def _fill(result: ModelResult) -> Fill:
    def fill(reading: Reading, at: datetime) -> Reading:
        filled = from_model(reading, result, at=at)
        changes = {
            item: _conflict(reading.items[item], filled.reading.items[item])
            for item in filled.filled
            if _differ(reading.items.get(item, NOBODY), filled.reading.items[item])
        }
        if not changes:
            return filled.reading
        by = Said(by="model", who=f"{result.model.id} {result.model.version}", at=at)
        return edited(filled.reading, changes, by=by)

    return fill


def _differ(before: Stated, after: Stated) -> bool:
    """Return whether another model said something else; one that says nothing differs from none."""
    if before.said is None or before.said.by != "model":
        return False
    if before.not_assessed is not None and before.not_assessed.why is Why.CONFLICTING:
        return True
    if State.NOT_ASSESSED in (before.state, after.state):
        return before.state is not State.NOT_ASSESSED  # the earlier answer is not lost
    return (before.state, before.side, before.choices, before.number) != (
        after.state,
        after.side,
        after.choices,
        after.number,
    )


def _conflict(before: Stated, after: Stated) -> Stated:
    if after.state is State.NOT_ASSESSED:
        return before
    names = [one.said.who for one in (before, after) if one.said is not None]
    detail = f"models differ: {' and '.join(names)}"
    why = NotAssessed(why=Why.CONFLICTING, detail=detail)
    return Stated(state=State.NOT_ASSESSED, not_assessed=why, said=after.said)
