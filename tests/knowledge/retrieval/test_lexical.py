"""BM25 ranks by shared words, breaks ties by place, and finds nothing where nothing is shared."""

import math
from pathlib import Path

import numpy as np
import pytest

from knowledge.retrieval.errors import IndexDamagedError
from knowledge.retrieval.lexical import LexicalIndex

DOCUMENTS = [
    ["a", "b", "c"],
    ["a", "a", "a", "b"],
    ["c"],
    ["a", "d", "d", "d", "d", "d"],
    ["c"],
]


def _bm25(query: list[str], document: list[str]) -> float:
    """Lucene's BM25, written from its formula."""
    average = sum(map(len, DOCUMENTS)) / len(DOCUMENTS)
    total = 0.0
    for word in query:
        holders = sum(word in d for d in DOCUMENTS)
        idf = math.log(1 + (len(DOCUMENTS) - holders + 0.5) / (holders + 0.5))
        count = document.count(word)
        total += idf * count / (count + 1.5 * (0.25 + 0.75 * len(document) / average))
    return total


@pytest.mark.parametrize("query", [["a"], ["a", "b"], ["c", "d"], ["b", "c", "d"]])
def test_the_order_is_that_of_the_formula_and_of_places_where_scores_are_equal(
    query: list[str],
) -> None:
    scores = [_bm25(query, document) for document in DOCUMENTS]
    expected = [i for i in sorted(range(5), key=lambda i: (-scores[i], i)) if scores[i] > 0]
    assert LexicalIndex.build(DOCUMENTS).search(query, count=5).tolist() == expected


def test_a_query_of_unknown_words_finds_nothing() -> None:
    index = LexicalIndex.build(DOCUMENTS)
    assert index.search(["unheard", ""], count=5).tolist() == []


def test_what_is_not_allowed_takes_no_place_of_what_is() -> None:
    index = LexicalIndex.build(DOCUMENTS)
    allowed = np.array([True, False, False, True, True])
    assert index.search(["a"], count=1, allowed=allowed).tolist() == [0]
    assert index.search(["a", "c"], count=9, allowed=allowed).tolist() == [0, 4, 3]


def test_an_index_is_saved_byte_for_byte_the_same_and_read_again(tmp_path: Path) -> None:
    for name in ("one", "two"):
        LexicalIndex.build(DOCUMENTS).save(tmp_path / name)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    read = LexicalIndex.load(tmp_path / "one")
    assert len(read) == 5
    assert read.search(["c", "d"], count=5).tolist() == [3, 2, 4, 0]


def test_a_folder_that_holds_no_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IndexDamagedError, match="knowledge build"):
        LexicalIndex.load(tmp_path)
