"""Marks on a slide, thousands of them in one object: Microscopy Bulk Simple Annotations."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.dicom_codes import Code, dicom_codes
from knowledge.errors import ContractError
from tools.dicom_out.maker import CREATOR, MANUFACTURER, SHORT_NOTICE, Maker
from tools.dicom_out.quiet import quiet
from tools.dicom_out.settle import object_uids, settle
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of, uid

_SERIES_NUMBER = 9905
Shape = Literal["POINT", "POLYGON", "POLYLINE"]


@quiet()
def slide_annotations(
    shapes: list[NDArray[np.float64]],
    sources: Sources,
    maker: Maker,
    *,
    label: str,
    what: str,
    category: str = "anatomical-structure",
    kind: Shape = "POLYGON",
    measurements: Mapping[tuple[str, str], NDArray[np.float64]] | None = None,
) -> bytes:
    """Return marks on a slide as a DICOM file.

    Args:
        shapes: Of each mark its points, (points, 2): column and row in the total pixel matrix,
            from the corner of its first pixel; for points one row each.
        sources: The slide's volume image comes first.
        maker: What made them.
        label: For people, at most 64 characters.
        what: Word of `dicom_codes.yaml`, for example ``cell-nucleus``.
        category: Word likewise.
        kind: Of all marks.
        measurements: By word and unit, one number for each mark; NaN where there is none.

    Raises:
        ContractError: No slide, no marks, or a mark outside of it.
    """
    import highdicom as hd
    from pydicom.sr.codedict import codes

    slide = sources.datasets[0]
    _check(slide, sources.files[0], shapes)
    known = dicom_codes()
    content = digest_of(
        b"".join(np.ascontiguousarray(one, np.float64).tobytes() for one in shapes)
        + f"{label}{what}{kind}".encode()
    )
    series, instance = object_uids("ann", sources, maker, content)
    group = hd.ann.AnnotationGroup(
        number=1,
        uid=uid("marks", instance),
        label=label,
        annotated_property_category=_concept(known.code(category)),
        annotated_property_type=_concept(known.code(what)),
        graphic_type=hd.ann.GraphicTypeValues[kind],
        graphic_data=[np.asarray(one, np.float64) for one in shapes],
        algorithm_type=hd.ann.AnnotationGroupGenerationTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=maker.method,
            family=codes.cid7162.MorphologicalOperations,
            version=maker.method_version,
            source=MANUFACTURER,
        ),
        measurements=[
            hd.ann.Measurements(
                name=_concept(known.code(word)),
                values=np.asarray(values, np.float64),
                unit=_concept(known.unit(unit)),
            )
            for (word, unit), values in (measurements or {}).items()
        ]
        or None,
        description=SHORT_NOTICE,
    )
    made = hd.ann.MicroscopyBulkSimpleAnnotations(
        source_images=[slide],
        annotation_coordinate_type=hd.ann.AnnotationCoordinateTypeValues.SCOORD,
        annotation_groups=[group],
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
    for one in made.AnnotationGroupSequence:
        if "CommonZCoordinateValue" in one:  # of 3D coordinates alone (PS3.3 C.37.1.2)
            del one.CommonZCoordinateValue
    return settle(made, sources=sources, maker=maker, description=label)


def _check(slide: Any, file: str, shapes: list[NDArray[np.float64]]) -> None:
    if not slide.get("TotalPixelMatrixColumns"):
        raise ContractError(file, "is no slide: it states no total pixel matrix", "give a slide")
    if not shapes:
        raise ContractError("slide annotations", "there is no mark", "write none")
    far = np.array([int(slide.TotalPixelMatrixColumns), int(slide.TotalPixelMatrixRows)])
    for place, one in enumerate(shapes):
        if not np.isfinite(one).all() or (one < 0).any() or (one > far).any():
            raise ContractError(f"mark {place + 1}", "lies outside of the slide", "check it")


def _concept(code: Code) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.code, scheme_designator=code.scheme, meaning=code.meaning)
