"""The picture a measurement is reviewed on: the film with outlines, lines and what they mean."""

import io
from typing import Any

import numpy as np

from tools.imaging.film.model import Edges, Film, HeartRatio
from tools.imaging.film.report import APPROXIMATE, FilmReport

_SIDE = 1100
_BAR = 26
_COLOURS = {
    "right": (255, 120, 120),
    "left": (120, 230, 140),
    "heart": (255, 214, 64),
    "thorax": (90, 210, 255),
    "midline": (150, 150, 255),
}


def overlay_png(film: Film, report: FilmReport) -> bytes:
    """Return the film with what was drawn on it, as PNG; the same bytes for the same input.

    Args:
        film: The film.
        report: Of the film.
    """
    from PIL import Image, ImageDraw

    scale = _SIDE / max(film.grey.shape)
    rows, columns = (max(1, round(side * scale)) for side in film.grey.shape)
    grey = Image.fromarray(np.uint8(np.clip(film.grey * 255, 0, 255)))
    picture = grey.resize((columns, rows), Image.Resampling.LANCZOS).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for field in report.fields:
        points = [(x * columns, y * rows) for x, y in field.outline]
        draw.line([*points, points[0]], fill=_COLOURS[field.side], width=2)
    if report.ratio is not None:
        _lines(draw, report.ratio, rows, columns)
    _sides(draw, columns, known=bool(report.facts.orientation))
    return _png(_with_bars(picture, _texts(report)))


def _lines(draw: Any, ratio: HeartRatio, rows: int, columns: int) -> None:
    x = ratio.midline * columns
    draw.line([(x, 0.05 * rows), (x, 0.95 * rows)], fill=_COLOURS["midline"], width=1)
    _line(draw, ratio.thorax, _COLOURS["thorax"], rows, columns, x)
    _line(draw, ratio.heart, _COLOURS["heart"], rows, columns, x)


def _line(
    draw: Any, edges: Edges, colour: tuple[int, int, int], rows: int, columns: int, middle: float
) -> None:
    """Draw both halves of a width, each from the midline to its border, with a tick at the end."""
    for x, y in (edges.right, edges.left):
        at = (x * columns, y * rows)
        draw.line([(middle, at[1]), at], fill=colour, width=3)
        draw.line([(at[0], at[1] - 9), (at[0], at[1] + 9)], fill=colour, width=3)


def _sides(draw: Any, columns: int, *, known: bool) -> None:
    mark = "" if known else "?"
    font = _font(20)
    draw.text((8, 6), f"R{mark}", fill=(255, 255, 255), font=font)
    draw.text((columns - 34, 6), f"L{mark}", fill=(255, 255, 255), font=font)


def _texts(report: FilmReport) -> list[tuple[str, tuple[int, int, int]]]:
    white = (235, 235, 235)
    lines = [("Research use. Drawn by software; a reader has to look at it.", white)]
    if report.fields:
        lines.append((f"Lung fields (red: right, green: left): {APPROXIMATE}", white))
    else:
        lines.append((f"Lung fields not assessed: {_why(report, 'lung-fields')}", white))
    ratio = report.ratio
    if ratio is None:
        lines.append((f"Ratio not assessed: {_why(report, 'cardiothoracic-ratio')}", white))
    else:
        widths = f"Heart (yellow) {ratio.heart_width:.3f}, thorax (blue) {ratio.thorax_width:.3f}"
        text = f"{widths} of the picture's width; ratio about {ratio.ratio:.2f}"
        lines.append((text, _COLOURS["heart"]))
    return lines


def _why(report: FilmReport, name: str) -> str:
    reason = report.not_assessed.get(name)
    return reason.detail if reason is not None else ""


def _with_bars(picture: Any, texts: list[tuple[str, tuple[int, int, int]]]) -> Any:
    from PIL import Image, ImageDraw

    width, height = picture.size
    found = Image.new("RGB", (width, height + _BAR * len(texts) + 8), (16, 16, 16))
    found.paste(picture, (0, 0))
    draw = ImageDraw.Draw(found)
    for place, (text, colour) in enumerate(texts):
        draw.text(
            (8, height + 6 + place * _BAR),
            _fitted(draw, text, width - 16),
            fill=colour,
            font=_font(17),
        )
    return found


def _fitted(draw: Any, text: str, width: float) -> str:
    font = _font(17)
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(f"{text}...", font=font) > width:
        text = text[:-1]
    return f"{text}..."


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _png(picture: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()
