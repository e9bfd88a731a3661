"""Write one assessment as files: JSON, Markdown, HTML, the ECG pictures and the timeline."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from agent.assess import EcgRun, Outcome
from knowledge.codes import EPICRISIS
from knowledge.finding import State
from serving.report.render import Picture, html, markdown
from serving.report.timeline_svg import Event, timeline_svg
from tools.ecg.picture import picture_png, picture_svg


def write_report(outcome: Outcome, folder: Path) -> tuple[Path, ...]:
    """Write everything below `folder` and return the paths; existing files are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    assessment = outcome.assessment
    shown = tuple(events(outcome))
    pictures = [(run, _picture(run)) for run in outcome.ecgs if run.measurements is not None]
    text = {
        "assessment.json": orjson.dumps(assessment.to_json(), option=orjson.OPT_INDENT_2),
        "report.md": markdown(assessment).encode(),
        "report.html": html(
            assessment, events=shown, pictures=[picture for _, picture in pictures]
        ).encode(),
    }
    drawn = timeline_svg(shown, time_zone=assessment.time_zone)
    if drawn:
        text["timeline.svg"] = drawn.encode()
    for index, (run, picture) in enumerate(pictures, start=1):
        text[f"ecg-{index}.svg"] = picture.svg.encode()
        if run.measurements is not None:
            text[f"ecg-{index}.png"] = picture_png(run.recording, run.measurements, run.report)
    for name, content in text.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in text)


def events(outcome: Outcome) -> Iterator[Event]:
    """Yield what the timeline shows: onset, ECGs, troponin samples, the moment, what is due."""
    assessment = outcome.assessment
    for finding in assessment.findings:
        if finding.state is not State.PRESENT or finding.time is None:
            continue
        if finding.concept.has(EPICRISIS, "onset"):
            yield Event(kind="onset", label="onset of pain", time=finding.time)
    for run in outcome.ecgs:
        if run.recording.start is not None:
            yield Event(kind="ecg", label="ECG", time=run.recording.start)
    for sample in outcome.samples:
        if sample.time is not None and sample.quantity is not None:
            yield Event(kind="sample", label=f"troponin {sample.quantity}", time=sample.time)
    yield Event(kind="now", label="assessment", time=assessment.provenance.at)
    for recommended in assessment.recommendations:
        if recommended.due is not None:
            overdue = recommended.due.at < assessment.provenance.at.at
            label = "sample overdue" if overdue else "next sample due"
            kind = "overdue" if overdue else "due"
            yield Event(kind=kind, label=label, time=recommended.due)


def _picture(run: EcgRun) -> Picture:
    assert run.measurements is not None  # noqa: S101 - the caller draws only measured recordings
    return Picture(
        headline=run.report.headline,
        svg=_inline(picture_svg(run.recording, run.measurements, run.report)),
        caption=f"{run.recording.file}; 25 mm/s, 10 mm/mV. Points marked as measured. "
        "Device function, research use.",
    )


def _inline(svg: str) -> str:
    """Return an SVG document without its XML head, to stand inside HTML."""
    return svg[svg.index("<svg") :]
