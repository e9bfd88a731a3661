"""What a model may be shown, and how it is made ready: the ``inputs`` of ``model.json``.

Every field has to be there. ``null`` says that it does not matter or does not apply; a field that
is left out is refused, since nobody could tell it from one that was forgotten.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from knowledge.model import Frozen
from tools.models.vocabulary import (
    InputKind,
    Modality,
    ModelId,
    Orientation,
    Photometric,
    Positive,
    Sha256,
    Text,
    VersionText,
)

AXES: dict[InputKind, tuple[str, ...]] = {
    "image2d": ("NCHW", "NHWC"),
    "tile": ("NCHW", "NHWC"),
    "volume3d": ("NCDHW", "NDHWC", "NCWHD"),
    "ecg12": ("NCL", "NLC"),
    "bag": ("NMC", "MC"),
}
"""N batch, C channels (of a tracing its leads, of a bag the numbers of a vector), D slices, H rows,
W columns, L samples, M members of a bag. ``NCWHD`` is how MONAI orders volumes."""

_SPATIAL = {"image2d": 2, "tile": 2, "volume3d": 3}
_MAX_SIDE = 65_536


class FixedWindow(Frozen):
    """A window of fixed centre and width, in the unit of the stored quantity (HU for CT)."""

    kind: Literal["fixed"]
    centre: FiniteFloat
    width: Positive


class FileWindow(Frozen):
    """The window that the file itself names; where it names several, the one with this number.

    Args:
        choice: 0 for the first.
    """

    kind: Literal["file"]
    choice: Annotated[int, Field(ge=0, le=20)]


Window = Annotated[FixedWindow | FileWindow, Field(discriminator="kind")]


class NoNormalisation(Frozen):
    """The numbers as they are."""

    kind: Literal["none"]


class MinMax(Frozen):
    """The smallest value becomes 0 and the largest 1."""

    kind: Literal["minmax"]


class ZScore(Frozen):
    """Mean 0 and standard deviation 1 of the picture itself."""

    kind: Literal["zscore"]


class Scaled(Frozen):
    """`low` becomes 0 and `high` 1, cut off at both; 0 and 255 for pictures of 8 bits."""

    kind: Literal["range"]
    low: FiniteFloat
    high: FiniteFloat

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.high <= self.low:
            raise ValueError("high must be above low")
        return self


class MeanStd(Frozen):
    """Less a mean and divided by a deviation, one of each or one per channel.

    Args:
        divide: Divided by this first; 255 where the means are those of pictures from 0 to 1.
    """

    kind: Literal["mean-std"]
    divide: Positive
    mean: tuple[FiniteFloat, ...] = Field(min_length=1)
    std: tuple[Positive, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _alike(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError("as many means as deviations")
        return self


Normalise = Annotated[
    NoNormalisation | MinMax | ZScore | Scaled | MeanStd, Field(discriminator="kind")
]


class Fit(Frozen):
    """How a picture of another size comes to the model's.

    Args:
        kind: ``exact``: another size is refused. ``stretch``: brought to it, sides apart.
            ``pad``: to its longer side, the rest filled with `fill`. ``centre-crop``: to its
            shorter side, the middle taken. ``slide``: looked at piece by piece.
        fill: What is padded with, after normalising.
        overlap: Of neighbouring pieces, as a share of a piece; for ``slide``.
    """

    kind: Literal["exact", "stretch", "pad", "centre-crop", "slide"]
    fill: FiniteFloat = 0.0
    overlap: Annotated[float, Field(ge=0, le=0.875)] = 0.5


class EmbeddingSource(Frozen):
    """The model whose vectors a bag holds: no other's mean the same."""

    id: ModelId
    version: VersionText
    onnx_sha256: Sha256
    members_max: PositiveInt


