"""Pixels to pictures: pydicom's own windowing is the other witness, truncation is never black."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_windowing

from knowledge.errors import InputError, InvalidValueError, TooLargeError, UnsupportedError
from knowledge.view_windows import view_windows
from tests.data_folder import shared_data
from tests.tools.imaging.view.made import CR, image, ramp
from tools.imaging.view.coded import check_frame, stated_size
from tools.imaging.view.deep_zoom import DeepZoom
from tools.imaging.view.drawn import Asked, draw
from tools.imaging.view.marks import Line, Mask, Point, draw_marks
from tools.imaging.view.photo import decode_photo
from tools.imaging.view.pixels import decode
from tools.imaging.view.scale import scale
from tools.imaging.view.stack import Place, ordered
from tools.imaging.view.window import chosen, to_grey, windowed, windows


def drawn(content: bytes, **asked: Any) -> np.ndarray[Any, Any]:
    png = draw(decode(content, file="a.dcm"), Asked(**asked))
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("name", ["CTImage.dcm", "CT2_J2KR", "693_J2KR.dcm"])
def test_a_window_of_the_header_gives_what_pydicom_makes_of_it(name: str) -> None:
    content = (shared_data("dicom-misc") / name).read_bytes()
    ds = dcmread(io.BytesIO(content))
    other = apply_windowing(apply_modality_lut(ds.pixel_array, ds), ds).astype(float)
    pixels = decode(content, file=name)
    mine = to_grey(pixels, windows(pixels)[0]).astype(float)
    # PS3.3 C.11.2.1.2.1 maps the window on the whole output range, whatever that range is.
    whole = (other - other.min()) / (other.max() - other.min()) * 255
    assert np.abs(mine - whole).max() <= 1


def test_monochrome1_is_the_negative_of_monochrome2() -> None:
    light = drawn(image(ramp(), PhotometricInterpretation="MONOCHROME1"), center=32, width=64)
    dark = drawn(image(ramp(), PhotometricInterpretation="MONOCHROME2"), center=32, width=64)
    assert light[0, 0] == 255
    assert dark[0, 0] == 0
    assert (light == 255 - dark).all()


def test_every_window_of_the_header_is_offered_by_its_name() -> None:
    content = image(
        ramp(),
        WindowCenter=[40, -600],
        WindowWidth=[400, 1500],
        WindowCenterWidthExplanation=["SOFT", "LUNG"],
        RescaleSlope=1,
        RescaleIntercept=-1024,
        RescaleType="HU",
    )
    offered = windows(decode(content, file="a"))
    assert [(w.label.en, w.center, w.width) for w in offered[:2]] == [
        ("SOFT", 40, 400),
        ("LUNG", -600, 1500),
    ]
    assert {p.id for p in view_windows().ct} <= {w.key for w in offered}
    assert offered[-1].key == "all"


def test_presets_in_hounsfield_units_are_for_ct_in_hounsfield_units_alone() -> None:
    presets = {p.id for p in view_windows().ct}
    unscaled = windows(decode(image(ramp()), file="a"))
    film = windows(
        decode(image(ramp(), sop_class=CR, RescaleSlope=1, RescaleIntercept=0), file="a")
    )
    other = image(ramp(), RescaleSlope=1, RescaleIntercept=0, RescaleType="US")
    for offered in (unscaled, film, windows(decode(other, file="a"))):
        assert not presets & {w.key for w in offered}


def test_windowing_follows_the_equations_of_the_standard() -> None:
    # PS3.3 C.11.2.1.2.1, note: c=2048, w=4096 maps 0 to 0 and 4095 to the top of the range;
    # C.11.2.1.3.1: at the centre a sigmoid is one half; C.11.2.1.3.2: exact without -0.5.
    linear = chosen((), "", 2048.0, 4096.0)
    assert windowed(np.array([0.0, 4095.0]), linear).tolist() == [0.0, 1.0]
    exact = windows(decode(image(ramp()), file="a"))[-1]
    assert exact.function == "LINEAR_EXACT"
    assert exact.center is not None
    assert windowed(np.array([exact.center]), exact)[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("center", "width"), [(0.0, 0.0), (0.0, -5.0), (math.nan, 10.0)])
def test_a_window_that_is_none_is_refused(center: float, width: float) -> None:
    with pytest.raises(InvalidValueError):
        drawn(image(ramp()), center=center, width=width)


def test_an_unknown_window_is_refused_and_not_replaced() -> None:
    with pytest.raises(InvalidValueError, match="none of this name"):
        drawn(image(ramp()), window="nonsense")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["CTImage.dcm", "CT1_J2KR", "dx_image.dcm"])
def test_a_truncated_file_is_an_error_and_never_a_picture(name: str, share: float) -> None:
    content = (shared_data("dicom-misc") / name).read_bytes()
    with pytest.raises(InputError) as refused:
        decode(content[: int(len(content) * share)], file=name)
    assert refused.value.reason


def test_a_frame_of_one_value_is_told_and_not_drawn() -> None:
    with pytest.raises(InputError, match="every pixel has the same value"):
        decode(image(np.zeros((8, 8), dtype=np.int16)), file="a")


@pytest.mark.parametrize(
    "name",
    [
        "CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm",
        "CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm",
        "CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm",
    ],
)
def test_pixels_without_a_decoder_are_an_unsupported_transfer_syntax(name: str) -> None:
    with pytest.raises(UnsupportedError, match="cannot be decoded here"):
        decode((shared_data("dicom-misc") / name).read_bytes(), file="a")


def test_compressed_data_larger_than_the_header_says_are_refused_before_decoding() -> None:
    siz = bytes.fromhex("ff4fff51002f0000") + (60000).to_bytes(4, "big") * 2 + b"\0" * 40
    assert stated_size(siz) == (60000, 60000)
    with pytest.raises(TooLargeError, match="60000 x 60000"):
        check_frame(siz, file="a", rows=512, columns=512)


def test_a_frame_that_there_is_not_is_refused() -> None:
    content = image(np.stack([ramp(), ramp() + 5]))
    assert decode(content, file="a", frame=1).values[0, 0] == 5
    with pytest.raises(UnsupportedError, match="has 2 frames"):
        decode(content, file="a", frame=2)


@pytest.mark.parametrize(
    ("more", "known", "why"),
    [
        ({"PixelSpacing": [0.5, 0.4]}, (0.5, 0.4), ""),
        ({"PixelSpacing": [0, 0]}, None, "stated as 0 mm"),
        ({}, None, "no pixel spacing"),
        ({"ImagerPixelSpacing": [0.1, 0.1], "sop_class": CR}, (0.1, 0.1), "at the detector"),
        (
            {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1], "sop_class": CR},
            (0.1, 0.1),
            "at the detector",
        ),
    ],
    ids=["body", "zero", "missing", "detector", "detector-twice"],
)
def test_a_distance_is_in_mm_only_where_the_header_says_so(
    more: dict[str, Any], known: tuple[float, float] | None, why: str
) -> None:
    found = scale(decode(image(ramp(), **more), file="a").ds)
    assert found.is_known == (known is not None)
    assert why in found.why
    if known is not None:
        assert (found.row_mm, found.column_mm) == known


def test_the_film_with_a_spacing_of_zero_is_measured_in_pixels() -> None:
    content = (shared_data("dicom-misc") / "RG1_J2KI.dcm").read_bytes()
    assert not scale(decode(content, file="a").ds).is_known


def test_slices_lie_from_head_to_foot_and_without_positions_by_their_number() -> None:
    axial = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    lying = [Place(position=(0, 0, z), orientation=axial, name=str(z)) for z in (-5.0, 20.0, 7.5)]
    assert ordered(lying) == (1, 2, 0)
    assert ordered([*lying[:2], Place(number=1)]) == (2, 0, 1)
    assert ordered([Place(number=10), Place(number=2), Place(name="x")]) == (1, 0, 2)


def test_marks_are_drawn_over_the_image_and_leave_it_visible() -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[10:30, 10:30] = True
    layer = np.asarray(
        Image.open(
            io.BytesIO(
                draw_marks(
                    [
                        Mask(values=mask, label="lung"),
                        Line(points=((40, 5), (50, 5), (50, 15)), label="line", closed=False),
                        Point(at=(45, 30), label="seed"),
                        Mask(values=mask.T, label="of another size"),
                    ],
                    rows=40,
                    columns=60,
                    longest=None,
                )
            )
        )
    )
    assert layer.shape == (40, 60, 4)
    assert layer[0, 0, 3] == 0
    assert 0 < layer[20, 20, 3] < 128 < layer[10, 20, 3]
    assert layer[5, 45, 3] == 255
    assert layer[30, 45, 3] == 255


def test_a_photograph_lies_as_the_camera_says() -> None:
    picture = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    exif = Image.Exif()
    exif[0x0112] = 6  # EXIF 2.3, orientation 6: rotate 90 degrees clockwise to show
    out = io.BytesIO()
    picture.save(out, format="PNG", exif=exif)
    assert decode_photo(out.getvalue(), file="a").values.shape == (8, 6)


def test_tiles_of_a_slide_are_its_pixels_and_a_damaged_slide_is_told(tmp_path: Path) -> None:
    folder = shared_data("path-openslide-fixtures")
    slide = DeepZoom(folder / "boxes.tiff", name="slide")
    tile = np.asarray(Image.open(io.BytesIO(slide.tile(slide.levels - 1, 0, 0))))
    whole = np.asarray(Image.open(folder / "boxes.png").convert("RGB"))
    assert slide.size == (300, 250)
    assert np.abs(tile.astype(int) - whole[:250, :255].astype(int)).mean() < 3  # JPEG
    assert slide.scale.mpp_x is None
    with pytest.raises(InvalidValueError):
        slide.tile(99, 0, 0)
    slide.close()
    with pytest.raises(InputError):
        DeepZoom(folder / "unopenable.tiff", name="slide")
    broken = DeepZoom(folder / "unreadable.svs", name="slide")
    with pytest.raises(InputError, match="this part of the slide is damaged"):
        broken.tile(broken.levels - 1, 0, 0)
    broken.close()
