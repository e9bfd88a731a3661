"""Where tissue and pen are on a slide, how much, and what the colours hint at."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import clear_border

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.slide_measurements import (
    slide_errors_of,
    slide_limit,
    slide_measurements,
)
from tools.pathology.slide.colour import Colours, colours
from tools.pathology.slide.model import NO_SCALE, Mask, Slide
from tools.pathology.slide.overview import Overview, overview
from tools.pathology.slide.pen import large, pen_marks
from tools.toolbox import Card, tool

UNVALIDATED = "a hint of the colours alone, not validated"


class PenMark(Frozen):
    """Pen of one colour.

    Args:
        colour: ``red``, ``green``, ``blue``, ``black``.
        percent_of_slide: Of the whole scanned area.
    """

    colour: str
    percent_of_slide: float


class StainHint(Frozen):
    """What the colours of the tissue look like.

    Args:
        stain: Its name in the table; empty where no row fits.
        en, zh: In words.
        percent: Of the stained pixels whose hue fits.
        basis: That this is a hint.
    """

    stain: str
    en: str
    zh: str
    percent: float
    basis: str = UNVALIDATED


class TissueReport(Frozen):
    """How much tissue and pen a slide shows.

    Args:
        file: The slide.
        tissue_mm2: Area of the tissue, small holes filled; None where the scale is not known.
        tissue_percent: Share of the scanned area.
        pieces: Separate pieces.
        pens: Marks, the largest first.
        stain: What the colours look like.
        saturation_threshold: From which a pixel counts as coloured.
        overview_um: Side of a pixel of the overview that was looked at; None without scale.
        not_assessed: What there is not and why.
        cautions: What must be known.
    """

    file: str
    tissue_mm2: float | None
    tissue_percent: float
    pieces: int
    pens: tuple[PenMark, ...] = ()
    stain: StainHint
    saturation_threshold: float
    overview_um: float | None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class TissueMap:
    """Where it is, on the pixels of an overview.

    Args:
        overview: The picture.
        tissue: (rows, columns) bool.
        pen: Likewise, of all colours.
        report: The numbers.
    """

    overview: Overview
    tissue: Mask = field(repr=False)
    pen: Mask = field(repr=False)
    report: TissueReport


CARD = Card(
    title="Tissue and pen on a slide",
    group="pathology",
    topic="slides",
    needs=("a slide; for areas its pixel size",),
    refuses=(
        "a slide without tissue, or on which what is coloured is pen",
        "areas where the pixel size is not stated",
    ),
    limits=(
        "Bright-field slides. Tissue is what is coloured: very pale fat and mucus may be lost, "
        "coloured dirt may be counted.",
        "Pen is known by its colour: a blue pen over blue-stained tissue, red pen over blood and "
        "black pen over dense pigment are not told apart. The limits were set on the tiles they "
        "were measured on.",
        "The stain is a hint of the colours, not validated.",
    ),
    sources=("10.1109/TSMC.1979.4310076",),
    accuracy=slide_errors_of("tile-tissue", "tile-pen", "tissue-area", "pen-drawn", "pen-false"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=CARD, version="1")
def slide_tissue(slide: Slide, *, expected_stain: str = "") -> TissueReport:
    """Return how much tissue and pen a slide shows, and what its colours hint at.

    Args:
        slide: The slide.
        expected_stain: Name of the stain it should have, as in the table of stains; empty for none.
    """
    return tissue_map(slide, expected_stain=expected_stain).report


def tissue_map(slide: Slide, *, expected_stain: str = "") -> TissueMap:
    """Return where tissue and pen are.

    Args:
        slide: The slide.
        expected_stain: See `slide_tissue`.

    Raises:
        ContractError: There is no tissue, nearly all that is coloured is pen, or there is no such
            stain in the table.
        UnreadableError: Pixels cannot be decoded.
    """
    check_stain(expected_stain)
    small = overview(slide)
    scale = None if slide.facts.mpp_um is None else slide.mpp_um * small.shrink
    seen = colours(small.pixels, smoothing=slide_limit("tissue_smoothing"))
    marks = pen_marks(seen, least=_pixels("pen_piece_min", scale))
    pen = np.zeros(seen.hue.shape, bool)
    for mark in marks.values():
        pen |= mark
    threshold, coloured = coloured_pixels(seen)
    tissue = _cleaned(coloured & ~ndimage.binary_dilation(pen, iterations=2), scale)
    _require_tissue(slide.facts.file, tissue, pen, marks)
    report = _report(slide, scale, seen, tissue, marks, threshold, expected_stain)
    return TissueMap(overview=small, tissue=tissue, pen=pen, report=report)


def coloured_pixels(seen: Colours) -> tuple[float, Mask]:
    """Return the threshold of the saturation, and the pixels above it that are no filling.

    The threshold is Otsu's (1979), kept within a floor, so that glass is never split, and a
    ceiling, so that pale tissue is not lost beside strongly stained.
    """
    real = seen.value > slide_limit("dark_value")
    values = seen.saturation[real]
    floor, ceiling = slide_limit("saturation_floor"), slide_limit("saturation_ceiling")
    if values.size == 0 or float(np.ptp(values)) == 0:
        return floor, real & (seen.saturation > floor)
    otsu = threshold_otsu(values)  # type: ignore[no-untyped-call]
    threshold = float(np.clip(otsu, floor, ceiling))
    found: Mask = real & (seen.saturation > threshold)
    return threshold, found


def _pixels(name: str, um: float | None) -> float:
    """Return a smallest area in pixels of `um` micrometres."""
    plain = slide_limit(f"{name}_px")
    if um is None:
        return plain
    return max(plain / 4, slide_limit(f"{name}_mm2") * 1e6 / um**2)


def _cleaned(mask: Mask, um: float | None) -> Mask:
    kept = large(mask, _pixels("piece_min", um))
    holes = ~kept
    small = holes & ~large(holes, _pixels("hole_min", um))
    inside: Mask = clear_border(small)  # type: ignore[no-untyped-call]
    found: Mask = kept | inside
    return found


def _require_tissue(file: str, tissue: Mask, pen: Mask, marks: dict[str, Mask]) -> None:
    there, inked = int(tissue.sum()), int(pen.sum())
    if inked and 100 * inked / (inked + there) >= slide_limit("pen_share_most"):
        said = ", ".join(marks)
        raise ContractError(file, f"what is coloured is pen ({said})", "scan it without marks")
    if 100 * there / tissue.size < slide_limit("tissue_share_min"):
        least = f"{slide_limit('piece_min_mm2'):g} mm2"
        detail = f"no tissue is seen on it, no piece of {least} or more"
        raise ContractError(file, detail, "scan the slide again, or name a whole slide")


def _report(
    slide: Slide,
    scale: float | None,
    seen: Colours,
    tissue: Mask,
    marks: dict[str, Mask],
    threshold: float,
    expected: str,
) -> TissueReport:
    missing: dict[str, NotAssessed] = {}
    area = None
    if scale is None:
        missing["tissue_mm2"] = NotAssessed(why=Why.MISSING, detail=NO_SCALE[0])
    else:
        area = float(tissue.sum()) * scale**2 / 1e6
    hint = _hint(seen, tissue)
    pens = sorted(((int(mark.sum()), name) for name, mark in marks.items()), reverse=True)
    return TissueReport(
        file=slide.facts.file,
        tissue_mm2=None if area is None else round(area, 3),
        tissue_percent=round(100 * float(tissue.mean()), 2),
        pieces=int(ndimage.label(tissue, np.ones((3, 3)))[1]),
        pens=tuple(
            PenMark(colour=name, percent_of_slide=round(100 * count / tissue.size, 2))
            for count, name in pens
        ),
        stain=hint,
        saturation_threshold=round(threshold, 4),
        overview_um=None if scale is None else round(scale, 3),
        not_assessed=missing,
        cautions=tuple(_cautions(pens, hint, expected)),
    )


def _cautions(pens: list[tuple[int, str]], hint: StainHint, expected: str) -> Iterator[str]:
    if pens:
        yield f"pen on the slide ({', '.join(name for _, name in pens)}): taken out of the tissue"
    if expected and hint.stain != expected:
        shown = hint.en if hint.stain else "no stain of the table"
        yield f"the colours look like {shown}, not like the expected {expected}: check the stain"


def _hint(seen: Colours, tissue: Mask) -> StainHint:
    """Return the stain whose hues most of the tissue has.

    Brown beside blue is told as haematoxylin and DAB: neither alone need be most of it.
    """
    shares: dict[str, float] = {}
    total = max(1, int(tissue.sum()))
    rows = slide_measurements().stains.rows
    for row in rows:
        shares[row.stain] = 100 * float((seen.within(row.hue) & tissue).sum()) / total
    pair = shares["haematoxylin-dab"] + shares["blue-only"]
    if shares["haematoxylin-dab"] >= 5 and pair >= slide_limit("hint_hue_share"):
        shares["haematoxylin-dab"] = pair
    best = max(rows, key=lambda row: shares[row.stain])
    percent = round(shares[best.stain], 1)
    if percent < slide_limit("hint_hue_share"):
        return StainHint(stain="", en="no stain of the table", zh="表中无对应染色", percent=percent)
    return StainHint(stain=best.stain, en=best.en, zh=best.zh, percent=percent)


def check_stain(expected: str) -> None:
    """Refuse the name of a stain that is not in the table; empty is none.

    Raises:
        ContractError: It is not known.
    """
    known = [row.stain for row in slide_measurements().stains.rows]
    if expected and expected not in known:
        raise ContractError("expected stain", f"{expected[:40]!r} is not known", ", ".join(known))
