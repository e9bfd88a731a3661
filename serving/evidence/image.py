"""An image that is evidence: a small picture of it, and the way to the viewer at this image."""

from knowledge.errors import ContractError
from knowledge.evidence import DicomEvidence, RecordEvidence
from serving.access.errors import NotFoundError
from serving.cases.model import Case
from serving.evidence.protocol import ImageShown
from serving.images.found import CaseImages, Kept, images_of
from serving.services import Services
from tools.imaging.model import Study

_SMALL = 512
_BOUNDS = 4


def show_image(
    services: Services, case: Case, evidence: DicomEvidence | RecordEvidence, sha256: str | None
) -> ImageShown | None:
    """Return the image that evidence points to; None where its file is no image that is shown.

    Args:
        services: Of the application.
        case: The case.
        evidence: The place.
        sha256: Of the file when the assessment was made: another content is not shown for it.
    """
    try:
        images = images_of(services, case)
    except (NotFoundError, ContractError):
        return None
    found = _found(images, evidence.file)
    if found is None or found[1].sha256 != sha256:
        return None
    study, kept = found
    frame = evidence.frame if isinstance(evidence, DicomEvidence) else None
    region = evidence.region if isinstance(evidence, DicomEvidence) else None
    base = f"/cases/{case.id}"
    slide = services.images.read(kept).image.role == "slide"
    at = f"{base}/images/{kept.id}"
    return ImageShown(
        picture=f"{base}/slides/{kept.id}/thumbnail"
        if slide
        else f"{at}/frames/{frame or 0}?longest={_SMALL}",
        viewer=at if not frame else f"{at}?frame={frame}",
        title=study.title,
        time="" if study.time is None else study.time.show(images.time_zone),
        frame=0 if frame is None else frame + 1,
        region=tuple(round(one) for one in region)
        if region is not None and len(region) == _BOUNDS
        else (),
    )


def _found(images: CaseImages, file: str) -> tuple[Study, Kept] | None:
    for study in images.studies:
        for kept in images.files(study):
            if kept.name == file:
                return study, kept
    return None
