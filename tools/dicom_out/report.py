"""What a structured report says: groups of coded measurements and statements, and what is not."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from knowledge.model import Frozen

Side = Literal["left", "right"]


class Measured(Frozen):
    """One number.

    Args:
        what: Word of `dicom_codes.yaml`.
        value: The number.
        unit: UCUM code of `dicom_codes.yaml`.
        derivation: Word: mean, maximum; empty for none.
        method: Word; empty for none.
        side: Of the finding site, where the group's site is on both sides.
    """

    what: str
    value: float
    unit: str
    derivation: str = ""
    method: str = ""
    side: Side | None = None


class Stated(Frozen):
    """One coded statement.

    Args:
        what: Word of `dicom_codes.yaml`, or ``statement``.
        value: Word of `dicom_codes.yaml`.
    """

    what: str
    value: str


class Circle(Frozen):
    """Where something lies on an image: a circle that shows the place, not an outline.

    Args:
        instance: SOP Instance UID of the image.
        column, row: Of its centre, pixels from the middle of the first.
        radius: Pixels.
    """

    instance: str
    column: float
    row: float
    radius: float


class Group(Frozen):
    """What is said of one thing.

    Args:
        title: Names it for people and from report to report, for example ``Nodule 1``.
        finding: Word of `dicom_codes.yaml`.
        site: Word; empty for none.
        side: Of the site.
        measurements: Numbers.
        statements: Coded statements.
        place: Where it lies; None for something without one place.
    """

    title: str
    finding: str
    site: str = ""
    side: Side | None = None
    measurements: tuple[Measured, ...] = ()
    statements: tuple[Stated, ...] = ()
    place: Circle | None = None


class StructuredReport(Frozen):
    """A whole report.

    Args:
        title: Of the series, at most 40 characters.
        procedure: Word of `dicom_codes.yaml`: what was examined.
        groups: What was found.
        not_assessed: What was not, and why; each goes into the report as a sentence.
        notes: What must be read with it.
    """

    title: str
    procedure: str
    groups: tuple[Group, ...] = ()
    not_assessed: Mapping[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
