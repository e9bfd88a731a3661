"""Boxes, masks, vectors and bags come back on the pixels of the file, worked out by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from knowledge.errors import ContractError
from tests.tools.models.builders import (
    contract,
    f32,
    film,
    graph,
    image_input,
    output,
    write_model,
)
from tools.models.loaded import LoadedModel, load_model
from tools.models.run import aggregate, ask, ask_about_tiles, bag_of
from tools.models.sample import Sample
from tools.models.sliding import blend, starts

BOXES = {"corners": "xyxy", "unit": "pixel", "keep_above": 0.3, "overlap": 0.5, "most": 10}


def detector(folder: Path, boxes: list[list[float]], scores: list[float], **changes: Any) -> Any:
    """A model that finds the same boxes on every picture of 8 x 8."""
    fixed = f32(boxes)
    made = graph(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[0, 1, 2, 3], keepdims=0),
            helper.make_node("Mul", ["m", "zero"], ["z"]),
            helper.make_node("Add", ["fixed", "z"], ["boxes"]),
            helper.make_node("Add", ["shares", "z"], ["y"]),
        ],
        input_shape=[1, 1, 8, 8],
        outputs={"boxes": [len(boxes), 4], "y": [len(boxes)]},
        constants={
            "zero": f32(0),
            "fixed": fixed,
            "shares": f32(scores),
        },
    )
    described = contract(
        made,
        task="detection",
        outputs=[
            output("boxes", name="boxes", boxes={**BOXES, **changes.pop("rule", {})}),
            output("box_scores", labels=("nodule",)),
        ],
        golden=[
            {
                "inputs": {"x": "golden/in.npy"},
                "outputs": {"y": "golden/out.npy", "boxes": "golden/boxes.npy"},
                "atol": 0.0001,
                "rtol": 0.0,
            }
        ],
        **changes,
    )
    expected = {"y": f32(scores), "boxes": fixed}
    ones = np.ones((1, 1, 8, 8), np.float32)
    return load_model(write_model(folder, made, described, ones, expected))


def test_boxes_are_on_the_pixels_of_the_file_strongest_first(tmp_path: Path) -> None:
    # x 1..3, y 2..6 on 8 x 8 is x 2..6, y 4..12 on 16 x 16; the second is weaker and overlaps it
    # by 6/10; the third is below keep_above; the fourth stands alone.
    model = detector(
        tmp_path,
        [[1, 2, 3, 6], [1, 3, 3, 6], [5, 0, 7, 2], [6, 6, 8, 8]],
        [0.9, 0.8, 0.2, 0.4],
    )
    found = ask(model, film(spacing_mm=(0.5, 0.5))).result
    assert [box.score for box in found.boxes] == [pytest.approx(0.9), pytest.approx(0.4)]
    assert found.boxes[0].corners == pytest.approx((4, 2, 12, 6))
    assert found.boxes[0].size_mm == pytest.approx((4, 2))
    assert found.boxes[1].corners == pytest.approx((12, 12, 16, 16))


def test_boxes_of_a_padded_picture_end_where_the_file_ends(tmp_path: Path) -> None:
    # 16 x 8 pixels padded to 8 x 8: scaled by a half to 8 x 4, two columns empty on each side.
    pixels = np.zeros((16, 8))
    pixels[:, :4] = 255
    model = detector(tmp_path, [[0, 0, 8, 8]], [0.9], inputs=[image_input(fit={"kind": "pad"})])
    (box,) = ask(model, film(pixels=pixels)).result.boxes
    assert box.corners == pytest.approx((0, 0, 16, 8))


def test_centre_and_size_as_shares_are_the_same_box(tmp_path: Path) -> None:
    rule = {"corners": "cxcywh", "unit": "share"}
    model = detector(tmp_path, [[0.25, 0.5, 0.25, 0.5]], [0.9], rule=rule)
    assert ask(model, film()).result.boxes[0].corners == pytest.approx((4, 2, 12, 6))


def segmenter(folder: Path, *, spatial: int = 2, size: int = 8, **changes: Any) -> LoadedModel:
    """A model whose only label is where the value is above a half: logit (x - 0.5) x 20."""
    side = [size] * spatial
    made = graph(
        [
            helper.make_node("Sub", ["x", "half"], ["c"]),
            helper.make_node("Mul", ["c", "twenty"], ["y"]),
        ],
        input_shape=[1, 1, *side],
        outputs={"y": [1, 1, *side]},
        constants={"half": f32(0.5), "twenty": f32(20)},
    )
    described = contract(
        made,
        task="segmentation",
        inputs=[changes.pop("input", image_input(size))],
        outputs=[
            output(
                "mask",
                labels=("bright",),
                thresholds=[{"label": "bright", "value": 0.5, "basis": "test"}],
            )
        ],
        **changes,
    )
    ones = np.ones((1, 1, *side), np.float32)
    return load_model(write_model(folder, made, described, ones, {"y": ones * 10}))


@pytest.mark.parametrize("fit", ["slide", "stretch"])
def test_a_mask_lies_on_the_pixels_of_the_file(tmp_path: Path, fit: str) -> None:
    pixels = np.zeros((24, 24))
    pixels[3:9, 6:18] = 255  # edges on whole pixels of 8 x 8 too
    described = image_input(fit={"kind": fit})
    found = ask(segmenter(tmp_path, input=described), film(pixels=pixels, spacing_mm=(2.0, 3.0)))
    assert found.masks is not None
    assert (found.masks[0] == (pixels > 0)).all()
    (part,) = found.result.mask
    assert part.pixels == 72
    assert part.area_mm2 == pytest.approx(72 * 6)
    assert part.volume_ml is None


def volume_input(size: int, **changes: Any) -> dict[str, Any]:
    return image_input(
        kind="volume3d",
        modality=["CT"],
        views=None,
        axes="NCDHW",
        shape=[1, 1, size, size, size],
        spacing_mm=[2.0, 1.0, 1.0],
        spacing_tolerance=1.0,
        resample=True,
        orientation="LPS",
        window={"kind": "fixed", "centre": 0, "width": 1000},
        normalise={"kind": "none"},
        fit={"kind": "slide", "overlap": 0.5},
        **changes,
    )


def scan(pixels: Any, **changes: Any) -> Sample:
    return film(
        pixels=pixels, kind="volume3d", modality="CT", spacing_mm=(2.0, 1.0, 1.0),
        orientation="LPS", **changes,
    )  # fmt: skip


def test_a_volume_is_looked_at_piece_by_piece_and_its_volume_comes_out(tmp_path: Path) -> None:
    model = segmenter(tmp_path, spatial=3, input=volume_input(8))
    pixels = np.full((12, 20, 22), -500.0)
    pixels[2:7, 5:15, 4:16] = 400.0  # 5 x 10 x 12 voxels of 2 mm3
    calls: list[tuple[int, int]] = []
    found = ask(model, scan(pixels), progress=lambda done, all_: calls.append((done, all_)))
    assert found.masks is not None
    assert (found.masks[0] == (pixels > 0)).all()
    assert found.result.mask[0].volume_ml == pytest.approx(5 * 10 * 12 * 2 / 1000)
    assert calls[-1] == (2 * 4 * 5, 2 * 4 * 5)


def test_a_turned_volume_gives_the_same_mask_on_its_own_voxels(tmp_path: Path) -> None:
    model = segmenter(tmp_path, spatial=3, input=volume_input(8))
    pixels = np.full((12, 20, 22), -500.0)
    pixels[2:7, 5:15, 4:10] = 400.0
    turned = np.flip(pixels, (1, 2))  # columns to the right, rows to the front: RAS
    found = ask(
        model,
        replace(scan(turned), orientation="RAS"),
    )
    assert found.masks is not None
    assert (found.masks[0] == (turned > 0)).all()
    assert found.result.preparation[0].detail == "RAS to LPS"


def test_a_volume_with_exchanged_axes_keeps_its_spacing(tmp_path: Path) -> None:
    model = segmenter(tmp_path, spatial=3, input=volume_input(8))
    pixels = np.full((12, 20, 22), -500.0)
    pixels[2:7, 5:15, 4:10] = 400.0
    sagittal = pixels.transpose(2, 0, 1)  # slices to the left, rows to the head, columns back
    given = scan(sagittal)
    given = replace(given, orientation="PSL", spacing_mm=(1.0, 2.0, 1.0))
    found = ask(model, given)
    assert found.masks is not None
    assert (found.masks[0] == (sagittal > 0)).all()


def test_a_resampled_volume_has_about_its_volume(tmp_path: Path) -> None:
    model = segmenter(tmp_path, spatial=3, input=volume_input(8))
    z, y, x = np.mgrid[:24, :24, :24]
    ball = (z - 12) ** 2 + (y - 12) ** 2 + (x - 12) ** 2 <= 81
    given = scan(np.where(ball, 500.0, -500.0))
    given = replace(given, spacing_mm=(1.5, 1.5, 1.5))
    found = ask(model, given).result
    # A sphere of 13.5 mm: 4/3 pi r3 = 10.3 mL.
    assert found.mask[0].volume_ml == pytest.approx(10.306, rel=0.05)


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    made = graph(
        [helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])],
        input_shape=[1, 1, 8, 8],
        outputs={"y": [1, 1, 4, 4]},
    )
    described = contract(
        made,
        task="segmentation",
        outputs=[
            output("mask", labels=("a",), thresholds=[{"label": "a", "value": 0.5, "basis": "t"}])
        ],
    )
    ones = np.ones((1, 1, 8, 8), np.float32)
    folder = write_model(tmp_path, made, described, ones, {"y": ones[:, :, :4, :4]})
    with pytest.raises(ContractError, match="shape"):
        ask(load_model(folder), film())


def test_pieces_that_agree_blend_to_what_they_see() -> None:
    picture = np.random.default_rng(7).random((37, 50, 1))
    seen = blend(picture, (16, 16), 0.5, lambda p: p.transpose(2, 0, 1), labels=1)
    np.testing.assert_allclose(seen[0], picture[..., 0], atol=1e-6)


@pytest.mark.parametrize(("length", "piece", "overlap"), [(5, 8, 0.5), (8, 8, 0.9), (1001, 8, 0)])
def test_pieces_cover_everything_and_end_with_the_picture(
    length: int, piece: int, overlap: float
) -> None:
    found = starts(length, piece, overlap)
    covered = {i for s in found for i in range(s, s + piece)}
    assert set(range(length)) <= covered
    assert found[-1] == max(0, length - piece)


def tile(value: float) -> Sample:
    pixels = np.zeros((8, 8, 3))
    pixels[:4] = value
    return film(pixels=pixels, kind="tile", modality="SM", photometric="RGB", view="")


def tile_input(**changes: Any) -> dict[str, Any]:
    return image_input(
        kind="tile", modality=["SM"], views=None, shape=[1, 3, 8, 8], photometric="RGB", **changes
    )


def tile_model(folder: Path, kind: str, **changes: Any) -> LoadedModel:
    """The means of the three colours, as a vector or (their first) as a share."""
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)]
    made = graph(nodes, input_shape=[1, 3, 8, 8], outputs={"y": [1, 3]})
    labels = ("red", "green", "blue")
    described = contract(
        made,
        inputs=[tile_input()],
        outputs=[output(kind, labels=labels, activation="none", **changes)],
        task="embedding" if kind == "embedding" else "multi-label",
    )
    ones = np.ones((1, 3, 8, 8), np.float32)
    return load_model(
        write_model(folder, made, described, ones, {"y": np.ones((1, 3), np.float32)})
    )


def test_an_embedding_is_the_vector_of_the_graph(tmp_path: Path) -> None:
    found = ask(tile_model(tmp_path, "embedding"), tile(255.0)).result
    assert found.embedding == pytest.approx((0.5, 0.5, 0.5))


def test_a_grey_film_for_a_model_of_colours_has_each_channel_normalised(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)]
    made = graph(nodes, input_shape=[1, 3, 8, 8], outputs={"y": [1, 3]})
    rule = {"kind": "mean-std", "divide": 255, "mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 4.0]}
    described = contract(
        made,
        task="embedding",
        inputs=[image_input(shape=[1, 3, 8, 8], normalise=rule)],
        outputs=[output("embedding")],
    )
    ones = np.ones((1, 3, 8, 8), np.float32)
    model = load_model(write_model(tmp_path, made, described, ones, {"y": f32([[1, 1, 1]])}))
    found = ask(model, film()).result
    # The mean of the film is half of 255: (0.5 - 0.1) / 1, (0.5 - 0.2) / 2, (0.5 - 0.3) / 4.
    assert found.embedding == pytest.approx((0.4, 0.15, 0.05), abs=1e-6)
    assert "one repeated to 3" in [step.detail for step in found.preparation]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"aggregate": "mean"}, (0.5 + 0.3 + 0.1) / 3),
        ({"aggregate": "max"}, 0.5),
        ({"aggregate": "top-mean", "aggregate_share": 0.67}, (0.5 + 0.3) / 2),
    ],
)
def test_tiles_become_one_answer_as_described(
    tmp_path: Path, changes: dict[str, Any], expected: float
) -> None:
    model = tile_model(tmp_path, "scores", **changes)
    found = ask_about_tiles(model, [tile(255.0), tile(51.0), tile(153.0)]).result
    assert found.members == 3
    assert found.scores[0].score == pytest.approx(expected)


def test_no_tile_is_no_answer(tmp_path: Path) -> None:
    model = tile_model(tmp_path, "scores", aggregate="mean")
    with pytest.raises(ContractError, match="no tile"):
        ask_about_tiles(model, [])


def bag_model(folder: Path, of: LoadedModel, **changes: Any) -> LoadedModel:
    """Attention by the softmax of the first number; the share is the weighted mean of it."""
    made = graph(
        [
            helper.make_node("Slice", ["x", "zero", "one", "axis"], ["first"]),
            helper.make_node("Softmax", ["first"], ["a"], axis=0),
            helper.make_node("Mul", ["first", "a"], ["w"]),
            helper.make_node("ReduceSum", ["w", "rows"], ["y"], keepdims=1),
        ],
        input_shape=["m", 3],
        outputs={"y": [1, 1], "a": ["m", 1]},
        constants={
            "zero": np.array([0], np.int64),
            "one": np.array([1], np.int64),
            "axis": np.array([1], np.int64),
            "rows": np.array([0], np.int64),
        },
    )
    source = {
        "id": of.contract.id,
        "version": of.contract.version,
        "onnx_sha256": of.contract.onnx_sha256,
        "members_max": 100,
        **changes,
    }
    described = contract(
        made,
        id="bag-model",
        task="multiple-instance",
        inputs=[
            image_input(
                kind="bag", modality=["SM"], views=None, axes="MC", shape=[None, 3],
                photometric=None, normalise={"kind": "none"}, fit={"kind": "exact"},
                age_years=None, embedding_of=source,
            )
        ],
        outputs=[
            output(labels=("tumour",), activation="none"),
            output("attention", name="a"),
        ],
        golden=[
            {
                "inputs": {"x": "golden/in.npy"},
                "outputs": {"y": "golden/out.npy", "a": "golden/a.npy"},
                "atol": 0.0001,
                "rtol": 0.0,
            }
        ],
    )  # fmt: skip
    halves = np.full((2, 3), 0.5, np.float32)
    expected = {"y": f32([[0.5]]), "a": f32([[0.5], [0.5]])}
    return load_model(write_model(folder, made, described, halves, expected))


def test_a_bag_of_vectors_gives_one_score_and_what_it_looked_at(tmp_path: Path) -> None:
    embedder = tile_model(tmp_path / "e", "embedding")
    model = bag_model(tmp_path / "b", embedder)
    found = ask(model, bag_of(embedder, [tile(255.0), tile(0.0001), tile(255.0)])).result
    e = np.exp([0.5, 0.0, 0.5])
    assert found.attention == pytest.approx(tuple(e / e.sum()), abs=1e-5)
    assert found.scores[0].score == pytest.approx(float(e[0] / e.sum()), abs=1e-5)
    assert found.members == 3


def test_vectors_of_another_model_mean_something_else_and_are_refused(tmp_path: Path) -> None:
    embedder = tile_model(tmp_path / "e", "embedding")
    model = bag_model(tmp_path / "b", embedder, version="2.0")
    with pytest.raises(ContractError, match=r"vectors of test-model 1\.0; it takes those of"):
        ask(model, bag_of(embedder, [tile(255.0)]))
    few = bag_model(tmp_path / "f", embedder, members_max=1)
    with pytest.raises(ContractError, match="2 members; it takes up to 1"):
        ask(few, bag_of(embedder, [tile(255.0), tile(9.0)]))


def test_the_mean_of_the_top_share_takes_at_least_one(tmp_path: Path) -> None:
    described = tile_model(tmp_path, "scores", aggregate="top-mean", aggregate_share=0.01)
    scores = described.contract.output("scores")
    assert scores is not None
    assert aggregate(np.array([[0.1, 0.9, 0.2], [0.4, 0.2, 0.2]]), scores)[0] == 0.4
