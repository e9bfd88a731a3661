"""What the tools write into a reading before a person looks, each value for a reader to confirm.

A plugged model answers in the slots of the form; a measurement of ours fills the items that it
answers. What neither says stays as it is, with the reason. Nothing is filled where device functions
are switched off, and that is said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from knowledge.errors import EpicrisisError, IdentityConflictError, InputError
from serving.cases.model import Case
from serving.images.found import images_of
from serving.reading.model import Round
from serving.reading.pre_read_models import answers_of
from serving.services import Services
from tools.imaging.ct.into_reading import FORM as CT_FORM
from tools.imaging.ct.into_reading import with_ct
from tools.imaging.film.into_reading import FORM as FILM_FORM
from tools.imaging.film.into_reading import with_film
from tools.imaging.film.report import FilmReport
from tools.models.in_case import case_models
from tools.pathology.ihc.into_reading import ITEMS as IHC_ITEMS
from tools.pathology.ihc.into_reading import without_region
from tools.readings.model import Reading

_MOST_FILMS = 4
"""Films of one study that are measured: frontal, lateral, and each once again."""

Fill = Callable[[Reading, datetime], Reading]
"""Puts what a tool says into a reading."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the tools have to say for a form.

    Args:
        fills: Each puts in what one tool says, models before measurements.
        reasons: Why a tool says nothing.
    """

    fills: tuple[Fill, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no tool is for this form."""
        return not (self.fills or self.reasons)


@dataclass(kw_only=True)
class PreRead:
    """A reading as the tools leave it.

    Args:
        reading: None where nothing was filled.
        reasons: Why something was not.
    """

    reading: Reading | None
    reasons: list[str] = field(default_factory=list)


def tools_say(services: Services, case: Case, round_: Round, form: str) -> Found:
    """Return what the tools say of the images of a round; takes seconds, of a long CT a minute.

    Args:
        services: Of the application.
        case: The case.
        round_: The round.
        form: That it is read with.
    """
    models = case_models(services.settings)
    on_request = form in (FILM_FORM, CT_FORM, *IHC_ITEMS)
    if not services.settings.device_functions:
        return Found(reasons=("switched off",) if on_request or models is not None else ())
    if not on_request and models is None:
        return Found()
    contents = _contents(services, case, round_)
    if not contents:
        return Found(reasons=("its images are no longer in the case",))
    fills: list[Fill] = []
    reasons: list[str] = []
    if models is not None:
        asked = answers_of(models, round_.modality, contents)
        fills += asked.fills
        reasons += asked.reasons
    measure = {FILM_FORM: _film, CT_FORM: _ct}.get(form)
    if measure is not None:
        made = measure(contents, services)
        if isinstance(made, str):
            reasons.append(made)
        else:
            fills.append(made)
    elif form in IHC_ITEMS:
        fills.append(lambda reading, at: without_region(reading, at=at))
    return Found(fills=tuple(fills), reasons=tuple(reasons))


def pre_read(untouched: Reading, found: Found, *, at: datetime) -> PreRead:
    """Return a reading with what the tools say.

    Args:
        untouched: In which nobody has looked.
        found: What they say.
        at: When.
    """
    reading, reasons = untouched, list(found.reasons)
    for fill in found.fills:
        try:
            reading = fill(reading, at)
        except (InputError, IdentityConflictError) as error:
            reasons.append(error.reason)
    return PreRead(reading=None if reading is untouched else reading, reasons=reasons)


def _contents(services: Services, case: Case, round_: Round) -> Mapping[str, bytes]:
    kept = images_of(services, case).kept
    return {name: services.files.get(kept[name].sha256) for name in round_.files if name in kept}


def _film(contents: Mapping[str, bytes], services: Services) -> Fill | str:
    """Return how a film fills the form, or why none can.

    It is the first on which the lung fields were found; else the first frontal one, whose items
    then say why they are not assessed.
    """
    from tools.imaging.film.read import read_film
    from tools.imaging.film.report import measured

    reasons: list[str] = []
    found: list[FilmReport] = []
    for content in list(contents.values())[:_MOST_FILMS]:
        try:
            report = measured(read_film(content, file="image"))
        except InputError as error:
            reasons.append(error.reason)
            continue
        if report.fields or report.facts.view in ("pa", "ap"):
            found.append(report)
            continue
        why = report.not_assessed.get("lung-fields")
        reasons.append("not assessed" if why is None else why.detail)
    best = sorted(found, key=lambda one: not one.fields)[:1]
    if not best:
        return "; ".join(dict.fromkeys(reasons))
    return lambda reading, at: with_film(reading, best[0], at=at)


def _ct(contents: Mapping[str, bytes], services: Services) -> Fill | str:
    """Return how the series that is chosen by rules fills the form, or why none can."""
    from tools.dicom_out.sources import read_sources
    from tools.imaging.ct.report import measured
    from tools.imaging.ct.volume import read_files

    settings = services.settings
    try:
        volume = read_files(contents, zone=settings.time_zone, settings=settings)
        report = measured(volume, seeds=(), answers={})
        first = volume.facts.files[0]
        study = read_sources({first: contents[first]}).study
    except EpicrisisError as error:
        return f"CT measurements: {error.reason}"
    return lambda reading, at: with_ct(reading, report, study=study, at=at)
