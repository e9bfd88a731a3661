"""The images of a study, by series and in the order a person scrolls through them."""

import io
import warnings
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from knowledge.errors import InputError
from serving.images.found import CaseImages, Kept, without_names
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.imaging.dicom_image import read_dicom_image
from tools.imaging.model import ImageFile, Study
from tools.imaging.picture import read_picture
from tools.imaging.slide import read_tiff
from tools.imaging.slide_label import TAGS, identifying
from tools.imaging.view.stack import Place, ordered, place

MOST_SLICES = 4000
"""Frames of one series that are scrolled through; a long cine has some thousand."""

_PLACE_TAGS = (
    "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient", "SeriesNumber", *TAGS,
)  # fmt: skip
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_PICTURE = (b"\x89PNG", b"\xff\xd8")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What the header of one image says.

    Args:
        kept: The file.
        image: Its header.
        place: Where it lies.
        withheld: Why it may say who the patient is, as the picture of a slide's label does;
            empty where it is shown.
    """

    kept: Kept
    image: ImageFile
    place: Place
    withheld: str = ""

    @property
    def may_identify(self) -> bool:
        """Whether it may say who the patient is."""
        return bool(self.withheld)


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One picture of a series.

    Args:
        image: Id of its file.
        frame: Within the file, from 0.
    """

    image: str
    frame: int


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series.

    Args:
        reads: Its images, in order.
        slices: Its pictures, in order.
        more: Whether there are more than `MOST_SLICES`.
    """

    reads: tuple[Read, ...]
    slices: tuple[Slice, ...]
    more: bool

    @property
    def first(self) -> Read:
        """The image that stands for it."""
        return self.reads[0]

    @property
    def is_slide(self) -> bool:
        """Whether it is looked at as a slide."""
        return self.first.image.role == "slide"


def read_image(content: bytes, kept: Kept) -> Read:
    """Return what the header of an image says.

    Raises:
        InputError: It cannot be read, or is of no human.
    """
    if content[:4] in _TIFF:
        image = read_tiff(content, file=kept.name)
        return Read(kept=kept, image=image, place=Place(name=kept.name))
    if content[:4] == _PICTURE[0] or content[:2] == _PICTURE[1]:
        image = read_picture(content, file=kept.name)
        return Read(kept=kept, image=image, place=Place(name=kept.name))
    image = read_dicom_image(content, file=kept.name, zone=None)
    head = _head(content)
    return Read(
        kept=kept,
        image=image,
        place=place(head, kept.name),
        withheld=identifying(head) if image.role == "slide" else "",
    )


def _head(content: bytes) -> Any:
    import pydicom

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(
                io.BytesIO(content),
                force=True,
                stop_before_pixels=True,
                specific_tags=list(_PLACE_TAGS),
            )
        except parse_errors():
            return {}


def series_of(reads: tuple[Read, ...]) -> tuple[Series, ...]:
    """Return the images of one study by series; a file of no series is one by itself."""
    groups: dict[str, list[Read]] = defaultdict(list)
    for read in reads:
        groups[read.image.series or read.image.frame or read.image.file].append(read)
    return tuple(_series(group) for group in groups.values())


def _series(group: list[Read]) -> Series:
    shown = [r for r in group if not r.may_identify] or group
    in_order = [shown[i] for i in ordered([r.place for r in shown])]
    slices = [
        Slice(image=read.kept.id, frame=frame)
        for read in in_order
        for frame in range(min(read.image.frames, MOST_SLICES))
    ]
    return Series(
        reads=tuple(in_order), slices=tuple(slices[:MOST_SLICES]), more=len(slices) > MOST_SLICES
    )


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A file of a study that is not shown.

    Args:
        number: Its place among the files of the study, from 1: its name may name a patient.
        reason: Why; empty where it is not in the case any more.
    """

    number: int
    reason: str


def unread(images: CaseImages, study: Study, errors: dict[str, InputError]) -> tuple[Unread, ...]:
    """Return which files of a study are not shown, and why."""
    found = []
    for number, name in enumerate(study.files, start=1):
        if name in errors:
            reason = without_names(errors[name].reason, study.files)
            found.append(Unread(number=number, reason=reason or "cannot be read"))
        elif name not in images.kept:
            found.append(Unread(number=number, reason=""))
    return tuple(found)
