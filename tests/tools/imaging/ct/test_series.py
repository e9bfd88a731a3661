"""A CT series to a volume: what is read, and every refusal by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import (
    ContractError,
    IdentityConflictError,
    InputError,
    InvalidValueError,
    TooLargeError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.settings import Settings
from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import dicom_slice, series, write
from tools.imaging.ct.slice_header import read_header
from tools.imaging.ct.volume import read_files, read_folder

SPACING = (1.25, 0.7, 0.7)
Files = dict[str, bytes]


def _hu(levels: int = 6) -> np.ndarray:
    random = np.random.default_rng(0)
    hu = random.normal(40, 20, (levels, 24, 24)).astype(np.float32)
    hu[:, :8] = -1000
    hu[:, 20, 20] = np.arange(levels) * 10 + 100
    return hu


def _plain(**changes: object) -> Files:
    return series(_hu(), SPACING, **changes)


def test_a_series_becomes_a_volume_in_hounsfield_units_from_feet_to_head() -> None:
    hu = _hu()
    files = _plain()
    shuffled = dict(sorted(files.items(), key=lambda f: hash(f[0]) % 7))
    volume = read_files(shuffled)
    assert volume.hu.dtype == np.int16
    assert np.array_equal(volume.hu, np.clip(np.rint(hu), -1024, 3071))
    assert volume.spacing_mm == pytest.approx(SPACING)
    assert volume.point((2, 3, 4)) == pytest.approx((4 * 0.7, 3 * 0.7, 2 * 1.25))
    assert volume.index((4 * 0.7, 3 * 0.7, 2 * 1.25)) == pytest.approx((2, 3, 4))
    assert volume.facts.kernel_kind == "smooth"
    assert (volume.facts.kvp, volume.facts.age_years) == (120, 66)


def test_slices_stored_from_head_to_feet_and_prone_lie_where_the_header_says() -> None:
    """PS3.3 C.7.6.2.1.1 by hand: columns to the right, rows to the front."""
    files = _plain(ImageOrientationPatient=[-1, 0, 0, 0, -1, 0], PatientPosition="HFP")
    volume = read_files(files)
    assert volume.point((0, 0, 1)) == pytest.approx((-0.7, 0, 0))
    assert volume.point((0, 1, 0)) == pytest.approx((0, -0.7, 0))


def test_a_point_outside_is_refused_with_the_reach() -> None:
    volume = read_files(_plain())
    with pytest.raises(InvalidValueError, match="not in the volume"):
        volume.index((500, 0, 0))


def _without(name: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        del files[name]

    return change


def _with(name: str, **changes: object) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        level = int(name[:3])
        stated = {
            "SOPInstanceUID": f"1.2.2.{level + 1}",
            "ImagePositionPatient": [0, 0, level * 1.25],
        }
        files[name] = dicom_slice(_hu()[level].astype(np.int16), **{**stated, **changes})

    return change


def _truncated(files: Files) -> None:
    files["003.dcm"] = files["003.dcm"][:-200]


def _cut_in_the_header(files: Files) -> None:
    """Cut the last slice, which no gap would tell of."""
    files["005.dcm"] = files["005.dcm"][:400]


def _only_one(files: Files) -> None:
    for name in sorted(files)[1:]:
        del files[name]


REFUSED: dict[str, tuple[Callable[[Files], None], type[InputError], str]] = {
    "gap": (_without("003.dcm"), ContractError, r"004.dcm: gap: 1 slice missing after 002.dcm"),
    "duplicate place": (
        _with("003.dcm", ImagePositionPatient=[0, 0, 2.5]),
        ContractError,
        "duplicate slice: at the place of",
    ),
    "uneven": (
        _with("003.dcm", ImagePositionPatient=[0, 0, 3.4]),
        ContractError,
        "uneven spacing",
    ),
    "one slice": (_only_one, ContractError, "1 slice: no volume"),
    "spacing 0": (_with("003.dcm", PixelSpacing=[0, 0]), ContractError, "stated as 0 x 0 mm"),
    "spacing missing": (_with("003.dcm", PixelSpacing=None), ContractError, "no pixel spacing"),
    "other spacing": (_with("003.dcm", PixelSpacing=[0.8, 0.8]), ContractError, "mixed series"),
    "other kernel": (_with("003.dcm", ConvolutionKernel="Br60"), ContractError, "another kernel"),
    "other orientation": (
        _with("003.dcm", ImageOrientationPatient=[0.9998, 0.02, 0, -0.02, 0.9998, 0]),
        ContractError,
        "another orientation",
    ),
    "position missing": (
        _with("003.dcm", ImagePositionPatient=None),
        ContractError,
        "no position or orientation",
    ),
    "no rescale": (
        _with("003.dcm", RescaleSlope=None, RescaleIntercept=None),
        ContractError,
        "no Hounsfield units",
    ),
    "other scale": (_with("003.dcm", RescaleType="US"), ContractError, "not Hounsfield units"),
    "truncated pixels": (_truncated, UnreadableError, "003.dcm: truncated"),
    "cut in the header": (_cut_in_the_header, UnreadableError, "005.dcm: DICOM without a mod"),
    "another patient": (
        _with("003.dcm", PatientID="P2"),
        IdentityConflictError,  # type: ignore[dict-item]
        "names another patient",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_even_volume_is_refused_by_name(case: str) -> None:
    change, kind, reason = REFUSED[case]
    files = _plain()
    change(files)
    with pytest.raises(kind, match=reason):
        read_files(files)


def test_a_tilted_gantry_is_refused() -> None:
    """Slices that stand upright while the table moves on a slanted line: tan(10 deg) of 1.25 mm."""
    files = series(_hu(), SPACING)
    for level, name in enumerate(sorted(files)):
        _with(name, ImagePositionPatient=[0, level * 0.2204, level * 1.25])(files)
    with pytest.raises(ContractError, match=r"gantry tilt of 10.0 degrees"):
        read_files(files)
    with pytest.raises(ContractError, match="gantry tilt"):
        read_files(_plain(GantryDetectorTilt=12))


def test_coronal_slices_are_not_axial() -> None:
    files = _plain(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    with pytest.raises(ContractError, match="not axial"):
        read_files(files)


def test_stored_values_without_an_intercept_are_no_hounsfield_units() -> None:
    with pytest.raises(ContractError, match="no Hounsfield units of a body"):
        read_files(_plain(RescaleIntercept=2000))


def test_a_blank_volume_is_refused() -> None:
    with pytest.raises(ContractError, match="almost every voxel is 0: blank"):
        read_files(series(np.zeros((5, 24, 24), np.float32), SPACING))


def test_a_second_copy_of_a_slice_is_left_out_and_said() -> None:
    files = _plain()
    files["copy.dcm"] = files["002.dcm"]
    volume = read_files(files)
    assert volume.hu.shape[0] == 6
    assert any("is a copy of" in note for note in volume.facts.notes)


def test_of_several_series_the_thin_smooth_axial_source_is_taken_and_the_rest_said() -> None:
    files = {f"thin{n}": c for n, c in _plain(SeriesInstanceUID="1.1").items()}
    others: dict[str, dict[str, object]] = {
        "thick": {"SeriesInstanceUID": "1.2", "SliceThickness": 5},
        "sharp": {"SeriesInstanceUID": "1.3", "ConvolutionKernel": "Br64"},
        "mip": {"SeriesInstanceUID": "1.4", "ImageType": ["DERIVED", "SECONDARY", "MIP"]},
        "scout": {"SeriesInstanceUID": "1.5", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        "mr": {"SeriesInstanceUID": "1.6", "Modality": "MR"},
    }
    for key, changes in others.items():
        files |= {f"{key}{n}": c for n, c in _plain(**changes).items()}
    volume = read_files({**files, "notes.txt": b"hello"})
    assert volume.facts.series == "1.1"
    reasons = {one.item: one.reason for one in volume.facts.left_out}
    assert "thinner or smoother" in reasons["series 1.2"]
    assert "thinner or smoother" in reasons["series 1.3"]
    assert reasons["mip000.dcm"] == "image type DERIVED"
    assert reasons["scout000.dcm"] == "image type LOCALIZER"
    assert reasons["mr000.dcm"] == "modality MR, not CT"
    assert reasons["notes.txt"] == "not DICOM"
    assert read_files(files, series="1.2").facts.series == "1.2"
    with pytest.raises(ContractError, match="is not in the folder"):
        read_files(files, series="9.9")


def test_two_series_that_fit_equally_are_not_guessed() -> None:
    files = {f"a{n}": c for n, c in _plain(SeriesInstanceUID="1.1").items()}
    files |= {f"b{n}": c for n, c in _plain(SeriesInstanceUID="1.2").items()}
    with pytest.raises(ContractError, match=r"two fit equally: series 1.1 and series 1.2"):
        read_files(files)


def test_padding_below_the_scale_is_set_to_its_end_and_counted() -> None:
    hu = _hu()
    files = series(hu, SPACING)
    padded = _hu()[2].astype(np.int16)
    padded[0, :] = -1024
    files["002.dcm"] = dicom_slice(
        padded, SOPInstanceUID="1.2.2.3", ImagePositionPatient=[0, 0, 2.5], RescaleIntercept=-2000
    )
    volume = read_files(files)
    assert volume.facts.clipped >= 24
    assert volume.hu.min() == -1024


def test_limits_on_files_are_kept(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", _plain())
    with pytest.raises(TooLargeError, match="more than 3 files"):
        read_folder(folder, settings=Settings(max_files=3))
    with pytest.raises(UnreadableError, match="is no folder"):
        read_folder(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ContractError, match="no DICOM image"):
        read_folder(tmp_path / "empty")


def test_the_real_series_is_read_and_lies_where_its_nifti_says() -> None:
    """20 JPEG 2000 slices; the affine of the published segmentation, RAS turned to LPS by hand."""
    folder = shared_data("ct-totalseg-ref") / "tests/reference_files/example_ct_dicom"
    volume = read_folder(folder)
    assert volume.hu.shape == (20, 512, 512)
    assert volume.spacing_mm == pytest.approx((2.0, 0.9765625, 0.9765625))
    assert volume.point((0, 0, 0)) == pytest.approx((-249.51171875, -437.51171875, -804.5))
    assert (volume.hu.min(), volume.hu.max()) == (-1024, 1839)
    assert volume.facts.thickness_mm == 3
    assert volume.facts.notes == ("no series UID is stated: all files are taken as one series",)


MISC = {
    "CTImage.dcm": (ContractError, "1 slice"),
    "693_J2KR.dcm": (ContractError, "1 slice"),
    "CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm": (
        ContractError, "no DICOM image",
    ),
    "no-pixel-data.dcm": (ContractError, "no DICOM image"),
    "no-pixel-spacing.dcm": (ContractError, "modality US, not CT"),
    "seg_image_ct_binary.dcm": (ContractError, "no DICOM image"),
    "test_SR.dcm": (ContractError, "no DICOM image"),
    "RG1_J2KI.dcm": (ContractError, "not CT"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISC)
def test_real_odd_files_are_refused_with_a_reason(name: str) -> None:
    content = (shared_data("dicom-misc") / name).read_bytes()
    kind, reason = MISC[name]
    with pytest.raises(kind, match=reason):
        read_files({name: content})


def test_every_real_file_alone_is_refused_by_type_and_never_a_crash() -> None:
    refused = 0
    for path in sorted(shared_data("dicom-misc").iterdir()):
        with pytest.raises(InputError) as caught:
            read_files({path.name: path.read_bytes()})
        assert caught.value.reason
        refused += 1
    assert refused == 83


def test_an_animal_is_refused() -> None:
    with pytest.raises(ContractError, match="not of a human patient"):
        read_header(dicom_slice(_hu()[0].astype(np.int16), PatientSpeciesDescription="Canine"),
                    file="dog.dcm")  # fmt: skip


def test_a_retired_encoding_is_a_typed_error() -> None:
    name = "CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm"
    content = (shared_data("dicom-misc") / name).read_bytes()
    from tools.imaging.ct.volume import _plane

    with pytest.raises(UnsupportedError, match="no decoder"):
        _plane(read_header(content, file=name), content)
