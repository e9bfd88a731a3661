"""Agatston score on cylinders worked by hand, and its gates."""

import numpy as np
import pytest

from knowledge.errors import ContractError
from tests.tools.imaging.ct.phantoms import volume_of
from tools.imaging.ct.agatston import agatston
from tools.imaging.ct.model import Volume

SPACING = (3.0, 0.5, 0.5)


def _volume(spacing: tuple[float, float, float] = SPACING, **more: object) -> Volume:
    """Return four rods of 4 x 4 mm over two slices, of 160, 250, 350 and 600 HU."""
    hu = np.full((6, 80, 80), 40, np.float32)
    for place, value in enumerate((160, 250, 350, 600)):
        hu[2:4, 10:18, 5 + 18 * place : 13 + 18 * place] = value
    return volume_of(hu, spacing, **more)  # type: ignore[arg-type]


def _everything(volume: Volume) -> np.ndarray:
    return np.ones(volume.hu.shape, bool)


def test_rods_score_their_area_times_the_weight_of_their_peak() -> None:
    """8 x 8 pixels of 0.5 mm: 16 mm2; two slices: 2 x 16 x (1 + 2 + 3 + 4) = 320; 384 mm3."""
    volume = _volume()
    found = agatston(volume, _everything(volume), mask_of="test")
    assert (found.score, found.calcium_mm3, found.lesions) == (320.0, 384.0, 8)


def test_only_what_the_mask_holds_is_counted_and_the_rest_said() -> None:
    volume = _volume()
    mask = _everything(volume)
    mask[:, :, 20:] = False
    found = agatston(volume, mask, mask_of="test")
    assert (found.score, found.outside) == (32.0, 3 * 2 * 64)


def test_weights_change_at_exactly_200_300_and_400() -> None:
    """One slice of 16 mm2 each: peak 129, 130, 199, 200, 299, 300, 399, 400."""
    for peak, weight in zip((129, 130, 199, 200, 299, 300, 399, 400), (0, 1, 1, 2, 2, 3, 3, 4),
                            strict=True):  # fmt: skip
        hu = np.full((4, 40, 40), 40, np.float32)
        hu[1, 10:18, 10:18] = peak
        volume = volume_of(hu, SPACING)
        found = agatston(volume, _everything(volume), mask_of="test")
        assert found.score == 16 * weight


def test_specks_below_a_square_millimetre_are_noise() -> None:
    hu = np.full((4, 40, 40), 40, np.float32)
    hu[1, 10, 10:13] = 500  # 0.75 mm2
    volume = volume_of(hu, SPACING)
    assert agatston(volume, _everything(volume), mask_of="test").score == 0


@pytest.mark.parametrize(
    ("spacing", "more", "reason"),
    [
        (SPACING, {"kvp": 100}, "tube voltage is 100 kV"),
        ((1.0, 0.5, 0.5), {}, "slice thickness is 1 mm"),
        ((1.5, 0.5, 0.5), {"thickness": 3.0}, "slice distance is 1.5 mm"),
    ],
)
def test_another_protocol_is_refused(
    spacing: tuple[float, float, float], more: dict[str, object], reason: str
) -> None:
    volume = _volume(spacing, **more)
    with pytest.raises(ContractError, match=reason):
        agatston(volume, _everything(volume), mask_of="test")


def test_contrast_a_wrong_mask_and_an_empty_one_are_refused() -> None:
    volume = _volume()
    mask = _everything(volume)
    with pytest.raises(ContractError, match="another size"):
        agatston(volume, mask[1:], mask_of="test")
    with pytest.raises(ContractError, match=r"holds 0\.0 mL"):
        agatston(volume, ~mask, mask_of="test")
    large = volume_of(np.full((100, 80, 80), 40, np.float32), (3.0, 1.0, 1.0))
    with pytest.raises(ContractError, match="no mask of coronary calcium"):
        agatston(large, _everything(large), mask_of="test")
    for contrast in (True, None):
        facts = volume.facts.model_copy(update={"contrast": contrast})
        given = Volume(hu=volume.hu, spacing_mm=SPACING, affine_lps=volume.affine_lps, facts=facts)
        with pytest.raises(ContractError, match="contrast agent"):
            agatston(given, mask, mask_of="test")
