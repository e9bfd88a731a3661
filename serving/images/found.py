"""Which images of a case may be shown: those its newest assessment holds to be of the patient."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from agent.assessment import Status
from knowledge.errors import ContractError
from serving.access.errors import NotFoundError
from serving.cases.model import Case
from serving.services import Services
from tools.imaging.model import Study
from tools.intake.belonging import NEEDS_STATEMENT

ID_LENGTH = 16
"""Hex digits of the SHA-256 of a file that name it in an address: file names may name a patient."""

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
class CaseImages:
    """The images of a case.

    Args:
        studies: As the newest assessment lists them.
        kept: File name to file, of the files of the studies that the case still has.
        time_zone: Of the case.
        others: Further files of the case, which may hold marks on its images.
        left_out: Why picture files of the case are in no study, each with a label that names
            nobody, after how many files were received.
    """

    studies: tuple[Study, ...]
    kept: Mapping[str, Kept]
    time_zone: str | None
    others: tuple[Kept, ...]
    left_out: tuple[str, ...] = ()

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
        left_out=_left_out(stored.body.get("inputs", ()), listed, len(files)),
    )


def _left_out(inputs: Iterable[Mapping[str, str]], listed: set[str], of: int) -> tuple[str, ...]:
    lines = [
        f"picture file {number}: {_why(one['status'], one['reason'])}"
        for number, one in enumerate(inputs, start=1)
        if one["kind"].startswith(_PICTURES) and one["file"] not in listed
    ]
    return (f"{of} files received, {len(lines)} picture files not shown", *lines) if lines else ()


def _why(status: str, reason: str) -> str:
    """Return why a file is not shown; what it says of another file is not passed on."""
    if reason == NEEDS_STATEMENT:
        return f"not shown to be of this patient: {reason}"
    if reason.startswith("the same image as "):
        return "the same image as another file (one SOP Instance UID)"
    return f"cannot be used: {reason}" if status == "failed" else reason or "not used"
