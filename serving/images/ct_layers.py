"""What is measured on a CT series, drawn on it: the lungs, and a nodule where a person points."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from knowledge.errors import ContractError, InvalidValueError
from knowledge.settings import Settings
from serving.access.errors import NotFoundError
from serving.images.layer import Layer, Note
from serving.images.series import Series
from tools.imaging.ct.in_lungs import lung_gate, nodule_in_lungs
from tools.imaging.ct.lungs import lungs
from tools.imaging.ct.model import Volume
from tools.imaging.ct.nodule import Measured, NoduleMeasure
from tools.imaging.view.marks import Mark, Mask

LUNGS = "lungs"
"""The layer of the lung outline."""

SEED = "nodule"
"""How the key of a nodule begins: ``nodule-<image>-<column>-<row>``, the place pointed at."""

LUNGS_LABEL = "lungs"
NODULE_LABEL = "nodule, as measured"
APPROXIMATE = "an outline by threshold and shape: masses at the pleura are left out; review it"
SIDES = "right %s mL, left %s mL"
DIAMETER = "diameter %s mm (%s x %s mm)"
VOLUME = "volume %s mm³"
KINDS = {
    "solid": "type: solid",
    "part-solid": "type: part-solid",
    "ground-glass": "type: ground glass",
}
VOLUME_NOT = "volume not assessed: %s"
KIND_NOT = "type not assessed: %s"
CENTRE = "its centre is on picture %s"
POINTED_AT = "measured where a person pointed; nothing was looked for"
SWITCHED_OFF = "not assessed: switched off"

_PARTS = 4


@dataclass(frozen=True, kw_only=True)
class Seed:
    """A place that a person pointed at.

    Args:
        image: Id of the image.
        column, row: Of its pixels, from 0.
    """

    image: str
    column: int
    row: int


def seed_of(key: str) -> Seed:
    """Return the place that the key of a layer names.

    Raises:
        NotFoundError: It names none.

    Examples:
        >>> seed_of("nodule-0a1b-12-34").row
        34
    """
    parts = key.split("-")
    plain = all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts[2:])
    if len(parts) != _PARTS or parts[0] != SEED or not plain:
        raise NotFoundError("layer")
    return Seed(image=parts[1], column=int(parts[2]), row=int(parts[3]))


def require_switched_on(settings: Settings) -> None:
    """Refuse where device functions are switched off.

    Raises:
        ContractError: They are.
    """
    if not settings.device_functions:
        raise ContractError("layer", SWITCHED_OFF, "EPICRISIS_DEVICE_FUNCTIONS=true switches it on")


def lung_layer(series: Series, volume: Volume) -> Layer:
    """Return the lungs on the slices of a CT series.

    Raises:
        ContractError: They are not outlined; says why.
    """
    found = lungs(volume)
    shape = volume.hu.shape
    marks: dict[str, tuple[Mark, ...]] = {}
    for image, level in _levels(series, volume).items():
        plane = found.mask[min(level // found.step[0], found.mask.shape[0] - 1)]
        if plane.any():
            whole = np.kron(plane, np.ones(found.step[1:], dtype=np.bool_))
            mask = _sized(whole, (shape[1], shape[2]))
            marks[image] = (Mask(values=mask, label=LUNGS_LABEL),)
    sides = Note(SIDES, (f"{found.right_ml:.0f}", f"{found.left_ml:.0f}"))
    return Layer(
        marks=marks,
        labels=(LUNGS_LABEL,),
        notes=(Note(APPROXIMATE), sides),
        nbytes=len(marks) * shape[1] * shape[2],
    )


def nodule_layer(series: Series, volume: Volume, seed: Seed) -> Layer:
    """Return a nodule on the slices of a CT series, with its measures.

    Raises:
        NotFoundError: The place is not in the series.
        InvalidValueError: It is not in the volume.
        ContractError: The nodule is not measured; says why.
    """
    levels = _levels(series, volume)
    if seed.image not in levels:
        raise NotFoundError("layer")
    rows, columns = volume.hu.shape[1:]
    if seed.row >= rows or seed.column >= columns:
        raise InvalidValueError("seed", "is outside of the picture", "point at the nodule")
    place = volume.point((levels[seed.image], seed.row, seed.column))
    found = nodule_in_lungs(volume, place, lung_gate(volume))
    marks: dict[str, tuple[Mark, ...]] = {}
    for image, level in levels.items():
        mask = _nodule_on(found, level, (rows, columns))
        if mask is not None:
            marks[image] = (Mask(values=mask, label=NODULE_LABEL),)
    numbers = {image: number for number, image in enumerate(_images(series), start=1)}
    middle = round(volume.index(found.measure.centre_lps)[0])
    shown = next((numbers[image] for image, level in levels.items() if level == middle), None)
    return Layer(
        marks=marks,
        labels=(NODULE_LABEL,),
        notes=tuple(_words(found.measure, shown)),
        nbytes=len(marks) * rows * columns,
        skip=1,
    )


def _levels(series: Series, volume: Volume) -> dict[str, int]:
    """Return by image which slice of the volume it is; images left out of it are not there."""
    ids = {read.kept.name: read.kept.id for read in series.reads}
    return {ids[n]: level for level, n in enumerate(volume.facts.files) if n in ids}


def _images(series: Series) -> list[str]:
    return [one.image for one in series.slices]


def _sized(mask: npt.NDArray[np.bool_], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    found = np.zeros(shape, dtype=np.bool_)
    rows, columns = min(mask.shape[0], shape[0]), min(mask.shape[1], shape[1])
    found[:rows, :columns] = mask[:rows, :columns]
    return found


def _nodule_on(found: Measured, level: int, shape: tuple[int, int]) -> npt.NDArray[np.bool_] | None:
    """Return the nodule's outline on one slice of the volume; None where it does not reach it."""
    around = found.around
    steps = [s / around.grid_mm for s in around.spacing_mm]
    at = (level - around.first[0]) * steps[0]
    if not -0.5 <= at <= found.mask.shape[0] - 0.5:
        return None
    plane = found.mask[min(max(round(at), 0), found.mask.shape[0] - 1)]
    if not plane.any():
        return None
    low = [ceil(around.first[n]) for n in (1, 2)]
    high = [
        min(shape[n - 1] - 1, int(around.first[n] + (plane.shape[n - 1] - 1) / steps[n]))
        for n in (1, 2)
    ]
    places = np.meshgrid(
        *((np.arange(low[n - 1], high[n - 1] + 1) - around.first[n]) * steps[n] for n in (1, 2)),
        indexing="ij",
    )
    inside = ndimage.map_coordinates(plane.astype(np.float32), places, order=1) >= 0.5
    if not inside.any():
        return None
    whole = np.zeros(shape, dtype=np.bool_)
    whole[low[0] : high[0] + 1, low[1] : high[1] + 1] = inside
    return whole


def _words(measure: NoduleMeasure, shown: int | None) -> Iterator[Note]:
    """Yield the measures, and what is not stated and why."""
    numbers = (measure.mean_mm, measure.long_mm, measure.short_mm)
    yield Note(DIAMETER, tuple(f"{one:.1f}" for one in numbers))
    if measure.volume_mm3 is not None:
        yield Note(VOLUME, (f"{measure.volume_mm3:.0f}",))
    if measure.kind is not None:
        yield Note(KINDS[measure.kind])
    for name, missing in measure.not_assessed.items():
        yield Note(VOLUME_NOT if name == "volume" else KIND_NOT, (missing.detail,))
    if shown is not None:
        yield Note(CENTRE, (str(shown),))
    yield from (Note(one) for one in measure.flags)
    yield Note(POINTED_AT)
