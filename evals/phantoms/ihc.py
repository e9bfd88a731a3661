"""Drawn fields of immunohistochemistry whose nuclei, their numbers and their stain are known.

Absorbance is drawn per stain (optical density to base 10) and turned into grey levels by the law of
Beer and Lambert. The stains' vectors are turned a little from field to field, chromatin is uneven,
nuclei touch and overlap, the picture is blurred, gets noise and is stored as JPEG: a reader that
knows the vectors exactly would otherwise be measured against itself.
"""

import hashlib
import io
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tools.pathology.ihc.field import IhcField
from tools.pathology.ihc.labels import Label
from tools.pathology.ihc.region import Region

HAEMATOXYLIN = (0.650, 0.704, 0.286)
EOSIN = (0.072, 0.990, 0.105)
DAB = (0.268, 0.570, 0.776)
"""Vectors of Ruifrok and Johnston 2001 (table 1), each of length 1."""

Where = Literal["nucleus", "membrane", "cytoplasm"]
Floats = NDArray[np.float64]
RINGS = {"nucleus": (0.0, 1.0), "membrane": (1.1, 1.5), "cytoplasm": (1.0, 1.9)}
"""Where DAB lies, in radii of the nucleus."""


@dataclass(frozen=True, kw_only=True)
class Nucleus:
    """One drawn nucleus.

    Args:
        x, y: Centre, µm from the left and the upper border.
        radius: Mean radius, µm.
        grade: 0 negative, 1 weak, 2 moderate, 3 strong.
        dab, haematoxylin: Mean optical density of the two stains.
    """

    x: float
    y: float
    radius: float
    grade: int
    dab: float
    haematoxylin: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Phantom:
    """A drawn field and its truth.

    Args:
        rgb: (rows, columns, 3) uint8.
        mpp: µm per pixel.
        nuclei: Every nucleus.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mpp: float
    nuclei: tuple[Nucleus, ...]

    @property
    def truth(self) -> tuple[int, int]:
        """(positive, all)."""
        return sum(n.grade > 0 for n in self.nuclei), len(self.nuclei)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a field is drawn.

    Args:
        side_um: Length of a side, µm.
        mpp: µm per pixel.
        grades: Share of nuclei of grade 0, 1, 2, 3.
        dab: Range of the mean optical density of DAB of each grade.
        pale: Share of the negative nuclei that are pale.
        haematoxylin, pale_haematoxylin: Range of the optical density of negative nuclei.
        per_mm2: Nuclei a mm².
        where: Where the DAB lies.
        eosin: Optical density of eosin between the nuclei.
        brown_haze: Optical density of DAB everywhere.
    """

    side_um: float = 256.0
    mpp: float = 0.5
    grades: tuple[float, float, float, float] = (0.7, 0.1, 0.1, 0.1)
    dab: tuple[tuple[float, float], ...] = ((0.0, 0.03), (0.3, 0.5), (0.6, 0.9), (1.05, 1.5))
    pale: float = 0.3
    haematoxylin: tuple[float, float] = (0.4, 0.8)
    pale_haematoxylin: tuple[float, float] = (0.18, 0.3)
    per_mm2: float = 3500.0
    where: Where = "nucleus"
    eosin: float = 0.0
    brown_haze: float = 0.02


def drawn(look: Look, *, seed: int) -> Phantom:
    """Return one drawn field."""
    random = np.random.default_rng(seed)
    nuclei = _placed(look, random)
    side = round(look.side_um / look.mpp)
    haematoxylin = 0.05 + 0.02 * _rough(side, 10 / look.mpp, random)
    dab = look.brown_haze * (1 + 0.5 * _rough(side, 12 / look.mpp, random))
    for one in nuclei:
        _draw(one, look, haematoxylin, dab, random)
    chromatin = 1 + 0.15 * _rough(side, 0.9 / look.mpp, random)
    eosin = np.full_like(dab, look.eosin) * (1 + 0.3 * _rough(side, 6 / look.mpp, random))
    density = (
        (haematoxylin * chromatin)[..., None] * _turned(HAEMATOXYLIN, random)
        + (dab * chromatin)[..., None] * _turned(DAB, random)
        + eosin[..., None] * np.array(EOSIN)
    )
    light = ndimage.gaussian_filter(10**-density, (0.4 / look.mpp, 0.4 / look.mpp, 0))
    grey = 245 * light + random.normal(0, 2.5, light.shape)
    return Phantom(rgb=_stored(grey), mpp=look.mpp, nuclei=tuple(nuclei))


