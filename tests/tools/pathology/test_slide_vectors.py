"""Vectors of tiles: right, durable, resumed, and what a multiple-instance model makes of them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import ContractError, MissingExtraError, UnreadableError
from serving.slide_text import heat_lines
from tests.tools.pathology.slide_files import Blob, drawn, pyramid, write_svs
from tests.tools.pathology.slide_models import SIDE, mean_colour, reddest
from tools.models.loaded import LoadedModel, load_model
from tools.pathology.slide import machines
from tools.pathology.slide.embed import (
    PART,
    Desk,
    Embedded,
    embed_slide,
    one_by_one,
    slide_sha256,
    tiles_for,
)
from tools.pathology.slide.heat import heat_of
from tools.pathology.slide.machines import Task, part_of, runner_for
from tools.pathology.slide.model import Slide
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.part_store import Part
from tools.pathology.slide.tiles import TilePlan, plan_tiles, read_tiles
from tools.pathology.slide.tissue import tissue_map

PICTURE = drawn((1024, 1536), [Blob(512, 700, 400, 600)])


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    return load_model(mean_colour(tmp_path / "embedder"))


@pytest.fixture
def slide(tmp_path: Path) -> Iterator[Slide]:
    with open_slide(write_svs(tmp_path / "made.svs", pyramid(PICTURE))) as opened:
        yield opened


@pytest.fixture
def plan(slide: Slide) -> TilePlan:
    return plan_tiles(slide, tissue_map(slide), tile_px=SIDE, mpp_um=0.5)


def test_a_vector_is_what_the_model_says_of_the_tile(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    """The model's vector is the mean colour, which numpy computes of the same pixels."""
    found = embed_slide(slide, plan, model, tmp_path / "kept")
    assert found.report.finished
    assert found.report.vectors == len(plan.places) > 2 * PART
    for tile in read_tiles(slide, plan, range(0, len(plan.places), 37)):
        expected = tile.pixels.mean(axis=(0, 1)) / 255
        assert found.part.vectors[tile.number] == pytest.approx(expected, abs=1e-4)
    content = slide.files[0].read_bytes()
    assert found.report.sha256 == hashlib.sha256(content).hexdigest()
    assert tiles_for(model) == (SIDE, 0.5)


