"""Structures of people or models as a DICOM Segmentation that keeps who outlined them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.dicom_codes import dicom_codes
from knowledge.errors import ContractError
from tools.dicom_out.maker import CREATOR, MANUFACTURER, SHORT_NOTICE, Maker
from tools.dicom_out.settle import object_uids, settle
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of, uid
from tools.imaging.contours.model import Structure
from tools.imaging.contours.placed import images_of
from tools.imaging.ct.model import Volume

_SERIES_NUMBER = 9906
_LONG = 64
_ANY, _UNKNOWN = "anatomical-structure", "not-stated"


def seg(structures: Sequence[Structure], volume: Volume, sources: Sources, maker: Maker) -> bytes:
    """Return structures as the bytes of a binary Segmentation.

    Args:
        structures: Each with a name of its own, and how it was outlined.
        volume: The series they lie on.
        sources: Images with those of the series among them.
        maker: What writes it.

    Raises:
        ContractError: How one was outlined is not stated, which a Segmentation must; or see
            `images_of`.
        InvalidValueError: An image of the series is not among the sources.
    """
    import highdicom as hd

    images = images_of(structures, volume, sources)
    for one in structures:
        if not one.origin:
            raise ContractError(
                f"structure {one.name!r}",
                "how it was outlined is not stated, and a Segmentation has to say it",
                "state it: manual, semiautomatic or automatic",
            )
    stacked = np.stack([one.mask for one in structures], axis=-1).astype(np.uint8)
    said = "".join(f"{one.number}:{one.name}:" for one in structures).encode()
    content = digest_of(said + np.packbits(stacked).tobytes())
    series, instance = object_uids("seg-structures", images, maker, content)
    made = hd.seg.Segmentation(
        source_images=list(images.datasets),
        pixel_array=stacked,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _described(number, one, instance) for number, one in enumerate(structures, 1)
        ],
        series_instance_uid=series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=instance,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=maker.method[:_LONG],
        software_versions=maker.software,
        device_serial_number=maker.software,
        content_label="RESEARCH_USE",
        content_description=SHORT_NOTICE,
        content_creator_name=CREATOR,
    )
    return settle(made, sources=images, maker=maker, description=SHORT_NOTICE[:40])


def _described(number: int, one: Structure, instance: str) -> Any:
    import highdicom as hd

    concept = _concept(_ANY)
    who = None
    if one.origin != "MANUAL":
        who = hd.AlgorithmIdentificationSequence(
            name=(one.maker or "not stated")[:_LONG],
            family=_concept(_UNKNOWN),
            version="not stated",
        )
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=one.name[:_LONG],
        segmented_property_category=concept,
        segmented_property_type=concept,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues(one.origin),
        algorithm_identification=who,
        tracking_uid=uid("segment", instance, str(number)),
        tracking_id=one.name[:_LONG],
    )


def _concept(word: str) -> Any:
    from highdicom.sr import CodedConcept

    code = dicom_codes().code(word)
    return CodedConcept(value=code.code, scheme_designator=code.scheme, meaning=code.meaning)
