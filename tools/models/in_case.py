"""The models of this installation asked about the images of a case, and what they said.

A model is asked about an image of a modality that it was made for. Everything else that does not
fit is said: "not assessed", with every reason. A model that cannot be used says nothing and is
named; one that is switched off likewise.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from knowledge.codes import Coding, Concept
from knowledge.errors import ContractError, EpicrisisError
from knowledge.evidence import Evidence
from knowledge.finding import Finding, Why, not_assessed
from knowledge.settings import Settings
from tools.imaging.model import Study
from tools.models.contract import ModelContract
from tools.models.findings import PLUGGED, findings_of
from tools.models.isolated import Limits
from tools.models.loaded import LoadedModel
from tools.models.reading import content_sample, volume_sample
from tools.models.remote import connect
from tools.models.run import ask_or_say_why
from tools.models.sample import Sample
from tools.models.store import ModelStore

_LOG = logging.getLogger(__name__)

ASKED_KINDS = ("image2d", "volume3d")
"""Kinds of input that a case is asked about: an image by itself, a series as a volume. Tiles of a
slide and bags of them are asked for by name."""

MOST_IMAGES = 50
"""Of one study; a model of single images is not asked about a stack of slices."""


@dataclass(frozen=True, kw_only=True)
class CaseModels:
    """The models of this installation.

    Args:
        store: Where they are.
        switched_on: Whether they may be asked.
    """

    store: ModelStore
    switched_on: bool

    def said(self, study: Study, contents: Mapping[str, bytes]) -> tuple[Finding, ...]:
        """Return what every model says of a study whose modality it was made for.

        Args:
            study: The study.
            contents: File to its bytes.
        """
        return tuple(self._said(study, contents))

    def _said(self, study: Study, contents: Mapping[str, bytes]) -> Iterator[Finding]:
        for contract in self.store.contracts():
            wanted = contract.input
            if wanted.kind not in ASKED_KINDS or study.modality not in wanted.modality:
                continue
            if not self.switched_on:
                yield _not(contract, study.evidence[:1], Why.SWITCHED_OFF, "switched off")
                continue
            try:
                model = self.store.open(contract.id, contract.version)
            except EpicrisisError as error:
                yield _not(contract, study.evidence[:1], Why.FAILED, str(error))
                continue
            yield from _of_model(model, study, contents)


def case_models(settings: Settings) -> CaseModels | None:
    """Return the models of this installation; None where there are none."""
    root = settings.data_dir / "models"
    if not root.is_dir():
        return None
    limits = Limits(seconds=settings.model_seconds, memory_mib=settings.model_memory_mib)
    store = ModelStore(root, connect=partial(connect, limits=limits), limits=limits)
    return CaseModels(store=store, switched_on=settings.device_functions)


def _of_model(model: LoadedModel, study: Study, contents: Mapping[str, bytes]) -> Iterator[Finding]:
    contract = model.contract
    places = dict(zip(study.files, study.evidence, strict=True))
    if contract.input.kind == "volume3d":
        yield from _asked(model, study.files, study.evidence[:1], contents)
        return
    if len(study.files) > MOST_IMAGES:
        detail = f"{len(study.files)} images; it is asked about up to {MOST_IMAGES} of a study"
        yield _not(contract, study.evidence[:1], Why.OUTSIDE_CONTRACT, detail)
        return
    for file, place in places.items():
        yield from _asked(model, (file,), (place,), contents)


def _asked(
    model: LoadedModel,
    files: Sequence[str],
    places: tuple[Evidence, ...],
    contents: Mapping[str, bytes],
) -> Iterator[Finding]:
    try:
        sample = _sample(model.contract, files, contents)
        said = tuple(findings_of(ask_or_say_why(model, sample).result, model.contract))
    except EpicrisisError as error:
        why = Why.OUTSIDE_CONTRACT if isinstance(error, ContractError) else Why.FAILED
        said = (_not(model.contract, places, why, str(error)),)
    except Exception as error:  # noqa: BLE001 - the outermost handler of one model, logged
        _LOG.exception("model %s failed", model.contract.name)
        said = (_not(model.contract, places, Why.FAILED, f"failed ({type(error).__name__})"),)
    yield from said


def _sample(contract: ModelContract, files: Sequence[str], contents: Mapping[str, bytes]) -> Sample:
    if contract.input.kind == "volume3d":
        from tools.imaging.ct.volume import read_files

        given = {file: contents[file] for file in files}
        return volume_sample(read_files(given), given)
    return content_sample(contents[files[0]], file=files[0], kind=contract.input.kind)


def _not(contract: ModelContract, places: tuple[Evidence, ...], why: Why, detail: str) -> Finding:
    concept = Concept(
        text=f"{contract.title}: assessment",
        codings=(Coding(system=PLUGGED, code=contract.id),),
    )
    found = not_assessed(concept, why, detail, evidence=places)
    return found.model_copy(update={"method": f"{contract.id} {contract.version}"})