def test_a_stopped_run_keeps_its_parts_and_goes_on(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    first = embed_slide(
        slide, plan, model, tmp_path / "kept",
        progress=lambda done, of: told.append((done, of)), cancelled=lambda: len(told) == 2,
    )  # fmt: skip
    assert told == [(PART, len(plan.places)), (2 * PART, len(plan.places))]
    assert not first.report.finished
    assert first.bag is None
    asked: list[int] = []

    def counted(desk: Desk, numbers: Sequence[int]) -> Iterator[tuple[int, Part]]:
        asked.extend(numbers)
        yield from one_by_one(desk, numbers)

    second = embed_slide(slide, plan, model, tmp_path / "kept", run=counted)
    assert asked[0] == 2
    assert second.report.resumed == 2 * PART
    assert second.report.finished
    at_once = embed_slide(slide, plan, model, tmp_path / "other")
    assert np.array_equal(second.part.vectors, at_once.part.vectors)
    assert np.array_equal(second.part.numbers, at_once.part.numbers)
    again = embed_slide(slide, plan, model, tmp_path / "kept", run=counted)
    assert again.report.resumed == len(plan.places)


def test_a_damaged_part_is_made_again(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    first = embed_slide(slide, plan, model, tmp_path / "kept")
    part = Path(first.report.folder) / "part-000001.npz"
    content = bytearray(part.read_bytes())
    content[200] ^= 255
    part.write_bytes(content)
    second = embed_slide(slide, plan, model, tmp_path / "kept")
    assert second.report.resumed == len(plan.places) - PART
    assert np.array_equal(first.part.vectors, second.part.vectors)


def test_a_process_killed_while_writing_leaves_no_part(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    first = embed_slide(slide, plan, model, tmp_path / "kept", cancelled=lambda: True)
    folder = Path(first.report.folder)
    (folder / ".part-000001.npz.123").write_bytes(b"half a part")
    assert not embed_slide(
        slide, plan, model, tmp_path / "kept", cancelled=lambda: True
    ).report.finished
    assert embed_slide(slide, plan, model, tmp_path / "kept").report.finished


def test_another_slide_model_plan_or_normalisation_has_vectors_of_its_own(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    root = tmp_path / "kept"
    keys = {embed_slide(slide, plan, model, root).report.key}
    keys.add(embed_slide(slide, plan, model, root, normalise=True).report.key)
    fewer = plan_tiles(slide, tissue_map(slide), tile_px=SIDE, mpp_um=0.5, most=10)
    keys.add(embed_slide(slide, fewer, model, root).report.key)
    (tmp_path / "other").mkdir()
    other = write_svs(tmp_path / "other" / "made.svs", pyramid(PICTURE[:, ::-1]))
    with open_slide(other) as turned:
        same_place = embed_slide(turned, plan, model, root).report
        keys.add(same_place.key)
    assert len(keys) == 4


def test_blank_and_marked_tiles_have_no_vector(
    slide: Slide, model: LoadedModel, tmp_path: Path
) -> None:
    picture = PICTURE.copy()
    picture[:128, :128] = (205, 30, 45)
    places = ((0, 0), (0, 1), (0, 20), (8, 10))  # pen, pen, glass, tissue
    with open_slide(write_svs(tmp_path / "marked.svs", pyramid(picture))) as marked:
        plan = plan_tiles(slide, tissue_map(slide), tile_px=SIDE, mpp_um=0.5)
        by_hand = plan.model_copy(update={"places": places, "kept_from": 4})
        found = embed_slide(marked, by_hand, model, tmp_path / "kept")
    assert found.report.left_out_pen == 2
    assert found.report.left_out_blank == 1
    assert found.part.numbers.tolist() == [3]


def test_a_slide_of_another_scale_is_refused_by_the_model(
    tmp_path: Path, model: LoadedModel
) -> None:
    with open_slide(write_svs(tmp_path / "no.svs", pyramid(PICTURE), mpp=None)) as without:
        plan = plan_tiles(without, tissue_map(without), tile_px=SIDE)
        with pytest.raises(ContractError, match="spacing_mm: not known"):
            embed_slide(without, plan, model, tmp_path / "kept")


def test_a_slide_that_breaks_on_the_way_keeps_what_was_done(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    def breaks(desk: Desk, numbers: Sequence[int]) -> Iterator[tuple[int, Part]]:
        yield numbers[0], desk.part(numbers[0])
        raise UnreadableError("made.svs", "pixels cannot be decoded", "")

    with pytest.raises(UnreadableError):
        embed_slide(slide, plan, model, tmp_path / "kept", run=breaks)
    assert embed_slide(slide, plan, model, tmp_path / "kept").report.resumed == PART


def _embedded(slide: Slide, plan: TilePlan, model: LoadedModel, folder: Path) -> Embedded:
    return embed_slide(slide, plan, model, folder / "kept")


def test_a_heat_map_ranks_the_tiles_by_the_weights_of_the_model(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    asked = load_model(reddest(tmp_path / "mil", tmp_path / "embedder"))
    found = _embedded(slide, plan, model, tmp_path)
    heat = heat_of(asked, found)
    vectors = found.part.vectors
    assert heat.report.result.scores[0].score == pytest.approx(
        float(vectors[:, 0].mean()), abs=1e-4
    )
    weights = vectors[:, 0] - vectors[:, 1]
    best = plan.places[int(np.argmax(weights))]
    assert (heat.report.top[0].y, heat.report.top[0].x) == (best[0] * SIDE, best[1] * SIDE)
    assert heat.report.top[0].weight == pytest.approx(float(weights.max()), abs=1e-4)
    assert heat.ranks is not None
    assert np.isfinite(heat.ranks).sum() == len(plan.places)
    assert heat.ranks[best] == np.nanmax(heat.ranks)
    assert "No probability" in heat.report.means


def test_a_model_without_weights_gives_a_score_and_no_map(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    asked = load_model(reddest(tmp_path / "mil", tmp_path / "embedder", attention=False))
    heat = heat_of(asked, _embedded(slide, plan, model, tmp_path))
    assert heat.ranks is None
    assert "gives no weights" in heat.report.not_assessed["map"].detail
    assert heat.report.result.scores


def test_what_an_answer_rests_on_is_said_beside_it(
    plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    """Ten tiles of a slide without a pixel size, which a person stated, with stains normalised."""
    asked = load_model(reddest(tmp_path / "mil", tmp_path / "embedder"))
    path = write_svs(tmp_path / "bare.svs", pyramid(PICTURE), mpp=None, objective=None)
    with open_slide(path, mpp_um=0.5) as bare:
        ten = plan_tiles(bare, tissue_map(bare), tile_px=SIDE, mpp_um=0.5, most=10)
        found = embed_slide(bare, ten, model, tmp_path / "kept", normalise=True)
    heat = heat_of(asked, found).report
    assert heat.result.members == 10
    assert heat.vectors.left_out_cap == len(plan.places) - 10
    assert heat.result.stated == ("spacing_mm",)
    left, stains = heat.result.notes
    assert f"{len(plan.places) - 10} by the cap" in left
    assert "normalised" in stains
    text = "\n".join(heat_lines("bare.svs", heat))
    for told in (left.rpartition(": ")[2], "0.5 um a pixel", "stated by a person", "macenko"):
        assert told in text


def test_weights_that_do_not_differ_name_no_tile(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    asked = load_model(reddest(tmp_path / "mil", tmp_path / "embedder"))
    found = _embedded(slide, plan, model, tmp_path)
    one = found.part.vectors[:1]
    assert found.bag is not None
    same = replace(found, bag=replace(found.bag, pixels=np.repeat(one, len(plan.places), axis=0)))
    heat = heat_of(asked, same)
    assert heat.ranks is None
    assert heat.report.top == ()
    assert "same weight" in heat.report.not_assessed["map"].detail


def test_unfinished_vectors_and_those_of_another_model_are_refused(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    asked = load_model(reddest(tmp_path / "mil", tmp_path / "embedder"))
    half = embed_slide(slide, plan, model, tmp_path / "half", cancelled=lambda: True)
    with pytest.raises(ContractError, match="unfinished"):
        heat_of(asked, half)
    other = load_model(mean_colour(tmp_path / "wider", mpp_um=None))
    found = embed_slide(slide, plan, other, tmp_path / "kept")
    assert heat_of(asked, found).report.result.members  # the same graph makes the same vectors
    strange = load_model(mean_colour(tmp_path / "larger", side=32, mpp_um=None))
    small = plan_tiles(slide, tissue_map(slide), tile_px=32)
    with pytest.raises(ContractError, match="embedding_of"):
        heat_of(asked, embed_slide(slide, small, strange, tmp_path / "kept"))


def test_a_named_cluster_without_ray_is_an_error_and_never_quietly_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "ray_installed", lambda: False)
    assert runner_for(None, path=tmp_path, model=tmp_path, mpp_um=None) is one_by_one
    with pytest.raises(MissingExtraError, match="ray"):
        runner_for("auto", path=tmp_path, model=tmp_path, mpp_um=None)


def test_a_worker_makes_the_same_part_and_refuses_another_slide(
    slide: Slide, plan: TilePlan, model: LoadedModel, tmp_path: Path
) -> None:
    """What runs on the machines of a cluster, run here."""
    found = embed_slide(slide, plan, model, tmp_path / "kept")
    task = Task(
        slide=str(slide.files[0]), reader="openslide", mpp_um=None,
        model=str(tmp_path / "embedder"), plan=plan,
        source={"file": "made.svs", "sha256": slide_sha256(slide)},  # type: ignore[arg-type]
        stains=None, onnx_sha256=model.contract.onnx_sha256,
    )  # fmt: skip
    part = part_of(task.model_dump_json(), 1)
    assert np.array_equal(part.vectors, found.part.vectors[PART : 2 * PART])
    wrong = task.model_copy(update={"onnx_sha256": "0" * 64})
    with pytest.raises(ContractError, match="another slide or model"):
        part_of(wrong.model_dump_json(), 1)
    refused = machines.part_or_refusal(wrong.model_dump_json(), 1)
    assert isinstance(refused, machines.Refused)
    assert (refused.kind, refused.item) == ("ContractError", "worker")
