"""Images and slides of a case, as a person reads them: what there is and what was measured."""

from collections.abc import Iterator, Mapping

from agent.assessment import Assessment
from agent.fact_sheet.imaging_words import measure_lines
from agent.urgent_readings import in_words
from knowledge.finding import Finding
from knowledge.words import Language
from serving.report.section import Item, Section
from serving.web.words import Say
from tools.imaging.model import ImageProblem, Study, StudyMeasures
from tools.readings.in_case import CaseReading

_SHOWN_FILES = 3
_SHOWN_FIGURES = 3


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


FACT: Mapping[str, str] = {
    "side": _("side"),
    "size": _("size"),
    "whole slide": _("whole slide"),
    "pixel spacing": _("pixel spacing"),
    "pixel size": _("pixel size"),
    "slice thickness": _("slice thickness"),
    "photometric interpretation": _("photometric interpretation"),
    "transfer syntax": _("transfer syntax"),
    "compression": _("compression"),
    "colours": _("colours"),
    "levels": _("levels"),
    "objective": _("objective"),
    "time as stated": _("time as stated"),
}

PROBLEM: Mapping[str, str] = {
    "modality-not-stated": _("the modality is not stated"),
    "captured": _("a captured picture, not the image as the device made it"),
    "view-not-stated": _("the view is not stated"),
    "body-part-not-stated": _("the body part is not stated"),
    "spacing-zero": _(
        "the pixel spacing is stated as 0 mm: no length, area or volume in mm; only ratios"
    ),
    "spacing-missing": _(
        "no pixel spacing is stated: no length, area or volume in mm; only ratios"
    ),
    "spacing-of-a-projection": _("a projection magnifies: distances are larger than in the body"),
    "photometric-unknown": _("how pixel values become grey or colour is not stated"),
    "inverted": _("stored inverted (MONOCHROME1): low values are white"),
    "burned-in": _("text about the patient is in the picture"),
    "burned-in-not-stated": _("whether text is in the picture is not stated"),
    "size-not-stated": _("rows or columns are not stated"),
    "pixels-missing": _("the file ends before its pixels"),
    "pixels-truncated": _("the file ends early: part of its pixels is missing"),
    "not-decodable": _("its pixels cannot be decoded here"),
    "no-header": _("a picture without a header: modality, view and spacing are not known"),
    "blank": _("every pixel has the same value: nothing is on it"),
    "time-impossible": _("the time stated is before such images were made: it is not used"),
    "label-inside": _("it holds a label or overview picture, which may show who the patient is"),
}


_NOTHING = _("Listed and identified only. Nobody and nothing here has looked at the pictures.")
_MEASURED = _(
    "Software measured on the images; every value is approximate until a reader has looked at "
    "them. A measurement is no diagnosis: signs of disease are not assessed."
)
_MODELS = _("What plugged models say is no finding until a reader has confirmed it.")
_READ = _("What a reading states is the word of the reader who signed it.")
_OTHER = _("not assessed: what the signed reading does not state")
_STANDING: Mapping[str, str] = {
    "signed": _("signed reading"),
    "unsigned": _(
        "unsigned reading in the case: nothing of it is used until a reader has signed it"
    ),
    "superseded": _("reading replaced by a later signed version"),
}
_NO_MORE = _("not assessed: what the plugged models did not say")
_NO_MODEL = _("not assessed: no validated model configured")


def imaging_section(a: Assessment, say: Say, *, chinese: bool) -> Section | None:
    """Return the imaging of an assessment for a reader; None where the case has none.

    Args:
        a: The assessment.
        say: From English to the language of the report.
        chinese: Whether that is Chinese.
    """
    if not a.imaging and not a.readings:
        return None
    alone = [one for one in a.readings if not one.study]
    return Section(
        id="imaging",
        title=say("Imaging and slides"),
        note=_urgent(a, chinese=chinese) + _note(a, say),
        items=(
            *(_item(s, a, say, chinese=chinese) for s in a.imaging),
            *(_reading_item(one, a, say, chinese=chinese) for one in alone),
        ),
    )


def _urgent(a: Assessment, *, chinese: bool) -> str:
    """Return what is to be told at once, before everything else that is said of images."""
    language: Language = "zh" if chinese else "en"
    end = "。" if chinese else ". "
    return "".join(in_words(one, a.time_zone, language) + end for one in a.urgent_readings)


