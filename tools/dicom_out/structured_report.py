"""A measurement report (PS3.16 TID 1500): preliminary, unverified, made by named software."""

from typing import Any

from knowledge.dicom_codes import Code, dicom_codes
from tools.dicom_out.maker import MANUFACTURER, NOTICE, Maker
from tools.dicom_out.quiet import quiet
from tools.dicom_out.report import Circle, Group, Measured, StructuredReport
from tools.dicom_out.settle import object_uids, settle
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import digest_of, uid

_SERIES_NUMBER = 9901
_NOTHING = Group(title="Nothing was measured", finding="not-assessed")
"""Stands where no group does: TID 1500 needs one, and an empty report could be read as normal."""


@quiet()
def structured_report(report: StructuredReport, sources: Sources, maker: Maker) -> bytes:
    """Return a report as a DICOM Comprehensive SR file.

    It is complete in itself yet ``PRELIMINARY`` and ``UNVERIFIED`` (PS3.3 C.17.2): no person has
    looked at it. The algorithm stands at every group with its version.

    Args:
        report: What it says.
        sources: The images it is about; every one is in its evidence, and in its image library
            where it states what that asks for.
        maker: What made it.

    Raises:
        InvalidValueError: A place is on an image that is no source.
        ReferenceDataError: A word has no code.
    """
    import highdicom as hd

    content = digest_of(report.model_dump_json().encode())
    series, instance = object_uids("sr", sources, maker, content)
    evidence = list(sources.datasets)
    body = hd.sr.MeasurementReport(
        observation_context=_context(maker),
        procedure_reported=_concept(dicom_codes().code(report.procedure)),
        imaging_measurements=[
            _group(one, sources, maker, f"{instance}/{place}")
            for place, one in enumerate(report.groups or (_NOTHING,))
        ],
        referenced_images=_library(evidence),
    )
    for sentence in _sentences(report):
        body[0].ContentSequence.append(_comment(sentence))
    document = hd.sr.ComprehensiveSR(
        evidence=evidence,
        content=body[0],
        series_instance_uid=series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=instance,
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    return settle(document, sources=sources, maker=maker, description=report.title)


def _library(images: list[Any]) -> list[Any] | None:
    """Return the images where each states what an entry of the image library needs; else None.

    A film often states no detector spacing (TID 1603); it still stands in the evidence.
    """
    from highdicom.sr import ImageLibraryEntryDescriptors

    try:
        for image in images:
            ImageLibraryEntryDescriptors(image)
    except (AttributeError, ValueError, TypeError):
        return None
    return images


def _sentences(report: StructuredReport) -> list[str]:
    missing = [f"{what}: not assessed: {why}" for what, why in sorted(report.not_assessed.items())]
    return [NOTICE, *missing, *report.notes]


def _context(maker: Maker) -> Any:
    from highdicom.sr import (
        DeviceObserverIdentifyingAttributes,
        ObservationContext,
        ObserverContext,
    )
    from pydicom.sr.codedict import codes

    device = DeviceObserverIdentifyingAttributes(
        uid=uid("device", MANUFACTURER, maker.software),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"{maker.method} {maker.method_version}"[:64],
        serial_number=maker.software,
    )
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )


def _group(one: Group, sources: Sources, maker: Maker, key: str) -> Any:
    import highdicom as hd

    codes = dicom_codes()
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            identifier=one.title, uid=uid("tracking", key)
        ),
        "finding_type": _concept(codes.code(one.finding)),
        "algorithm_id": hd.sr.AlgorithmIdentification(
            name=maker.method, version=f"{maker.method_version} (Epicrisis {maker.software})"
        ),
        "finding_sites": [_site(one.site, one.side)] if one.site else None,
        "measurements": [_measurement(m, one) for m in one.measurements] or None,
        "qualitative_evaluations": [
            hd.sr.QualitativeEvaluation(
                name=_concept(codes.code(s.what)), value=_concept(codes.code(s.value))
            )
            for s in one.statements
        ]
        or None,
    }
    if one.place is None:
        return hd.sr.MeasurementsAndQualitativeEvaluations(**common)
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=_region(one.place, sources), **common
    )


def _measurement(one: Measured, group: Group) -> Any:
    from highdicom.sr import Measurement

    codes = dicom_codes()
    return Measurement(
        name=_concept(codes.code(one.what)),
        value=one.value,
        unit=_concept(codes.unit(one.unit)),
        derivation=_concept(codes.code(one.derivation)) if one.derivation else None,
        method=_concept(codes.code(one.method)) if one.method else None,
        finding_sites=[_site(group.site, one.side)] if one.side and group.site else None,
    )


def _site(word: str, side: str | None) -> Any:
    from highdicom.sr import FindingSite

    codes = dicom_codes()
    return FindingSite(
        anatomic_location=_concept(codes.code(word)),
        laterality=_concept(codes.code(side)) if side else None,
    )


def _region(place: Circle, sources: Sources) -> Any:
    import numpy as np
    from highdicom.sr import GraphicTypeValues, ImageRegion, SourceImageForRegion

    image = sources.of([place.instance]).datasets[0]
    # SCOORD counts from the corner of the first pixel, not from its middle (PS3.3 C.18.6.1.1)
    centre = np.array([place.column + 0.5, place.row + 0.5])
    rim = centre + np.array([place.radius, 0.0])
    return ImageRegion(
        graphic_type=GraphicTypeValues.CIRCLE,
        graphic_data=np.stack([centre, rim]),
        source_image=SourceImageForRegion.from_source_image(image),
    )


def _comment(sentence: str) -> Any:
    from highdicom.sr import RelationshipTypeValues, TextContentItem

    return TextContentItem(
        name=_concept(dicom_codes().code("comment")),
        value=sentence,
        relationship_type=RelationshipTypeValues.CONTAINS,
    )


def _concept(code: Code) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.code, scheme_designator=code.scheme, meaning=code.meaning)
