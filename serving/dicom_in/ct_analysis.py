"""The results of a CT series: report, lung segmentation, picture, presentation state."""

from collections.abc import Callable, Mapping
from datetime import datetime

import numpy as np

from knowledge.errors import EpicrisisError, InputError
from knowledge.settings import Settings
from serving.dicom_in.analysed import Analysed
from serving.fhir_out.imaging import imaging_bundle
from tools.dicom_out.capture import secondary_capture
from tools.dicom_out.ct_report import TITLE, ct_structured_report
from tools.dicom_out.maker import Maker
from tools.dicom_out.overlay import overlay_picture, windowed
from tools.dicom_out.presentation import Note, Window, presentation_state
from tools.dicom_out.report import Circle, StructuredReport
from tools.dicom_out.segmentation import Segment, segmentation, whole_grid
from tools.dicom_out.sources import Source, Sources
from tools.dicom_out.structured_report import structured_report
from tools.imaging.ct.lungs import lungs
from tools.imaging.ct.model import Mask, Point, Volume
from tools.imaging.ct.report import CtReport, measured
from tools.imaging.ct.volume import read_files

LUNG_WINDOW = Window(centre=-600, width=1500, name="Lung")
_LUNGS = Segment(label="Lungs", category="anatomical-structure", what="lung")
_METHOD, _VERSION = "ct_measurements_of_series", "1"


def analyse_ct(
    files: Mapping[str, Source],
    sources: Sources,
    *,
    rule: str,
    settings: Settings,
    at: datetime,
    seeds: tuple[Point, ...] = (),
) -> Analysed:
    """Return what is measured on a CT series, as objects.

    Args:
        files: Those of the series.
        sources: The same, as images that can be referred to.
        rule: That started it.
        settings: Limits on files.
        at: The moment of the results, zoned.
        seeds: A point in each nodule.

    Raises:
        InputError: The series cannot be measured; names the file and the reason.
    """
    volume = read_files(files, zone=settings.time_zone, settings=settings)
    found = measured(volume, seeds=seeds, answers={})
    maker = Maker(method=_METHOD, method_version=_VERSION, at=at)
    return _written(rule, found, volume, sources.of(volume.facts.instances), maker)


def _written(
    rule: str, found: CtReport, volume: Volume, sources: Sources, maker: Maker
) -> Analysed:
    report = ct_structured_report(found, volume)
    objects = {"sr": structured_report(report, sources, maker)}
    left_out: dict[str, str] = {}
    mask = _lung_mask(found, volume, left_out)
    notes = _notes(report)
    more: dict[str, Callable[[], bytes]] = {
        "pr": lambda: presentation_state(LUNG_WINDOW, notes, sources, maker, title=TITLE)
    }
    if mask is not None:
        more["seg"] = lambda: segmentation(mask, _LUNGS, sources, maker)
        more["sc"] = lambda: _picture(mask, volume, sources, maker)
    for kind, make in more.items():
        try:
            objects[kind] = make()
        except InputError as error:
            left_out[kind] = f"{error.item}: {error.reason}"
    bundle = imaging_bundle(report, sources, maker)
    return Analysed(rule=rule, report=report, objects=objects, left_out=left_out, fhir=bundle)


def _lung_mask(found: CtReport, volume: Volume, left_out: dict[str, str]) -> Mask | None:
    if found.lungs is None:
        missing = found.not_assessed.get("lungs")
        left_out["seg"] = left_out["sc"] = missing.detail if missing else "lungs not assessed"
        return None
    try:
        outline = lungs(volume)
    except EpicrisisError as error:
        left_out["seg"] = left_out["sc"] = f"{error.item}: {error.reason}"
        return None
    return whole_grid(outline.mask, outline.step, volume.hu.shape)


def _picture(mask: Mask, volume: Volume, sources: Sources, maker: Maker) -> bytes:
    """Return the slice with most of the lungs, and their outline on it."""
    level = int(mask.sum(axis=(1, 2)).argmax())
    grey = windowed(volume.hu[level].astype(np.float32), LUNG_WINDOW.centre, LUNG_WINDOW.width)
    shown = overlay_picture(grey, [("Lungs, as measured", mask[level])], maker)
    one = sources.of([sources.instances[level]])
    return secondary_capture(shown, one, maker, title=f"{TITLE}: overlay")


def _notes(report: StructuredReport) -> tuple[Note, ...]:
    return tuple(
        Note(instance=group.place.instance, text=group.title, points=_rim(group.place))
        for group in report.groups
        if group.place is not None
    )


def _rim(place: Circle) -> tuple[tuple[float, float], ...]:
    angles = np.linspace(0, 2 * np.pi, 25)
    radius = place.radius + 2  # around it, so that it stays visible
    return tuple(
        (round(place.column + radius * float(np.cos(a)), 2),
         round(place.row + radius * float(np.sin(a)), 2))
        for a in angles
    )  # fmt: skip
