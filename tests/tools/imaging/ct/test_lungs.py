"""Lungs and emphysema index on phantoms of known volume, and the wrong body part."""

import numpy as np
import pytest

from knowledge.errors import ContractError
from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import chest, volume_of
from tools.imaging.ct.emphysema import lung_measures
from tools.imaging.ct.lungs import lungs
from tools.imaging.ct.model import Volume

SPACING = (4.0, 2.0, 2.0)
SHAPE = (60, 160, 160)


def _chest(lung_hu: float = -850, noise: float = 10) -> np.ndarray:
    return chest(spacing=SPACING, shape=SHAPE, vessels=0, noise=noise, lung_hu=lung_hu)


def _volume(hu: np.ndarray, **more: object) -> Volume:
    return volume_of(hu, SPACING, **more)  # type: ignore[arg-type]


def test_two_ellipsoids_have_their_volume_and_an_index_of_zero() -> None:
    """Half axes 57.6, 96 and 114 mm: 4/3 pi abc = 2641 mL each."""
    found = lungs(_volume(_chest()))
    truth = 4 / 3 * np.pi * 57.6 * 96 * 114 / 1000
    assert found.right_ml == pytest.approx(truth, rel=0.05)
    assert found.left_ml == pytest.approx(truth, rel=0.05)
    measures = lung_measures(_volume(_chest()), found)
    assert measures.laa_950_percent == 0
    assert measures.mean_hu == pytest.approx(-850, abs=8)
    # the 15th percentile of a normal distribution lies 1.036 standard deviations below its mean
    assert measures.perc15_hu == pytest.approx(-850 - 1.036 * 10 * 0.8, abs=8)
    assert measures.basis.startswith("kernel Br40 (smooth), slices of 4 mm every 4 mm")


def test_a_fifth_of_low_attenuation_is_measured_as_a_fifth() -> None:
    """Every fifth slice of the lungs is set to -980 HU."""
    hu = _chest(noise=0)
    inside = hu < -800
    low = np.zeros_like(inside)
    low[::5] = True
    body_air = np.zeros_like(inside)
    body_air[:, 40:120, 12:148] = True
    hu[inside & low & body_air & (hu > -900)] = -980
    volume = _volume(hu)
    measures = lung_measures(volume, lungs(volume))
    assert measures.laa_950_percent == pytest.approx(20, abs=2.5)


def test_a_trachea_is_not_counted_as_lung() -> None:
    """A tube of 18 mm at -1000 HU in the middle: its values would be all below -950."""
    hu = _chest(noise=0)
    y, x = np.meshgrid(np.arange(160) * 2.0, np.arange(160) * 2.0, indexing="ij")
    tube = (y - 160) ** 2 + (x - 160) ** 2 < 9**2
    hu[20:, tube] = -1000
    volume = _volume(hu)
    assert lung_measures(volume, lungs(volume)).laa_950_percent < 0.2


def test_the_index_is_not_given_without_kernel_or_thickness() -> None:
    hu = _chest()
    found = lungs(_volume(hu))
    with pytest.raises(ContractError, match="slice thickness or kernel are not stated"):
        lung_measures(_volume(hu, kernel=""), found)
    with pytest.raises(ContractError, match="slices of 7 mm"):
        lung_measures(_volume(hu, thickness=7), found)
    sharp = lung_measures(_volume(hu, kernel="Br64"), found)
    assert "a sharp kernel raises the share of low attenuation" in sharp.cautions


def _one_lung(hu: np.ndarray) -> None:
    hu[:, :, :80] = np.where(hu[:, :, :80] < -500, 40, hu[:, :, :80])


def _gas(hu: np.ndarray) -> None:
    """Make every second slice of the air spaces as thin as gas: half of them below -950."""
    part = hu[::2]
    part[(part < -700) & (part > -950)] = -990


def _no_air(hu: np.ndarray) -> None:
    hu[(hu < -700) & (hu > -950)] = 40


@pytest.mark.parametrize(
    ("change", "reason"),
    [(_one_lung, "no pair"), (_gas, "bowel gas"), (_no_air, "lungs")],
)
def test_what_are_no_two_lungs_is_refused(change: object, reason: str) -> None:
    hu = _chest(noise=0)
    change(hu)  # type: ignore[operator]
    with pytest.raises(ContractError, match=reason):
        lungs(_volume(hu))


def test_a_small_part_of_a_chest_is_refused_by_volume() -> None:
    with pytest.raises(ContractError, match="not both lungs of an adult"):
        lungs(_volume(_chest()[25:32]))


def test_an_abdomen_by_its_header_and_thick_slices_are_refused() -> None:
    with pytest.raises(ContractError, match="of the abdomen, not of the chest"):
        lungs(_volume(_chest(), body_part="abdomen"))
    with pytest.raises(ContractError, match="8 mm apart"):
        lungs(volume_of(_chest()[::2], (8.0, 2.0, 2.0)))


@pytest.mark.parametrize("name", ["example_ct.nii.gz", "example_ct_sm.nii.gz"])
def test_the_gas_of_a_real_abdomen_is_never_taken_for_lungs(name: str) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.load(shared_data("ct-totalseg-ref") / "tests" / "reference_files" / name)
    hu = np.asanyarray(image.dataobj).transpose(2, 1, 0).astype(np.float32)
    with pytest.raises(ContractError, match=r"not both lungs|no pair|bowel gas|air space"):
        lungs(volume_of(hu, (3.0, 3.0, 3.0), body_part=""))
