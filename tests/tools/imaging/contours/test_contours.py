"""Structures out and in again within a voxel, what others wrote, and what is refused."""

import copy
import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from knowledge.errors import (
    ContractError,
    EpicrisisError,
    IdentityConflictError,
    InvalidValueError,
    UnreadableError,
    UnsupportedError,
)
from serving.commands.ct import register
from tests.data_folder import shared_data
from tests.tools.imaging.ct.phantoms import series
from tests.tools.imaging.ct.phantoms import write as write_files
from tools.dicom_out.maker import Maker
from tools.dicom_out.sources import Sources, read_sources
from tools.imaging.contours.model import Origin, Structure, chosen
from tools.imaging.contours.polygons import filled, outlines
from tools.imaging.contours.read import read_structures
from tools.imaging.contours.rtstruct_out import rtstruct
from tools.imaging.contours.seg_out import seg
from tools.imaging.ct.agatston import agatston
from tools.imaging.ct.mask_file import read_mask
from tools.imaging.ct.model import Volume
from tools.imaging.ct.volume import read_files, read_folder

SPACING = (3.0, 0.8, 0.7)
SHAPE = (6, 24, 30)
MAKER = Maker(method="contours", method_version="1", at=datetime(2026, 1, 11, 9, 0, tzinfo=UTC))
Mask = NDArray[np.bool_]


def _hu() -> NDArray[np.float32]:
    hu = np.random.default_rng(1).normal(40, 20, SHAPE).astype(np.float32)
    hu[2:4, 8:12, 10:14] = 300
    return hu


@pytest.fixture(scope="module")
def on() -> tuple[Volume, Sources]:
    files = series(_hu(), SPACING)
    return read_files(files), read_sources(files)


def _ring() -> Mask:
    """A ring with a hole, an island in the hole, and a single voxel apart."""
    _, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    far = (y - 12) ** 2 + (x - 14) ** 2
    mask = np.broadcast_to((far <= 64) & (far > 16) | (far <= 2), SHAPE).copy()
    mask[0] = mask[-1] = False
    mask[3, 1, 27] = True
    return mask


def _blob() -> Mask:
    mask = np.zeros(SHAPE, dtype=np.bool_)
    mask[2:4, 7:13, 9:15] = True
    return mask


def _structure(
    mask: Mask, name: str = "aorta", number: int = 1, origin: Origin = "MANUAL"
) -> Structure:
    return Structure(number=number, name=name, mask=mask, origin=origin)


def _square(half: float) -> list[float]:
    """Corners of a square around 10, 8 mm on the third slice."""
    return [v for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            for v in (10 + a * half, 8 + b * half, 6.0)]  # fmt: skip


