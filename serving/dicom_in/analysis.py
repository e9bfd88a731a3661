"""What a series that arrived gives: an analysis by rule, as DICOM objects, or why there is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from knowledge.dicom_arrivals import ArrivalRule, dicom_arrivals
from knowledge.errors import EpicrisisError, InputError
from knowledge.settings import Settings
from serving.fhir_out.imaging import imaging_bundle
from tools.dicom_out.capture import secondary_capture
from tools.dicom_out.ct_report import TITLE, ct_structured_report
from tools.dicom_out.maker import Maker
from tools.dicom_out.overlay import overlay_picture, windowed
from tools.dicom_out.presentation import Note, Window, presentation_state
from tools.dicom_out.report import Circle, StructuredReport
from tools.dicom_out.segmentation import Segment, segmentation, whole_grid
from tools.dicom_out.sources import Source, Sources, read_sources
from tools.dicom_out.structured_report import structured_report
from tools.imaging.ct.lungs import lungs
from tools.imaging.ct.model import Mask, Point, Volume
from tools.imaging.ct.report import CtReport, measured
from tools.imaging.ct.volume import read_files

LUNG_WINDOW = Window(centre=-600, width=1500, name="Lung")
_LUNGS = Segment(label="Lungs", category="anatomical-structure", what="lung")
_METHOD, _VERSION = "ct_measurements_of_series", "1"


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysed:
    """What became of a series.

    Args:
        rule: The rule that started the analysis; empty where none fits.
        reason: Why nothing was analysed; empty where something was.
        report: What the report says; None where there is none.
        objects: DICOM objects by kind: ``sr``, ``seg``, ``sc``, ``pr``.
        left_out: Kinds that were not made, and why.
        fhir: The same as a FHIR R4 Bundle; None where there is no report.
    """

    rule: str = ""
    reason: str = ""
    report: StructuredReport | None = None
    objects: dict[str, bytes] = field(default_factory=dict, repr=False)
    left_out: dict[str, str] = field(default_factory=dict)
    fhir: dict[str, Any] | None = field(default=None, repr=False)


def analyse_series(
    files: Mapping[str, Source],
    *,
    settings: Settings,
    at: datetime,
    seeds: tuple[Point, ...] = (),
    series: str | None = None,
) -> Analysed:
    """Return what the rules make of one series.

    Args:
        files: Name to path or content.
        settings: Whether device functions are on, and limits.
        at: The moment of the results, zoned.
        seeds: A point in each nodule, where a person gave some.
        series: Series Instance UID, where the files hold several.

    Raises:
        InputError: The series cannot be read; names the file and the reason.
        IdentityConflictError: The files are not of one patient.
    """
    if not settings.device_functions:
        return Analysed(reason="not assessed: switched off (EPICRISIS_DEVICE_FUNCTIONS)")
    sources = read_sources(files, series=series)
    rule, why_not = _rule(sources)
    if rule is None:
        return Analysed(reason=f"no rule fits: {why_not}")
    maker = Maker(method=_METHOD, method_version=_VERSION, at=at)
    named = {name: files[name] for name in sources.files}
    volume = read_files(named, zone=settings.time_zone, settings=settings)
    sources = sources.of(volume.facts.instances)
    found = measured(volume, seeds=seeds, answers={})
    return _written(rule.id, found, volume, sources, maker)


def _rule(sources: Sources) -> tuple[ArrivalRule | None, str]:
    first = sources.datasets[0]
    words = [
        str(first.get(keyword, "") or "")
        for keyword in ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName")
    ]
    return dicom_arrivals().rule_for(sources.modality, words, len(sources.datasets))


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