def _placed(look: Look, random: np.random.Generator) -> list[Nucleus]:
    wanted = round(look.per_mm2 * (look.side_um / 1000) ** 2)
    margin = 8.0
    found: list[Nucleus] = []
    for _ in range(wanted * 60):
        if len(found) == wanted:
            break
        x, y = random.uniform(margin, look.side_um - margin, 2)
        radius = float(random.uniform(3.6, 5.6))
        if any(np.hypot(x - n.x, y - n.y) < 0.92 * (radius + n.radius) for n in found):
            continue
        grade = int(random.choice(4, p=look.grades))
        pale = grade == 0 and random.uniform() < look.pale
        blue = look.pale_haematoxylin if pale else look.haematoxylin
        found.append(
            Nucleus(
                x=float(x),
                y=float(y),
                radius=radius,
                grade=grade,
                dab=float(random.uniform(*look.dab[grade])),
                haematoxylin=float(random.uniform(*blue)) * (1.0 if grade == 0 else 0.5),
            )
        )
    return found


def _draw(
    one: Nucleus, look: Look, blue: Floats, brown: Floats, random: np.random.Generator
) -> None:
    side = blue.shape[0]
    reach = one.radius * 2.6 / look.mpp
    x, y = one.x / look.mpp, one.y / look.mpp
    rows = slice(max(0, int(y - reach)), min(side, int(y + reach) + 1))
    columns = slice(max(0, int(x - reach)), min(side, int(x + reach) + 1))
    dy, dx = np.mgrid[rows, columns].astype(np.float64) - np.array([y, x])[:, None, None]
    turn, long = random.uniform(0, np.pi), random.uniform(1.0, 1.25)
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / long
    v = (-dx * np.sin(turn) + dy * np.cos(turn)) * long
    away = np.hypot(u, v) * look.mpp / one.radius
    blue[rows, columns][away <= 1] = np.maximum(blue[rows, columns][away <= 1], one.haematoxylin)
    low, high = RINGS[look.where]
    ring = (away >= low) & (away <= high)
    brown[rows, columns][ring] = np.maximum(brown[rows, columns][ring], one.dab)


def _rough(side: int, scale: float, random: np.random.Generator) -> Floats:
    noise: Floats = ndimage.gaussian_filter(random.normal(size=(side, side)), scale)
    spread = float(noise.std())
    even: Floats = noise / spread
    return even


def _turned(vector: tuple[float, float, float], random: np.random.Generator) -> Floats:
    turned: Floats = np.clip(np.array(vector) + random.normal(0, 0.02, 3), 0.01, None)
    length = float(np.linalg.norm(turned))
    unit: Floats = turned / length
    return unit


def _stored(grey: Floats) -> NDArray[np.uint8]:
    picture = Image.fromarray(np.clip(np.round(grey), 0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, subsampling=0)
    return np.asarray(Image.open(io.BytesIO(buffer.getvalue())))


def field_of(made: Phantom, *, name: str = "drawn") -> IhcField:
    """Return a drawn field as it is read from a file."""
    return IhcField(
        rgb=made.rgb,
        mpp=made.mpp,
        file=f"{name}.png",
        sha256=hashlib.sha256(made.rgb.tobytes()).hexdigest(),
    )


def whole(made: Phantom) -> Region:
    """Return the whole field as tumour."""
    return Region(mask=np.ones(made.rgb.shape[:2], bool), file="whole.geojson")


def labels_of(made: Phantom) -> tuple[Label, ...]:
    """Return the truth as labels."""
    return tuple(Label(x=n.x / made.mpp, y=n.y / made.mpp, grade=n.grade) for n in made.nuclei)


def png(made: Phantom) -> bytes:
    """Return a drawn field as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(made.rgb).save(buffer, "PNG")
    return buffer.getvalue()


def square(side: float, *, name: str = "", at: float = 0.0) -> dict[str, object]:
    """Return a square region as GeoJSON, with its name where given."""
    low, high = at, at + side
    ring = [[low, low], [high, low], [high, high], [low, high], [low, low]]
    stated = {"classification": {"name": name}} if name else {}
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": stated, "geometry": shape}
