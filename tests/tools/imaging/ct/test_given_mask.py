"""A given mask: its place, its labels and its name, before anything is counted in it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.errors import ContractError, InvalidValueError
from tests.tools.imaging.ct.phantoms import volume_of
from tools.imaging.ct.agatston import agatston
from tools.imaging.ct.given_mask import given_mask, named_for_another
from tools.imaging.ct.model import Volume

nibabel = pytest.importorskip("nibabel")

SPACING = (3.0, 0.5, 0.5)
SHAPE = (6, 40, 40)


def _volume() -> Volume:
    hu = np.full(SHAPE, 40, np.float32)
    hu[2, 10:18, 10:18] = 300
    return volume_of(hu, SPACING)


def _calcium() -> NDArray[np.float32]:
    mask = np.zeros(SHAPE, np.float32)
    mask[1:4, 8:20, 8:20] = 1
    return mask


def _nifti(values: NDArray[Any], *, code: int = 1) -> bytes:
    """Return a mask as NIfTI on the grid of the volume; code 0 states no place."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ _volume().affine_lps
    image = nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), affine)
    image.set_sform(affine if code else None, code)
    image.set_qform(affine if code else None, code)
    content: bytes = image.to_bytes()
    return content


def test_a_mask_with_its_place_gives_the_score_worked_by_hand() -> None:
    """8 x 8 pixels of 0.5 mm, peak 300: 16 mm2 x 3 = 48."""
    volume = _volume()
    given = given_mask(_nifti(_calcium()), volume, file="cal.nii", of="calcium")
    found = agatston(volume, given.mask, mask_of=given.mask_of)
    assert (found.score, found.mask_of) == (48.0, "cal.nii")
    assert any("names no patient" in note for note in given.notes)


def test_a_mask_without_a_place_is_refused() -> None:
    """NIfTI-1: qform_code and sform_code 0 state no place; a reader then makes one up."""
    with pytest.raises(ContractError, match="states no place"):
        given_mask(_nifti(_calcium(), code=0), _volume(), file="cal.nii", of="calcium")


def _several(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    values = mask * 7
    values[0, :4, :4] = 52
    return values


def _soft(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    return (mask * 0.98 + 0.002).astype(np.float32)


def _below(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(mask > 0, mask, np.float32(-1))


def _nan(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(mask > 0, mask, np.float32(np.nan))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_several, "holds 2 labels: 7, 52"),
        (_soft, "other values than the whole numbers"),
        (_below, "other values than the whole numbers"),
        (_nan, "other values than the whole numbers"),
        (np.zeros_like, "nothing is marked"),
    ],
    ids=["several labels", "soft", "below 0", "NaN", "empty"],
)
def test_a_mask_that_does_not_say_what_is_marked_is_refused(
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]], reason: str
) -> None:
    with pytest.raises(ContractError, match=reason):
        given_mask(_nifti(change(_calcium())), _volume(), file="cal.nii", of="calcium")


def test_one_of_several_labels_is_named_and_told() -> None:
    content = _nifti(_several(_calcium()))
    given = given_mask(content, _volume(), file="organs.nii", of="calcium", structure="7")
    assert np.array_equal(given.mask, _calcium() > 0)
    assert given.mask_of == "organs.nii, label 7"
    with pytest.raises(ContractError, match="label 8 is not in it"):
        given_mask(content, _volume(), file="organs.nii", of="calcium", structure="8")
    with pytest.raises(InvalidValueError, match="no number of a label"):
        given_mask(content, _volume(), file="organs.nii", of="calcium", structure="aorta")


@pytest.mark.parametrize("name", ["aorta.nii.gz", "rib_left_7.nii.gz", "lung-mask.nii"])
def test_a_file_named_for_another_structure_is_no_mask_of_calcium(name: str) -> None:
    with pytest.raises(ContractError, match="by its name it is not of the coronaries"):
        given_mask(_nifti(_calcium()), _volume(), file=name, of="calcium")


@pytest.mark.parametrize("name", ["cal.nii", "lung_ct_case3.nii", "coronaries.nii.gz", "1.nii"])
def test_a_file_named_for_more_or_for_nothing_is_taken(name: str) -> None:
    assert given_mask(_nifti(_calcium()), _volume(), file=name, of="calcium").mask.any()


@pytest.mark.parametrize(
    "name", ["Aorta", "Rib 7 left", "Lung nodule", "aortic valve calcium", "RibLeft", "肋骨"]
)
def test_a_structure_of_another_name_is_no_mask_of_calcium(name: str) -> None:
    with pytest.raises(ContractError, match="is not of the coronaries"):
        named_for_another(name, of="calcium", file="seg.dcm")


@pytest.mark.parametrize(
    "name", ["LAD", "calcium", "Coronary ostia and aortic root", "segment 1", "", "冠状动脉钙化"]
)
def test_a_structure_of_the_coronaries_or_of_no_known_name_is_taken(name: str) -> None:
    named_for_another(name, of="calcium", file="seg.dcm")


def test_calcium_is_no_mask_of_the_aorta() -> None:
    with pytest.raises(ContractError, match="is not of the aorta"):
        named_for_another("LAD calcium", of="aorta", file="seg.dcm")
    named_for_another("aorta_thoracic", of="aorta", file="seg.dcm")
