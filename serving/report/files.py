"""Write one assessment as files: JSON, Markdown, HTML, the ECG pictures and the timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from agent.assess import Outcome
from agent.assessment import Assessment
from agent.ecg_step import EcgRun
from knowledge.clinical_time import elapsed
from knowledge.codes import EPICRISIS
from knowledge.errors import InputError
from knowledge.finding import State
from serving.cases.patient import patient_line, report_words
from serving.report.render import Picture, html, markdown
from serving.report.timeline_svg import Event, timeline_svg
from tools.ecg.measure import measure
from tools.ecg.picture import picture_png, picture_svg

_IMAGES_MINUTES = 7 * 24 * 60
"""Studies older than a week are listed and not drawn beside the hours of a presentation."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """The pictures of one recording."""

    picture: Picture
    svg: str
    png: bytes


def write_report(outcome: Outcome, folder: Path) -> tuple[Path, ...]:
    """Write everything below `folder` and return the paths; existing files are replaced.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    assessment = outcome.assessment
    shown = tuple(events(outcome))
    drawings = [
        drawn
        for run in outcome.ecgs
        if (drawn := draw(run, time_zone=assessment.time_zone)) is not None
    ]
    patient = _patient(outcome)
    content = {
        "assessment.json": orjson.dumps(assessment.to_json(), option=orjson.OPT_INDENT_2),
        "report.md": markdown(assessment, patient=patient).encode(),
        "report.html": html(
            assessment,
            events=shown,
            pictures=[drawn.picture for drawn in drawings],
            patient=patient,
        ).encode(),
    }
    timeline = timeline_svg(shown, time_zone=assessment.time_zone)
    if timeline:
        content["timeline.svg"] = timeline.encode()
    for index, drawn in enumerate(drawings, start=1):
        content[f"ecg-{index}.svg"] = drawn.svg.encode()
        content[f"ecg-{index}.png"] = drawn.png
    for name, data in content.items():
        (folder / name).write_bytes(data)
    return tuple(folder / name for name in content)


def _patient(outcome: Outcome) -> str:
    line = None if outcome.case is None else patient_line(outcome.case.timeline.patient)
    return report_words(line)


def draw(run: EcgRun, *, time_zone: str | None) -> Drawn | None:
    """Return the pictures of one recording; None where it was not analysed.

    A recording that was not analysed (switched off, not measurable) has no measured points to
    show; the report says so in words.
    """
    if not run.analysed:
        return None
    try:
        measured = measure(run.recording)
    except InputError:
        return None
    svg = picture_svg(run.recording, measured, run.report, time_zone=time_zone)
    caption = (
        f"{run.recording.file}; 25 mm/s, 10 mm/mV, points marked as measured. "
        "Device function, research use."
    )
    return Drawn(
        picture=Picture(
            headline=run.report.headline,
            svg=_inline(svg),
            caption=caption,
            notes=run.report.advice + tuple(p.detail for p in run.report.quality),
        ),
        svg=svg,
        png=picture_png(run.recording, measured, run.report, time_zone=time_zone),
    )


def events(outcome: Outcome) -> Iterator[Event]:
    """Yield what the timeline shows: onset, ECGs, troponin samples, the moment, what is due."""
    assessment = outcome.assessment
    yield from _onset(assessment)
    for run in outcome.ecgs:
        if run.recording.start is not None:
            yield Event(kind="ecg", label="ECG", time=run.recording.start)
    yield from _images(assessment)
    for sample in outcome.samples:
        if sample.time is not None and sample.quantity is not None:
            yield Event(kind="sample", label=f"troponin {sample.quantity}", time=sample.time)
    yield Event(kind="now", label="assessment", time=assessment.provenance.at)
    yield from _due(assessment)


def _images(assessment: Assessment) -> Iterator[Event]:
    """Yield the studies of the last days; what they show is not assessed."""
    for study in assessment.imaging:
        span = elapsed(study.time, assessment.provenance.at).minutes
        if study.time is None or span is None or span.low is None or span.low > _IMAGES_MINUTES:
            continue
        label = f"{study.modality or 'picture'}, not assessed"
        yield Event(kind="image", label=label, time=study.time)


def _onset(assessment: Assessment) -> Iterator[Event]:
    for finding in assessment.findings:
        is_onset = finding.concept.has(EPICRISIS, "onset") and finding.state is State.PRESENT
        if is_onset and finding.time is not None:
            yield Event(kind="onset", label="onset of pain", time=finding.time)


def _due(assessment: Assessment) -> Iterator[Event]:
    for recommended in assessment.recommendations:
        if recommended.due is None:
            continue
        if recommended.due.at < assessment.provenance.at.at:
            yield Event(kind="overdue", label="sample was due", time=recommended.due)
        else:
            yield Event(kind="due", label="next sample due", time=recommended.due)


def _inline(svg: str) -> str:
    """Return an SVG document without its XML head, to stand inside HTML."""
    return svg[svg.index("<svg") :]
