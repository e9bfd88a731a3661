"""Lungs and a nodule drawn on CT pictures: where they are, how large, or why not."""

import hashlib

import numpy as np
import pytest

from evals.phantoms.ct import Floats, Nodule, block, chest
from evals.phantoms.ct import series as written
from knowledge.errors import ContractError, InvalidValueError
from knowledge.settings import Settings
from serving.access.errors import NotFoundError
from serving.images.ct_layers import (
    Seed,
    lung_layer,
    nodule_layer,
    require_switched_on,
    seed_of,
)
from serving.images.found import Kept
from serving.images.series import Series, read_image, series_of
from tools.imaging.ct.model import Volume
from tools.imaging.ct.volume import read_files
from tools.imaging.view.marks import Mask

THIN = (1.25, 0.7, 0.7)


def shown(hu: Floats, spacing: tuple[float, float, float]) -> tuple[Series, Volume]:
    """Return a phantom as pages have it, and as it is measured."""
    files = written(hu, spacing, BodyPartExamined="CHEST")
    reads = []
    for name, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        reads.append(read_image(content, Kept(id=digest[:16], name=name, sha256=digest)))
    (one,) = series_of(tuple(reads))
    return one, read_files(files)


def beside_tissue() -> Floats:
    """Return lung with a sphere of 12 mm around (30, 30, 30) mm, with tissue beside it."""
    lung = block([Nodule((30.0, 30.0, 30.0), 12)], spacing=THIN)
    levels, rows, _ = lung.shape
    tissue = np.random.default_rng(2).normal(40, 20, (levels, rows, 40)).astype(np.float32)
    return np.concatenate([lung, tissue], axis=2)


def test_the_lungs_are_drawn_on_their_slices_and_have_the_volume_of_the_phantom() -> None:
    """Half axes 57.6, 96 and 114 mm: 4/3 pi abc = 2641 mL each."""
    spacing = (4.0, 2.0, 2.0)
    hu = chest(spacing=spacing, shape=(60, 160, 160), vessels=0, noise=10)
    series, volume = shown(hu, spacing)
    layer = lung_layer(series, volume)
    drawn = sum(
        mark.values.sum() for marks in layer.marks.values() for mark in marks
        if isinstance(mark, Mask)
    )  # fmt: skip
    truth = 2 * 4 / 3 * np.pi * 57.6 * 96 * 114 / 1000
    assert drawn * 4 * 2 * 2 / 1000 == pytest.approx(truth, rel=0.05)
    right, left = (float(one) for one in layer.notes[1].values)
    assert right + left == pytest.approx(truth, rel=0.05)
    assert set(layer.marks) <= {one.image for one in series.slices}


def test_a_nodule_is_measured_where_a_person_points_and_lies_around_that_place() -> None:
    """A sphere of 12 mm: pi 12 cubed / 6 = 905 mm3; its middle at (30, 30, 30) mm."""
    series, volume = shown(beside_tissue(), THIN)
    at = {name: read.kept.id for read in series.reads for name in [read.kept.name]}
    seed = Seed(image=at["024.dcm"], column=43, row=43)
    layer = nodule_layer(series, volume, seed)
    words = [note.read(str) for note in layer.notes]
    assert float(words[0].split()[1]) == pytest.approx(12, abs=0.4)
    assert float(words[1].split()[1]) == pytest.approx(905, rel=0.06)
    assert "type: solid" in words
    assert words[-1] == "measured where a person pointed; nothing was looked for"
    (mark,) = layer.marks[at["024.dcm"]]
    assert isinstance(mark, Mask)
    rows, columns = np.nonzero(mark.values)
    assert (rows.mean(), columns.mean()) == pytest.approx((30 / 0.7, 30 / 0.7), abs=0.7)
    # the middle slice is a disc of 12 mm
    assert mark.values.sum() * 0.49 == pytest.approx(np.pi * 36, rel=0.12)
    assert at["000.dcm"] not in layer.marks


def test_what_is_no_nodule_or_outside_is_refused_with_the_reason() -> None:
    series, volume = shown(beside_tissue(), THIN)
    first = series.slices[0].image
    with pytest.raises(ContractError):
        nodule_layer(series, volume, Seed(image=first, column=3, row=3))
    with pytest.raises(InvalidValueError, match="outside of the picture"):
        nodule_layer(series, volume, Seed(image=first, column=4000, row=3))
    with pytest.raises(NotFoundError):
        nodule_layer(series, volume, Seed(image="elsewhere", column=3, row=3))


def test_a_body_that_is_no_chest_has_no_lungs_but_a_reason() -> None:
    hu = np.random.default_rng(1).normal(40, 20, (12, 40, 40)).astype(np.float32)
    with pytest.raises(ContractError, match="lungs"):
        lung_layer(*shown(hu, (4.0, 2.0, 2.0)))


@pytest.mark.parametrize(
    "key", ["nodule", "nodule-a-1", "nodule-a-1-x", "lungs-a-1-2", "nodule-a--1-2"]
)
def test_a_key_that_names_no_place_is_not_found(key: str) -> None:
    with pytest.raises(NotFoundError):
        seed_of(key)


def test_switched_off_is_said() -> None:
    with pytest.raises(ContractError, match="not assessed: switched off"):
        require_switched_on(Settings(device_functions=False))
