"""A series is analysed once, when it is whole; results are kept before they are sent."""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from knowledge.errors import ContractError, MissingExtraError, UnavailableError
from knowledge.settings import Settings
from serving.dicom_in import arrivals as module
from serving.dicom_in.analysis import analyse_series
from serving.dicom_in.arrivals import Arrivals, result_of
from serving.dicom_in.extra import network_package
from serving.dicom_in.inbox import Inbox
from tests.data_folder import shared_data
from tests.tools.dicom_out.checker import errors, errors_between
from tests.tools.dicom_out.objects import phantom
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


def test_a_real_film_gives_a_report_and_a_picture_to_review(tmp_path: Path) -> None:
    """RG1 is a chest film that states no view; its published copy names its study."""
    content = (shared_data("dicom-misc") / "RG1_J2KI.dcm").read_bytes()
    found = analyse_series({"rg1.dcm": content}, settings=_settings(tmp_path), at=MOMENT)
    assert found.rule == "chest-film"
    assert set(found.objects) == {"sr", "sc"}
    assert found.report is not None
    assert "Film, signs" in found.report.not_assessed
    for kind, made in found.objects.items():
        assert errors(made, tmp_path, kind) == []


def test_the_dog_is_refused_as_a_chest_film(tmp_path: Path) -> None:
    content = (shared_data("dicom-misc") / "dx_image.dcm").read_bytes()
    with pytest.raises(ContractError, match="not of a human"):
        analyse_series({"dx.dcm": content}, settings=_settings(tmp_path), at=MOMENT)


def test_a_chest_gives_every_object_each_valid_and_alike(tmp_path: Path) -> None:
    """Half axes 57.6, 96 and 114 mm: 4/3 pi abc = 2641 mL for each lung."""
    found = analyse_series(phantom(), settings=_settings(tmp_path), at=MOMENT)
    assert set(found.objects) == {"sr", "seg", "sc", "pr"}
    assert found.left_out == {}
    for kind, made in found.objects.items():
        assert errors(made, tmp_path, kind) == []
    sources = {name.removesuffix(".dcm"): one for name, one in list(phantom().items())[:3]}
    assert errors_between({**sources, **found.objects}, tmp_path) == []
    assert found.report is not None
    (lungs,) = found.report.groups
    left = next(one for one in lungs.measurements if one.side == "left")
    assert left.value == pytest.approx(2641, rel=0.05)
    segment = pydicom.dcmread(io.BytesIO(found.objects["seg"]))
    lit = int(np.unpackbits(np.frombuffer(segment.PixelData, np.uint8)).sum())
    assert lit * 4 * 2 * 2 / 1000 == pytest.approx(2 * 2641, rel=0.05)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(MissingExtraError, match=r"epicrisis\[dicom-net\]"):
        network_package("pynetdicom")
