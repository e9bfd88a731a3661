"""A small series, a slide, and one written object of every kind."""

import io
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pydicom

from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import chest, series
from tools.dicom_out.capture import secondary_capture
from tools.dicom_out.maker import Maker
from tools.dicom_out.overlay import overlay_picture, windowed
from tools.dicom_out.presentation import Note, Window, presentation_state
from tools.dicom_out.report import Circle, Group, Measured, Stated, StructuredReport
from tools.dicom_out.segmentation import Segment, segmentation
from tools.dicom_out.slide_annotations import slide_annotations
from tools.dicom_out.sources import Sources, read_sources
from tools.dicom_out.structured_report import structured_report

MAKER = Maker(method="a_method", method_version="3", at=datetime(2026, 1, 10, 11, 0, tzinfo=UTC))
SHAPE = (3, 16, 16)


def files(**changes: Any) -> dict[str, bytes]:
    """Return three slices of air with a bright square."""
    hu = np.full(SHAPE, -900, np.float32)
    hu[1, 4:9, 4:9] = 40
    stated = {"StudyTime": "101500", "StudyID": "7", "AccessionNumber": "A1", **changes}
    return series(hu, (2.0, 1.0, 1.0), **stated)


@cache
def sources() -> Sources:
    return read_sources(files())


def square() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[1, 4:9, 4:9] = True
    return mask


def report(**changes: Any) -> StructuredReport:
    place = Circle(instance=sources().instances[1], column=6, row=6, radius=2.5)
    stated: dict[str, Any] = {
        "title": "CT measurements",
        "procedure": "ct-of-chest",
        "groups": (
            Group(
                title="Nodule 1",
                finding="nodule",
                site="lung",
                measurements=(
                    Measured(what="diameter", value=5.1, unit="mm", derivation="mean"),
                    Measured(what="volume", value=69.5, unit="mm3"),
                ),
                statements=(Stated(what="nodule-kind", value="solid"),),
                place=place,
            ),
            Group(
                title="Lungs",
                finding="organ",
                site="lung",
                measurements=(
                    Measured(what="volume", value=2500, unit="mL", side="left"),
                    Measured(what="laa-950", value=3.5, unit="%"),
                ),
            ),
        ),
        "not_assessed": {"agatston": "no mask of the coronaries given"},
        "notes": ("Lungs: kernel Br40",),
    }
    return StructuredReport(**{**stated, **changes})


def slide() -> Sources:
    content = (shared_data("dicom-misc") / "sm_image.dcm").read_bytes()
    return read_sources({"sm_image.dcm": content})


def written(kind: str) -> bytes:
    """Return one object of a kind."""
    one = sources().of([sources().instances[1]])
    match kind:
        case "sr":
            return structured_report(report(), sources(), MAKER)
        case "seg":
            what = Segment(label="Lungs", category="anatomical-structure", what="lung")
            return segmentation(square(), what, sources(), MAKER)
        case "sc":
            grey = windowed(np.full((16, 16), -900.0), -600, 1500)
            return secondary_capture(
                overlay_picture(grey, [("Lungs", square()[1])], MAKER), one, MAKER, title="overlay"
            )
        case "pr":
            note = Note(
                instance=sources().instances[1],
                text="Nodule 1: 5 mm",
                points=((4, 4), (8, 4), (8, 8), (4, 4)),
            )
            window = Window(centre=-600, width=1500, name="lung")
            return presentation_state(window, (note,), sources(), MAKER, title="notes")
        case _:
            return slide_annotations(
                [np.array([[1.0, 1], [3, 1], [3, 3]]), np.array([[5.0, 5], [6, 5], [6, 6]])],
                slide(),
                MAKER,
                label="Nuclei",
                what="cell-nucleus",
                measurements={("area", "mm2"): np.array([2.0, np.nan])},
            )


KINDS = ("sr", "seg", "sc", "pr", "ann")


def phantom() -> dict[str, bytes]:
    """Return a chest with two lungs of known volume, with identifiers of its own."""
    made = {}
    spacing = (4.0, 2.0, 2.0)
    hu = chest(spacing=spacing, shape=(60, 160, 160), vessels=0, noise=10)
    stated = {
        "StudyInstanceUID": "2.25.88001", "SeriesInstanceUID": "2.25.88002",
        "FrameOfReferenceUID": "2.25.88003", "PatientID": "T-88", "PatientName": "Test^Lungs",
        "StudyID": "1", "StudyTime": "101500",
    }  # fmt: skip
    for name, content in series(hu, spacing, **stated).items():
        ds = pydicom.dcmread(io.BytesIO(content))
        ds.SOPInstanceUID = f"2.25.8801{int(name[:3]):03}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        made[name] = out.getvalue()
    return made
