"""What the pages of the images of a case show: what there is, its quality, and what is not said."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.errors import EpicrisisError, InputError
from knowledge.passages import Language
from knowledge.quantity import format_number
from serving.images.desk import ImageDesk, Shown
from serving.images.found import CaseImages, Kept
from serving.images.series import Series, Slice, unread
from serving.report.imaging import FACT, PROBLEM
from serving.web.words import Say, word
from tools.imaging.model import ImageProblem, Study
from tools.imaging.view.scale import Scale
from tools.imaging.view.window import Window


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


WHY_NO_SCALE = (
    _("a picture without a header: its scale is not known"),
    _("the scale is stated for parts of the picture, which differ"),
    _("the pixel spacing is stated as 0 mm"),
    _("no pixel spacing is stated"),
    _("at the detector: longer than in the body"),
    _("a projection: longer than in the body"),
    _("calibrated (geometry) at one depth of the body"),
    _("calibrated (fiducial) at one depth of the body"),
)
"""What is said of the scale of an image, in the words of `tools.imaging.view.scale`."""

REASONS = (
    _("the file ends before its pixels"),
    _("the file ends early: part of its pixels is missing"),
    _("its compressed pixels end early"),
    _("every pixel has the same value: nothing is on it"),
    _("its pixels cannot be decoded here: JPEG of 12 bits"),
    _("is the label or overview picture of a slide: not shown"),
    _("the slide is damaged"),
    _("this part of the slide is damaged"),
    _("no slide that can be opened here"),
)
"""Why a picture is not shown, in the words of the errors; others are shown as they are."""


@dataclass(frozen=True, kw_only=True)
class SeriesShown:
    """One series in a list.

    Args:
        image: Id of the image that stands for it.
        pictures: How many there are.
        slide: Whether it is a slide.
        hidden: It is the label or overview picture of a slide, which is not shown.
    """

    image: str
    pictures: int
    slide: bool
    hidden: bool


@dataclass(frozen=True, kw_only=True)
class StudyShown:
    """One study.

    Args:
        key: Unique on the page.
        facts: Name and value.
        problems: What was seen wrong or doubtful.
        unread: Why files of it are not shown.
        why: Why nothing is said of what it shows.
    """

    key: str
    title: str
    time: str
    zone: str
    facts: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    series: tuple[SeriesShown, ...]
    unread: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class WindowShown:
    """One window to choose.

    Args:
        numbers: Centre and width, to show; empty for a curve.
        center, width: As numbers for a script; empty for a curve.
    """

    key: str
    label: str
    numbers: str
    center: str
    width: str


@dataclass(frozen=True, kw_only=True)
class PictureShown:
    """What is said of the picture that a page shows; `problem` where it cannot be shown.

    Args:
        windows: To choose from; the first is the default.
        scale_why: What a distance on it means, or why there is none in mm.
        row_mm, column_mm: Empty where not known.
    """

    problem: str = ""
    way_out: str = ""
    rows: int = 0
    columns: int = 0
    windows: tuple[WindowShown, ...] = ()
    scale_known: bool = False
    scale_why: str = ""
    row_mm: str = ""
    column_mm: str = ""
    inverted: bool = False
    colour: bool = False


def studies_shown(
    images: CaseImages, desk: ImageDesk, say: Say, language: Language
) -> tuple[StudyShown, ...]:
    """Return the studies of a case with their series.

    Raises:
        UnavailableError: A content is not there any more or has changed.
        TooManyError: Too many pictures are asked for at this moment.
    """
    return tuple(
        study_shown(images, study, desk, say, language, number)
        for number, study in enumerate(images.studies, start=1)
    )


def study_shown(
    images: CaseImages,
    study: Study,
    desk: ImageDesk,
    say: Say,
    language: Language,
    number: int = 1,
) -> StudyShown:
    """Return one study with its series.

    Raises:
        UnavailableError: A content is not there any more or has changed.
        TooManyError: Too many pictures are asked for at this moment.
    """
    series, errors = desk.series(images, study)
    return StudyShown(
        key=f"study{number}",
        title=study.title_zh if language == "zh" else study.title,
        time=say("time not given") if study.time is None else study.time.show(images.time_zone),
        zone="" if study.time is None else images.time_zone or "",
        facts=tuple((say(FACT.get(f.name, f.name)), f.value) for f in study.facts),
        problems=tuple(_problem(p, say, of=len(study.files)) for p in study.problems),
        series=tuple(_series(one) for one in series),
        unread=unread(images, study, errors),
        why=say(study.not_assessed.detail),
    )


def picture_shown(
    desk: ImageDesk, kept: Kept, frame: int, say: Say, language: Language
) -> PictureShown:
    """Return what is said of a picture; where it cannot be shown, why, and what to do."""
    try:
        shown = desk.shown(kept, frame=frame)
    except EpicrisisError as error:
        return PictureShown(problem=reason(error, say), way_out=error.way_out)
    return PictureShown(
        rows=shown.rows,
        columns=shown.columns,
        windows=tuple(_windows(shown, language)),
        scale_known=shown.scale.is_known,
        scale_why=say(shown.scale.why) if shown.scale.why else "",
        row_mm=_mm(shown.scale, row=True),
        column_mm=_mm(shown.scale, row=False),
        inverted=shown.inverted,
        colour=shown.is_colour,
    )


def reason(error: EpicrisisError, say: Say) -> str:
    """Return why something is not shown, in the language of the page where it is known there."""
    return say(error.reason) if error.reason in REASONS else error.reason


def of_series(series: tuple[Series, ...], image: str) -> Series | None:
    """Return the series that an image is of; None where its header cannot be read."""
    for one in series:
        if any(read.kept.id == image for read in one.reads):
            return one
    return None


def slice_number(series: Series, image: str, frame: int) -> int:
    """Return where a picture stands in its series, from 0."""
    wanted = Slice(image=image, frame=frame)
    return series.slices.index(wanted) if wanted in series.slices else 0


def _series(one: Series) -> SeriesShown:
    return SeriesShown(
        image=one.first.kept.id,
        pictures=1 if one.is_slide else len(one.slices),
        slide=one.is_slide,
        hidden=one.first.may_identify,
    )


def _windows(shown: Shown, language: Language) -> Iterator[WindowShown]:
    for window in shown.windows:
        yield WindowShown(
            key=window.key,
            label=window.label.read(language),
            numbers=_numbers(window),
            center=_plain(window.center),
            width=_plain(window.width),
        )


def _numbers(window: Window) -> str:
    if window.center is None or window.width is None:
        return ""
    return f"{format_number(round(window.center, 1))} / {format_number(round(window.width, 1))}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _mm(scale: Scale, *, row: bool) -> str:
    value = scale.row_mm if row else scale.column_mm
    return f"{value:.9g}" if scale.is_known and value is not None else ""


def _problem(one: ImageProblem, say: Say, *, of: int) -> str:
    words = word(PROBLEM, one.code, say) if one.code in PROBLEM else one.detail
    if one.files is not None and one.files < of:
        words += " (" + say("%d of %d files") % (one.files, of) + ")"
    return words


def input_problem(error: InputError, say: Say) -> PictureShown:
    """Return what is said in the place of a picture that cannot be shown."""
    return PictureShown(problem=reason(error, say), way_out=error.way_out)
