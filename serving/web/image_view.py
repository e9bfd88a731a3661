"""What the pages of the images of a case show: what there is, its quality, and what is not said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.errors import EpicrisisError, InputError
from knowledge.imaging_measures import measures_told
from knowledge.passages import Language
from knowledge.quantity import format_number
from serving.images.desk import ImageDesk, Shown
from serving.images.doubts import INVERTED
from serving.images.found import CaseImages, Kept
from serving.images.layers import FILM_MODALITIES
from serving.images.series import Series, Slice, unread
from serving.report.imaging import FACT, PROBLEM
from serving.web.image_words import (
    LEFT_OUT,
    MAY_HOLD_MARKS,
    OWN_LAYERS,
    REASONS,
    SHOWN_AS_STATED,
)
from serving.web.words import Say, word
from tools.imaging.model import ImageProblem, Study
from tools.imaging.view.scale import Scale
from tools.imaging.view.window import Window

Lines = tuple[str, ...]

_STACKS = frozenset({"CT", "MR", "PT"})
"""Modalities of pictures through the body, which are opened in their middle."""

_MOST_FILMS = 4
"""Films of a study that the gate looks at for a page: frontal, lateral, and each once again."""


@dataclass(frozen=True, kw_only=True)
class SeriesShown:
    """One series in a list.

    Args:
        image: Id of the image that stands for it: of a stack through the body its middle one.
        frame: Which of its pictures, from 0.
        pictures: How many there are.
        slide: Whether it is a slide.
        hidden: It is the label or overview picture of a slide, which is not shown.
    """

    image: str
    frame: int
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
    shown: Kept | None = None,
) -> StudyShown:
    """Return one study with its series.

    Args:
        images: Of the case.
        study: The study.
        desk: That reads the images.
        say: From English to the language of the page.
        language: Of the page.
        number: Of the study on the page.
        shown: The image whose doubts are told; those of the first films unless given.

    Raises:
        UnavailableError: A content is not there any more or has changed.
        TooManyError: Too many pictures are asked for at this moment.
    """
    series, errors = desk.series(images, study)
    return StudyShown(
        key=f"study{number}",
        title=study.title_zh if language == "zh" else study.title,
        time=_time(study, images.time_zone, say),
        zone="" if study.time is None else images.time_zone or "",
        facts=tuple((say(FACT.get(f.name, f.name)), _value(f.value, say)) for f in study.facts),
        problems=problems_told(images, study, desk, say, language, shown),
        series=tuple(_series(one) for one in series),
        unread=_unread(images, study, errors, say),
        why=say(study.not_assessed.detail),
    )


def problems_told(
    images: CaseImages,
    study: Study,
    desk: ImageDesk,
    say: Say,
    language: Language,
    shown: Kept | None = None,
) -> tuple[str, ...]:
    """Return what is wrong or doubtful with a study: by its headers, and by the gate of films.

    Args: as for `study_shown`.
    """
    lines = [_problem(p, say, of=len(study.files)) for p in study.problems]
    if study.modality in FILM_MODALITIES:
        films = list(images.files(study)) if shown is None else [shown]
        told = layer_words(language, say)
        for number, kept in enumerate(films[:_MOST_FILMS], start=1):
            found = list(_doubts_told(desk, kept, say, told))
            which = say("picture %d") % number + ": " if len(films) > 1 else ""
            lines += [which + line for line in found]
        if len(films) > _MOST_FILMS:
            lines.append(say("only the first %d films were looked at") % _MOST_FILMS)
    return tuple(lines)


def _doubts_told(desk: ImageDesk, kept: Kept, say: Say, told: Say) -> Iterator[str]:
    try:
        doubts = desk.doubts(kept)
    except EpicrisisError as error:
        yield say("the film gate could not look at it: %s") % told(error.reason)
        return
    for one in doubts:
        yield told(one.label) + (f": {told(one.detail)}" if one.detail else "")
        if one.id == INVERTED:
            yield say(SHOWN_AS_STATED)
    if any(one.stops for one in doubts):
        yield say("not everything is measured on it: the layer says what is not, and why")


def left_out_shown(images: CaseImages, desk: ImageDesk, say: Say) -> tuple[str, ...]:
    """Return why picture files of a case are not shown, after how many were received.

    Raises:
        UnavailableError: A content is not there any more or has changed.
    """
    if not images.left_out:
        return ()
    others = {one.name: one for one in images.others}
    count = sum(len(one.numbers) for one in images.left_out)
    lines = [
        say("files received: %(received)s; picture files not shown: %(count)s")
        % {"received": images.received, "count": count}
    ]
    for one in images.left_out:
        why = say(LEFT_OUT[one.why])
        if one.detail:
            why = f"{why}: {_known(one.detail, say)}"
        kept = [others[name] for name in one.files if name in others]
        if one.why == "not used" and kept and all(map(desk.may_hold_marks, kept)):
            why = say(MAY_HOLD_MARKS)
        which = {"which": _places(one.numbers), "count": len(one.numbers), "why": why}
        if len(one.numbers) == 1:
            lines.append(say("file %(which)s: %(why)s") % which)
        else:
            lines.append(say("%(count)s files (%(which)s): %(why)s") % which)
    return tuple(lines)


def _places(numbers: Sequence[int]) -> str:
    """Return numbers in short, those in a row as a span.

    Examples:
        >>> _places((1, 2, 3, 7))
        '1-3, 7'
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ", ".join("-".join(map(str, span)) for span in spans)


def _unread(images: CaseImages, study: Study, errors: dict[str, InputError], say: Say) -> Lines:
    found = []
    for one in unread(images, study, errors):
        why = _known(one.reason, say) if one.reason else say("no longer in the case")
        found.append(say("file %(which)s: %(why)s") % {"which": one.number, "why": why})
    return tuple(found)


def _known(reason: str, say: Say) -> str:
    """Return a reason in the language of the page where it is known there."""
    return say(reason) if reason in REASONS else reason


def layer_words(language: Language, say: Say) -> Say:
    """Return what tells the words of a layer: those of pages, then those of measurements."""
    measured: Say = str if language == "en" else measures_told()

    def told(text: str) -> str:
        found = say(text)
        return measured(text) if found == text else found

    return told


def _time(study: Study, zone: str | None, say: Say) -> str:
    if study.time is None:
        return say("time not given")
    return study.time.show(zone).replace("time zone unknown", say("time zone unknown"))


def _value(text: str, say: Say) -> str:
    """Return what a file says of itself; only the word of its size has another language."""
    size = text.removesuffix(" pixels")
    if size != text:
        return f"{size} {say('pixels')}"
    return f"{text.removesuffix(' um')} µm" if text.endswith(" um") else text


def layers_shown(layers: tuple[tuple[str, str], ...], say: Say) -> tuple[tuple[str, str], ...]:
    """Return key and name of the layers of a picture.

    A layer from a file of the case is called by a number: the file's name may name a patient.
    """
    found, number = [], 0
    for key, file in layers:
        if file:
            number += 1
            found.append((key, say("marks of file %d in this case") % number))
        else:
            found.append((key, say(OWN_LAYERS[key])))
    return tuple(found)


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
    return _known(error.reason, say)


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
    stands = Slice(image=one.first.kept.id, frame=0)
    if one.first.image.modality in _STACKS and one.slices:
        stands = one.slices[len(one.slices) // 2]
    return SeriesShown(
        image=stands.image,
        frame=stands.frame,
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
