"""Hue, saturation and brightness of a picture, and what lies within a range of hues."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tools.pathology.slide.model import Mask, Rgb

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Colours:
    """A picture in hue (degrees), saturation and value (0 to 1), each (rows, columns) float32."""

    hue: Floats = field(repr=False)
    saturation: Floats = field(repr=False)
    value: Floats = field(repr=False)

    def within(self, hues: tuple[float, float]) -> Mask:
        """Return the pixels from the first hue clockwise to the second."""
        low, high = hues
        if low <= high:
            found: Mask = (self.hue >= low) & (self.hue <= high)
            return found
        around: Mask = (self.hue >= low) | (self.hue <= high)
        return around


def colours(rgb: Rgb, *, smoothing: float) -> Colours:
    """Return the colours of a picture after smoothing.

    Args:
        rgb: (rows, columns, 3).
        smoothing: Standard deviation, pixels; 0 for none.
    """
    channels: list[Any] = [rgb[..., c].astype(np.float32) / 255 for c in range(3)]
    if smoothing > 0:
        channels = [ndimage.gaussian_filter(c, smoothing, mode="nearest") for c in channels]
    red, green, blue = channels
    high = np.maximum(np.maximum(red, green), blue)
    spread = high - np.minimum(np.minimum(red, green), blue)
    some = np.maximum(spread, 1e-6)
    hue = np.where(
        high == red, (green - blue) / some % 6,
        np.where(high == green, (blue - red) / some + 2, (red - green) / some + 4),
    )  # fmt: skip
    return Colours(
        hue=(hue * 60).astype(np.float32),
        saturation=(spread / np.maximum(high, 1e-6)).astype(np.float32),
        value=high.astype(np.float32),
    )


def shrunk(rgb: Rgb, times: int) -> Rgb:
    """Return the mean of blocks of `times` x `times` pixels; what does not fill a block is cut."""
    if times <= 1:
        return rgb
    rows, columns = (side // times for side in rgb.shape[:2])
    if rows == 0 or columns == 0:
        return shrunk(rgb, min(rgb.shape[:2]))
    total = np.zeros((rows, columns, 3), np.uint32)
    part = rgb[: rows * times, : columns * times]
    for down in range(times):
        for across in range(times):
            total += part[down::times, across::times]
    found: Rgb = ((total + times * times // 2) // (times * times)).astype(np.uint8)
    return found
