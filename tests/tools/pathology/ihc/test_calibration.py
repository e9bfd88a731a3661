"""Calibrations: how thresholds are set, and which files are refused."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.errors import ContractError, EpicrisisError, InvalidValueError, UnreadableError
from tools.pathology.ihc.calibration import check_fits, read_calibration, threshold
from tools.pathology.ihc.labels import read_labels

GOOD: dict[str, Any] = {
    "schema": "epicrisis-ihc-calibration/1", "method": "hed-od10/1", "laboratory": "L",
    "marker": "er", "clone": "SP1", "stainer": "S", "scanner": "N", "mpp": 0.5,
    "positive": 0.2, "moderate": 0.5, "strong": 0.9, "how": "two pathologists",
    "made_on": "2026-11-01", "nuclei": 400, "fields": 4, "labels_found_percent": 95,
    "agreement": [
        {"grade": g, "sensitivity_percent": 95, "specificity_percent": 93, "above": 90,
         "below": 310}
        for g in (1, 2, 3)
    ],
}  # fmt: skip


def _file(tmp_path: Path, changes: dict[str, Any]) -> Path:
    path = tmp_path / "calibration.json"
    path.write_bytes(orjson.dumps({**GOOD, **changes}))
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    assert read_calibration(_file(tmp_path, {})).positive == 0.2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nuclei": 150}, "150 labelled nuclei"),
        ({"labels_found_percent": 60}, "60 % of the labels"),
        ({"agreement": GOOD["agreement"][:2]}, "agreement of a threshold is missing"),
        ({"agreement": [{**a, "specificity_percent": 60} for a in GOOD["agreement"]]}, "78 %"),
        ({"agreement": [{**a, "above": 5} for a in GOOD["agreement"]]}, "5 labelled nuclei"),
    ],
)
def test_a_calibration_on_too_little_is_refused(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=reason):
        read_calibration(_file(tmp_path, changes))


@pytest.mark.parametrize(
    "changes",
    [{"positive": 0.6}, {"strong": None}, {"marker": "her2"}, {"made_on": "yesterday"},
     {"made_on": "2099-99-99"},
     {"odd": 1}, {"schema": "2"}, {"positive": -1}, {"white": [10, 10, 10]}, {"laboratory": ""}],
)  # fmt: skip
def test_a_file_of_another_form_is_refused(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        read_calibration(_file(tmp_path, changes))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1"])
def test_broken_files_are_typed_errors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableError):
        read_calibration(path)


def test_a_calibration_of_another_marker_scanner_or_method_does_not_fit(tmp_path: Path) -> None:
    found = read_calibration(_file(tmp_path, {}))
    check_fits(found, marker="er", mpp=0.52)
    with pytest.raises(ContractError, match="is for er"):
        check_fits(found, marker="pr", mpp=0.5)
    with pytest.raises(ContractError, match=r"0\.25"):
        check_fits(found, marker="er", mpp=0.25)
    other = found.model_copy(update={"method": "hed-od10/0"})
    with pytest.raises(ContractError, match="make it again"):
        check_fits(other, marker="er", mpp=0.5)
    flat = found.model_copy(update={"moderate": None, "strong": None})
    with pytest.raises(ContractError, match="intensity"):
        check_fits(flat, marker="er", mpp=0.5)


def test_the_threshold_parts_the_labels_best() -> None:
    """By hand: below 0.3 lie 3 of 4 negatives, above it all 3 positives."""
    at, found = threshold([0.1, 0.15, 0.2, 0.5, 0.4, 0.6, 0.7], [0, 0, 0, 0, 1, 1, 1], 1)
    assert at == pytest.approx(0.3)
    assert (found.sensitivity_percent, found.specificity_percent) == (100.0, 75.0)
    assert (found.above, found.below) == (3, 4)


def test_labels_on_one_side_only_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="every grade"):
        threshold([0.1, 0.2], [1, 1], 1)


@pytest.mark.parametrize(
    "text",
    ["", "x,y\n1,2\n", "x,y,grade\n1,2,4\n", "x,y,grade\na,2,1\n", "x,y,grade\n900,2,1\n",
     "x,y,grade\nnan,2,1\n", "x,y,grade\n1\n"],
)  # fmt: skip
def test_labels_that_are_no_points_of_the_field_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(EpicrisisError, match=r"labels\.csv"):
        read_labels(path, size_px=(100, 100))
