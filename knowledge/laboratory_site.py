"""A site's own reference intervals and critical limits, which come before the packaged ones.

The file is YAML in the format of ``laboratory_tests.yaml`` (a head with `sources`, then `tests`),
with the site's `critical` limits in the format of ``critical_results.yaml``. Every row names one of
the file's own sources and says how sure it is. A critical row replaces the packaged one; a side
that it does not give stays the packaged one unless the row says ``whole: true``. A limit that
cannot be meant (inside a reference interval, impossible, far from the packaged one) is refused
unless the row says ``confirmed: true``.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from knowledge.analytes import analytes
from knowledge.critical_results import CriticalRange, Limit, critical_results
from knowledge.errors import ReferenceDataError
from knowledge.laboratory_tests import LabTest, check_rows, laboratory_tests
from knowledge.model import Frozen
from knowledge.reference import Citation, Table, strict_yaml, unsourced_numbers

Side = Literal["low", "high"]
SIDES: tuple[Side, ...] = ("low", "high")
SITE_FILE = "laboratory_overrides"
"""What evidence and citations call the site's file: the name of its setting."""
_LARGEST = 4 * 1024 * 1024
"""Bytes of a site's file; the packaged one is below 0.1 MiB."""


class SiteCritical(CriticalRange):
    """A site's critical limits of one analyte.

    Args:
        confirmed: Whether the site stands by a limit that would be refused as a slip.
        whole: Whether a side that is not given has no limit; else the packaged one stays.
    """

    confirmed: bool = False
    whole: bool = False


class SiteLaboratory(Table):
    """The site's file.

    Args:
        tests: Rows by the key of the analyte.
        critical: Critical limits by the key of the analyte.
    """

    tests: Mapping[str, LabTest] = {}
    critical: Mapping[str, SiteCritical] = {}


class LaboratoryReference(Frozen):
    """The packaged rows and, before them, the site's.

    Args:
        site: The site's file; None where there is none.
        site_sha256: Its hash, for the provenance of a result.
    """

    site: SiteLaboratory | None = None
    site_sha256: str | None = None

    def site_test(self, analyte: str) -> LabTest | None:
        """Return the site's rows of an analyte, or None."""
        return None if self.site is None else self.site.tests.get(analyte)

    def test(self, analyte: str) -> LabTest | None:
        """Return the packaged rows of an analyte, or None."""
        return laboratory_tests().tests.get(analyte)

    def critical(self, analyte: str) -> tuple[CriticalRange | None, bool]:
        """Return the critical limits of an analyte, and whether they are the site's."""
        own = None if self.site is None else self.site.critical.get(analyte)
        if own is not None:
            return own, True
        return critical_results().values.get(analyte), False

    def critical_side(self, analyte: str, side: Side) -> tuple[Limit | None, bool]:
        """Return one critical limit of an analyte, and whether the site decides on that side.

        Args:
            analyte: Key of the analyte.
            side: Of which end; a side that the site's row leaves out stays the packaged one.
        """
        own = None if self.site is None else self.site.critical.get(analyte)
        packaged = critical_results().values.get(analyte)
        if own is not None and (own.whole or getattr(own, side) is not None):
            return getattr(own, side), True
        return (None if packaged is None else getattr(packaged, side)), False

    def cite(self, source: str, review: str, *, site: bool, table: str) -> Citation:
        """Return the citation of a row.

        Args:
            source: Of the row.
            review: Of the row.
            site: Whether the row is the site's.
            table: Name of the packaged file otherwise.
        """
        if site and self.site is not None:
            return self.site.cite(SITE_FILE, source, review)
        packaged: Table = critical_results() if table == "critical_results" else laboratory_tests()
        return packaged.cite(table, source, review)


def laboratory_reference(overrides: Path | None = None) -> LaboratoryReference:
    """Return the rows to judge by.

    Args:
        overrides: The site's file (setting `laboratory_overrides`); None for the packaged alone.

    Raises:
        ReferenceDataError: The site's file cannot be read or a row of it is not valid. It is never
            left out silently: results judged by other limits than the site's would look the same.
    """
    if overrides is None:
        return LaboratoryReference()
    return _reference(_bytes(overrides))


