"""Lung fields and ratio on drawn films of known widths, and what is refused."""

import io

import numpy as np
import pytest
from PIL import Image

from knowledge.film_measurements import figures_in_words, film_figures, film_measurements
from knowledge.finding import State, Why
from tests.data_folder import shared_data
from tests.tools.imaging.film.phantoms import SIDE, chest, dicom, png
from tools.imaging.film.overlay import overlay_png
from tools.imaging.film.read import read_film
from tools.imaging.film.report import FilmReport, findings_of, measured


def _measured(grey: np.ndarray, **changes: object) -> FilmReport:
    return measured(read_film(dicom(grey, **changes), file="film.dcm"))


@pytest.mark.parametrize("ratio", [0.42, 0.50, 0.58])
@pytest.mark.parametrize("thorax", [600.0, 680.0])
def test_drawn_widths_are_found_within_the_stated_error(ratio: float, thorax: float) -> None:
    """The truth is the drawing's: half axes of its ellipses. The card states a worst of 0.05."""
    film = chest(heart=ratio * thorax, thorax=thorax)
    found = _measured(film.grey).ratio
    assert found is not None
    assert found.ratio == pytest.approx(ratio, abs=0.05)
    assert found.thorax_width * SIDE == pytest.approx(film.thorax, rel=0.03)
    assert found.heart_width * SIDE == pytest.approx(film.heart, rel=0.08)


def test_the_outlines_hold_the_drawn_lungs() -> None:
    """Dark pixels of the drawing (below 0.5, within the body) against the outlined area."""
    film = chest(ribs=0.0, noise=0.0)
    inside = (film.grey < 0.5) & (film.grey > 0.2)
    inside[:, :100] = inside[:, -100:] = False
    inside[:225] = False
    report = _measured(film.grey)
    assert {f.side for f in report.fields} == {"right", "left"}
    assert sum(f.area for f in report.fields) == pytest.approx(float(inside.mean()), rel=0.06)


def test_a_wide_heart_on_a_pa_film_is_above_the_limit_and_a_narrow_one_below() -> None:
    wide = _measured(chest(heart=390, thorax=640).grey).ratio
    assert wide is not None
    assert (wide.judged, wide.limit) == ("above", 0.5)
    narrow = _measured(chest(heart=256, thorax=640).grey).ratio
    assert narrow is not None
    assert (narrow.judged, narrow.limit) == ("below", 0.5)


def test_near_the_limit_it_is_on_neither_side() -> None:
    found = _measured(chest(heart=326, thorax=640).grey).ratio  # 0.51
    assert found is not None
    assert found.judged is None
    assert found.why_not_judged is not None
    assert "too near" in found.why_not_judged.detail


def test_on_an_ap_film_the_ratio_is_warned_of_and_not_judged() -> None:
    report = _measured(chest(heart=390, thorax=640).grey, ViewPosition="AP")
    assert report.ratio is not None
    assert report.ratio.judged is None
    assert any("the ratio is not reliable" in text for text in report.cautions)
    value, _ = findings_of(report)
    assert "ap-view" in value.flags


@pytest.mark.parametrize(
    ("grey", "reason"),
    [
        pytest.param(chest(one_lung=True).grey, "no dark lung field", id="one lung white"),
        pytest.param(chest(lungs=False).grey, "", id="no lungs"),
        pytest.param(np.roll(chest().grey, 290, axis=1), "", id="cut off at the side"),
        pytest.param(np.rot90(chest().grey).copy(), "", id="on its side, said to be upright"),
        pytest.param(np.random.default_rng(1).random((512, 512)), "", id="noise"),
    ],
)
def test_what_is_no_pair_of_lungs_is_refused_with_the_reason(grey: np.ndarray, reason: str) -> None:
    report = _measured(grey)
    assert report.ratio is None
    assert report.fields == ()
    refused = report.not_assessed["cardiothoracic-ratio"]
    assert refused.why in (Why.QUALITY, Why.OUTSIDE_CONTRACT)
    assert reason in refused.detail
    assert refused.detail


def test_findings_have_three_states_and_no_sign_is_ever_absent() -> None:
    value, signs = findings_of(_measured(chest().grey))
    assert value.state is State.PRESENT
    assert {"approximate", "not-confirmed"} <= set(value.flags)
    assert value.evidence
    assert signs.state is State.NOT_ASSESSED
    assert signs.not_assessed is not None
    assert "no validated model configured" in signs.not_assessed.detail
    none, _ = findings_of(_measured(chest(lungs=False).grey))
    assert none.state is State.NOT_ASSESSED


def test_no_width_is_ever_in_millimetres() -> None:
    text = _measured(chest().grey, PixelSpacing=[0.3, 0.3]).model_dump_json(exclude={"facts"})
    assert '"mm"' not in text
    assert "_mm" not in text


def test_the_same_film_gives_the_same_bytes() -> None:
    film = read_film(png(chest().grey), file="film.png")
    first, second = measured(film), measured(film)
    assert first == second
    assert overlay_png(film, first) == overlay_png(film, second)


def test_the_overlay_is_a_picture_with_lines_on_the_film_and_words_below() -> None:
    film = read_film(png(chest().grey), file="film.png")
    report = measured(film)
    with Image.open(io.BytesIO(overlay_png(film, report))) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels.shape[1] == 1100
    assert pixels.shape[0] > 1100  # the bar with the words
    yellow = (pixels == (255, 214, 64)).all(axis=2)[:1100]
    assert report.ratio is not None
    columns = np.nonzero(yellow)[1] / 1100
    assert columns.min() == pytest.approx(report.ratio.heart.right[0], abs=0.005)
    assert columns.max() == pytest.approx(report.ratio.heart.left[0], abs=0.005)


def test_ten_real_films_are_measured_or_refused_and_the_refusals_say_why() -> None:
    """No expert's ratio is known of them: only that what is given is within sense and bounded."""
    paths = sorted(shared_data("cxr-nih").rglob("*.png"))
    accepted = 0
    for path in [paths[i] for i in (3, 5, 18, 20, 23, 24, 29, 33, 38, 45)]:
        report = measured(read_film(path.read_bytes(), file=path.name))
        if report.ratio is None:
            assert report.not_assessed["cardiothoracic-ratio"].detail, path.name
            continue
        accepted += 1
        assert report.ratio.judged is None, path.name  # neither view nor age is known
        assert report.ratio.spread <= 0.05
    assert accepted >= 2
    white = measured(read_film(paths[18].read_bytes(), file="one-sided white lung"))
    assert white.fields == ()


def test_every_limit_has_a_source_and_a_review_and_the_card_its_figures() -> None:
    data = film_measurements()
    assert {row.source for row in data.limits.values()} <= set(data.sources)
    assert all(row.review for row in data.limits.values())
    assert figures_in_words()
    assert {"ratio-error", "accepted"} <= {row.measurement for row in film_figures()}


def test_an_outline_that_runs_through_the_heart_is_refused() -> None:
    """Looked at: on this film the outline of the left lung falls straight through the heart's
    shadow, whose apex lies far outside of it; the ratio would be 0.12 too small."""
    path = shared_data("cxr-nih") / "images" / "00000468_040.png"
    report = measured(read_film(path.read_bytes(), file=path.name))
    assert report.fields == ()
    assert report.ratio is None
    assert "runs through the heart" in report.not_assessed["cardiothoracic-ratio"].detail
