"""Real files to samples: what the file says, what it does not, and what is refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from knowledge.errors import ContractError, InputError, InvalidValueError, UnsupportedError
from tests.data_folder import shared_data
from tests.tools.models.builders import classifier, image_input
from tools.models.loaded import load_model
from tools.models.reading import Stated, content_sample, picture_sample, read_sample, with_stated
from tools.models.run import ask, ask_or_say_why


def misc(name: str) -> Path:
    return shared_data("dicom-misc") / name


def test_the_label_of_a_film_says_which_way_round_it_is(tmp_path: Path) -> None:
    # dicom-misc holds a CR film and a copy of the same pixels that is labelled MONOCHROME1.
    plain = read_sample(
        misc("1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm"), "image2d"
    )
    twin = read_sample(misc("Fake_MONOHR1.dcm"), "image2d")
    assert (plain.photometric, twin.photometric) == ("MONOCHROME2", "MONOCHROME1")
    model = load_model(classifier(tmp_path, inputs=[image_input(age_years=None)]))
    first, second = (ask(model, one).result for one in (plain, twin))
    assert (plain.pixels == twin.pixels).all()
    # Inverted the mean is 1 - mean, the logit the same with the other sign.
    assert first.scores[0].score == pytest.approx(1 - second.scores[0].score, abs=1e-5)
    assert second.preparation[0].name == "invert"
    assert first.inputs[0].sop_instance_uid
    assert plain.spacing_mm == pytest.approx((0.168, 0.168))


def test_an_age_that_is_not_written_as_dicom_does_is_not_known() -> None:
    # That film says "62" where DICOM writes 062Y: it could be months.
    found = read_sample(misc("Fake_MONOHR1.dcm"), "image2d")
    assert found.age_years is None


@pytest.mark.parametrize("magic", [b"II*\0", b"MM\0*", b"II+\0\x08\0", b"MM\0+\0\x08"])
def test_a_slide_is_no_damaged_picture(magic: bytes) -> None:
    # TIFF 6.0, section 2, and BigTIFF: what a scanned slide begins with.
    with pytest.raises(UnsupportedError, match=r"TIFF, as whole slides are.*epicrisis slide tiles"):
        content_sample(magic + bytes(200), file="slide.svs", kind="tile")


def test_a_spacing_of_zero_is_refused_where_spacing_matters(tmp_path: Path) -> None:
    described = image_input(age_years=None, spacing_mm=[0.2, 0.2], spacing_tolerance=1.0)
    model = load_model(classifier(tmp_path, inputs=[described]))
    found = ask_or_say_why(model, read_sample(misc("RG1_J2KI.dcm"), "image2d")).result
    assert [reason.field for reason in found.reasons] == ["spacing_mm"]
    assert "0 x 0" in found.reasons[0].reason


def test_an_ap_film_and_a_ct_of_an_infant_are_out_of_spec_for_an_adult_film_model(
    tmp_path: Path,
) -> None:
    model = load_model(classifier(tmp_path))
    fields = {
        name: {reason.field for reason in ask_or_say_why(model, sample).result.reasons}
        for name in ("RG3_J2KR.dcm", "ct_image.dcm")
        if (sample := read_sample(misc(name), "image2d"))
    }
    assert fields["RG3_J2KR.dcm"] == {"views"}  # AP
    assert {"modality", "age_years"} <= fields["ct_image.dcm"]  # 0 years


def test_what_cannot_be_decoded_is_a_typed_error() -> None:
    name = "CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm"
    with pytest.raises(UnsupportedError, match="no decoder"):
        read_sample(misc(name), "image2d")


def test_every_file_of_the_folder_is_read_or_refused_by_name() -> None:
    folder = shared_data("dicom-misc")
    read = 0
    for path in sorted(folder.iterdir()):
        if not path.is_file():
            continue
        try:
            sample = read_sample(path, "image2d")
        except InputError:
            continue
        read += 1
        assert sample.pixels.ndim in (2, 3)
        assert len(sample.sources[0].sha256) == 64
    assert read >= 20


def test_the_dog_is_no_patient() -> None:
    names = [p for p in shared_data("dicom-misc").rglob("*") if p.is_file()]
    said = []
    for path in names:
        try:
            read_sample(path, "image2d")
        except ContractError as error:
            said.append(error.reason)
        except InputError:
            continue
    assert any("not of a human" in reason for reason in said)


def test_a_ct_series_is_a_volume_with_its_directions() -> None:
    series = "ct-totalseg-ref/tests/reference_files/example_ct_dicom"
    sample = read_sample(shared_data(series), "volume3d")
    assert sample.pixels.ndim == 3
    assert sample.modality == "CT"
    assert sample.spacing_mm is not None
    assert sample.orientation[2] == "S"  # slices from feet to head
    assert len(sample.sources) == sample.pixels.shape[0]
    assert len({source.sha256 for source in sample.sources}) == len(sample.sources)


def png(pixels: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_a_picture_without_a_header_needs_its_facts_stated(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:8] = 255
    sample = picture_sample(png(pixels), file="film.png", kind="image2d")
    model = load_model(classifier(tmp_path))
    fields = [reason.field for reason in ask_or_say_why(model, sample).result.reasons]
    assert fields == ["modality", "views", "age_years"]
    told = with_stated(sample, Stated(modality="dx", view="pa", age_years=40))
    found = ask(model, told).result
    assert set(found.stated) == {"modality", "view", "age_years"}
    assert found.scores[0].score == pytest.approx(0.5)


def test_what_a_file_says_is_not_overruled() -> None:
    sample = read_sample(misc("Fake_MONOHR1.dcm"), "image2d")
    with pytest.raises(InvalidValueError, match="view: the file says something else"):
        with_stated(sample, Stated(view="LL"))
    assert with_stated(sample, Stated(view="pa")).stated == ()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\x00" * 200])
def test_a_damaged_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError):
        read_sample(tmp_path / "x.png", "image2d")


def test_sixteen_bits_of_grey_are_kept() -> None:
    pixels = np.array([[0, 65535], [1000, 2]], np.uint16)
    sample = picture_sample(png(pixels), file="deep.png", kind="image2d")
    assert sample.value_range == (0.0, 65535.0)
    assert (sample.pixels == pixels).all()
