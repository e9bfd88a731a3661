"""Tumour regions: GeoJSON and masks, and what is refused."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from knowledge.errors import ContractError, EpicrisisError, UnreadableError
from tests.tools.pathology.ihc.phantoms import square
from tools.pathology.ihc.region import read_region, region_of

SIZE = (200, 100)


def _of(*features: dict[str, object]) -> dict[str, object]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_a_square_of_40_pixels_is_1600_pixels() -> None:
    assert region_of(square(40, at=10), size_px=SIZE, file="r").mask.sum() == 1600


def test_no_region_is_refused_with_the_way_out() -> None:
    with pytest.raises(ContractError, match="no tumour region is given"):
        read_region(None, size_px=SIZE)


def test_holes_and_areas_that_are_not_tumour_are_left_out() -> None:
    shape: Any = square(40)
    shape["geometry"]["coordinates"].append([[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]])
    assert region_of(shape, size_px=SIZE, file="r").mask.sum() == 1500
    both = _of(square(40, name="Tumor"), square(10, name="Stroma", at=5))
    assert region_of(both, size_px=SIZE, file="r").mask.sum() == 1500


def test_several_polygons_are_one_region() -> None:
    found = region_of(_of(square(10), square(10, at=50)), size_px=SIZE, file="r")
    assert (found.mask.sum(), found.parts) == (200, 2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            _of(square(40, name="Tumor"), square(10, name="Odd", at=60)),
            "which annotation is tumour",
        ),
        (_of(square(40, name="Stroma")), "no pixel of the field"),
        (_of(square(40, name="Inflammation")), "no pixel of the field"),
        (_of(square(40, name="Carcinoma in situ")), "no pixel of the field"),
        (_of(square(40, name="Fat")), "no pixel of the field"),
        (_of(square(40, name="Glands")), "which annotation is tumour"),
        (_of(square(40, name="Glands 2")), "which annotation is tumour"),
        (_of(square(40, name="Tumor"), square(10, name="Region 2", at=60)), "which annotation"),
        (square(40, at=90), "outside of the field"),
        (square(40, at=500), "no pixel of the field"),
        (_of(square(40), square(40)), "twice"),
        ({"type": "Point", "coordinates": [1, 2]}, "no area"),
        ({"type": "FeatureCollection", "features": []}, "no polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, 9]]]}, "not closed"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, "x"], [0, 0]]]}, "finite"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [9, 0], [9, True], [0, 0]]]}, "finite"),
        ({"type": "Polygon", "coordinates": []}, "without points"),
        (None, "no polygon"),
        ([1, 2], "no polygon"),
    ],
)
def test_what_gives_no_region_is_refused(data: Any, reason: str) -> None:
    with pytest.raises(ContractError, match=reason):
        region_of(data, size_px=SIZE, file="r.geojson")


def _mask(tmp_path: Path, values: np.ndarray[Any, np.dtype[np.uint8]]) -> Path:
    buffer = BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    path = tmp_path / "mask.png"
    path.write_bytes(buffer.getvalue())
    return path


def test_a_mask_of_the_size_of_the_field_is_read(tmp_path: Path) -> None:
    values = np.zeros((100, 200), np.uint8)
    values[20:30, 40:60] = 255
    assert read_region(_mask(tmp_path, values), size_px=SIZE).mask.sum() == 200


def test_a_mask_of_another_size_or_an_empty_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="50 x 50"):
        read_region(_mask(tmp_path, np.ones((50, 50), np.uint8)), size_px=SIZE)
    with pytest.raises(ContractError, match="no pixel"):
        read_region(_mask(tmp_path, np.zeros((100, 200), np.uint8)), size_px=SIZE)


@pytest.mark.parametrize("name", ["Region 2", "ROI", "Annotation #1", "7", "Tumor", "肿瘤区域"])
def test_a_name_of_tumour_or_one_that_a_program_gives_is_a_region(name: str) -> None:
    assert region_of(_of(square(40, name=name)), size_px=SIZE, file="r").mask.sum() == 1600


def _two_values() -> np.ndarray[Any, np.dtype[np.uint8]]:
    values = np.zeros((100, 200), np.uint8)
    values[20:30, 40:60] = 255
    return values


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_a_mask_may_be_stored_in_any_way(tmp_path: Path, mode: str) -> None:
    values = _two_values()
    wide = Image.fromarray(values.astype(np.uint16))
    picture = wide if mode == "I;16" else Image.fromarray(values).convert(mode)
    path = tmp_path / "mask.png"
    picture.save(path)
    assert read_region(path, size_px=SIZE).mask.sum() == 200


def test_a_picture_of_the_field_is_no_region(tmp_path: Path) -> None:
    seen = np.random.default_rng(7).integers(0, 256, (100, 200, 3), dtype=np.uint8)
    grey = seen[..., 0]
    labels = _two_values()
    labels[50:60, 40:60] = 2
    soft = _two_values()
    soft[19, 40:60] = 127
    for values in (seen, grey, labels, soft):
        with pytest.raises(ContractError, match="more than two values"):
            read_region(_mask(tmp_path, values), size_px=SIZE)
    with pytest.raises(ContractError, match="set everywhere"):
        read_region(_mask(tmp_path, np.full((100, 200), 255, np.uint8)), size_px=SIZE)


@pytest.mark.parametrize("content", [b"", b"{", b"[1,", b"\x89PNG", b"hello"])
def test_broken_files_are_typed_errors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.geojson"
    path.write_bytes(content)
    with pytest.raises((UnreadableError, ContractError)):
        read_region(path, size_px=SIZE)


def test_a_file_that_is_not_there_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(EpicrisisError, match="cannot be opened"):
        read_region(tmp_path / "none.geojson", size_px=SIZE)


def test_geojson_round_trips_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "r.geojson"
    path.write_text(json.dumps(square(30)))
    assert read_region(path, size_px=SIZE).mask.sum() == 900
