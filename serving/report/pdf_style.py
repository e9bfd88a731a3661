"""Fonts, styles and small parts of the PDF report."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from knowledge.passages import Language
from knowledge.plain_text import visible

if TYPE_CHECKING:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Flowable

Kind = Literal["title", "headline", "heading", "body", "small", "state"]
BODY: Kind = "body"

COLOURS: Mapping[str, str] = {
    "immediate": "#a3001b",
    "urgent": "#8a4b00",
    "soon": "#1b4f80",
    "routine": "#1f5f3a",
}
"""As in the HTML report."""

_LATIN, _BOLD = "EpicrisisText", "EpicrisisText-Bold"
_CID = "STSong-Light"
"""Adobe's simplified Chinese, which a PDF names and a reader brings: nothing is embedded."""

_CHINESE_FILES = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
)
"""TrueType outlines only: the PDF library cannot embed those of Noto CJK."""

_ROWS_MM = 45
"""Left on a page where a table begins: its heading and a row or two."""

_CUT = " \N{HORIZONTAL ELLIPSIS}"

_CHINESE_FROM = 0x2E80
"""First character of the CJK blocks of Unicode."""

_SIZES: Mapping[Kind, tuple[float, float]] = {
    "title": (15, 19),
    "headline": (13, 17),
    "heading": (11, 15),
    "body": (9.5, 12.5),
    "small": (8, 10.5),
    "state": (9.5, 12.5),
}
"""Size and line height, pt."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How the report looks.

    Args:
        chinese: Name of the font for Chinese characters.
        translate: Turns a heading into the language of the report.
    """

    chinese: str
    translate: Callable[[str], str]

    def paragraph(
        self, text: str, kind: Kind = BODY, *, colour: str = "#1a1c1f", indent: bool = False
    ) -> "Flowable":
        """Return text as a paragraph; whatever is in it, it is shown and never obeyed."""
        from reportlab.platypus import Paragraph

        style = _style(kind, colour, indent=indent, chinese=_is_chinese(text))
        return Paragraph(self.markup(text), style)

    def table_heading(self, text: str) -> "Iterator[Flowable]":
        """Yield a heading with room for the first rows below it.

        A heading that stays with what follows would take a whole table to the next page.
        """
        from reportlab.lib.units import mm
        from reportlab.platypus import CondPageBreak

        yield CondPageBreak(_ROWS_MM * mm)
        heading: Any = self.paragraph(text, "heading")
        heading.keepWithNext = False
        yield heading

    def bullet(self, text: str) -> "Flowable":
        """Return one line of a list."""
        from reportlab.platypus import Paragraph

        style = _style(BODY, "#1a1c1f", indent=True, chinese=_is_chinese(text))
        return Paragraph(self.markup(text), style, bulletText="•")

    def table(self, rows: Sequence[Sequence[str]], *, widths_mm: Sequence[float]) -> "Flowable":
        """Return a table with a head that is repeated on every page."""
        from reportlab.lib import colors
        from reportlab.lib.units import mm
        from reportlab.platypus import Table, TableStyle

        cells = [[self.paragraph(cell, "small") for cell in row] for row in rows]
        lines = colors.HexColor("#d8dce1")
        look: list[Any] = [
            ("GRID", (0, 0), (-1, -1), 0.4, lines),
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#f5f6f8")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
        return Table(
            cells, colWidths=[w * mm for w in widths_mm], repeatRows=1, style=TableStyle(look)
        )

    def image(self, png: bytes, *, width_mm: float) -> "Flowable":
        """Return a picture of this width, its proportions kept."""
        from reportlab.lib.units import mm
        from reportlab.lib.utils import ImageReader
        from reportlab.platypus import Image

        across, down = ImageReader(BytesIO(png)).getSize()
        width = width_mm * mm
        return Image(BytesIO(png), width=width, height=width * down / across)

    def line(self, canvas: Any, text: str, *, x: float, y: float, size: float, room: float) -> None:
        """Write one line at a place of the page; cut, and marked as cut, where it is too long.

        Args:
            canvas: Of the page.
            text: One line.
            x: Where it begins, from the left, pt.
            y: Of its base line, from below, pt.
            size: Of the letters, pt.
            room: Greatest width, pt.
        """
        shown = visible(text)
        if self._width(canvas, shown, size) > room:
            while shown and self._width(canvas, f"{shown}{_CUT}", size) > room:
                shown = shown[:-1]
            shown = f"{shown.rstrip()}{_CUT}"
        for run, is_chinese in _runs(shown):
            font = self.chinese if is_chinese else _LATIN
            canvas.setFont(font, size)
            canvas.drawString(x, y, run)
            x += canvas.stringWidth(run, font, size)

    def _width(self, canvas: Any, text: str, size: float) -> float:
        """Return how wide a line is, pt."""
        fonts = ((run, self.chinese if han else _LATIN) for run, han in _runs(text))
        return float(sum(canvas.stringWidth(run, font, size) for run, font in fonts))

    def markup(self, text: str) -> str:
        """Return text escaped, its Chinese characters in their font."""
        return "".join(
            f'<font name="{self.chinese}">{escape(run)}</font>' if is_chinese else escape(run)
            for run, is_chinese in _runs(visible(text))
        )


@cache
def made_style(language: Language) -> Style:
    """Return the look of a report in a language."""
    from serving.web.translation import translations

    _register_latin()
    return Style(chinese=_chinese_font(), translate=translations(language).gettext)


def _register_latin() -> None:
    """Register the font that the drawing library brings: it has every sign the report uses."""
    import matplotlib
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in ((_LATIN, "DejaVuSans.ttf"), (_BOLD, "DejaVuSans-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def _chinese_font() -> str:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    for file in _CHINESE_FILES:
        if Path(file).is_file():
            try:
                pdfmetrics.registerFont(TTFont("EpicrisisChinese", file, subfontIndex=0))
            except TTFError:
                continue
            return "EpicrisisChinese"
    pdfmetrics.registerFont(UnicodeCIDFont(_CID))
    return _CID


@cache
def _style(kind: Kind, colour: str, *, indent: bool, chinese: bool) -> "ParagraphStyle":
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    size, leading = _SIZES[kind]
    strong = kind in ("title", "headline", "heading", "state")
    return ParagraphStyle(
        name=f"{kind}{colour}{indent}{chinese}",
        fontName=_BOLD if strong else _LATIN,
        fontSize=size,
        leading=leading,
        textColor=HexColor(colour),
        spaceBefore=9 if kind == "heading" else 0,
        spaceAfter=3,
        leftIndent=12 if indent else 0,
        bulletIndent=2,
        keepWithNext=kind == "heading",
        wordWrap="CJK" if chinese else None,
        splitLongWords=1,
    )


def _is_chinese(text: str) -> bool:
    """Whether a line may break between any two characters."""
    return any(ord(character) >= _CHINESE_FROM for character in text)


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Yield pieces of one script, and whether it is Chinese."""
    piece, was = "", False
    for character in text:
        now = ord(character) >= _CHINESE_FROM
        if piece and now != was:
            yield piece, was
            piece = ""
        piece, was = piece + character, now
    if piece:
        yield piece, was
