"""Reading a PNG or JPEG: its size and whether it is whole. It says of no patient whose it is."""

import io
import warnings

from knowledge.errors import InputError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.patient import Identity
from tools.ecg.readers.limits import content_id
from tools.imaging.model import Fact, ImageFile, ImageProblem

MAX_PIXELS = 40_000_000
"""A film photographed with the largest phone camera has some 50 million; 40 is 120 MB decoded."""

AGAIN = "export or photograph it again"
_FORMATS = {"PNG": "png", "JPEG": "jpeg"}
_MODES = {"1": "black and white", "L": "grey", "I;16": "grey, 16 bit", "I": "grey", "P": "palette"}
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_JPEG_LS = 0xF7

# What Pillow 13 raises on damaged files, seen or read in its source.
_PARSE_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    OverflowError,
    MemoryError,
    RecursionError,
    ArithmeticError,
)


def read_picture(content: bytes, *, file: str) -> ImageFile:
    """Return what is known of a picture after it was decoded once.

    Args:
        content: The whole file.
        file: Its name.

    Raises:
        UnreadableError: Damaged or truncated.
        UnsupportedError: A form of JPEG that photographs do not have.
        TooLargeError: Over `MAX_PIXELS`.
    """
    unusual = _unusual_jpeg(content)
    if unusual is not None:
        raise UnsupportedError(file, unusual, "export it as PNG or baseline JPEG")
    facts, problems, name = _decoded(content, file)
    return ImageFile(
        id=content_id([content]),
        file=file,
        role="picture",
        source_format=_FORMATS[name],
        identity=Identity(source=file),
        facts=facts,
        problems=(
            ImageProblem(
                code="no-header",
                detail="a picture without a header: modality, view and spacing are not known",
            ),
            *problems,
        ),
    )


def _decoded(content: bytes, file: str) -> tuple[tuple[Fact, ...], tuple[ImageProblem, ...], str]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes; they are checked here
        try:
            with Image.open(io.BytesIO(content), formats=tuple(_FORMATS)) as picture:
                columns, rows = picture.size
                if columns * rows > MAX_PIXELS:
                    raise TooLargeError(
                        file, f"{columns} x {rows} pixels", "give it in a smaller size"
                    )
                mode, name = picture.mode, str(picture.format)
                picture.load()
                ranges = picture.convert("L").getextrema() if picture.mode != "I;16" else None
        except InputError:
            raise
        except Image.DecompressionBombError as error:
            raise TooLargeError(file, "too many pixels", "give it in a smaller size") from error
        except _PARSE_ERRORS as error:
            raise UnreadableError(
                file, f"damaged picture ({type(error).__name__} while decoding)", AGAIN
            ) from error
    facts = (
        Fact(name="size", value=f"{columns} x {rows} pixels"),
        Fact(name="colours", value=_MODES.get(mode, "colour")),
    )
    blank = ranges is not None and ranges[0] == ranges[1]
    problem = ImageProblem(code="blank", detail="every pixel has the same value: nothing is on it")
    return facts, (problem,) if blank else (), name


def _unusual_jpeg(content: bytes) -> str | None:
    """Return what a JPEG is that no camera writes (ITU T.81 table B.1, T.87), or None.

    The start-of-frame marker is looked for from marker to marker, never in the data.
    """
    at = 2
    while content[:2] == b"\xff\xd8" and at + 9 < len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in (0xD8, 0x01, 0xFF) or 0xD0 <= marker <= 0xD7:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _JPEG_LS:
            return "a JPEG-LS image"
        if marker in _LOSSLESS:
            return "a lossless JPEG image"
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits = content[at + 4]
            return f"a JPEG image of {bits} bits" if bits != 8 else None
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None
