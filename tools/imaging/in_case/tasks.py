"""Which measurement each image of a case gets: the policy floor of imaging."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.film_measurements import film_measurements
from knowledge.finding import NotAssessed, Why
from knowledge.settings import Settings
from tools.imaging.in_case import ct, film, ihc, slide
from tools.imaging.in_case.model import (
    CaseImages,
    Kind,
    MeasureLimits,
    StatedImage,
    StudyImages,
)
from tools.imaging.in_case.together import stated_together
from tools.imaging.model import ImageFile, Study

MOST = 12
"""Films, slides or fields of one study that are measured: more than one examination has."""

TOOLS: dict[Kind, str] = {
    "chest film": film.NAME, "ct": ct.NAME, "slide": slide.NAME, "ihc": ihc.NAME,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureTask:
    """One measurement that is due.

    Args:
        kind: Of which kind the images are.
        images: What it is made from.
        refused: Why it is not made; None where it is.
    """

    kind: Kind
    images: StudyImages
    refused: NotAssessed | None = None

    @property
    def tool(self) -> str:
        """Name of the tool that makes it."""
        return TOOLS[self.kind]


def limits_of(settings: Settings) -> MeasureLimits:
    """Return the limits of one measurement."""
    return MeasureLimits(seconds=settings.imaging_seconds, memory_mib=settings.imaging_memory_mib)


def measure_tasks(study: Study, case: CaseImages, limits: MeasureLimits) -> tuple[MeasureTask, ...]:
    """Return the measurements that are due on a study, in the order of its files.

    A radiograph is measured as a chest film, which the film's own gate then refuses or not; a CT
    study as one; each slide by itself. A picture says nothing of itself: it is measured only where
    a person states what it is of. A statement that its file contradicts is refused and told, and so
    are images of one series with statements that differ.

    Args:
        study: The study.
        case: The images of the case.
        limits: What one measurement may take.
    """
    groups: dict[tuple[Kind, str], list[str]] = defaultdict(list)
    wrong = []
    for file in study.files:
        image = case.images.get(file)
        if image is None:
            continue
        kind = _kind(image, case)
        if kind is not None:
            groups[kind, _together(image, kind)].append(file)
        stated = case.stated.get(file)
        if stated is not None and stated.of != kind:
            images = _images(study, case, limits, [file], stated)
            wrong.append(
                MeasureTask(kind=stated.of, images=images, refused=_contradicted(stated, image))
            )
    return (*_tasks(study, case, limits, groups), *wrong)


def _tasks(
    study: Study,
    case: CaseImages,
    limits: MeasureLimits,
    groups: dict[tuple[Kind, str], list[str]],
) -> Iterator[MeasureTask]:
    for number, ((kind, _), files) in enumerate(groups.items()):
        lines = [case.stated[file] for file in files if file in case.stated]
        said = stated_together([line for line in lines if line.of == kind])
        differ = said if isinstance(said, NotAssessed) else None
        told = said if isinstance(said, StatedImage) else None
        images = _images(study, case, limits, files, told)
        if number >= MOST:
            detail = f"{len(groups)} films or slides of one study; {MOST} are measured"
            why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)
            yield MeasureTask(kind=kind, images=images, refused=why)
        else:
            yield MeasureTask(kind=kind, images=images, refused=differ)


def _images(
    study: Study,
    case: CaseImages,
    limits: MeasureLimits,
    files: Sequence[str],
    stated: StatedImage | None,
) -> StudyImages:
    beside = stated.beside().values() if stated is not None else ()
    return StudyImages(
        study=study.model_copy(update={"said": (), "measured": ()}),
        files=tuple(files),
        contents={file: case.contents[file] for file in (*files, *beside)},
        stated=stated,
        limits=limits,
    )


def _contradicted(stated: StatedImage, image: ImageFile) -> NotAssessed:
    return NotAssessed(
        why=Why.CONFLICTING,
        detail=f"{image.file} is stated to be of: {stated.of}; the file itself says "
        f"{'a slide' if image.role == 'slide' else image.modality or 'nothing of its modality'}",
    )


def _kind(image: ImageFile, case: CaseImages) -> Kind | None:
    stated = case.stated.get(image.file)
    if stated is not None and image.role != "image":
        return stated.of
    if image.role == "slide":
        return "slide"
    if image.modality == "CT":
        return "ct"
    if image.modality.casefold() in film_measurements().modalities.words:
        return "chest film"
    return None


def _together(image: ImageFile, kind: Kind) -> str:
    """Return what images share that are measured together."""
    if kind == "ct":
        return ""
    if kind == "slide":
        return image.series or image.frame or image.file
    return image.file
