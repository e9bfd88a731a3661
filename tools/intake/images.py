"""Image files of a case: read, or refused with the reason; one bad file does not stop the rest."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InputError
from knowledge.patient import Identity
from knowledge.timeline import Category, Fact
from tools.ecg.readers.dicom import parse_errors
from tools.ecg.readers.dicom_header import identity
from tools.imaging.dicom_image import is_image_object, read_dicom_image
from tools.imaging.dicom_object import header, sop_class
from tools.imaging.in_case.model import CaseImages, ImageBytes, StatedImage
from tools.imaging.model import NO_MORE, ImageFile, Study
from tools.imaging.picture import read_picture
from tools.imaging.slide import read_tiff
from tools.imaging.study import finding
from tools.intake.belonging import NEEDS_STATEMENT
from tools.intake.case_file import Attachment
from tools.intake.content import Content, refused
from tools.intake.harmless import is_harmless
from tools.intake.result import InputFile, Status
from tools.intake.sniff import IMAGE_KINDS

if TYPE_CHECKING:
    from tools.models.in_case import CaseModels

NOT_ASSESSED = "listed; what it shows is not assessed: no validated model configured"


@dataclass(frozen=True, kw_only=True)
class Images:
    """The image files of a case.

    Args:
        read: File to what its header says.
        failed: Files that could not be read, or that are no image of a human.
    """

    read: Mapping[str, ImageFile]
    failed: tuple[InputFile, ...]


def image_files(contents: Mapping[str, Content]) -> frozenset[str]:
    """Return the files that are to be read as images: DICOM that is no waveform, and pictures.

    A picture that this program drew beside its own report is none.
    """
    found = set()
    for file, content in contents.items():
        if content.kind not in IMAGE_KINDS or is_harmless(content, contents):
            continue
        if content.kind != "DICOM" or is_image_object(sop_class(content.data)):
            found.add(file)
    return frozenset(found)


def read_images(
    contents: Mapping[str, Content],
    files: Collection[str],
    *,
    attached: Mapping[str, Attachment],
    zone: str | None,
    case_file: str,
) -> Images:
    """Return the images of a case.

    Args:
        contents: Files by name.
        files: Those to be read as images.
        attached: File to its line in ``case.yaml``.
        zone: IANA zone declared for naive times, where the line declares none.
        case_file: Name of ``case.yaml``, the clock of a time stated there.
    """
    read: dict[str, ImageFile] = {}
    failed: list[InputFile] = []
    for file in sorted(files):
        content, line = contents[file], attached.get(file)
        where = (line.time_zone if line else None) or zone
        try:
            image = _read(content, where)
            time = _stated(line, case_file, where)
        except InputError as error:
            failed.append(refused(file, "image", error, sha256=content.sha256))
            continue
        read[file] = image if time is None else image.model_copy(update={"time": time})
    return Images(read=read, failed=tuple(failed))


def distinct_images(
    images: Images, belonging: Collection[str]
) -> tuple[list[ImageFile], dict[str, str]]:
    """Return the images that belong, and why each further copy of one is left out.

    One SOP Instance UID is one image however often its file was written (PS3.5 B.1).
    """
    found: list[ImageFile] = []
    instances: dict[str, str] = {}
    copies: dict[str, str] = {}
    for file, image in sorted(images.read.items()):
        if file not in belonging:
            continue
        first = instances.setdefault(image.instance or image.id, file)
        if first == file:
            found.append(image)
        else:
            copies[file] = f"the same image as {first} (one SOP Instance UID)"
    return found, copies


def with_models(
    study: Study, models: "CaseModels | None", contents: Mapping[str, Content]
) -> Study:
    """Return a study with what the models of this installation say of it.

    Args:
        study: The study.
        models: None where there are none.
        contents: Contents by name.
    """
    if models is None:
        return study
    said = models.said(study, {file: contents[file].data for file in study.files})
    if not said:
        return study
    return study.model_copy(update={"said": said, "not_assessed": NO_MORE})


def case_images(
    seen: Collection[ImageFile], stated: Mapping[str, StatedImage], contents: Mapping[str, Content]
) -> CaseImages:
    """Return the images that are measured on, with their contents and those of files beside them.

    Args:
        seen: The images that belong.
        stated: Image to what a person states of it.
        contents: Contents by name.
    """
    images = {image.file: image for image in seen}
    said = {file: line for file, line in stated.items() if file in images}
    beside = {name for line in said.values() for name in line.beside().values()}
    held = {
        file: ImageBytes(data=contents[file].data, sha256=contents[file].sha256)
        for file in sorted({*images, *beside})
    }
    return CaseImages(images=images, contents=held, stated=said)


def beside_identities(
    stated: Mapping[str, StatedImage], contents: Mapping[str, Content], *, zone: str | None
) -> tuple[Identity, ...]:
    """Return who the DICOM files are of that statements about images name: masks, mostly.

    One whose header cannot be read is of nobody: its own measurement refuses it.
    """
    found = []
    for file in sorted({name for line in stated.values() for name in line.beside().values()}):
        content = contents[file]
        if content.kind != "DICOM":
            continue
        try:
            ds = header(content.data, file).ds
            found.append(identity(ds, file=file, zone=zone, notes=[]))
        except InputError:
            continue
        except parse_errors():
            continue
    return tuple(found)


def beside_report(content: Content, stated: Mapping[str, StatedImage]) -> InputFile | None:
    """Return what became of a file that a statement about an image names; None for another."""
    for image, line in stated.items():
        for what, file in line.beside().items():
            if file == content.file:
                return content.report("read", kind=f"{what.replace('_', ' ')} of {image}")
    return None


def imaging_facts(study: Study) -> Iterator[Fact]:
    """Yield the timeline's entries of a study: that it is there, and what models say of it."""
    yield imaging_fact(study)
    for one in study.said:
        dated = one.model_copy(update={"time": study.time}) if one.time is None else one
        yield Fact(category=Category.IMAGING, finding=dated)


def imaging_fact(study: Study) -> Fact:
    """Return the timeline's entry of a study: that it is there and not assessed."""
    return Fact(category=Category.IMAGING, finding=finding(study))


def image_report(
    content: Content, image: ImageFile, noted: Sequence[str], *, belongs: bool, copy: str | None
) -> InputFile:
    """Return what became of an image file; what it shows is unread until a reading tells it.

    Args:
        content: The file.
        image: What its header says.
        noted: What else is to be told of the file.
        belongs: Whether it is shown to be of the patient.
        copy: Why it is left out as a copy, where it is one.
    """
    kind = f"{image.role} ({image.modality or image.source_format})"
    if copy is not None:
        return content.report("ignored", copy, kind=kind, problems=noted)
    if not belongs:
        status: Status = "ignored" if image.identity.is_empty else "failed"
        return content.report(status, NEEDS_STATEMENT, kind=kind, problems=noted, unread=True)
    return content.report(
        "read",
        NOT_ASSESSED,
        kind=kind,
        counts={"images": image.frames},
        problems=(*noted, *image.notes),
        unread=True,
    )


def _read(content: Content, zone: str | None) -> ImageFile:
    if content.kind == "DICOM":
        return read_dicom_image(content.data, file=content.file, zone=zone)
    if content.kind == "TIFF":
        return read_tiff(content.data, file=content.file)
    return read_picture(content.data, file=content.file)


def _stated(line: Attachment | None, case_file: str, zone: str | None) -> ClinicalTime | None:
    if line is None or line.recorded_at is None:
        return None
    return parse_fhir(line.recorded_at, clock=case_file, zone=zone)
