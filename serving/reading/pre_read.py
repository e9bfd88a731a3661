"""What the tools write into a reading before a person looks: measurements, never a finding."""

from datetime import datetime

from knowledge.errors import ContractError, IdentityConflictError, InputError
from serving.cases.model import Case
from serving.images.found import images_of
from serving.reading.model import Round
from serving.services import Services
from tools.imaging.film.into_reading import FORM, with_film
from tools.imaging.film.read import read_film
from tools.imaging.film.report import FilmReport, measured
from tools.readings.model import Reading

_MOST_FILMS = 4
"""Films of one study that are measured: frontal, lateral, and each once again."""


def film_report(services: Services, case: Case, round_: Round, form: str) -> FilmReport | str:
    """Return what is measured on the film of a round, or why not; empty where no tool fills it.

    Args:
        services: Of the application.
        case: The case.
        round_: The round.
        form: That it is read with.
    """
    if form != FORM:
        return ""
    if not services.settings.device_functions:
        return "switched off"
    kept = images_of(services, case).kept
    reasons: list[str] = []
    for name in [name for name in round_.files if name in kept][:_MOST_FILMS]:
        try:
            report = measured(read_film(services.files.get(kept[name].sha256), file="image"))
        except InputError as error:
            reasons.append(error.reason)
            continue
        if report.fields:
            return report
        why = report.not_assessed.get("lung-fields")
        reasons.append("not assessed" if why is None else why.detail)
    return "; ".join(dict.fromkeys(reasons)) or "its images are no longer in the case"


def pre_reading(untouched: Reading, found: FilmReport | str, *, at: datetime) -> Reading | str:
    """Return a reading with what was measured, or why it has none.

    Args:
        untouched: In which nobody has looked.
        found: What was measured, or why not.
        at: When.
    """
    if isinstance(found, str):
        return found
    try:
        return with_film(untouched, found, at=at)
    except (ContractError, IdentityConflictError) as error:
        return error.reason
