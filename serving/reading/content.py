"""What a round starts from: the form for its study, and a reading that nobody has touched."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Literal

from knowledge.clinical_time import Precision, load_zone
from knowledge.errors import ContractError, InvalidValueError
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.reference import table_names
from serving.cases.model import Case
from serving.images.found import images_of
from serving.reading.arrival import TOOLS
from serving.reading.model import Person, Round, Version
from serving.reading.sources import MOST, named, sources_of
from serving.services import Services
from tools.dicom_out.sources import Sources
from tools.imaging.model import ImageFile
from tools.readings.model import Reading, Said, Study, Subject
from tools.readings.versions import new_reading

_FOLDER = "readings/"
_UID_BITS = 32
"""Hex digits of an identifier that is made where a picture has none (PS3.5 B.2, root 2.25)."""


@cache
def _forms() -> tuple[ReadingForm, ...]:
    names = (name for name in table_names() if name.startswith(_FOLDER))
    return tuple(reading_form(name.removeprefix(_FOLDER)) for name in names)


def forms_for(modality: str, title: str = "") -> tuple[ReadingForm, ...]:
    """Return the forms for a modality: the reader chooses, and the order is only that of the list.

    Args:
        modality: Code of DICOM.
        title: Of the study; a form named after a word of it comes first, then the general one.
    """
    words = _words(title) - {modality.casefold()}

    def order(form: ReadingForm) -> tuple[bool, int, str]:
        return not words & set(form.id.split("_")), -len(form.modalities), form.id

    return tuple(sorted((f for f in _forms() if modality in f.modalities), key=order))


def named_by(form: ReadingForm, title: str) -> bool:
    """Return whether the title of a study names a form: by every word of the form's id.

    Examples:
        >>> named_by(reading_form("general_imaging"), "radiograph, chest")
        False
    """
    words = _words(title)
    called = {"film"} if "radiograph" in words else set()
    return set(form.id.split("_")) <= words | called


def _words(title: str) -> set[str]:
    for mark in ",()":
        title = title.replace(mark, " ")
    return set(title.casefold().split())


def chosen_form(round_: Round, wanted: str) -> str:
    """Return the id of the form to read with.

    Args:
        round_: The round.
        wanted: As asked for; empty for the only one there is, or the one it has.

    Raises:
        ContractError: There is none for its modality, several without a choice, or another one is
            in use.
        InvalidValueError: There is no such form for its modality.
    """
    if round_.form:
        if wanted not in ("", round_.form):
            raise ContractError("form", f"is {round_.form} in this reading", "go on with that form")
        return round_.form
    offered = [form.id for form in forms_for(round_.modality, round_.title)]
    if not offered:
        raise ContractError("form", f"there is none for {round_.modality}", "add one as data")
    if wanted == "" and len(offered) == 1:
        return offered[0]
    if wanted == "":
        raise InvalidValueError("form", "several fit this study", f"name one: {', '.join(offered)}")
    if wanted not in offered:
        raise InvalidValueError("form", "is not for this study", f"use {', '.join(offered)}")
    return wanted


def untouched(
    services: Services, case: Case, round_: Round, form: str, *, by: Person, at: datetime
) -> Reading:
    """Return a reading of the study in which nobody has looked at anything yet.

    Raises:
        ContractError: Its images are not in the case any more.
    """
    found = images_of(services, case)
    kept = [found.kept[name] for name in round_.files if name in found.kept]
    if not kept:
        raise ContractError("study", "its images are no longer in the case", "add them again")
    image = services.images.read(kept[0]).image
    sources = sources_of(services, kept if len(kept) <= MOST else kept[:1])
    line = services.cases.patients([case.id]).get(case.id)
    number = line.identifiers[0] if line is not None and line.identifiers else case.id
    known = (number, "") if sources is None else _number(sources, number)
    sex = None if line is None else line.sex
    return new_reading(
        form,
        reading_id=round_.id,
        subject=Subject(
            id=known[0][:200], issuer=known[1], sex=sex if sex is not None else "unknown"
        ),
        study=Study(
            study_uid=_uid(image, kept[0].sha256),
            modality=round_.modality,
            done=_done(image, found.time_zone or services.settings.time_zone),
            accession="" if sources is None else _stated(sources, "AccessionNumber")[:64],
            images=() if sources is None or len(kept) > MOST else named(sources),
        ),
        started=Said(by=_by(by), who=by.name, at=at),
    )


def last_of(versions: Sequence[Version], role: str) -> Reading | None:
    """Return what one role wrote last; None where it wrote nothing."""
    found = [one for one in versions if one.role == role]
    return Reading.model_validate(found[-1].body) if found else None


def reopened(reading: Reading) -> Reading:
    """Return a signed reading as one that can be changed: for its review, or its correction."""
    update = {"status": "preliminary", "signed": None, "version": reading.version + 1}
    return reading.model_copy(update=update)


def _by(person: Person) -> Literal["reader", "measurement"]:
    return "measurement" if person == TOOLS else "reader"


def _number(sources: Sources, otherwise: str) -> tuple[str, str]:
    """Return number and giver as the images state them, so that the report lies beside them."""
    stated = _stated(sources, "PatientID")
    return (stated, _stated(sources, "IssuerOfPatientID")) if stated else (otherwise, "")


def _stated(sources: Sources, keyword: str) -> str:
    return str(sources.datasets[0].get(keyword, "") or "").strip()


def _uid(image: ImageFile, sha256: str) -> str:
    stated = image.study
    if stated and len(stated) <= 64 and set(stated) <= set("0123456789."):
        return stated
    return f"2.25.{int(sha256[:_UID_BITS], 16)}"


def _done(image: ImageFile, zone: str | None) -> datetime | None:
    """Return when an image was made; None where only its day, or no time zone of it, is known.

    Args:
        image: As its header says.
        zone: IANA zone of the case or site, for a clock that states none.
    """
    time = image.time
    if time is None or time.precision not in (Precision.MINUTE, Precision.SECOND):
        return None
    if time.at.tzinfo is not None:
        return time.at
    return None if zone is None else time.at.replace(tzinfo=load_zone(zone))
