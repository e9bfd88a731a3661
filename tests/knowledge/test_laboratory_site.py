"""A site's own intervals and critical limits come first, or the file is refused as a whole."""

import hashlib
from pathlib import Path

import pytest

from knowledge.errors import ReferenceDataError
from knowledge.laboratory_site import laboratory_reference
from knowledge.settings import Settings
from tests.tools.labs.lab_results import MAN, WOMAN, flag, flagged
from tools.labs.interval_model import Flag

SITE = """
title: Own laboratory
version: "3"
licence: internal
sources:
  own: {title: Central laboratory, year: 2026}
tests:
  potassium:
    intervals:
      - {from_age: 18, low: 3.6, high: 5.2, source: own, review: "V:own"}
  ferritin:
    intervals:
      - {sex: female, from_age: 18, low: 10, high: 200, source: own, review: "V:own"}
  estradiol:
    intervals:
      - {sex: male, from_age: 18, low: 10, high: 40, source: own, review: "V:own"}
  cystatin_c: {no_interval: not measured here}
critical:
  potassium:
    low: {limit: 2.8, source: own, review: "V:own"}
    high: {limit: 6.0, source: own, review: "V:own"}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sites_rows_come_before_the_packaged_ones(tmp_path: Path) -> None:
    path = write(tmp_path, SITE)
    site = laboratory_reference(path)
    assert site.site_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    result = flagged("2823-3", 5.1, "mmol/L", reference=site)
    assert result.flag is Flag.NORMAL
    assert result.intervals[0].origin == "site"
    assert result.intervals[0].citation is not None
    assert result.intervals[0].citation.label == "Central laboratory (2026)"
    assert flag("2823-3", 5.1, "mmol/L") is Flag.HIGH
    assert flag("2243-4", 50, "pg/mL", MAN, reference=site) is Flag.HIGH
    assert flag("33863-2", 0.8, "mg/L", MAN, reference=site) is None


def test_a_printed_interval_comes_before_the_sites(tmp_path: Path) -> None:
    site = laboratory_reference(write(tmp_path, SITE))
    assert flag("2823-3", 5.1, "mmol/L", reference=site, printed="3.5-5.0") is Flag.HIGH


def test_whom_the_site_has_no_row_for_gets_the_fallback(tmp_path: Path) -> None:
    site = laboratory_reference(write(tmp_path, SITE))
    woman = flagged("2276-4", 15, "ng/mL", WOMAN, site)
    man = flagged("2276-4", 15, "ng/mL", MAN, site)
    assert (woman.flag, woman.intervals[0].origin) == (Flag.NORMAL, "site")
    assert (man.flag, man.intervals[0].origin) == (Flag.LOW, "fallback")


def test_the_sites_critical_limits_take_the_place_of_the_packaged_ones(tmp_path: Path) -> None:
    site = laboratory_reference(write(tmp_path, SITE))
    result = flagged("2823-3", 6.1, "mmol/L", reference=site)
    assert result.flag is Flag.CRITICAL_HIGH
    assert result.critical[0].origin == "site"
    assert flag("2823-3", 6.1, "mmol/L") is Flag.HIGH
    assert flag("2951-2", 165, "mmol/L", reference=site) is Flag.CRITICAL_HIGH


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("potassium:\n    intervals", "pottasium:\n    intervals", "no such analyte"),
        (
            'source: own, review: "V:own"}\n  ferritin',
            "source: other, review: N}\n  ferritin",
            "source",
        ),
        ('review: "V:own"}\n  ferritin', "review: sure}\n  ferritin", "review tag"),
        (', source: own, review: "V:own"}\n  ferritin', "}\n  ferritin", "without `source`"),
        ("low: 3.6, high: 5.2", "low: 36, high: 52", "impossible"),
        ("from_age: 18, low: 3.6", "when: {tired: true}, low: 3.6", "circumstance"),
        ("title: Own laboratory", "title: [", "not YAML"),
        ("  potassium:\n    low", "  kalium:\n    low", "no such analyte"),
    ],
)
def test_a_file_with_one_wrong_row_is_refused_as_a_whole(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert old in SITE
    with pytest.raises(ReferenceDataError, match=message):
        laboratory_reference(write(tmp_path, SITE.replace(old, new, 1)))


def test_a_file_that_is_not_there_is_an_error_and_no_fallback(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        laboratory_reference(tmp_path / "none.yaml")


def test_no_file_is_the_default() -> None:
    assert Settings().laboratory_overrides is None
    assert laboratory_reference().site is None


# the packaged limits of potassium are 2.5 and 6.5 mmol/L (Kost 1990)
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("high: {limit: 6.0", "high: {limit: 5.0", "inside the site's reference interval"),
        ("high: {limit: 6.0", "high: {limit: 60", "impossible"),
        ("low: {limit: 2.8", "low: {limit: 0.8", "impossible|more than 3 times"),
        ("    low: {limit: 2.8", "    low: {limit: 5.9", None),
    ],
)
def test_a_critical_limit_that_cannot_be_meant_is_refused_unless_confirmed(
    tmp_path: Path, old: str, new: str, message: str | None
) -> None:
    text = SITE.replace(old, new, 1)
    assert text != SITE
    if message is None:
        assert laboratory_reference(write(tmp_path, text)).site is not None
        return
    with pytest.raises(ReferenceDataError, match=f"critical.potassium.*({message})"):
        laboratory_reference(write(tmp_path, text))
    confirmed = text.replace(
        "critical:\n  potassium:\n", "critical:\n  potassium:\n    confirmed: true\n"
    )
    assert laboratory_reference(write(tmp_path, confirmed)).site is not None


def test_a_limit_on_the_wrong_side_of_the_packaged_one_is_refused(tmp_path: Path) -> None:
    one = SITE.replace('    high: {limit: 6.0, source: own, review: "V:own"}\n', "")
    with pytest.raises(ReferenceDataError, match=r"wrong side of the other limit, 6\.5"):
        laboratory_reference(write(tmp_path, one.replace("limit: 2.8", "limit: 7.0")))


def test_a_side_that_the_site_leaves_out_stays_the_packaged_one(tmp_path: Path) -> None:
    one = SITE.replace('    high: {limit: 6.0, source: own, review: "V:own"}\n', "")
    site = laboratory_reference(write(tmp_path, one))
    high = flagged("2823-3", 6.8, "mmol/L", reference=site)
    assert (high.flag, high.critical[0].origin) == (Flag.CRITICAL_HIGH, "fallback")
    low = flagged("2823-3", 2.7, "mmol/L", reference=site)
    assert (low.flag, low.critical[0].origin) == (Flag.CRITICAL_LOW, "site")
    whole = one.replace("  potassium:\n    low", "  potassium:\n    whole: true\n    low")
    assert not flagged(
        "2823-3", 6.8, "mmol/L", reference=laboratory_reference(write(tmp_path, whole))
    ).critical
