"""A picture of an image with an overlay and the words that it is for research, burned in."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.dicom_out.maker import SHORT_NOTICE, Maker

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

Picture = NDArray[np.uint8]

_COLOURS = ((255, 196, 0), (0, 200, 255), (255, 96, 160), (120, 255, 120))
_LEAST_WIDTH = 512


def windowed(values: NDArray[np.floating], centre: float, width: float) -> Picture:
    """Return values as 8-bit grey (PS3.3 C.11.2.1.2.1, linear).

    Args:
        values: (rows, columns), in the units of the window.
        centre: Window centre.
        width: Window width, at least 1.

    Examples:
        >>> import numpy as np
        >>> windowed(np.array([[-160.0, 40.0, 240.0]]), 40, 400).tolist()
        [[0, 128, 255]]
    """
    span = max(float(width) - 1, 1.0)
    grey = ((values - (centre - 0.5)) / span + 0.5) * 255
    shown: Picture = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return shown


def overlay_picture(
    grey: Picture, masks: Sequence[tuple[str, NDArray[np.bool_]]], maker: Maker
) -> Picture:
    """Return a colour picture: outlines over the image, the notice in a band below it.

    Args:
        grey: (rows, columns) uint8.
        masks: Name and (rows, columns) bool of each outline.
        maker: What made them; named in the band.

    Returns:
        (rows, columns, 3) uint8; small images are enlarged by a whole factor.
    """
    from PIL import Image

    factor = max(1, -(-_LEAST_WIDTH // grey.shape[1]))
    grown = np.repeat(np.repeat(grey, factor, axis=0), factor, axis=1)
    colour = np.stack([grown] * 3, axis=-1)
    for place, (_, mask) in enumerate(masks):
        large = np.repeat(np.repeat(mask, factor, axis=0), factor, axis=1)
        colour[_rim(large)] = _COLOURS[place % len(_COLOURS)]
    return np.asarray(_labelled(Image.fromarray(colour), [n for n, _ in masks], maker))


def _rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy import ndimage

    rim: NDArray[np.bool_] = ndimage.binary_dilation(mask, iterations=1) & ~mask
    return rim


def _labelled(picture: "Image", names: Sequence[str], maker: Maker) -> "Image":
    """Return the picture with a band below: notice, method, and what each colour is."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(14, picture.width // 40)
    font = ImageFont.load_default(size)
    lines = [SHORT_NOTICE.upper(), f"{maker.method} {maker.method_version}, Epicrisis"]
    line = int(size * 1.4)
    made = Image.new("RGB", (picture.width, picture.height + line * (len(lines) + len(names)) + 8))
    made.paste(picture, (0, 0))
    draw = ImageDraw.Draw(made)
    at = picture.height + 4
    for text in lines:
        draw.text((6, at), _fitting(text, font, picture.width - 12), (255, 255, 255), font=font)
        at += line
    for place, name in enumerate(names):
        draw.text((6, at), name, _COLOURS[place % len(_COLOURS)], font=font)
        at += line
    return made


def _fitting(text: str, font: "FreeTypeFont | ImageFont", width: float) -> str:
    while len(text) > 1 and font.getlength(text) > width:
        text = text[:-1]
    return text