def _changed(content: bytes, **elements: Any) -> bytes:
    ds = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_structures_come_back_voxel_by_voxel(write: Any, on: tuple[Volume, Sources]) -> None:
    volume, images = on
    given = [_structure(_ring()), _structure(_blob(), "calcium", 2)]
    content = write(given, volume, images, MAKER)
    found = read_structures(content, volume, file="structures.dcm")
    assert [(one.name, one.origin) for one in found] == [("aorta", "MANUAL"), ("calcium", "MANUAL")]
    for there, here in zip(found, given, strict=True):
        assert np.array_equal(there.mask, here.mask)


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_the_same_structures_give_the_same_bytes_and_name_the_images(
    write: Any, on: tuple[Volume, Sources]
) -> None:
    volume, images = on
    first, second = (write([_structure(_ring())], volume, images, MAKER) for _ in range(2))
    assert first == second
    ds = pydicom.dcmread(io.BytesIO(first))
    assert ds.FrameOfReferenceUID == "1.2.5"
    assert ds.StudyInstanceUID == "1.2.1"
    assert ds.PatientID == "7081233"
    named = {str(e.value) for e in ds.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
    assert set(volume.facts.instances[1:5]) <= named


@pytest.mark.parametrize("seed", range(6))
def test_any_plane_is_enclosed_by_its_own_outlines(seed: int) -> None:
    plane = np.random.default_rng(seed).random((17, 19)) < 0.2 + 0.1 * seed
    found, _ = filled(outlines(plane), (17, 19))
    assert np.array_equal(found, plane)


def test_a_circle_drawn_in_mm_is_filled_within_a_voxel(on: tuple[Volume, Sources]) -> None:
    """Area of a circle of 6 mm radius: 113.1 mm2; a voxel's row along its edge is 0.7 x 37.7."""
    volume, images = on
    content = rtstruct([_structure(_blob())], volume, images, MAKER)
    ds = pydicom.dcmread(io.BytesIO(content))
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    points = np.stack([10 + 6 * np.cos(angles), 9 + 6 * np.sin(angles), np.full(90, 6.0)], axis=1)
    contour = ds.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = [f"{v:.3f}" for v in points.ravel()]
    contour.NumberOfContourPoints = 90
    ds.ROIContourSequence[0].ContourSequence = [contour]
    out = io.BytesIO()
    ds.save_as(out)
    (found,) = read_structures(out.getvalue(), volume, file="circle.dcm")
    area = float(found.mask.sum()) * SPACING[1] * SPACING[2]
    assert area == pytest.approx(np.pi * 36, rel=0.03)
    levels, rows, columns = np.nonzero(found.mask)
    assert set(levels) == {2}
    far = np.hypot(rows * SPACING[1] - 9, columns * SPACING[2] - 10)
    assert far.max() <= 6
    rows, columns = np.nonzero(~found.mask[2])
    assert np.hypot(rows * SPACING[1] - 9, columns * SPACING[2] - 10).min() > 6 - 0.7


def test_nested_contours_of_the_plain_type_are_a_hole_and_that_is_said(
    on: tuple[Volume, Sources],
) -> None:
    volume, images = on
    content = rtstruct([_structure(_ring())], volume, images, MAKER)
    ds = pydicom.dcmread(io.BytesIO(content))
    drawn = ds.ROIContourSequence[0]
    assert {c.ContourGeometricType for c in drawn.ContourSequence} == {"CLOSED_PLANAR"}
    (near, far) = ([f"{v:.3f}" for v in _square(r)] for r in (2.1, 4.1))
    both = []
    for points in (far, near):
        one = copy.deepcopy(drawn.ContourSequence[0])
        one.ContourData, one.NumberOfContourPoints = points, 4
        both.append(one)
    drawn.ContourSequence = both
    out = io.BytesIO()
    ds.save_as(out)
    (found,) = read_structures(out.getvalue(), volume, file="nested.dcm")
    wanted = np.zeros(SHAPE, dtype=np.bool_)
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    square = np.maximum(np.abs(y * SPACING[1] - 8), np.abs(x * SPACING[2] - 10))
    wanted[2] = (square < 4.1) & (square > 2.1)
    assert np.array_equal(found.mask, wanted)
    assert any("taken as a hole" in note for note in found.notes)


def test_slices_without_a_contour_are_said_and_not_filled_in(on: tuple[Volume, Sources]) -> None:
    volume, images = on
    mask = _blob()
    mask[5] = mask[2]
    (found,) = read_structures(
        rtstruct([_structure(mask)], volume, images, MAKER), volume, file="gaps.dcm"
    )
    assert not found.mask[4].any()
    assert found.notes == (
        "1 slices between its first and its last have no contour; nothing was filled in",
    )


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_another_frame_of_reference_is_refused(write: Any, on: tuple[Volume, Sources]) -> None:
    volume, images = on
    content = write([_structure(_blob())], volume, images, MAKER)
    other = read_files(series(_hu(), SPACING, FrameOfReferenceUID="1.2.99"))
    with pytest.raises(ContractError, match="another frame of reference"):
        read_structures(content, other, file="other.dcm")
    none = read_files(series(_hu(), SPACING, FrameOfReferenceUID=None))
    with pytest.raises(ContractError, match="the series names no frame of reference"):
        read_structures(content, none, file="other.dcm")


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_another_patient_is_refused_without_naming_anybody(
    write: Any, on: tuple[Volume, Sources]
) -> None:
    volume, images = on
    content = write([_structure(_blob())], volume, images, MAKER)
    changed = _changed(
        content, PatientID="999", PatientName="Okafor^Ada", PatientBirthDate="19811231"
    )
    with pytest.raises(IdentityConflictError, match="another patient") as refused:
        read_structures(changed, volume, file="other.dcm")
    assert "Okafor" not in str(refused.value)
    assert "999" not in str(refused.value)


@pytest.mark.parametrize(
    ("spacing", "position", "reason"),
    [
        ((3.0, 0.8, 0.7), 1.5, "between the slices"),
        ((3.0, 0.8, 0.7), 60.0, "outside of the series"),
        ((2.0, 0.8, 0.7), 0.0, "between the slices"),
    ],
)
@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_contours_of_other_slices_are_refused(
    write: Any,
    spacing: tuple[float, float, float],
    position: float,
    reason: str,
    on: tuple[Volume, Sources],
) -> None:
    volume, images = on
    mask = _blob()
    mask[1] = mask[2]
    content = write([_structure(mask)], volume, images, MAKER)
    files = {}
    for level in range(SHAPE[0]):
        at = [0, 0, round(level * spacing[0] + position, 3)]
        one = series(_hu()[level : level + 1], spacing, ImagePositionPatient=at)
        files[f"{level}.dcm"] = _changed(next(iter(one.values())), SOPInstanceUID=f"1.2.2.{level}")
    with pytest.raises(ContractError, match=reason):
        read_structures(content, read_files(files), file="other.dcm")


def test_a_segmentation_on_another_grid_is_refused(on: tuple[Volume, Sources]) -> None:
    volume, images = on
    content = seg([_structure(_blob())], volume, images, MAKER)
    wider = read_files(series(_hu(), (3.0, 0.8, 0.9)))
    with pytest.raises(ContractError, match="another orientation or spacing"):
        read_structures(content, wider, file="other.dcm")
    smaller = read_files(series(_hu()[:, :-2], SPACING))
    with pytest.raises(ContractError, match="another number of rows"):
        read_structures(content, smaller, file="other.dcm")
    moved = read_files(
        {
            name: _changed(one, ImagePositionPatient=[5, 0, level * 3.0])
            for level, (name, one) in enumerate(series(_hu(), SPACING).items())
        }
    )
    with pytest.raises(ContractError, match="shifted against the series"):
        read_structures(content, moved, file="other.dcm")


def test_bad_files_are_named(on: tuple[Volume, Sources]) -> None:
    volume, images = on
    content = rtstruct([_structure(_blob())], volume, images, MAKER)
    with pytest.raises(UnsupportedError, match="neither RTSTRUCT nor SEG"):
        read_structures(next(iter(series(_hu(), SPACING).values())), volume, file="ct.dcm")
    with pytest.raises(ContractError, match="no closed contour"):
        read_structures(_changed(content, ROIContourSequence=[]), volume, file="none.dcm")
    with pytest.raises(UnreadableError, match="damaged"):
        read_structures(
            _changed(
                seg([_structure(_blob())], volume, images, MAKER),
                PerFrameFunctionalGroupsSequence=[],
            ),
            volume,
            file="seg.dcm",
        )


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_a_file_that_ends_early_never_gives_fewer_contours(
    write: Any, on: tuple[Volume, Sources]
) -> None:
    volume, images = on
    given = (_ring(), _blob())
    content = write([_structure(given[0]), _structure(given[1], "LAD", 2)], volume, images, MAKER)
    refused = 0
    for end in np.linspace(1200, len(content) - 40, 25).astype(int):
        try:
            found = read_structures(content[:end], volume, file="cut.dcm")
        except EpicrisisError:
            refused += 1
            continue
        for there, here in zip(found, given, strict=True):  # cut after the last contour
            assert np.array_equal(there.mask, here)
    assert refused >= 23


def test_what_cannot_be_written_is_refused(on: tuple[Volume, Sources]) -> None:
    volume, images = on
    with pytest.raises(ContractError, match="how it was outlined is not stated"):
        seg([_structure(_blob(), origin="")], volume, images, MAKER)
    with pytest.raises(ContractError, match="is empty"):
        rtstruct([_structure(_blob() & False)], volume, images, MAKER)
    with pytest.raises(ContractError, match="two have one name"):
        rtstruct([_structure(_blob()), _structure(_ring())], volume, images, MAKER)
    with pytest.raises(ContractError, match="another grid"):
        rtstruct([_structure(_blob()[1:])], volume, images, MAKER)
    with pytest.raises(ContractError, match="none is given"):
        rtstruct([], volume, images, MAKER)


def test_one_of_several_structures_is_named(on: tuple[Volume, Sources]) -> None:
    volume, images = on
    given = [_structure(_ring()), _structure(_blob(), "LAD", 2)]
    content = rtstruct(given, volume, images, MAKER)
    assert np.array_equal(read_mask(content, volume, file="s.dcm", label="lad"), _blob())
    with pytest.raises(ContractError, match="holds 2 structures"):
        read_mask(content, volume, file="s.dcm")
    with pytest.raises(InvalidValueError, match="has no structure 'RCA'"):
        chosen(tuple(given), name="RCA", file="s.dcm")


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_the_agatston_score_of_a_mask_in_dicom(write: Any, on: tuple[Volume, Sources]) -> None:
    """4 x 4 voxels of 0.56 mm2 on two slices of 3 mm, peak 300 HU: 2 x 8.96 mm2 x 3 = 53.8."""
    volume, images = on
    content = write([_structure(_blob(), "LAD")], volume, images, MAKER)
    found = agatston(volume, read_mask(content, volume, file="s.dcm"), mask_of="s.dcm")
    assert found.score == pytest.approx(2 * 16 * 0.56 * 3, abs=0.1)


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_structures_of_another_series_in_the_same_frame_are_refused(
    write: Any, on: tuple[Volume, Sources]
) -> None:
    volume, _ = on
    other = series(_hu(), SPACING, SeriesInstanceUID="1.2.77", StudyInstanceUID="1.2.76")
    files = {
        name: _changed(content, SOPInstanceUID=f"1.2.77.{at}")
        for at, (name, content) in enumerate(other.items(), 1)
    }
    content = write([_structure(_blob())], read_files(files), read_sources(files), MAKER)
    with pytest.raises(ContractError, match="drawn on other images"):
        read_structures(content, volume, file="other.dcm")


def test_structures_that_name_no_patient_say_so(on: tuple[Volume, Sources]) -> None:
    volume, images = on
    content = seg([_structure(_blob())], volume, images, MAKER)
    (own,) = read_structures(content, volume, file="seg.dcm")
    assert own.notes == ()
    nobody = {name: "" for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")}
    (found,) = read_structures(_changed(content, **nobody), volume, file="seg.dcm")
    assert any("names no patient" in note for note in found.notes)


def test_a_segmentation_that_another_wrote(on: tuple[Volume, Sources], tmp_path: Path) -> None:
    """The file of highdicom itself, fractional, with frames only where something is marked."""
    hd = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes

    volume, images = on
    share = _blob().astype(np.float32) * 0.8
    share[2, 7, 9] = 0.3
    described = hd.seg.SegmentDescription(
        segment_number=1, segment_label="Heart",
        segmented_property_category=codes.SCT.Organ, segmented_property_type=codes.SCT.Heart,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="another", family=codes.cid7162.ArtificialIntelligence, version="1"),
    )  # fmt: skip
    made = hd.seg.Segmentation(
        source_images=list(images.datasets), pixel_array=share, segmentation_type="FRACTIONAL",
        segment_descriptions=[described], series_instance_uid="1.2.7", series_number=1,
        sop_instance_uid="1.2.7.1", instance_number=1, manufacturer="x",
        manufacturer_model_name="x", software_versions="1", device_serial_number="1",
    )  # fmt: skip
    file = tmp_path / "heart.dcm"
    made.save_as(file)
    (found,) = read_structures(file.read_bytes(), volume, file="heart.dcm")
    wanted = _blob()
    wanted[2, 7, 9] = False
    assert np.array_equal(found.mask, wanted)
    assert (found.name, found.origin, found.maker) == ("Heart", "AUTOMATIC", "another")


def _identified(source: Path, folder: Path) -> Path:
    """Copy a real series from which the identifiers were removed, with others in their place."""
    folder.mkdir()
    for at, path in enumerate(sorted(source.iterdir()), 1):
        ds: Any = pydicom.dcmread(path, force=True)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{at}"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (
            "1.2.1",
            "1.2.2",
            "1.2.5",
        )
        ds.save_as(folder / f"{at:03}.dcm")
    return folder


