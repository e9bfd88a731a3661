"""An adapter ships with its figures or not at all; the card says what was found, either way."""

from pathlib import Path

import orjson
import pytest

from knowledge.errors import InvalidValueError, UnavailableError
from serving.llm.train_router.adapter import CONFIG, WEIGHTS
from serving.llm.train_router.assemble import ADAPTER, RECIPE
from serving.llm.train_router.card import CARD, card, ship
from serving.llm.train_router.recipe import Recipe
from serving.llm.train_router.specialise import Specialisation
from serving.llm.train_router.train import REPORT, Trained
from serving.llm.train_router.tuning import Progress

DONE = Progress(step=5, steps=5, loss=0.4, tokens=1000, seconds=120.0, device="cpu")


def found(bits: float, p: float) -> Specialisation:
    return Specialisation(
        traces=40, modalities=("ecg", "risk"), bits=bits, bits_by_layer=(bits,),
        expected_bits=0.0, p=p, shares={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (found(0.01, 0.001), found(0.01, 0.4), "They do not specialise."),
        (found(0.001, 0.4), found(0.02, 0.001), "too small to mean anything"),
        (found(0.2, 0.001), found(0.1, 0.001), "no more than untrained gates do"),
        (found(0.1, 0.001), found(0.3, 0.001), "more than untrained gates do"),
        (None, None, "Not looked at."),
    ],
)
def test_whether_experts_specialise_is_said_either_way(
    before: Specialisation | None, after: Specialisation | None, words: str
) -> None:
    report = Trained(recipe=Recipe(), progress=DONE, before=before, after=after)
    text = card(report, ["router: 1 of 2"])
    assert words in text
    assert "Demonstration, not validated" in text
    assert "    router: 1 of 2" in text


def finished(folder: Path) -> Path:
    adapter = folder / ADAPTER
    adapter.mkdir(parents=True)
    (adapter / WEIGHTS).write_bytes(b"weights")
    (adapter / RECIPE).write_bytes(b"{}")
    (adapter / CONFIG).write_bytes(orjson.dumps({"base_model_name_or_path": "/somebody/home"}))
    report = Trained(recipe=Recipe(), progress=DONE)
    (folder / REPORT).write_bytes(orjson.dumps(report.model_dump(mode="json")))
    return folder


def test_what_ships_names_no_place_of_the_machine_it_was_trained_on(tmp_path: Path) -> None:
    target = ship(finished(tmp_path / "out"), ["figure"], tmp_path / "shipped")
    assert {file.name for file in target.iterdir()} == {
        *(WEIGHTS, CONFIG, RECIPE, CARD),
        "SHA256SUMS",
    }
    assert "/somebody" not in (target / CONFIG).read_text()


def test_nothing_ships_without_figures_or_before_the_last_step(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="measure the router first"):
        ship(finished(tmp_path / "out"), [], tmp_path / "shipped")
    with pytest.raises(UnavailableError, match="train to the last step"):
        ship(tmp_path, ["figure"], tmp_path / "shipped")
