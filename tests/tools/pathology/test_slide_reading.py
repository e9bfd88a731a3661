"""Slides are read alike by both libraries, with their facts, or refused by name."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID

from knowledge.errors import (
    ContractError,
    EpicrisisError,
    InputError,
    UnreadableError,
    UnsupportedError,
)
from tests.data_folder import shared_data
from tests.tools.pathology.slide_files import (
    GLASS,
    Blob,
    drawn,
    pyramid,
    write_dicom_slide,
    write_svs,
)
from tools.pathology.slide import wsidicom_source
from tools.pathology.slide.dicom_files import dicom_slide
from tools.pathology.slide.model import Slide
from tools.pathology.slide.opening import Reader, open_slide
from tools.pathology.slide.overview import overview

PICTURE = drawn((512, 768), [Blob(256, 384, 180, 260)])


def _codes(slide: Slide) -> set[str]:
    return {problem.code for problem in slide.facts.problems}


def test_svs_and_dicom_of_one_picture_give_the_same_pixels_by_every_reader(tmp_path: Path) -> None:
    levels = pyramid(PICTURE)
    svs = write_svs(tmp_path / "made.svs", levels)
    dicom = write_dicom_slide(tmp_path / "dicom", levels)
    with (
        open_slide(svs) as first,
        open_slide(dicom, reader="openslide") as second,
        open_slide(dicom / "level-1.dcm", reader="wsidicom") as third,
    ):
        for slide in (first, second, third):
            assert [(one.columns, one.rows) for one in slide.facts.levels] == [
                (768, 512), (192, 128), (48, 32),
            ]  # fmt: skip
            assert slide.facts.mpp_um == pytest.approx((0.5, 0.5))
            assert slide.facts.objective == 20
        for level, x, y in ((0, 100, 90), (1, 50, 33), (2, 0, 0)):
            seen = [slide.read(level, x, y, 48, 32) for slide in (first, second, third)]
            assert np.array_equal(seen[0], seen[1])
            assert np.array_equal(seen[0], seen[2])
        assert np.abs(first.read(0, 0, 0, 768, 512).astype(int) - PICTURE).mean() < 12  # JPEG


def test_what_lies_beyond_the_slide_is_white(tmp_path: Path) -> None:
    levels = pyramid(PICTURE)
    for slide in (
        open_slide(write_svs(tmp_path / "made.svs", levels)),
        open_slide(write_dicom_slide(tmp_path / "dicom", levels)),
    ):
        with slide:
            seen = slide.read(0, 760, 500, 64, 64)
            assert (seen[16:, :] == 255).all()
            assert (seen[:, 12:] == 255).all()
            assert abs(int(seen[4, 4, 0]) - GLASS[0]) < 12
            assert (slide.read(0, 5000, 5000, 8, 8) == 255).all()


def test_label_and_overview_are_named_and_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openslide

    def refuse(*_: object) -> None:
        raise AssertionError("a picture of the label was read")

    monkeypatch.setattr(openslide.lowlevel, "read_associated_image", refuse)
    with open_slide(write_svs(tmp_path / "made.svs", pyramid(PICTURE))) as slide:
        assert slide.facts.pictures_left_out == ("label", "macro")
        assert "label-inside" in _codes(slide)
        assert overview(slide).pixels.shape == (512, 768, 3)


def test_the_label_of_a_dicom_slide_is_never_opened(tmp_path: Path) -> None:
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE))
    ds = pydicom.dcmread(folder / "level-2.dcm")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.99")
    ds.save_as(folder / "label.dcm")
    with open_slide(folder) as slide:
        assert slide.facts.pictures_left_out == ("label",)
        assert not any(path.name == "label.dcm" for path in slide.files)
        assert len(slide.facts.levels) == 3
    for name in ("level-0.dcm", "level-1.dcm", "level-2.dcm"):
        (folder / name).unlink()
    with pytest.raises(UnsupportedError, match="never passed on"):
        open_slide(folder)


@pytest.mark.parametrize("kind", ["LABEL", "OVERVIEW", "LOCALIZER", "THUMBNAIL"])
def test_a_picture_that_may_show_the_label_is_no_level_of_the_slide(
    tmp_path: Path, kind: str
) -> None:
    """PS3.3 C.8.12.4.1.1: label and overview; older files call the whole glass localizer."""
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE, levels=2))
    path = folder / "level-1.dcm"
    _changed(path, ImageType=["ORIGINAL", "PRIMARY", kind, "NONE"])
    found = dicom_slide(folder)
    assert [one.name for one in found.files] == ["level-0.dcm"]
    assert found.left_out == (kind.lower(),)
    (folder / "level-0.dcm").unlink()
    with pytest.raises(UnsupportedError, match="only a label or an overview"):
        dicom_slide(path)


@pytest.mark.parametrize("asked", ["folder", "the level", "another level"])
def test_a_level_that_says_its_label_is_seen_is_refused(tmp_path: Path, asked: str) -> None:
    """Specimen Label in Image (0048,0010) is YES: the name of the patient may be on it."""
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE, levels=2))
    _changed(folder / "level-1.dcm", SpecimenLabelInImage="YES")
    path = {"folder": folder, "the level": folder / "level-1.dcm"}.get(asked)
    for reader in ("openslide", "wsidicom"):
        with pytest.raises(ContractError, match=r"shows the label .* never passed on"):
            open_slide(path or folder / "level-0.dcm", reader=reader)
    _changed(folder / "level-1.dcm", SpecimenLabelInImage="NO")
    with open_slide(folder) as slide:
        assert len(slide.facts.levels) == 2


def _changed(path: Path, **values: object) -> None:
    ds = pydicom.dcmread(path)
    for name, value in values.items():
        setattr(ds, name, value)
    ds.save_as(path)


@pytest.mark.parametrize(
    ("mpp", "objective", "codes"),
    [
        (None, 20, {"mpp-missing"}),
        (0.5, None, {"objective-missing"}),
        (352.8, 20, {"mpp-impossible"}),
        (0.5, 40, {"objective-doubtful"}),
        (0.25, 40, set()),
    ],
    ids=["no mpp", "no objective", "72 dpi", "20x pixel with 40x", "fits"],
)
def test_scale_and_objective_are_checked(
    tmp_path: Path, mpp: float | None, objective: float | None, codes: set[str]
) -> None:
    path = write_svs(
        tmp_path / "made.svs", pyramid(PICTURE), mpp=mpp, objective=objective, label=False
    )
    with open_slide(path) as slide:
        assert _codes(slide) == codes
        if "mpp-missing" in codes or "mpp-impossible" in codes:
            with pytest.raises(ContractError, match="micrometres"):
                _ = slide.mpp_um


def test_a_stated_scale_is_taken_where_the_file_has_none_and_never_overrules_it(
    tmp_path: Path,
) -> None:
    without = write_svs(tmp_path / "without.svs", pyramid(PICTURE), mpp=None)
    with open_slide(without, mpp_um=0.25) as slide:
        assert slide.mpp_um == 0.25
        assert "mpp-stated" in _codes(slide)
    with pytest.raises(ContractError, match="stated pixel"):
        open_slide(without, mpp_um=90)
    with pytest.raises(ContractError, match="states another"):
        open_slide(write_svs(tmp_path / "with.svs", pyramid(PICTURE)), mpp_um=0.25)


def test_a_slide_cut_off_is_refused(tmp_path: Path) -> None:
    path = write_svs(tmp_path / "made.svs", pyramid(PICTURE), label=False)
    whole = path.read_bytes()
    for share in (0.02, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises((UnreadableError, UnsupportedError)):
            open_slide(path)


def test_a_dicom_slide_cut_off_is_refused(tmp_path: Path) -> None:
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE, levels=1))
    path = folder / "level-0.dcm"
    whole = path.read_bytes()
    for share in (0.05, 0.5):
        path.write_bytes(whole[: int(len(whole) * share)])
        for reader in ("openslide", "wsidicom"):
            with pytest.raises(InputError):
                open_slide(path, reader=reader)


@pytest.mark.parametrize("reader", ["openslide", "wsidicom"])
def test_a_table_of_offsets_that_names_no_frames_is_refused(tmp_path: Path, reader: Reader) -> None:
    """OpenSlide 4.0.1 ends the process on such a file: it must never be given it."""
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE, levels=1))
    path = folder / "level-0.dcm"
    whole = path.read_bytes()
    table = whole.index(b"\xfe\xff\x00\xe0", whole.index(b"\xe0\x7f\x10\x00OB")) + 8
    first = table + 4 * 6 + 8  # six frames of 256 x 256
    for at, value in ((table, 192), (table + 6, 9), (first - 8, 7), (first - 3, 200)):
        changed = bytearray(whole)
        changed[at] = value
        path.write_bytes(changed)
        with pytest.raises(UnreadableError, match="damaged frames"):
            open_slide(path, reader=reader)


def test_no_damaged_file_of_a_slide_ends_the_process_of_the_viewer(tmp_path: Path) -> None:
    """In a child: a table of offsets that leads out of the file ends OpenSlide 4.0.1 by a signal.

    Every byte of table and first frame header is changed in turn, in the file that is asked for
    and in the one beside it.
    """
    write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE, levels=2))
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _IN_A_CHILD, str(tmp_path / "dicom")],
        check=False, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-400:]
    refused, shown = map(int, done.stdout.split())
    assert refused > 30
    assert shown > 0


_IN_A_CHILD = """
import sys
from pathlib import Path
from knowledge.errors import InputError
from tools.imaging.view.deep_zoom import DeepZoom

