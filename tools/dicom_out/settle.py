"""The last touch on every written object: whose, when, by what, and nothing left to chance."""

import io
from collections.abc import Iterator
from typing import Any

from knowledge.dicom_codes import dicom_codes
from tools.dicom_out.maker import MANUFACTURER, Maker
from tools.dicom_out.sources import Sources
from tools.dicom_out.uids import uid

_CHANCE = "1.2.826.0.1.3680043.10.511.3."
"""highdicom 0.28 makes identifiers at random below this root; each is made again of the inputs."""

IMPLEMENTATION = uid("implementation", "epicrisis")


def object_uids(kind: str, sources: Sources, maker: Maker, content: str) -> tuple[str, str]:
    """Return the series and instance UIDs of an object.

    Args:
        kind: Kind of the object, for example ``sr``.
        sources: What it is about.
        maker: What makes it.
        content: Digest of what it says.
    """
    made_of = (kind, sources.study, *sources.instances, *maker.key)
    return uid("series", *made_of), uid("instance", *made_of, content)


def settle(ds: Any, *, sources: Sources, maker: Maker, description: str) -> bytes:
    """Return an object as the bytes of a DICOM file, the same for the same inputs.

    Character set, moment, zone, software and notice are set; identifiers made at random are
    replaced; a side is stated as unknown where its module asks for it.

    Args:
        ds: The object as highdicom made it.
        sources: What it is about.
        maker: What made it.
        description: Of the series, at most 40 characters.
    """
    ds.SpecificCharacterSet = "ISO_IR 192"
    day, clock = maker.at.strftime("%Y%m%d"), maker.at.strftime("%H%M%S")
    for keyword, value in (
        ("InstanceCreationDate", day), ("InstanceCreationTime", clock),
        ("ContentDate", day), ("ContentTime", clock),
        ("SeriesDate", day), ("SeriesTime", clock),
        ("PresentationCreationDate", day), ("PresentationCreationTime", clock),
        ("DateOfSecondaryCapture", day), ("TimeOfSecondaryCapture", clock),
        ("TimezoneOffsetFromUTC", maker.offset),
    ):  # fmt: skip
        if keyword in ds or keyword in ("SeriesDate", "SeriesTime", "TimezoneOffsetFromUTC"):
            setattr(ds, keyword, value)
    ds.SeriesDescription = f"Research use: {description}"[:64]
    ds.Manufacturer = MANUFACTURER
    ds.ManufacturerModelName = maker.method[:64]
    ds.SoftwareVersions = [maker.software, maker.method_version]
    ds.DeviceSerialNumber = maker.software
    _whose(ds, sources)
    for element in _elements(ds):
        if element.keyword == "ContributionDateTime":  # highdicom names itself as contributing
            element.value = day + clock + maker.offset
    _settle_uids(ds)
    _own_scheme(ds)
    ds.file_meta.ImplementationClassUID = IMPLEMENTATION
    ds.file_meta.ImplementationVersionName = f"EPICRISIS {maker.software}"[:16]
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _whose(ds: Any, sources: Sources) -> None:
    """Copy what tells the patient and the study that highdicom leaves out."""
    first = sources.datasets[0]
    for keyword in ("IssuerOfPatientID", "StudyDescription", "PatientAge"):
        if first.get(keyword):
            setattr(ds, keyword, first[keyword].value)


def _settle_uids(ds: Any) -> None:
    """Replace every identifier made at random, each everywhere by the same one."""
    made: dict[str, str] = {}
    for element in _elements(ds):
        if element.VR != "UI" or element.value is None:
            continue
        several = not isinstance(element.value, str)
        values = list(element.value) if several else [element.value]
        settled = [
            made.setdefault(str(v), uid("part", str(ds.SOPInstanceUID), str(len(made))))
            if str(v).startswith(_CHANCE)
            else str(v)
            for v in values
        ]
        if settled != [str(v) for v in values]:
            element.value = settled if several else settled[0]


def _own_scheme(ds: Any) -> None:
    """Name the private coding scheme where one of its codes is used (PS3.3 C.12.1.1.6)."""
    from pydicom.dataset import Dataset

    own = dicom_codes().own_scheme
    used = any(
        element.keyword == "CodingSchemeDesignator" and element.value == own.designator
        for element in _elements(ds)
    )
    if not used:
        return
    item = Dataset()
    item.CodingSchemeDesignator = own.designator
    item.CodingSchemeName = own.name
    item.CodingSchemeResponsibleOrganization = own.responsible
    ds.CodingSchemeIdentificationSequence = [item]


def _elements(ds: Any) -> Iterator[Any]:
    for element in ds:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)


def state_side(ds: Any, sources: Sources) -> None:
    """State the side of a paired body part as the source does (PS3.3 C.7.3.1, type 2C).

    Of a part that is not paired it may not be there; of one not named it is there and empty.
    """
    first = sources.datasets[0]
    if first.get("BodyPartExamined"):
        ds.BodyPartExamined = first.BodyPartExamined
    side = str(first.get("Laterality", "") or first.get("ImageLaterality", "") or "")
    if side or not first.get("BodyPartExamined"):
        ds.Laterality = side
