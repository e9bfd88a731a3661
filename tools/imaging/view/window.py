"""From pixel values to grey: the windows a header offers, presets for CT, and what they make."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from knowledge.errors import InvalidValueError
from knowledge.view_windows import view_windows
from knowledge.words import Words
from tools.ecg.readers.device_said import clean
from tools.imaging.view.pixels import Pixels, group

Function = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
"""PS3.3 C.11.2.1.3."""

HEADER = Words(en="as stored", zh="文件自带")
TABLE = Words(en="curve of the device", zh="设备曲线")
FULL = Words(en="all values", zh="全部数值")

_MOST = 8
"""Windows of one header that are offered; headers hold one to four."""

_SHARE = 0.5
"""Percent of the pixels at either end that the window of all values may leave out."""


_SAMPLED = 100_000
"""Pixels that the window of all values is taken from, evenly over the image."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """One way to show values as grey.

    Args:
        key: Names it in an address.
        label: Name to show.
        center, width: In pixel values after the modality transform; None for a curve.
        function: How values become grey.
        table: Number of the VOI LUT of the header; None for none.
    """

    key: str
    label: Words
    center: float | None = None
    width: float | None = None
    function: Function = "LINEAR"
    table: int | None = None


def windows(pixels: Pixels, frame: int = 0) -> tuple[Window, ...]:
    """Return the windows a grey image may be shown with, the first is its default.

    The header's windows come first, each by its explanation; then, for CT in Hounsfield units, the
    presets; last the window that spans all values of this frame.
    """
    if pixels.is_colour:
        return ()
    found = [*_stated(pixels.ds, frame), *_tables(pixels.ds)]
    if is_hounsfield(pixels.ds):
        found += [
            Window(key=p.id, label=p.label, center=p.center, width=p.width)
            for p in view_windows().ct
        ]
    return (*found, full(pixels.values))


def is_hounsfield(ds: Any) -> bool:
    """Return whether values are Hounsfield units: a CT that does not say otherwise."""
    unit = str(ds.get("RescaleType", "") or "HU").strip().upper()
    scaled = "RescaleSlope" in ds or "SharedFunctionalGroupsSequence" in ds
    return str(ds.get("Modality", "")).strip().upper() == "CT" and unit == "HU" and scaled


def full(values: npt.NDArray[Any]) -> Window:
    """Return the window of all values but the most extreme half percent at either end."""
    step = max(1, int(math.sqrt(values.size / _SAMPLED)))
    low, high = (float(v) for v in np.percentile(values[::step, ::step], (_SHARE, 100 - _SHARE)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return Window(
        key="all",
        label=FULL,
        center=(low + high) / 2,
        width=max(high - low, 1e-6),
        function="LINEAR_EXACT",
    )


def chosen(
    offered: tuple[Window, ...], key: str, center: float | None, width: float | None
) -> Window:
    """Return the window that was asked for.

    Args:
        offered: Those of the image.
        key: Of one of them; empty for the first.
        center: Of one that a person set.
        width: Likewise; both or neither.

    Raises:
        InvalidValueError: There is none of this name, or the numbers make none.
    """
    if center is not None and width is not None:
        if not (math.isfinite(center) and math.isfinite(width) and width > 0):
            raise InvalidValueError("window", "its width must be over 0")
        function: Function = "LINEAR_EXACT" if width <= 1 else "LINEAR"
        return Window(key="own", label=HEADER, center=center, width=width, function=function)
    for window in offered:
        if key in ("", window.key):
            return window
    raise InvalidValueError("window", "there is none of this name", "choose one that is offered")


def to_grey(pixels: Pixels, window: Window, *, invert: bool = False) -> npt.NDArray[np.uint8]:
    """Return ``(rows, columns)`` grey, 0 black.

    MONOCHROME1 is turned after windowing: its low values are white (PS3.3 C.7.6.3.1.2).

    Args:
        pixels: A grey image.
        window: How.
        invert: Turned once more, as a person asked.
    """
    turned = str(pixels.ds.get("PhotometricInterpretation", "")).strip() == "MONOCHROME1"
    if window.table is not None:
        shown = _by_table(pixels, window.table)
    else:
        shown = windowed(pixels.values, window)
    grey = np.rint(shown * 255).astype(np.uint8)
    return np.asarray(255 - grey if turned != invert else grey, dtype=np.uint8)


def windowed(values: npt.NDArray[Any], window: Window) -> npt.NDArray[np.float32]:
    """Return values between 0 and 1 (PS3.3 C.11.2.1.2.1, C.11.2.1.3.1, C.11.2.1.3.2)."""
    center, width = window.center or 0.0, window.width or 1.0
    if window.function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(-4 * (values - center) / width)), dtype=np.float32)
    if window.function == "LINEAR" and width > 1:
        center, width = center - 0.5, width - 1
    return np.asarray(np.clip((values - center) / width + 0.5, 0, 1), dtype=np.float32)


def _by_table(pixels: Pixels, number: int) -> npt.NDArray[np.float32]:
    from pydicom.pixels.processing import apply_voi

    values = np.rint(pixels.values).astype(np.int32)
    table = np.asarray(apply_voi(values, pixels.ds, index=number), dtype=np.float32)
    bits = int(pixels.ds.VOILUTSequence[number].LUTDescriptor[2])
    return np.asarray(np.clip(table / (2**bits - 1), 0, 1), dtype=np.float32)


def _stated(ds: Any, frame: int) -> Iterator[Window]:
    where = ds if "WindowCenter" in ds else (group(ds, "FrameVOILUTSequence", frame) or ds)
    centers, widths = _numbers(where.get("WindowCenter")), _numbers(where.get("WindowWidth"))
    named = where.get("WindowCenterWidthExplanation")
    names = [named] if isinstance(named, str) else list(named or [])
    stated = str(where.get("VOILUTFunction", "") or "LINEAR").strip().upper()
    function: Function = (
        "SIGMOID" if stated == "SIGMOID" else "LINEAR_EXACT" if "EXACT" in stated else "LINEAR"
    )
    for number, (center, width) in enumerate(zip(centers, widths, strict=False)):
        if number >= _MOST or not width > 0:
            continue
        name = clean(str(names[number]), 40) if number < len(names) else ""
        extra = f" {number + 1}" if len(centers) > 1 else ""
        yield Window(
            key=f"w{number}",
            label=Words(en=name, zh=name)
            if name
            else Words(en=HEADER.en + extra, zh=HEADER.zh + extra),
            center=center,
            width=width,
            function="LINEAR_EXACT" if function == "LINEAR" and width < 1 else function,
        )


def _tables(ds: Any) -> Iterator[Window]:
    tables = list(ds.get("VOILUTSequence") or [])[:_MOST]
    for number, table in enumerate(tables):
        name = clean(str(table.get("LUTExplanation", "") or ""), 40)
        label = Words(en=name, zh=name) if name else TABLE
        yield Window(key=f"t{number}", label=label, table=number)


def _numbers(value: Any) -> list[float]:
    if value is None or value == "":
        return []
    many = [value] if isinstance(value, (int, float, str)) else list(value)
    found = []
    for one in many:
        try:
            found.append(float(one))
        except (TypeError, ValueError, OverflowError):
            return []
    return found if all(map(math.isfinite, found)) else []