folder, refused, shown = Path(sys.argv[1]), 0, 0
for changed in ("level-0.dcm", "level-1.dcm"):
    path = folder / changed
    whole = path.read_bytes()
    table = whole.index(b"\\xfe\\xff\\x00\\xe0", whole.index(b"\\xe0\\x7f\\x10\\x00OB"))
    for at in range(table, table + 44, 2):
        for value in (0, 200):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            try:
                slide = DeepZoom(folder / "level-0.dcm", name="slide")
                for level in range(10):
                    slide.tile(level, 0, 0)
                slide.close()
                shown += 1
            except InputError:
                refused += 1
    path.write_bytes(whole)
print(refused, shown)
"""


@pytest.mark.parametrize("reader", ["openslide", "wsidicom"])
def test_damaged_slides_never_raise_anything_but_our_errors(tmp_path: Path, reader: Reader) -> None:
    levels = pyramid(PICTURE, levels=2)
    dicom = write_dicom_slide(tmp_path / "dicom", levels) / "level-1.dcm"
    svs = write_svs(tmp_path / "made.svs", levels)
    draw = np.random.default_rng(5)
    for path in (dicom, svs) if reader == "openslide" else (dicom,):
        whole = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(40):
            changed = whole.copy()
            changed[draw.integers(0, min(len(whole), 4000), 5)] = draw.integers(0, 256, 5)
            path.write_bytes(changed.tobytes())
            try:
                with open_slide(path, reader=reader if path == dicom else "auto") as slide:
                    overview(slide)
            except EpicrisisError:
                continue


def test_two_slides_in_a_folder_and_a_dog_are_refused(tmp_path: Path) -> None:
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE, levels=1))
    path = folder / "level-0.dcm"
    ds = pydicom.dcmread(path)
    ds.SeriesInstanceUID, ds.SOPInstanceUID = UID("1.2.3.77"), UID("1.2.3.78")
    ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.78")
    ds.save_as(folder / "other.dcm")
    with pytest.raises(ContractError, match="2 slides"):
        open_slide(folder)
    with open_slide(path) as slide:
        assert slide.files == (path,)
    ds.PatientSpeciesDescription = "Canis lupus familiaris"
    ds.save_as(folder / "other.dcm")
    with pytest.raises(ContractError, match="not of a human"):
        open_slide(folder / "other.dcm")


def test_without_wsidicom_openslide_reads_dicom_and_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.errors import MissingExtraError

    monkeypatch.setattr(wsidicom_source, "installed", lambda: False)
    folder = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE))
    with open_slide(folder) as slide:
        assert slide.facts.reader.startswith("openslide")
    with pytest.raises(MissingExtraError, match=r"epicrisis\[wsi\]"):
        open_slide(folder, reader="wsidicom")


READ = {
    "cmu-1-small-region.svs": (2220, 2967, (0.499, 0.499), 20),
    "cmu_small_region.svs": (2220, 2967, (0.499, 0.499), 20),
    "tcga-cr-7395-01a-01-ts1.svs": (4443, 3567, None, None),
    "boxes.tiff": (300, 250, None, None),
    "boxes_0.dcm": (16, 16, (0.499, 0.499), 20),
    "boxes_1.dcm": (16, 16, (0.499, 0.499), 20),
    "small.svs": (16, 16, (0.499, 0.499), 20),
}
"""Facts from openslide-show-properties of OpenSlide 4.0.1 and from the DICOM headers."""


@pytest.mark.parametrize(
    ("folder", "count"),
    [("path-histolab", 40), ("path-openslide-fixtures", 9), ("path-wsidicom-data", 36)],
)
def test_every_file_ends_as_read_or_refused_by_name(folder: str, count: int) -> None:
    files = sorted(path for path in shared_data(folder).iterdir() if path.is_file())
    assert len(files) == count
    for path in files:
        if path.name not in READ:
            with pytest.raises(InputError) as refused:
                open_slide(path)
            assert refused.value.item == path.name
            assert refused.value.reason
            continue
        with open_slide(path) as slide:
            facts = slide.facts
            assert (facts.columns, facts.rows, facts.mpp_um, facts.objective) == READ[path.name]
            assert max(overview(slide, longest=256).pixels.shape) <= 256


def test_real_dicom_slides_are_read_or_refused_by_both_readers() -> None:
    files = sorted(shared_data("dicom-misc").glob("sm_image*.dcm"))
    assert len(files) == 8
    # OpenSlide 4.0 takes neither grey levels nor JPEG-LS.
    hard = ("grayscale", "jpegls")
    for path in files:
        with open_slide(path, reader="wsidicom") as slide:
            assert (slide.facts.columns, slide.facts.rows) == (50, 50)
        if any(word in path.name for word in hard):
            with pytest.raises(UnreadableError, match=path.name):
                open_slide(path, reader="openslide")
        else:
            with open_slide(path, reader="openslide") as slide:
                assert (slide.facts.columns, slide.facts.rows) == (50, 50)
