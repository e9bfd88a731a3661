# ruff: noqa: RUF001
"""What was measured on images, worded once for reports and chat: English or Chinese."""

from collections.abc import Iterator

from agent.fact_sheet.wording import measured_text
from knowledge.evidence import Evidence
from knowledge.finding import Finding
from knowledge.imaging_measures import imaging_measures, measures_told
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.quantity import Text
from tools.imaging.model import Study, StudyMeasures

_UNITS = {"[hnsf'U]": "HU", "{nuclei}": "", "{score}": "", "mm2": "mm²", "mm3": "mm³"}


class MeasureLine(Frozen):
    """One measurement in words.

    Args:
        code: Of the measurement.
        name: What it is called.
        text: The whole line.
        evidence: What it rests on.
    """

    code: str
    name: str
    text: str
    evidence: tuple[Evidence, ...]


def measure_lines(measures: StudyMeasures, language: Language) -> tuple[MeasureLine, ...]:
    """Return every value of a measurement, or why there is none.

    Args:
        measures: What one tool measured.
        language: Of the words; reasons that have no Chinese stay English.
    """
    return tuple(_line(finding, language) for finding in measures.findings)


def studies_measured(
    studies: tuple[Study, ...],
) -> Iterator[tuple[Study, StudyMeasures]]:
    """Yield each measurement with its study."""
    for study in studies:
        for one in study.measured:
            yield study, one


def _line(finding: Finding, language: Language) -> MeasureLine:
    code = next((c.code for c in finding.concept.codings), "")
    name = measure_name(finding, language)
    value = _value(finding, language)
    parts = [value, *_notes(finding, language)]
    if finding.body_site:
        name = f"{name} ({finding.body_site})"
    text = f"{name}: {'; '.join(parts)}" if language == "en" else f"{name}：{'；'.join(parts)}"
    return MeasureLine(code=code, name=name, text=text, evidence=finding.evidence)


def measure_name(finding: Finding, language: Language) -> str:
    """Return what a measurement is called."""
    names = imaging_measures().names
    for coding in finding.concept.codings:
        if coding.code in names:
            row = names[coding.code]
            return row.zh if language == "zh" else row.en
    return finding.concept.text


def _value(finding: Finding, language: Language) -> str:
    reason = finding.not_assessed
    if reason is not None:
        words = imaging_measures().texts.not_assessed
        said = reason_text(reason.detail, language)
        return f"{words.zh}（{said}）" if language == "zh" else f"{words.en} ({said})"
    if isinstance(finding.value, Text):
        return reason_text(finding.value.text, language)
    text = measured_text(finding)
    unit = finding.quantity.unit if finding.quantity is not None else ""
    return (text.removesuffix(unit) + _UNITS[unit]).strip() if unit in _UNITS else text


def _notes(finding: Finding, language: Language) -> Iterator[str]:
    if finding.note:
        yield from (reason_text(part, language) for part in finding.note.split("; "))
    if finding.method:
        yield reason_text(finding.method, language)


def reason_text(detail: str, language: Language) -> str:
    """Return a reason in a language, in English where it has no Chinese."""
    return measures_told()(detail) if language == "zh" else detail
