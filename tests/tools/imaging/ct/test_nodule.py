"""Seeded nodule measurement on spheres of known diameter, volume and type, and its refusals."""

import numpy as np
import pytest

from knowledge.errors import ContractError, InvalidValueError
from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import Nodule, block, volume_of
from tools.imaging.ct.model import Volume
from tools.imaging.ct.nodule import NoduleMeasure, measure_nodule
from tools.imaging.ct.volume import read_folder

THIN = (1.25, 0.7, 0.7)
MIDDLE = (30.0, 30.0, 30.0)
KINDS = {"solid": (40.0, 0.0), "ground-glass": (-600.0, 0.0), "part-solid": (-600.0, 0.55)}


def _volume(one: Nodule, **more: float) -> Volume:
    return volume_of(block([one], spacing=THIN, **more), THIN)  # type: ignore[arg-type]


def _measured(
    one: Nodule, off: tuple[float, float, float] = (0, 0, 0), **more: float
) -> NoduleMeasure:
    z, y, x = (c + o for c, o in zip(one.centre, off, strict=True))
    return measure_nodule(_volume(one, **more), (x, y, z)).measure


@pytest.mark.parametrize("diameter", [5, 6, 8, 12, 20])
def test_a_solid_sphere_is_measured_within_its_stated_error(diameter: float) -> None:
    """Truth by construction: diameter d and pi d^3 / 6 (clinical.md C1: 6 mm ~ 113, 8 ~ 268)."""
    found = _measured(Nodule(MIDDLE, diameter))
    assert found.mean_mm == pytest.approx(diameter, abs=0.4)
    assert found.volume_mm3 == pytest.approx(np.pi * diameter**3 / 6, rel=0.06)
    assert found.kind == ("solid" if diameter > 6 else found.kind)
    assert found.centre_lps == pytest.approx((30, 30, 30), abs=0.5)


@pytest.mark.parametrize("diameter", [8, 12, 20])
def test_a_ground_glass_sphere_is_measured_and_told(diameter: float) -> None:
    found = _measured(Nodule(MIDDLE, diameter, -600))
    assert found.mean_mm == pytest.approx(diameter, abs=0.8)
    assert found.volume_mm3 == pytest.approx(np.pi * diameter**3 / 6, rel=0.1)
    assert (found.kind, found.solid_mm) == ("ground-glass", 0.0)


@pytest.mark.parametrize("diameter", [8, 12, 20])
def test_a_part_solid_sphere_is_told_with_its_solid_part(diameter: float) -> None:
    found = _measured(Nodule(MIDDLE, diameter, -600, 0.55 * diameter))
    assert found.mean_mm == pytest.approx(diameter, abs=1.0)
    assert found.kind == "part-solid"
    assert found.solid_mm == pytest.approx(0.55 * diameter, abs=1.0)


def test_an_ellipsoid_has_a_long_and_a_short_axis() -> None:
    """Half axes 8 and 5 mm: 16 x 10 mm, mean 13, volume 4/3 pi 5 x 5 x 8 = 838 mm3."""
    found = _measured(Nodule(MIDDLE, 10, 40, 0, 1.6))
    assert found.long_mm == pytest.approx(16, abs=0.5)
    assert found.short_mm == pytest.approx(10, abs=0.5)
    assert found.mean_mm == pytest.approx(13, abs=0.4)
    assert found.volume_mm3 == pytest.approx(837.8, rel=0.05)


def test_the_measure_does_not_depend_on_where_the_seed_lies_in_the_nodule() -> None:
    one = Nodule(MIDDLE, 12)
    shifts = ((0, 0, 0), (0, 3, 0), (0, 0, -4), (3, 0, 0), (-2, 2, 2))
    found = [_measured(one, shift) for shift in shifts]
    assert len({(m.mean_mm, m.kind) for m in found}) == 1
    volumes = [m.volume_mm3 for m in found if m.volume_mm3 is not None]
    assert len(volumes) == 5
    assert max(volumes) < 1.005 * min(volumes)