REFERENCE = "ct-totalseg-ref/tests/reference_files"


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_real_organs_of_a_real_series_come_back_voxel_by_voxel(write: Any, tmp_path: Path) -> None:
    pytest.importorskip("nibabel")
    base = shared_data(REFERENCE)
    series_of = _identified(base / "example_ct_dicom", tmp_path / "series")
    volume = read_folder(series_of)
    content = (base / "example_seg_dicom.nii.gz").read_bytes()
    given = []
    for label in (1, 5, 52):  # spleen, liver, aorta in the numbering of TotalSegmentator
        try:
            mask = read_mask(content, volume, file="organs.nii.gz", label=label)
        except ContractError:
            continue
        given.append(_structure(mask, f"organ {label}", label, "AUTOMATIC"))
    assert len(given) >= 2
    images = read_sources({p.name: p for p in series_of.iterdir()})
    written = write(given, volume, images, MAKER)
    found = read_structures(written, volume, file="organs.dcm")
    for there, here in zip(found, given, strict=True):
        assert np.array_equal(there.mask, here.mask)
    (tmp_path / "organs.dcm").write_bytes(written)
    _no_error_of(tmp_path / "organs.dcm")


@pytest.mark.parametrize("write", [rtstruct, seg], ids=["RTSTRUCT", "SEG"])
def test_another_program_finds_no_error(
    write: Any, on: tuple[Volume, Sources], tmp_path: Path
) -> None:
    volume, images = on
    given = [_structure(_ring()), _structure(_blob(), "calcium", 2, "AUTOMATIC")]
    (tmp_path / "made.dcm").write_bytes(write(given, volume, images, MAKER))
    _no_error_of(tmp_path / "made.dcm")


