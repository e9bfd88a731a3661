"""Counts on drawn fields whose nuclei are known, and what is refused."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import ContractError, EpicrisisError
from knowledge.settings import Settings
from tests.data_folder import shared_data
from tests.tools.pathology.ihc.phantoms import Look, Phantom, drawn, field_of, labels_of, whole
from tools.pathology.ihc.calibration import IhcCalibration
from tools.pathology.ihc.field import read_field
from tools.pathology.ihc.labels import Site, calibrated, paired
from tools.pathology.ihc.measure import NOT_CALIBRATED, IhcMeasure, counted, ihc_nuclear_share
from tools.pathology.ihc.overlay import overlay_png
from tools.pathology.ihc.region import Region
from tools.pathology.ihc.stain import densities
from tools.toolbox import discover

SITE = Site(laboratory="L", clone="C", stainer="S", scanner="N", how="drawn", made_on="2026-11-22")
SMALL = Look(side_um=200)


@cache
def calibration() -> IhcCalibration:
    """A calibration made of labelled nuclei of other drawn fields."""
    made = [drawn(Look(grades=(0.55, 0.15, 0.15, 0.15)), seed=900 + n) for n in range(2)]
    each = counted(
        [field_of(p, name=str(n)) for n, p in enumerate(made)],
        regions=[whole(p) for p in made],
        marker="er",
        calibration=None,
    )
    return calibrated(each, [labels_of(p) for p in made], marker="er", site=SITE)


def measured(made: Phantom, marker: str = "er") -> IhcMeasure:
    known = calibration().model_copy(update={"marker": marker, "mpp": made.mpp})
    return ihc_nuclear_share(
        (field_of(made),),
        regions=(whole(made),),
        marker=marker,  # type: ignore[arg-type]
        calibration=known,
    )


@pytest.mark.parametrize(
    ("look", "points"),
    [
        pytest.param(replace(SMALL, grades=(0.98, 0.01, 0.01, 0.0)), 1.0, id="2 % positive"),
        pytest.param(replace(SMALL, grades=(0.8, 0.08, 0.06, 0.06)), 1.0, id="20 % positive"),
        pytest.param(replace(SMALL, grades=(0.6, 0.16, 0.12, 0.12)), 1.5, id="40 % positive"),
        pytest.param(replace(SMALL, mpp=0.25), 1.5, id="pixels of 0.25 um"),
    ],
)
def test_share_of_a_drawn_field(look: Look, points: float) -> None:
    made = drawn(look, seed=7)
    positive, every = made.truth
    found = measured(made)
    assert found.share is not None
    assert found.share.percent == pytest.approx(100 * positive / every, abs=points)
    assert found.nuclei == pytest.approx(every, rel=0.03)
    h_score = 100 * sum(n.grade for n in made.nuclei) / every
    assert found.h_score == pytest.approx(h_score, abs=4)


def test_pale_negative_nuclei_beside_dark_brown_ones_are_not_lost() -> None:
    made = drawn(replace(SMALL, grades=(0.9, 0.0, 0.0, 0.1), pale=1.0), seed=11)
    (one,) = counted([field_of(made)], regions=[whole(made)], marker="ki67", calibration=None)
    pale = [
        label
        for label, n in zip(labels_of(made), made.nuclei, strict=True)
        if n.grade == 0 and n.haematoxylin <= 0.3
    ]
    assert len(pale) > 100
    assert paired(one, pale).lost <= 0.02 * len(pale)
    found = measured(made, "ki67")
    positive, every = made.truth
    assert found.share is not None
    assert found.share.percent == pytest.approx(100 * positive / every, abs=1)


def test_only_nuclei_with_their_centre_in_the_region_count() -> None:
    made = drawn(SMALL, seed=5)
    half = whole(made).mask.copy()
    half[:, half.shape[1] // 2 :] = False
    inside = [n for n in made.nuclei if n.x < 100]
    region = Region(mask=half, file="half.png")
    found = ihc_nuclear_share((field_of(made),), regions=(region,), marker="er",
                              calibration=calibration())  # fmt: skip
    assert found.nuclei == pytest.approx(len(inside), abs=2)
    assert found.area_mm2 == pytest.approx(0.02, rel=0.01)


def test_without_a_calibration_nuclei_are_counted_but_no_share_is_stated() -> None:
    made = drawn(SMALL, seed=5)
    found = ihc_nuclear_share((field_of(made),), regions=(whole(made),), marker="er")
    assert found.share is None
    assert found.h_score is None
    assert found.allred is None
    assert found.fields[0].positive is None
    assert found.fields[0].percent is None
    assert found.not_assessed == dict.fromkeys(("share", "h_score", "allred"), NOT_CALIBRATED)
    assert found.nuclei == pytest.approx(made.truth[1], rel=0.03)


def test_fewer_than_100_nuclei_give_no_share_and_fewer_than_500_are_said() -> None:
    few = drawn(replace(SMALL, side_um=120), seed=5)
    assert len(few.nuclei) < 100
    found = measured(few)
    assert found.share is None
    assert "at least 100" in found.not_assessed["share"].detail
    more = measured(drawn(SMALL, seed=5))
    assert any("at least 500, better 1000" in c for c in more.cautions)


def test_several_fields_are_added_up_with_the_range_over_fields() -> None:
    made = [drawn(replace(SMALL, grades=(1 - s, s, 0, 0)), seed=n) for n, s in ((1, 0.1), (2, 0.4))]
    fields = tuple(field_of(p, name=str(n)) for n, p in enumerate(made))
    found = ihc_nuclear_share(fields, regions=tuple(whole(p) for p in made), marker="er",
                              calibration=calibration())  # fmt: skip
    truth = [p.truth for p in made]
    assert found.share is not None
    expected = 100 * sum(p for p, _ in truth) / sum(n for _, n in truth)
    assert found.share.percent == pytest.approx(expected, abs=1.5)
    assert found.field_low_percent == pytest.approx(100 * truth[0][0] / truth[0][1], abs=1.5)
    assert found.field_high_percent == pytest.approx(100 * truth[1][0] / truth[1][1], abs=2)


def test_ki67_counts_any_brown_and_has_no_grades() -> None:
    found = measured(drawn(SMALL, seed=5), "ki67")
    assert found.share is not None
    assert found.h_score is None
    assert found.allred is None
    assert found.fields[0].weak is None
    assert any("1 of at least 3 fields" in c for c in found.cautions)


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        pytest.param(replace(SMALL, where="membrane", grades=(0.3, 0, 0.2, 0.5)), "membrane",
                     id="membrane stain"),
        pytest.param(replace(SMALL, where="cytoplasm", grades=(0.3, 0, 0.2, 0.5)), "membrane",
                     id="cytoplasm stain"),
        pytest.param(replace(SMALL, eosin=0.25, grades=(1, 0, 0, 0)), "eosin", id="routine stain"),
    ],
)  # fmt: skip
def test_a_stain_that_is_not_of_nuclei_is_refused(look: Look, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        measured(drawn(look, seed=3))


def test_an_empty_field_is_refused() -> None:
    made = drawn(SMALL, seed=3)
    empty = replace(made, rgb=np.full_like(made.rgb, 245))
    with pytest.raises(ContractError, match="tissue"):
        measured(empty)


def test_the_same_field_twice_and_a_region_of_another_field_are_refused() -> None:
    made, other = drawn(SMALL, seed=3), drawn(replace(SMALL, side_um=120), seed=3)
    with pytest.raises(ContractError, match="twice"):
        ihc_nuclear_share((field_of(made), field_of(made)), marker="er",
                          regions=(whole(made), whole(made)))  # fmt: skip
    with pytest.raises(ContractError, match="not on the pixels"):
        ihc_nuclear_share((field_of(made),), regions=(whole(other),), marker="er")
    with pytest.raises(ContractError, match="0 regions for 1"):
        ihc_nuclear_share((field_of(made),), regions=(), marker="er")


def test_the_overlay_outlines_what_was_counted() -> None:
    made = drawn(SMALL, seed=3)
    (one,) = counted([field_of(made)], regions=[whole(made)], marker="er",
                     calibration=calibration())  # fmt: skip
    from io import BytesIO

    from PIL import Image

    drawn_on = np.asarray(Image.open(BytesIO(overlay_png(one))))
    assert drawn_on.shape == made.rgb.shape
    for colour in ((30, 80, 230), (255, 200, 0), (255, 120, 0), (230, 0, 0)):
        assert (drawn_on == colour).all(axis=-1).any()


def test_it_is_a_device_function_that_is_found_and_says_its_error() -> None:
    tool = discover()["ihc_nuclear_share"]
    assert tool.card.regulatory == "device-function"
    assert tool.card.accuracy
    assert Settings(device_functions=False).device_functions is False
    assert tool.input_schema()["required"] == ["fields", "regions", "marker"]


# ---- real pictures


def test_deconvolution_agrees_with_scikit_image() -> None:
    """skimage 0.26 gives -ln(I)/ln(1e-6) of the same vectors without their lengths being 1."""
    from skimage.color import hed_from_rgb, rgb2hed

    rgb = np.asarray(read_field(shared_data("path-skimage-ihc") / "ihc.png", mpp=0.5).rgb)[:64, :64]
    lengths = np.linalg.norm(np.linalg.inv(hed_from_rgb), axis=1)
    ours = densities(rgb)
    theirs = rgb2hed(rgb) * 6 * lengths
    assert np.allclose(ours.haematoxylin, theirs[..., 0], atol=0.03)
    assert np.allclose(ours.dab, theirs[..., 2], atol=0.03)


def test_a_real_cytoplasm_stain_is_refused() -> None:
    one = read_field(shared_data("path-skimage-ihc") / "ihc.png", mpp=0.5)
    region = Region(mask=np.ones(one.rgb.shape[:2], bool), file="whole")
    with pytest.raises(ContractError, match="outside of nuclei"):
        ihc_nuclear_share((one,), regions=(region,), marker="ki67")


def test_real_routine_stains_are_refused() -> None:
    folder = shared_data("path-histolab")
    names = [p.name for p in sorted(folder.glob("tissue-level0-*.png"))]
    names += ["high-nuclei-score-level0.png", "medium-nuclei-score-level0.png",
              "low-nuclei-score-level0.png", "very-low-nuclei-score-level0.png"]  # fmt: skip
    for name in names:
        one = read_field(folder / name, mpp=0.5)
        region = Region(mask=np.ones(one.rgb.shape[:2], bool), file="whole")
        with pytest.raises(ContractError, match="eosin"):
            ihc_nuclear_share((one,), regions=(region,), marker="ki67")


@pytest.mark.parametrize("mpp", [None, 0.0, 1.0, float("nan"), -0.5])
def test_a_field_without_a_usable_size_of_a_pixel_is_refused(
    mpp: float | None, tmp_path: Path
) -> None:
    path = tmp_path / "field.png"
    path.write_bytes(b"")
    with pytest.raises(ContractError, match="mpp"):
        read_field(path, mpp=mpp)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"not a picture"])
def test_what_is_no_picture_is_a_typed_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "field.png"
    path.write_bytes(content)
    with pytest.raises(EpicrisisError, match=r"field\.png"):
        read_field(path, mpp=0.5)
