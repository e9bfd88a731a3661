"""Which images of a case may be shown: those its newest assessment holds to be of the patient."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from agent.assessment import Status
from knowledge.errors import ContractError
from serving.access.errors import NotFoundError
from serving.cases.model import Case
from serving.services import Services
from tools.imaging.model import Study
from tools.intake.belonging import NEEDS_STATEMENT

ID_LENGTH = 16
"""Hex digits of the SHA-256 of a file that name it in an address: file names may name a patient."""

_Why = Literal["identity", "not comparable", "same", "failed", "not used"]

_PICTURES = ("image", "slide (", "picture (")
"""How the kind of an input file that holds pictures begins."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One image file of a case.

    Args:
        id: Names it in an address.
        name: Of the file in the case.
        sha256: Of its content.
    """

    id: str
    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Files of a case that hold pictures and are in no study, all for one reason.

    Args:
        numbers: Their places among the files of the case, from 1: their names may name a patient.
        files: Their names; never shown.
        why: In which of these ways: ``identity`` carries none at all.
        detail: The reason as the reader gave it, without the name of any file; may be empty.
    """

    numbers: tuple[int, ...]
    files: tuple[str, ...] = ()
    why: _Why
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class CaseImages:
    """The images of a case.

    Args:
        studies: As the newest assessment lists them.
        kept: File name to file, of the files of the studies that the case still has.
        time_zone: Of the case.
        others: Further files of the case, which may hold marks on its images.
        received: How many files the case has.
        left_out: Why picture files of the case are in no study.
    """

    studies: tuple[Study, ...]
    kept: Mapping[str, Kept]
    time_zone: str | None
    others: tuple[Kept, ...]
    received: int = 0
    left_out: tuple[LeftOut, ...] = ()

    def find(self, image: str) -> tuple[Study, Kept]:
        """Return the image that an address names, with its study.

        Raises:
            NotFoundError: The case has no such image.
        """
        for study in self.studies:
            for one in self.files(study):
                if one.id == image:
                    return study, one
        raise NotFoundError("image")

    def files(self, study: Study) -> Iterator[Kept]:
        """Yield the files of a study that the case still has, in their order."""
        yield from (self.kept[name] for name in study.files if name in self.kept)


def images_of(services: Services, case: Case) -> CaseImages:
    """Return the images of a case.

    Raises:
        NotFoundError: The case was not assessed yet.
        ContractError: Its files are not of one patient: whose images they are is not known.
    """
    stored = services.cases.assessment(case.id)
    if stored is None:
        raise NotFoundError(f"assessment of case {case.id}")
    if stored.status == Status.REFUSED:
        raise ContractError(
            "images",
            "not shown: the files of this case are not of one patient",
            "take the wrong file out of the case",
        )
    studies = tuple(Study.model_validate(one) for one in stored.body.get("imaging", ()))
    files = {
        file.name: Kept(id=file.sha256[:ID_LENGTH], name=file.name, sha256=file.sha256)
        for file in services.cases.files(case.id)
    }
    listed = {name for study in studies for name in study.files}
    return CaseImages(
        studies=studies,
        kept={name: one for name, one in files.items() if name in listed},
        time_zone=stored.body.get("time_zone"),
        others=tuple(one for name, one in files.items() if name not in listed),
        received=len(files),
        left_out=_left_out(stored.body.get("inputs", ()), listed),
    )


def _left_out(inputs: Iterable[Mapping[str, str]], listed: set[str]) -> tuple[LeftOut, ...]:
    """Return why picture files are in no study, files of one reason together."""
    every = list(inputs)
    names = [one["file"] for one in every]
    found: dict[tuple[_Why, str], list[tuple[int, str]]] = {}
    for number, one in enumerate(every, start=1):
        if one["kind"].startswith(_PICTURES) and one["file"] not in listed:
            why = _why(one["status"], one["reason"])
            said = why in ("failed", "not used")
            detail = without_names(one["reason"], names) if said else ""
            found.setdefault((why, detail), []).append((number, one["file"]))
    return tuple(
        LeftOut(
            numbers=tuple(number for number, _ in some),
            files=tuple(name for _, name in some),
            why=why,
            detail=detail,
        )
        for (why, detail), some in found.items()
    )


def _why(status: str, reason: str) -> _Why:
    if reason == NEEDS_STATEMENT:
        return "not comparable" if status == "failed" else "identity"
    if reason.startswith(("the same image as ", "same content as ")):
        return "same"
    return "failed" if status == "failed" else "not used"


def without_names(text: str, names: Iterable[str]) -> str:
    """Return a text in which no file is named: the name of a file may be that of a patient.

    Examples:
        >>> without_names("beside Miller Anne.dcm, damaged", ["Miller Anne.dcm"])
        'beside another file, damaged'
    """
    for name in sorted({one for one in names if one}, key=len, reverse=True):
        for form in (name, name.rsplit("/", 1)[-1]):
            text = text.replace(form, "another file")
    return text