def _no_error_of(file: Path) -> None:
    """Fail where dciodvfy (dicom3tools) finds an error; skip where it is not here."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not installed")
    done = subprocess.run(  # noqa: S603 - a checker of files
        [program, str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line.startswith("Error")] == []


def test_the_command_lists_and_writes(on: tuple[Volume, Sources], tmp_path: Path) -> None:
    volume, images = on
    folder = write_files(tmp_path / "series", series(_hu(), SPACING))
    file = tmp_path / "made.dcm"
    file.write_bytes(rtstruct([_structure(_blob(), "LAD", origin="")], volume, images, MAKER))
    app = typer.Typer()
    register(app)

    def run(*more: str) -> Result:
        return CliRunner().invoke(app, ["ct", "contours", str(folder), str(file), *more])

    listed = run()
    assert listed.exit_code == 0
    assert "1 LAD: 0.12 mL on 2 slices; outlined: not stated" in listed.stdout  # 72 of 1.68 mm3
    refused = run("--to", "seg", "--out", str(tmp_path / "seg.dcm"))
    assert isinstance(refused.exception, ContractError)
    done = run("--to", "seg", "--out", str(tmp_path / "seg.dcm"), "--origin", "manual")
    assert done.exit_code == 0, done.exception
    content = (tmp_path / "seg.dcm").read_bytes()
    (found,) = read_structures(content, volume, file="seg.dcm")
    assert (found.name, found.origin) == ("LAD", "MANUAL")
    assert np.array_equal(found.mask, _blob())
    alone = run("--to", "seg")
    assert isinstance(alone.exception, InvalidValueError)