class InputContract(Frozen):
    """One input of a model.

    Args:
        name: Of the tensor in the graph.
        kind: What is put in.
        modality: DICOM modalities it was made for.
        views: View positions (PA, AP, CC, ...); null where the view does not matter.
        body_parts: As DICOM (0018,0015) writes them, lower case; null where it does not matter.
        axes: Order of the tensor's axes, see `AXES`.
        shape: Sizes in that order; null where the graph takes any.
        dtype: Of the tensor.
        spacing_mm: Distance of neighbouring pixels along the model's axes without batch and
            channels, D H W or H W; null where it does not matter.
        spacing_tolerance: By what factor above 1 the file's spacing may differ, as a share: with
            0.5 from two thirds to one and a half; null exactly where `spacing_mm` is.
        resample: Whether what is within the tolerance is brought to exactly `spacing_mm`.
        orientation: Of a volume; null for everything else.
        photometric: What a low value looks like; MONOCHROME1 is inverted where the model asks for
            MONOCHROME2, and the other way round. Null for tracings and bags.
        window: Grey values to 0..1; null for none.
        normalise: After the window.
        fit: To the size of the tensor.
        fs_hz: Samples a second of a tracing; null for pictures.
        leads: Of a tracing, in the order of the tensor, in mV; null for pictures.
        age_years: From, to; null where age does not matter.
        embedding_of: Of a bag; null for everything else.
    """

    name: Text
    kind: InputKind
    modality: tuple[Modality, ...] = Field(min_length=1)
    views: tuple[Text, ...] | None
    body_parts: tuple[Text, ...] | None
    axes: str
    shape: tuple[Annotated[int, Field(gt=0, le=_MAX_SIDE)] | None, ...]
    dtype: Literal["float32", "float16", "uint8"]
    spacing_mm: tuple[Positive, ...] | None
    spacing_tolerance: Annotated[float, Field(ge=0, le=10)] | None
    resample: bool
    orientation: Orientation | None
    photometric: Photometric | None
    window: Window | None
    normalise: Normalise
    fit: Fit
    fs_hz: Positive | None
    leads: tuple[Text, ...] | None
    age_years: tuple[Annotated[float, Field(ge=0, le=150)], Annotated[float, Field(le=150)]] | None
    embedding_of: EmbeddingSource | None

    @property
    def spatial(self) -> int:
        """Number of axes in space: 2, 3, or 0 for tracings and bags."""
        return _SPATIAL.get(self.kind, 0)

    @property
    def channels(self) -> int | None:
        """Size of the axis of channels; None where the graph takes any."""
        return self.shape[self.axes.index("C")]

    @property
    def size(self) -> tuple[int | None, ...]:
        """Sizes of the axes in space, D H W or H W."""
        return tuple(self.shape[self.axes.index(axis)] for axis in "DHW" if axis in self.axes)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for problem in _problems(self):
            raise ValueError(f"input {self.name}: {problem}")
        return self


def _problems(given: InputContract) -> list[str]:
    found = []
    if given.axes not in AXES[given.kind]:
        found.append(f"axes of a {given.kind} are one of {AXES[given.kind]}")
        return found
    if len(given.shape) != len(given.axes):
        found.append("the shape has not as many numbers as there are axes")
        return found
    found += _picture_problems(given) if given.spatial else _other_problems(given)
    if (given.spacing_mm is None) != (given.spacing_tolerance is None):
        found.append("spacing_mm and spacing_tolerance stand together")
    if given.age_years is not None and given.age_years[0] > given.age_years[1]:
        found.append("age_years goes from the lower to the higher")
    if given.kind != "ecg12" and (given.fs_hz, given.leads) != (None, None):
        found.append("only a tracing has fs_hz and leads")
    if (given.kind == "bag") != (given.embedding_of is not None):
        found.append("a bag, and nothing else, says whose vectors it holds (embedding_of)")
    return found


def _picture_problems(given: InputContract) -> list[str]:
    found = []
    if given.photometric is None:
        found.append("a picture needs photometric")
    if given.channels not in (1, 3):
        found.append("a picture has 1 or 3 channels")
    if given.photometric == "RGB" and given.channels != 3:
        found.append("RGB has 3 channels")
    if given.spacing_mm is not None and len(given.spacing_mm) != given.spatial:
        found.append(f"spacing_mm has {given.spatial} numbers")
    if (given.orientation is None) == (given.kind == "volume3d"):
        found.append("a volume, and nothing else, has an orientation")
    if given.kind == "volume3d" and given.spacing_mm is None:
        found.append("a volume needs spacing_mm")
    if given.resample and given.spacing_mm is None:
        found.append("nothing to resample to: spacing_mm is null")
    if given.fit.kind != "exact" and None in given.size:
        found.append(f"fit {given.fit.kind} needs a size in the shape")
    if given.photometric == "RGB" and given.window is not None:
        found.append("colours have no window")
    return found + _normalisation_problems(given)


def _normalisation_problems(given: InputContract) -> list[str]:
    if isinstance(given.normalise, MeanStd) and len(given.normalise.mean) not in (
        1,
        given.channels,
    ):
        return ["one mean, or one per channel"]
    if given.dtype == "uint8" and given.normalise.kind != "none":
        return ["whole numbers cannot be normalised: dtype uint8 goes with normalise none"]
    return []


def _other_problems(given: InputContract) -> list[str]:
    found = []
    for name in ("photometric", "window", "orientation", "spacing_mm"):
        if getattr(given, name) is not None:
            found.append(f"{name} does not apply to a {given.kind}")
    if given.kind == "ecg12":
        if given.fs_hz is None or not given.leads:
            found.append("a tracing needs fs_hz and leads")
        elif given.channels not in (None, len(given.leads)):
            found.append("as many channels as leads")
    return found
