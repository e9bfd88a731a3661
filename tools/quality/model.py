"""The data-quality report of a case or a folder of cases (schema ``epicrisis/data-quality/1``)."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from knowledge.data_quality import QualityKind
from knowledge.model import Frozen


class QualityItem(Frozen):
    """One thing found.

    Args:
        kind: What sort.
        file: The file it stands in.
        where: The place in it; empty where it is of the whole file.
        what: What was found, without a patient's name, number or date of birth.
        times: How often, where one item stands for several results.
        way_out: What a site can do about it.
    """

    kind: QualityKind
    file: str
    where: str = ""
    what: str
    times: int = Field(default=1, ge=1)
    way_out: str = ""


class NotLookedFor(Frozen):
    """A kind of item that could not be looked for, and why."""

    kind: QualityKind
    reason: str


class CaseQuality(Frozen):
    """The data quality of one case.

    Args:
        case: Its folder or file, relative to the path given.
        files: How many files it holds.
        results: How many laboratory results and vital signs were read.
        counts: Occurrences by kind; 0 where a kind was looked for and nothing was found.
        items: What was found, by kind, file and place.
        not_assessed: Kinds that could not be looked for.
    """

    case: str
    files: int = 0
    results: int = 0
    counts: Mapping[QualityKind, int] = {}
    items: tuple[QualityItem, ...] = ()
    not_assessed: tuple[NotLookedFor, ...] = ()


class QualityReport(Frozen):
    """The whole report.

    Args:
        schema_: Of this report.
        at: The moment results must not be later than, where one was given.
        cases: By name.
        counts: Occurrences by kind over all cases that were looked at.
        not_assessed: Kind to the number of cases in which it could not be looked for.
        tables: Reference files it rests on, with their SHA-256.
    """

    schema_: Literal["epicrisis/data-quality/1"] = Field(
        default="epicrisis/data-quality/1", alias="schema"
    )
    at: str | None = None
    cases: tuple[CaseQuality, ...] = ()
    counts: Mapping[QualityKind, int] = {}
    not_assessed: Mapping[QualityKind, int] = {}
    tables: Mapping[str, str] = {}
