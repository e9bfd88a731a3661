"""Reading the header of a TIFF: a whole-slide image (SVS, pyramid) or a picture."""

import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from knowledge.errors import UnreadableError
from knowledge.patient import Identity
from tools.ecg.readers.limits import content_id
from tools.imaging.model import Fact, ImageFile, ImageProblem

AGAIN = "export the slide again"

MAX_PAGES = 64
"""Levels and added pictures looked at: a pyramid of 2^20 pixels has some 20."""

_MPP = re.compile(r"\|\s*MPP\s*=\s*(\d{1,3}(?:\.\d{1,8})?)")
_POWER = re.compile(r"\|\s*AppMag\s*=\s*(\d{1,3}(?:\.\d{1,4})?)")
_DESCRIPTION = 20_000
_CODECS = {
    1: "none", 2: "CCITT", 3: "CCITT", 4: "CCITT", 5: "LZW", 6: "old JPEG", 7: "JPEG",
    8: "deflate", 32773: "PackBits", 32946: "deflate", 33003: "JPEG 2000", 33005: "JPEG 2000",
    34712: "JPEG 2000", 34925: "LZMA", 50000: "ZSTD", 50001: "WebP", 50002: "JPEG XL",
}  # fmt: skip
"""TIFF 6.0 section 8, Adobe and Aperio extensions."""

# What tifffile 2026.3 raises on damaged files beside its own error, a ValueError.
_PARSE_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
    OSError, RecursionError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


def read_tiff(content: bytes, *, file: str) -> ImageFile:
    """Return what the header of a TIFF says; no pixel is decoded.

    Args:
        content: The whole file.
        file: Its name.

    Raises:
        UnreadableError: Damaged, or without a picture.
    """
    import tifffile

    with _decoding(file), tifffile.TiffFile(io.BytesIO(content)) as opened:
        pages = list(_pages(opened))
        if not pages:
            raise UnreadableError(file, "a TIFF without a picture", AGAIN)
        return _described(content, file, pages, str(pages[0].description)[:_DESCRIPTION])


def pixels_beyond(path: Path) -> tuple[int, int]:
    """Return how many tiles or strips of a TIFF lie beyond its end, and of how many.

    Args:
        path: A TIFF of any length; only its directories are read.

    Raises:
        UnreadableError: Damaged.
    """
    import tifffile

    with _decoding(path.name), tifffile.TiffFile(path) as opened:
        beyond, _, of = _missing(list(_pages(opened)), path.stat().st_size)
        return beyond, of


@contextmanager
def _decoding(file: str) -> Iterator[None]:
    """Turn what tifffile raises on damaged files into our error, and keep it silent."""
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it quotes what the file holds
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except UnreadableError:
            raise
        except _PARSE_ERRORS as error:
            raise UnreadableError(
                file, f"damaged TIFF ({type(error).__name__} while decoding)", AGAIN
            ) from error


def _missing(pages: list[Any], size: int) -> tuple[int, int, int]:
    """Return tiles and strips beyond the end, those without a byte, and all of them."""
    spans = [
        (offset, length)
        for page in pages
        for offset, length in zip(page.dataoffsets, page.databytecounts, strict=False)
    ]
    beyond = sum(length > 0 and offset + length > size for offset, length in spans)
    return beyond, sum(length == 0 for _, length in spans), len(spans)


def _pages(opened: Any) -> Iterator[Any]:
    for number in range(MAX_PAGES):
        try:
            yield opened.pages[number]
        except IndexError:
            return


def _described(content: bytes, file: str, pages: list[Any], text: str) -> ImageFile:
    first = pages[0]
    tiled = [page for page in pages if page.is_tiled]
    aperio = text.startswith("Aperio")
    slide = aperio or len(tiled) > 1
    if not first.imagewidth or not first.imagelength:
        raise UnreadableError(file, "a TIFF without a size", AGAIN)
    facts = [Fact(name="size", value=f"{first.imagewidth} x {first.imagelength} pixels")]
    if slide:
        facts.append(Fact(name="levels", value=str(len(tiled))))
    mpp, power = _MPP.search(text), _POWER.search(text)
    if mpp is not None:
        facts.append(Fact(name="pixel size", value=f"{float(mpp.group(1)):.4g} um"))
    if power is not None:
        facts.append(Fact(name="objective", value=f"{float(power.group(1)):g}x"))
    codec = _CODECS.get(int(first.compression))
    facts.append(Fact(name="compression", value=codec or "not known"))
    return ImageFile(
        id=content_id([content]),
        file=file,
        role="slide" if slide else "picture",
        source_format="tiff",
        modality="SM" if slide else "",
        frames=1,
        identity=Identity(source=file),
        facts=tuple(facts),
        problems=tuple(_problems(content, pages, codec, slide=slide, scaled=mpp is not None)),
    )


def _problems(
    content: bytes, pages: list[Any], codec: str | None, *, slide: bool, scaled: bool
) -> Iterator[ImageProblem]:
    if not slide:
        detail = "a picture without a header: modality, view and spacing are not known"
        yield ImageProblem(code="no-header", detail=detail)
    elif not scaled:
        detail = "the pixel size is not stated: nothing can be said in micrometres"
        yield ImageProblem(code="spacing-missing", detail=detail)
    if codec is None:
        detail = f"compression {int(pages[0].compression)} is not known: it cannot be decoded"
        yield ImageProblem(code="not-decodable", detail=detail)
    beyond, empty, of = _missing(pages, len(content))
    if beyond or empty or not of:
        detail = f"{beyond + empty} of {of} tiles or strips are missing from the file"
        yield ImageProblem(code="pixels-truncated", detail=detail)
    if slide and any(not page.is_tiled for page in pages):
        detail = "it holds a label or overview picture, which may show who the patient is"
        yield ImageProblem(code="label-inside", detail=detail)
