"""Opening a slide: format, reader, levels, scale, and one read of each level to see it decode."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from knowledge.errors import ContractError, UnreadableError
from knowledge.slide_measurements import slide_format, slide_limit
from tools.pathology.slide import wsidicom_source
from tools.pathology.slide.dicom_files import dicom_slide, is_dicom
from tools.pathology.slide.dicom_frames import check_frames
from tools.pathology.slide.guard import check_native, check_tiles
from tools.pathology.slide.model import (
    PixelSource,
    Slide,
    SlideFacts,
    SlideLevel,
    SlideProblem,
)
from tools.pathology.slide.openslide_source import AGAIN, OpenSlideSource
from tools.pathology.slide.wsidicom_source import WsiDicomSource

Reader = Literal["auto", "openslide", "wsidicom"]
_PROBE = 64


def open_slide(path: Path, *, reader: Reader = "auto", mpp_um: float | None = None) -> Slide:
    """Return an open slide; close it, or use it in a ``with``.

    Args:
        path: A file; of a DICOM slide any of its files, or its folder.
        reader: ``auto`` takes wsidicom for DICOM where it is installed, which is faster.
        mpp_um: What a person says of the pixel size where the file does not; micrometres.

    Raises:
        UnreadableError: It is not there, damaged, or a level cannot be decoded.
        UnsupportedError: No slide.
        ContractError: Several slides, one of an animal, or a stated scale other than the file's.
        MissingExtraError: wsidicom was asked for and is not installed.
    """
    try:
        dicom = path.is_dir() or is_dicom(path)
    except OSError as error:
        raise UnreadableError(str(path.name), f"cannot be opened: {error.strerror}", "") from error
    if dicom:
        slide = _dicom(path, reader)
    elif reader == "wsidicom":
        raise ContractError(path.name, "no DICOM slide: wsidicom cannot read it", "another reader")
    else:
        slide = _other(path)
    try:
        _probe(slide)
        return _stated(slide, mpp_um)
    except Exception:
        slide.pixels.close()
        raise


def _dicom(path: Path, reader: Reader) -> Slide:
    known = dicom_slide(path)
    for file in known.files:
        check_frames(file)
    if reader == "wsidicom" or (reader == "auto" and wsidicom_source.installed()):
        source: WsiDicomSource | OpenSlideSource = WsiDicomSource(known.files, file=path.name)
    else:
        check_native(known.files[0], name=path.name)  # the pictures that are left out, too
        source = OpenSlideSource(known.files[0], file=path.name)
    if isinstance(source, WsiDicomSource):
        mpp: tuple[float | None, float | None] = source.mpp_um
    else:
        said = source.properties
        mpp = (_number(said, "openslide.mpp-x"), _number(said, "openslide.mpp-y"))
    problems = [SlideProblem(code="doubt", detail=note) for note in known.notes]
    return _described(
        path, source, known.files, "dicom", mpp, known.objective, known.left_out, problems
    )


def _other(path: Path) -> Slide:
    source = OpenSlideSource(path, file=path.name)
    try:
        check_tiles(path, name=path.name)
    except UnreadableError:
        source.close()
        raise
    said = source.properties
    mpp = (_number(said, "openslide.mpp-x"), _number(said, "openslide.mpp-y"))
    objective = _number(said, "openslide.objective-power")
    kind = said.get("openslide.vendor", "")
    return _described(path, source, (path,), kind, mpp, objective, source.pictures, [])


def _described(
    path: Path,
    source: OpenSlideSource | WsiDicomSource,
    files: tuple[Path, ...],
    kind: str,
    mpp: tuple[float | None, float | None],
    objective: float | None,
    left_out: tuple[str, ...],
    problems: list[SlideProblem],
) -> Slide:
    sizes = source.levels
    columns = sizes[0][0] if sizes else 0
    if not columns:
        source.close()
        raise UnreadableError(path.name, "without a level", AGAIN)
    levels = tuple(
        SlideLevel(columns=c, rows=r, shrink=1.0 if not at else columns / c)
        for at, (c, r) in enumerate(sizes)
    )
    if isinstance(source, OpenSlideSource):
        shrinks = source.shrinks
        levels = tuple(
            one.model_copy(update={"shrink": s}) for one, s in zip(levels, shrinks, strict=True)
        )
    form = slide_format(kind)
    scale, doubts = _scale(mpp, objective)
    power = objective if objective is not None and 0 < objective <= 200 else None
    problems = [*problems, *doubts, *_level_problems(levels), *_private(left_out)]
    if not form.tried:
        detail = f"{form.name}: read via library, not tried here on a real file"
        problems.append(SlideProblem(code="via-library", detail=detail))
    facts = SlideFacts(
        file=path.name, format=kind, format_name=form.name, tried=form.tried, reader=source.name,
        levels=levels, mpp_um=scale, objective=power, pictures_left_out=left_out,
        problems=tuple(problems),
    )  # fmt: skip
    pixels: PixelSource = source
    return Slide(facts=facts, pixels=pixels, files=files)


def _number(said: Mapping[str, str], name: str) -> float | None:
    try:
        value = float(said[name])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _scale(
    mpp: tuple[float | None, float | None], objective: float | None
) -> tuple[tuple[float, float] | None, list[SlideProblem]]:
    """Return the pixel size where it can be believed, and what is doubtful about it."""
    across, down = mpp
    found: list[SlideProblem] = []
    scale = None
    low, high = slide_limit("mpp_min"), slide_limit("mpp_max")
    if across is None or down is None:
        detail = "the pixel size is not stated: nothing can be said in micrometres"
        found.append(SlideProblem(code="mpp-missing", detail=detail, blocks="micrometres"))
    elif not (low <= across <= high and low <= down <= high):
        detail = f"a pixel of {across:.4g} x {down:.4g} um, which no scanner of slides makes"
        found.append(SlideProblem(code="mpp-impossible", detail=detail, blocks="micrometres"))
    elif abs(across / down - 1) * 100 > slide_limit("mpp_anisotropy"):
        detail = f"pixels of {across:.4g} x {down:.4g} um are not square"
        found.append(SlideProblem(code="mpp-not-square", detail=detail, blocks="micrometres"))
    else:
        scale = (across, down)
    if objective is None:
        detail = "the objective is not stated"
        found.append(SlideProblem(code="objective-missing", detail=detail))
    elif scale is not None:
        product = objective * (scale[0] + scale[1]) / 2
        nominal, most = slide_limit("objective_times_mpp"), slide_limit("objective_tolerance")
        if not 1 - most / 100 <= product / nominal <= 1 + most / 100:
            detail = f"objective {objective:g}x and a pixel of {scale[0]:.4g} um do not fit"
            found.append(SlideProblem(code="objective-doubtful", detail=detail))
    return scale, found


def _level_problems(levels: tuple[SlideLevel, ...]) -> Iterator[SlideProblem]:
    first = levels[0]
    for number, one in enumerate(levels[1:], 1):
        by_rows = first.rows / max(one.rows, 1)
        # One pixel of rounding may be a large share of a small level.
        slack = slide_limit("levels_shrink_tolerance") / 100 + 1.5 / max(
            min(one.rows, one.columns), 1
        )
        if abs(by_rows / one.shrink - 1) > slack:
            detail = f"level {number} is shrunk {one.shrink:.4g} times across, {by_rows:.4g} down"
            yield SlideProblem(code="levels-differ", detail=detail)
    if first.columns * first.rows / 2**16 < 1:
        detail = f"{first.columns} x {first.rows} pixels: smaller than one tile"
        yield SlideProblem(code="too-small", detail=detail)


def _private(left_out: tuple[str, ...]) -> Iterator[SlideProblem]:
    private = [name for name in left_out if name != "thumbnail"]
    if private:
        detail = (
            f"it holds {' and '.join(private)}, which may show who the patient is: not passed on"
        )
        yield SlideProblem(code="label-inside", detail=detail)


def _probe(slide: Slide) -> None:
    """Read the middle of each level, so that what cannot be decoded is refused at once."""
    for number, level in enumerate(slide.facts.levels):
        width, height = min(_PROBE, level.columns), min(_PROBE, level.rows)
        slide.read(number, (level.columns - width) // 2, (level.rows - height) // 2, width, height)


def _stated(slide: Slide, mpp_um: float | None) -> Slide:
    """Return the slide with a scale that a person states; the file is never overruled."""
    if mpp_um is None:
        return slide
    own, file = slide.facts.mpp_um, slide.facts.file
    low, high = slide_limit("mpp_min"), slide_limit("mpp_max")
    if not low <= mpp_um <= high:
        raise ContractError(file, f"a stated pixel of {mpp_um:g} um", f"{low:g} to {high:g} um")
    if own is not None:
        if abs(mpp_um / own[0] - 1) > slide_limit("mpp_anisotropy") / 100:
            raise ContractError(file, "the file states another pixel size", "leave it out")
        return slide
    kept = [p for p in slide.facts.problems if p.blocks != "micrometres"]
    said = SlideProblem(code="mpp-stated", detail=f"pixel of {mpp_um:g} um stated by a person")
    facts = slide.facts.model_copy(update={"mpp_um": (mpp_um, mpp_um), "problems": (*kept, said)})
    return Slide(facts=facts, pixels=slide.pixels, files=slide.files)
