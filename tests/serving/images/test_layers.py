"""What is drawn over an image: outlines and structures, each with its reason or its note."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from serving.services import Services
from tests.data_folder import shared_data
from tests.serving.access.made import Clock, browsing, services
from tests.serving.images.test_images import first_image, opened
from tests.tools.imaging.ct.phantoms import series
from tests.tools.imaging.view.made import CR, image
from tools.dicom_out.maker import Maker
from tools.dicom_out.sources import read_sources
from tools.imaging.contours.model import Structure
from tools.imaging.contours.seg_out import seg
from tools.imaging.ct.volume import read_files

MAKER = Maker(method="contours", method_version="1", at=datetime(2026, 1, 11, 9, 0, tzinfo=UTC))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    found = services(tmp_path_factory.mktemp("layers"), Clock())
    yield found
    found.images.close()
    found.database.close()


@pytest.fixture(scope="module")
def client(made: Services) -> Iterator[TestClient]:
    with browsing(made) as browser:
        yield browser


def rgba(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def test_a_segmentation_in_the_case_lies_on_its_own_slices(
    made: Services, client: TestClient
) -> None:
    hu = np.random.default_rng(1).normal(40, 20, (6, 24, 30)).astype(np.float32)
    files = series(hu, (3.0, 0.8, 0.7))
    volume, sources = read_files(files), read_sources(files)
    mask = np.zeros(hu.shape, dtype=np.bool_)
    mask[2, 7:13, 9:15] = True
    structure = Structure(number=1, name="aorta", mask=mask, origin="MANUAL")
    content = seg([structure], volume, sources, MAKER)
    case = opened(made, *files.items(), ("seg.dcm", content))
    page = client.get(f"/cases/{case}/images/{first_image(client, case)}").text
    assert 'data-layer="lungs"' in page
    key = page.rsplit('data-layer="', 1)[1].split('"', 1)[0]
    base = f"/cases/{case}/images"
    ids = {file.name: file.sha256[:16] for file in made.cases.files(case)}
    legend = client.get(f"{base}/{ids['002.dcm']}/layers/{key}").json()
    assert [one["label"] for one in legend["labels"]] == ["aorta"]
    assert "outlined: manual" in legend["notes"]
    marked = rgba(client.get(f"{base}/{ids['002.dcm']}/frames/0/marks/{key}").content)
    assert marked.shape == (24, 30, 4)
    assert (marked[..., 3] > 0).tolist() == mask[2].tolist()
    bare = rgba(client.get(f"{base}/{ids['003.dcm']}/frames/0/marks/{key}").content)
    assert not bare[..., 3].any()
    assert client.get(f"{base}/{ids['002.dcm']}/layers/other").status_code == 404


def test_structures_that_do_not_belong_are_told_with_the_reason(
    made: Services, client: TestClient
) -> None:
    hu = np.random.default_rng(2).normal(40, 20, (6, 24, 30)).astype(np.float32)
    files = series(hu, (3.0, 0.8, 0.7))
    elsewhere = series(hu, (3.0, 0.8, 0.7), FrameOfReferenceUID="9.9.9", SeriesInstanceUID="9.9.8")
    mask = np.ones(hu.shape, dtype=np.bool_)
    structure = Structure(number=1, name="aorta", mask=mask, origin="MANUAL")
    content = seg([structure], read_files(elsewhere), read_sources(elsewhere), MAKER)
    case = opened(made, *files.items(), ("seg.dcm", content))
    name = first_image(client, case)
    page = client.get(f"/cases/{case}/images/{name}").text
    key = page.split('data-layer="', 1)[1].split('"', 1)[0]
    for path in (f"layers/{key}", f"frames/0/marks/{key}"):
        answer = client.get(f"/cases/{case}/images/{name}/{path}")
        assert answer.status_code == 422
        assert answer.json()["reason"]


def chest(film: str, **more: Any) -> bytes:
    path = shared_data("cxr-nih") / "images" / film
    values = np.asarray(Image.open(path).convert("L")).astype(np.int16)
    stated = {"ViewPosition": "PA", "BodyPartExamined": "CHEST", "PatientAge": "051Y"}
    return image(values, sop_class=CR, Modality="CR", **{**stated, **more})


def test_the_film_layer_is_the_measured_outline_or_the_reason(
    made: Services, client: TestClient
) -> None:
    case = opened(made, ("film.dcm", chest("00003689_010.png")))
    name = first_image(client, case)
    legend = client.get(f"/cases/{case}/images/{name}/layers/film")
    marks = client.get(f"/cases/{case}/images/{name}/frames/0/marks/film")
    assert legend.status_code == marks.status_code
    if legend.status_code == 200:
        assert "approximate: review the overlay" in legend.json()["notes"]
        assert (rgba(marks.content)[..., 3] > 0).mean() < 0.2
    else:
        assert legend.json()["reason"]


def test_a_lateral_film_has_no_outline_but_a_reason(made: Services, client: TestClient) -> None:
    case = opened(made, ("film.dcm", chest("00003689_010.png", ViewPosition="LL")))
    answer = client.get(f"/cases/{case}/images/{first_image(client, case)}/layers/film")
    assert answer.status_code == 422
    assert "lateral" in answer.json()["reason"].lower()
