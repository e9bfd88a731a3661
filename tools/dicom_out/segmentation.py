"""A mask on a series as a DICOM segmentation, made by named software."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.dicom_codes import Code, dicom_codes
from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.dicom_out.maker import CREATOR, MANUFACTURER, SHORT_NOTICE, Maker
from tools.dicom_out.quiet import quiet
from tools.dicom_out.settle import object_uids, settle
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of, uid

_SERIES_NUMBER = 9902


class Segment(Frozen):
    """What one mask shows.

    Args:
        label: For people, at most 64 characters.
        category: Word of `dicom_codes.yaml`, for example ``anatomical-structure``.
        what: Word of `dicom_codes.yaml`, for example ``lung``.
    """

    label: str
    category: str
    what: str


@quiet()
def segmentation(
    mask: NDArray[np.bool_], segment: Segment, sources: Sources, maker: Maker
) -> bytes:
    """Return a binary segmentation as a DICOM file.

    Args:
        mask: (slices, rows, columns) bool, one plane for each source in its order.
        segment: What it shows.
        sources: The images of the series, single-frame.
        maker: What made it.

    Raises:
        ContractError: The mask is not on the images, is empty, or the images state no frame of
            reference or position: a segmentation of them cannot be placed in space.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    _check(mask, sources)
    content = digest_of(np.packbits(mask).tobytes() + segment.model_dump_json().encode())
    series, instance = object_uids("seg", sources, maker, content)
    known = dicom_codes()
    described = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label=segment.label,
        segmented_property_category=_concept(known.code(segment.category)),
        segmented_property_type=_concept(known.code(segment.what)),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=maker.method,
            family=codes.cid7162.MorphologicalOperations,
            version=maker.method_version,
            source=MANUFACTURER,
        ),
        tracking_uid=uid("segment", instance),
        tracking_id=segment.label,
    )
    made = hd.seg.Segmentation(
        source_images=list(sources.datasets),
        pixel_array=np.ascontiguousarray(mask, dtype=np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[described],
        series_instance_uid=series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=instance,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=maker.method[:64],
        software_versions=maker.software,
        device_serial_number=maker.software,
        content_label="RESEARCH_USE",
        content_description=SHORT_NOTICE,
        content_creator_name=CREATOR,
    )
    return settle(made, sources=sources, maker=maker, description=segment.label)


def whole_grid(
    coarse: NDArray[np.bool_], step: tuple[int, int, int], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return a mask on every voxel from one on every `step`-th: each stands for those after it.

    Args:
        coarse: (slices, rows, columns) bool on the grid.
        step: Every how many slices, rows and columns a point lies.
        shape: Of the volume.

    Examples:
        >>> import numpy as np
        >>> whole_grid(np.array([[[True, False]]]), (1, 1, 2), (1, 1, 3)).tolist()
        [[[True, True, False]]]
    """
    fine = coarse
    for axis, every in enumerate(step):
        fine = np.repeat(fine, every, axis=axis)
    return fine[: shape[0], : shape[1], : shape[2]]


def _check(mask: NDArray[np.bool_], sources: Sources) -> None:
    first = sources.datasets[0]
    shape = (len(sources.datasets), int(first.Rows), int(first.Columns))
    if mask.shape != shape:
        raise ContractError(
            "mask", f"is of shape {mask.shape}, the images are {shape}", "give it on the images"
        )
    if not mask.any():
        raise ContractError("mask", "is empty: there is nothing to show", "write none")
    for keyword in ("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient"):
        if any(not one.get(keyword) for one in sources.datasets):
            raise ContractError(
                sources.files[0],
                f"states no {keyword}: a segmentation of it cannot be placed",
                "export the series with its geometry",
            )


def _concept(code: Code) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.code, scheme_designator=code.scheme, meaning=code.meaning)