def _note(a: Assessment, say: Say) -> str:
    said = [say(_READ)] if any(one.standing == "signed" for one in a.readings) else []
    said += [say(_MODELS)] if any(study.said for study in a.imaging) else []
    if any(_is_measured(study) for study in a.imaging):
        said.append(say(_MEASURED))
    return " ".join(said) or say(_NOTHING)


def _is_measured(study: Study) -> bool:
    findings = (finding for one in study.measured for finding in one.findings)
    return any(finding.not_assessed is None for finding in findings)


def _reading_item(one: CaseReading, a: Assessment, say: Say, *, chinese: bool) -> Item:
    """Return a reading whose images are not in the case."""
    when = say("time not given") if one.time is None else one.time.show(a.time_zone)
    return Item(
        heading=one.title.zh if chinese else one.title.en,
        lines=(f"{when}; {one.file}", _reading(one, a, say, chinese=chinese)),
        evidence=one.evidence,
    )


def _reading(one: CaseReading, a: Assessment, say: Say, *, chinese: bool) -> str:
    """Return a reading in one line: whether it counts, who signed it and when, its summary."""
    head = say(_STANDING[one.standing])
    if one.signed_at is not None:
        head += f" ({one.signed_by}, {one.signed_at.show(a.time_zone)})"
    if one.standing != "signed":
        return head
    said = one.summary_zh if chinese else one.summary_en
    left = [f"{say('not used')}: {why}" for why in one.not_used]
    return f"{head}: " + "; ".join((*said, *left))


def _item(study: Study, a: Assessment, say: Say, *, chinese: bool) -> Item:
    time_zone = a.time_zone
    readings = [one for one in a.readings if one.study == study.id]
    is_read = any(one.standing == "signed" for one in readings)
    when = say("time not given") if study.time is None else study.time.show(time_zone)
    files = ", ".join(study.files[:_SHOWN_FILES])
    if len(study.files) > _SHOWN_FILES:
        files += say(" and %d more") % (len(study.files) - _SHOWN_FILES)
    lines = [f"{when}; " + say("%d images in %d series") % (study.images, study.series), files]
    if study.facts:
        facts = (f"{say(FACT.get(f.name, f.name))}: {f.value}" for f in study.facts)
        lines.append("; ".join(facts))
    lines += [_reading(one, a, say, chinese=chinese) for one in readings]
    lines += [_problem(one, say, of=len(study.files)) for one in study.problems]
    lines += [_said(one, say) for one in study.said]
    for measures in study.measured:
        lines += _measured(measures, say, chinese=chinese)
    return Item(
        heading=study.title_zh if chinese else study.title,
        lines=tuple(lines),
        open=say(_OTHER if is_read else _NO_MORE if study.said else _NO_MODEL),
        evidence=(*study.evidence[:_SHOWN_FILES], *(e for one in readings for e in one.evidence)),
    )


def _measured(measures: StudyMeasures, say: Say, *, chinese: bool) -> Iterator[str]:
    """Yield what one tool measured, what must be read with it, and how well it measures."""
    yield from (line.text for line in measure_lines(measures, "zh" if chinese else "en"))
    if measures.cautions:
        yield say("to be read with it") + ": " + "; ".join(measures.cautions)
    if any(finding.not_assessed is None for finding in measures.findings):
        shown = "; ".join(measures.accuracy[:_SHOWN_FIGURES])
        yield say("accuracy measured") + ": " + (shown or say("no figure was measured"))


def _said(one: Finding, say: Say) -> str:
    """Return what a model says of an image, which model and on what it was measured."""
    if one.not_assessed is not None:
        value = say("not assessed") + f" ({one.not_assessed.detail})"
    else:
        value = str(one.value)
    source = f"{say('model')} {one.method or ''}".strip()
    return "; ".join(part for part in (f"{one.concept.text}: {value}", source, one.note) if part)


def _problem(one: ImageProblem, say: Say, *, of: int) -> str:
    words = say(PROBLEM[one.code]) if one.code in PROBLEM else one.detail
    if one.files is not None and one.files < of:
        words += " (" + say("%d of %d files") % (one.files, of) + ")"
    return words
