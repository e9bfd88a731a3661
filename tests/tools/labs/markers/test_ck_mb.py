"""CK-MB mass: its limit, rise and fall, reinfarction, the relative index."""

import pytest

from knowledge.finding import Why
from knowledge.serial_markers import serial_markers
from tests.tools.labs.lab_results import MAN
from tests.tools.labs.markers.samples import AT, sample
from tools.labs.markers.ck_mb import ck_mb_serial

LIMIT = "<5 ng/mL"


@pytest.mark.parametrize(("value", "raised"), [(4.9, False), (5.0, False), (5.1, True)])
def test_raised_above_the_printed_limit(value: float, raised: bool) -> None:
    found = ck_mb_serial((sample("ck_mb", value, limit=LIMIT),), at=AT, subject=MAN)
    assert found.holds("raised") is raised


@pytest.mark.parametrize(
    ("first", "second", "acute"),
    [(10.0, 30.0, True), (30.0, 10.0, True), (10.0, 11.9, False), (2.0, 4.0, False)],
    ids=["rise of 200 %", "fall of 67 %", "change of 19 %", "never over the limit"],
)
def test_rise_or_fall(first: float, second: float, acute: bool) -> None:
    pair = (sample("ck_mb", first, -7, limit=LIMIT), sample("ck_mb", second, -1, limit=LIMIT))
    assert ck_mb_serial(pair, at=AT, subject=MAN).holds("rise_or_fall") is acute


@pytest.mark.parametrize(
    ("hours", "second", "again"), [(4, 12.0, True), (4, 11.9, False), (8, 20.0, False)]
)
def test_reinfarction(hours: float, second: float, again: bool) -> None:
    # 10 to 12 is 20 % within 3 to 6 h
    pair = (
        sample("ck_mb", 10.0, -1 - hours, limit=LIMIT),
        sample("ck_mb", second, -1, limit=LIMIT),
    )
    assert ck_mb_serial(pair, at=AT, subject=MAN).holds("reinfarction") is again


def test_the_relative_index_needs_the_total_of_the_same_moment() -> None:
    newest = sample("ck_mb", 30.0, -1, limit=LIMIT)
    # 30 / 600 = 5 %
    same = ck_mb_serial((newest,), at=AT, subject=MAN, total_ck=sample("ck", 600, -1))
    other = ck_mb_serial((newest,), at=AT, subject=MAN, total_ck=sample("ck", 600, -3))
    assert same.holds("from_the_heart") is True
    assert other.holds("from_the_heart") is None


def test_one_sample_says_nothing_of_a_rise() -> None:
    found = ck_mb_serial((sample("ck_mb", 30.0, limit=LIMIT),), at=AT, subject=MAN)
    assert found.holds("rise_or_fall") is None
    assert found.holds("raised") is True


def test_activity_is_another_analyte() -> None:
    found = ck_mb_serial((sample("ck_mb_activity", 30.0),), at=AT)
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT


def test_every_marker_speaks_both_languages() -> None:
    for marker in serial_markers().markers.values():
        texts = [row.zh for row in marker.statements] + [row.zh for row in marker.caveats]
        for text in texts:
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text)