@lru_cache(maxsize=4)
def _reference(content: bytes) -> LaboratoryReference:
    site = _parsed(content)
    _check(site)
    return LaboratoryReference(site=site, site_sha256=hashlib.sha256(content).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ReferenceDataError(
            SITE_FILE, "the site's file cannot be read", "correct or remove the setting"
        ) from error
    if len(content) > _LARGEST:
        raise ReferenceDataError(SITE_FILE, "the site's file is larger than 4 MiB")
    return content


def _parsed(content: bytes) -> SiteLaboratory:
    try:
        data = strict_yaml(content)
    except (yaml.YAMLError, ValueError) as error:
        raise ReferenceDataError(SITE_FILE, f"not YAML: {error}") from error
    if not isinstance(data, dict):
        raise ReferenceDataError(SITE_FILE, "not a mapping")
    for path in unsourced_numbers(data):
        raise ReferenceDataError(f"{SITE_FILE}: {path}", "a number without `source` and `review`")
    try:
        return SiteLaboratory.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceDataError(f"{SITE_FILE}: {where}", first["msg"]) from error


def _check(site: SiteLaboratory) -> None:
    packaged = laboratory_tests()
    for key, test in site.tests.items():
        for where, problem in check_rows(site, key, test, packaged.circumstances):
            raise ReferenceDataError(f"{SITE_FILE}: {where}", problem)
        for row in test.intervals:
            _cite(site, key, row.source, row.review)
    for key, limits in site.critical.items():
        if key not in analytes().analytes:
            raise ReferenceDataError(f"{SITE_FILE}: {key}", "no such analyte")
        for limit in (limits.low, limits.high):
            if limit is not None:
                _cite(site, key, limit.source, limit.review)
        for side in SIDES:
            slip = None if limits.confirmed else _slip(site, key, side)
            if slip is not None:
                raise ReferenceDataError(
                    f"{SITE_FILE}: critical.{key}.{side}",
                    slip,
                    "correct the row, or write `confirmed: true` in it",
                )


def _slip(site: SiteLaboratory, key: str, side: Side) -> str | None:
    """Return why a site's critical limit cannot be meant; None where it can."""
    given: Limit | None = getattr(site.critical[key], side)
    if given is None:
        return None
    limit = given.limit
    analyte = analytes().analytes[key]
    if not analyte.low <= limit <= analyte.high:
        return f"{limit:g} is impossible: it lies outside {analyte.low:g} to {analyte.high:g}"
    reference = LaboratoryReference(site=site)
    other, _ = reference.critical_side(key, "high" if side == "low" else "low")
    if other is not None and (limit - other.limit) * (1 if side == "low" else -1) >= 0:
        return f"{limit:g} is on the wrong side of the other limit, {other.limit:g}"
    for name, test in (("site's", site.tests.get(key)), ("packaged", reference.test(key))):
        for row in () if test is None else test.intervals:
            within = row.low is not None and row.high is not None and row.low < limit < row.high
            if within and row.kind == "reference":
                return f"{limit:g} lies inside the {name} reference interval {row.words()}"
    return _far(limit, key, side)


def _far(limit: float, key: str, side: Side) -> str | None:
    """Return that a limit is many times the packaged one, or a small part of it."""
    packaged = critical_results().values.get(key)
    held: Limit | None = None if packaged is None else getattr(packaged, side)
    times = laboratory_tests().printed_check.times
    if held is None or held.limit <= 0 or held.limit / times <= limit <= held.limit * times:
        return None
    return f"{limit:g} is more than {times:g} times away from the packaged limit, {held.limit:g}"


def _cite(site: SiteLaboratory, key: str, source: str, review: str) -> None:
    try:
        site.cite(f"{SITE_FILE}: {key}", source, review)
    except ValidationError as error:
        raise ReferenceDataError(f"{SITE_FILE}: {key}", str(error.errors()[0]["msg"])) from error