def test_a_vessel_through_the_nodule_is_cut_and_said() -> None:
    found = _measured(Nodule(MIDDLE, 12), vessel=1.2)
    assert found.mean_mm == pytest.approx(12, abs=1.0)
    assert any("vessels" in flag for flag in found.flags)


@pytest.mark.parametrize("inside", [2.0, 5.0])
def test_a_nodule_at_the_pleura_is_refused_because_its_edge_leaks(inside: float) -> None:
    """A 10 mm sphere that lies 2 or 5 mm within the chest wall."""
    one = Nodule((30, 30, 50 - 5 + inside), 10)
    with pytest.raises(ContractError, match="its edge cannot be told"):
        _measured(one, (0, 0, -3), wall=10)


def test_a_mass_is_refused() -> None:
    with pytest.raises(ContractError, match=r"mass|larger|border|little lung"):
        _measured(Nodule((35, 35, 35), 36), size=70)


def test_a_speck_is_too_small() -> None:
    with pytest.raises(ContractError, match=r"too small|nothing denser"):
        _measured(Nodule(MIDDLE, 2))


def test_a_seed_in_the_lung_is_refused() -> None:
    with pytest.raises(ContractError, match="nothing denser"):
        _measured(Nodule(MIDDLE, 8), (0, 15, 0))


def test_a_seed_outside_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="not in the volume"):
        measure_nodule(_volume(Nodule(MIDDLE, 8)), (0, 0, 900))


@pytest.mark.parametrize("spacing", [2.0, 2.5])
def test_on_thick_slices_a_diameter_is_given_but_neither_volume_nor_type(spacing: float) -> None:
    one = Nodule(MIDDLE, 14)
    volume = volume_of(block([one], spacing=(spacing, 0.7, 0.7)), (spacing, 0.7, 0.7))
    found = measure_nodule(volume, (30, 30, 30)).measure
    assert found.mean_mm == pytest.approx(14, abs=0.8)
    assert (found.volume_mm3, found.kind, found.solid_mm) == (None, None, None)
    assert "at most 1.5 mm are needed" in found.not_assessed["volume"].detail
    assert "type" in found.not_assessed


def test_slices_of_5_mm_are_refused() -> None:
    spacing = (5.0, 0.7, 0.7)
    volume = volume_of(block([Nodule(MIDDLE, 14)], spacing=spacing), spacing)
    with pytest.raises(ContractError, match="5 mm apart; at most 3 mm"):
        measure_nodule(volume, (30, 30, 30))


def test_overlapping_reconstruction_of_thick_slices_gives_no_volume() -> None:
    volume = volume_of(block([Nodule(MIDDLE, 14)], spacing=THIN), THIN, thickness=2.5)
    found = measure_nodule(volume, (30, 30, 30)).measure
    assert found.volume_mm3 is None
    assert "slices of 2.5 mm" in found.not_assessed["volume"].detail


def test_slice_thickness_not_stated_gives_no_volume() -> None:
    volume = volume_of(block([Nodule(MIDDLE, 14)], spacing=THIN), THIN)
    facts = volume.facts.model_copy(update={"thickness_mm": None})
    plain = Volume(hu=volume.hu, spacing_mm=THIN, affine_lps=volume.affine_lps, facts=facts)
    found = measure_nodule(plain, (30, 30, 30)).measure
    assert found.not_assessed["volume"].detail == "the slice thickness is not stated"


def test_in_a_real_abdomen_no_organ_is_taken_for_a_nodule() -> None:
    volume = read_folder(shared_data("ct-totalseg-ref") / "tests/reference_files/example_ct_dicom")
    for index in ((10, 256, 256), (10, 200, 160), (5, 300, 330)):
        with pytest.raises(ContractError, match=r"little lung around it|nothing denser"):
            measure_nodule(volume, volume.point(index))
