"""A series is analysed once, when it is whole; results are kept before they are sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.errors import UnavailableError
from knowledge.settings import Settings
from serving.dicom_in import arrivals as module
from serving.dicom_in.analysis import analyse_series
from serving.dicom_in.arrivals import Arrivals, result_of
from serving.dicom_in.inbox import Inbox
from tests.tools.imaging.ct.phantoms import series

MOMENT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def files(slices: int = 12, **changes: Any) -> dict[str, bytes]:
    """Return a block of soft tissue with an air space: a CT that is no chest."""
    noise = np.random.default_rng(1).normal(0, 12, (slices, 32, 32))
    hu = np.full((slices, 32, 32), 40, np.float32) + noise.astype(np.float32)
    hu[:, :6] = -1000
    return series(hu, (3.0, 2.0, 2.0), **changes)


def _settings(folder: Path, **changes: Any) -> Settings:
    return Settings(data_dir=folder, dicom_quiet_s=1e-9, **changes)


def _inbox(folder: Path, contents: dict[str, bytes]) -> Inbox:
    inbox = Inbox(folder / "dicom", object_bytes=1 << 24, total_bytes=1 << 28)
    for content in contents.values():
        inbox.keep(content)
    return inbox


def test_what_is_not_whole_waits(tmp_path: Path) -> None:
    inbox = _inbox(tmp_path, files())
    settings = _settings(tmp_path).model_copy(update={"dicom_quiet_s": 3600.0})
    assert Arrivals(settings, inbox, clock=lambda: MOMENT).look() == []


def test_a_series_is_analysed_once_and_again_after_more_images(tmp_path: Path) -> None:
    inbox = _inbox(tmp_path, files())
    watch = Arrivals(_settings(tmp_path), inbox, clock=lambda: MOMENT)
    (first,) = watch.look()
    assert first.rule == "chest-ct"
    assert first.kinds == ("pr", "sr")
    assert "lungs" in first.left_out["seg"]
    assert watch.look() == []
    for content in list(files(13).values())[12:]:
        inbox.keep(content)
    (second,) = watch.look()
    assert second.images == 13


def test_results_stay_when_the_archive_is_away_and_are_sent_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[dict[str, bytes]] = []

    def away(objects: dict[str, bytes], settings: Settings) -> None:
        raise UnavailableError("the archive", "is away")

    inbox = _inbox(tmp_path, files())
    settings = _settings(tmp_path, dicom_results="stow", dicom_web_url="http://127.0.0.1:1/")
    monkeypatch.setattr(module, "deliver", away)
    (first,) = Arrivals(settings, inbox, clock=lambda: MOMENT).look()
    assert (first.sent, "is away" in first.problem) == (False, True)
    (folder,) = inbox.series_folders()
    before = (folder / "results" / "sr.dcm").read_bytes()
    monkeypatch.setattr(module, "deliver", lambda objects, _: taken.append(objects))
    (second,) = Arrivals(settings, inbox, clock=lambda: MOMENT.replace(hour=20)).look()
    assert second.sent
    assert taken[0]["sr"] == before  # not made anew
    assert Arrivals(settings, inbox, clock=lambda: MOMENT).look() == []


def test_what_no_rule_is_for_is_kept_with_the_reason(tmp_path: Path) -> None:
    inbox = _inbox(tmp_path, files(Modality="MR", BodyPartExamined="HEAD"))
    (result,) = Arrivals(_settings(tmp_path), inbox, clock=lambda: MOMENT).look()
    assert result.kinds == ()
    assert result.reason.startswith("no rule fits")


def test_a_refused_series_says_why(tmp_path: Path) -> None:
    broken = files()
    del broken["005.dcm"]  # a gap
    inbox = _inbox(tmp_path, broken)
    (result,) = Arrivals(_settings(tmp_path), inbox, clock=lambda: MOMENT).look()
    assert result.kinds == ()
    assert "refused" in result.reason
    (folder,) = inbox.series_folders()
    assert result_of(folder) == result


def test_switched_off_is_not_assessed(tmp_path: Path) -> None:
    settings = _settings(tmp_path, device_functions=False)
    found = analyse_series(files(), settings=settings, at=MOMENT)
    assert found.objects == {}
    assert "switched off" in found.reason
