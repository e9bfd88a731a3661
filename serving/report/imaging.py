"""Images and slides of a case, as a person reads them: what there is, and that nothing is said."""

from collections.abc import Mapping

from agent.assessment import Assessment
from knowledge.finding import Finding
from serving.report.section import Item, Section
from serving.web.words import Say
from tools.imaging.model import ImageProblem, Study

_SHOWN_FILES = 3


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
}

PROBLEM: Mapping[str, str] = {
    "modality-not-stated": _("the modality is not stated"),
    "captured": _("a captured picture, not the image as the device made it"),
    "view-not-stated": _("the view is not stated"),
    "body-part-not-stated": _("the body part is not stated"),
    "spacing-zero": _("the pixel spacing is stated as 0 mm: nothing can be measured on it"),
    "spacing-missing": _("no pixel spacing is stated: nothing can be measured on it"),
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
    "label-inside": _("it holds a label or overview picture, which may show who the patient is"),
}


_NOTHING = _("Listed and identified only. Nobody and nothing here has looked at the pictures.")
_MODELS = _("What plugged models say is no finding until a reader has confirmed it.")
_NO_MORE = _("not assessed: what the plugged models did not say")
_NO_MODEL = _("not assessed: no validated model configured")


def imaging_section(a: Assessment, say: Say, *, chinese: bool) -> Section | None:
    """Return the imaging of an assessment for a reader; None where the case has none.

    Args:
        a: The assessment.
        say: From English to the language of the report.
        chinese: Whether that is Chinese.
    """
    if not a.imaging:
        return None
    return Section(
        id="imaging",
        title=say("Imaging and slides"),
        note=say(_MODELS if any(study.said for study in a.imaging) else _NOTHING),
        items=tuple(_item(s, say, chinese=chinese, time_zone=a.time_zone) for s in a.imaging),
    )


def _item(study: Study, say: Say, *, chinese: bool, time_zone: str | None) -> Item:
    when = say("time not given") if study.time is None else study.time.show(time_zone)
    files = ", ".join(study.files[:_SHOWN_FILES])
    if len(study.files) > _SHOWN_FILES:
        files += say(" and %d more") % (len(study.files) - _SHOWN_FILES)
    lines = [f"{when}; " + say("%d images in %d series") % (study.images, study.series), files]
    if study.facts:
        facts = (f"{say(FACT.get(f.name, f.name))}: {f.value}" for f in study.facts)
        lines.append("; ".join(facts))
    lines += [_problem(one, say, of=len(study.files)) for one in study.problems]
    lines += [_said(one, say) for one in study.said]
    return Item(
        heading=study.title_zh if chinese else study.title,
        lines=tuple(lines),
        open=say(_NO_MORE if study.said else _NO_MODEL),
        evidence=study.evidence[:_SHOWN_FILES],
    )


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
