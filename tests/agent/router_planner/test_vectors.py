"""Vectors that are kept: equal to those made, and made anew where the file is not whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.router_planner.vectors import vectors_of
from knowledge.retrieval.encoders import Encoder


class Counting:
    """An encoder of two numbers that counts what it is asked."""

    id = "counting/1"
    dimensions = 2
    languages = ("en",)

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        self.asked += len(texts)
        return np.asarray([[len(text), 1.0] for text in texts], np.float32)


def made(encoder: Counting, texts: list[str], folder: Path | None) -> NDArray[np.float32]:
    found: Encoder = encoder  # type: ignore[assignment]
    return vectors_of(found, texts, folder)


def test_a_second_index_of_the_same_texts_asks_no_encoder(tmp_path: Path) -> None:
    encoder = Counting()
    first = made(encoder, ["one", "three"], tmp_path / "index")
    second = made(encoder, ["one", "three"], tmp_path / "index")
    assert np.array_equal(first, second)
    assert encoder.asked == 2
    made(encoder, ["one", "four"], tmp_path / "index")
    assert encoder.asked == 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: path.write_bytes(b"PK\x03\x04cut"),
        lambda path: np.save(path, np.zeros((1, 2), np.float32)),
        lambda path: np.save(path, np.full((2, 2), np.nan, np.float32)),
        lambda path: np.save(path, np.asarray([object()]), allow_pickle=True),
    ],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    encoder = Counting()
    first = made(encoder, ["one", "three"], tmp_path)
    (path,) = tmp_path.iterdir()
    spoil(path)
    assert np.array_equal(made(encoder, ["one", "three"], tmp_path), first)
    assert encoder.asked == 4


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert made(Counting(), ["one"], tmp_path / "file").tolist() == [[3.0, 1.0]]
