"""Nearest vectors are those of a full comparison; another encoder cannot ask an index."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.retrieval import dense
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.errors import IndexDamagedError, IndexMismatchError
from knowledge.retrieval.quality import overlap


def _unit(count: int, dimension: int = 16, seed: int = 7) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((count, dimension))
    unit: NDArray[np.float32] = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(
        np.float32
    )
    return unit


def _index(vectors: NDArray[np.float32], rows: Any = None, **more: Any) -> DenseIndex:
    places = np.arange(len(vectors)) if rows is None else np.asarray(rows)
    return DenseIndex(vectors, places.astype(np.int64), embedder_id="one", **more)


def test_the_nearest_are_those_of_a_full_comparison_by_cosine() -> None:
    vectors, query = _unit(300), _unit(1, seed=8)[0]
    expected = np.argsort(-(vectors.astype(np.float64) @ query))[:10]
    found = _index(vectors).search(query, embedder_id="one", count=10)
    assert found.tolist() == expected.tolist()


def test_places_are_the_passages_and_not_the_rows() -> None:
    vectors = _unit(3)
    index = _index(vectors, rows=[40, 7, 12])
    assert index.search(vectors[1], embedder_id="one", count=1).tolist() == [7]


def test_equal_vectors_come_in_order_of_place() -> None:
    vectors = np.repeat(_unit(1), 5, axis=0)
    index = _index(vectors, rows=[9, 3, 5, 1, 8])
    assert index.search(vectors[0], embedder_id="one", count=5).tolist() == [1, 3, 5, 8, 9]


def test_a_filter_never_costs_hits() -> None:
    vectors, query = _unit(300), _unit(1, seed=8)[0]
    allowed = np.zeros(300, dtype=bool)
    allowed[np.argsort(vectors @ query)[:3]] = True
    found = _index(vectors).search(query, embedder_id="one", count=2, allowed=allowed)
    assert len(found) == 2
    assert allowed[found].all()


def test_what_is_not_near_enough_is_not_found() -> None:
    vectors, query = _unit(300), _unit(1, seed=8)[0]
    found = _index(vectors).search(query, embedder_id="one", count=300, above=0.3)
    assert sorted(found.tolist()) == np.flatnonzero(vectors @ query >= 0.3).tolist()


def test_an_index_of_one_encoder_is_not_asked_by_another() -> None:
    vectors = _unit(3)
    with pytest.raises(IndexMismatchError, match="made with one, asked with two"):
        _index(vectors).search(vectors[0], embedder_id="two", count=1)
    with pytest.raises(IndexMismatchError, match="dimension"):
        _index(vectors).search(_unit(1, 8)[0], embedder_id="one", count=1)


@pytest.mark.parametrize(
    ("vectors", "rows"),
    [
        (_unit(3), [0, 1]),
        (_unit(3), [0, 1, 1]),
        (_unit(3), [0, 1, -1]),
        (2 * _unit(3), [0, 1, 2]),
        (np.full((3, 4), np.nan, np.float32), [0, 1, 2]),
        (_unit(3).astype(np.float64), [0, 1, 2]),
        (np.empty((0, 4), np.float32), []),
    ],
    ids=["too few", "twice", "negative", "not unit", "not a number", "float64", "none"],
)
def test_vectors_that_do_not_fit_the_passages_are_an_error(vectors: Any, rows: list[int]) -> None:
    with pytest.raises(IndexDamagedError, match="knowledge build"):
        _index(vectors, rows)


def test_a_faiss_index_of_another_metric_or_other_ids_is_an_error() -> None:
    import faiss

    vectors = _unit(3)
    for metric, ids, message in (
        (faiss.METRIC_L2, [0, 1, 2], "metric"),
        (faiss.METRIC_INNER_PRODUCT, [0, 2, 1], "ids"),
        (faiss.METRIC_INNER_PRODUCT, [0, 1], "fit"),
    ):
        other: Any = faiss.IndexIDMap(faiss.IndexFlat(16, metric))
        other.add_with_ids(vectors[: len(ids)], np.array(ids, np.int64))
        with pytest.raises(IndexDamagedError, match=message):
            _index(vectors, index=other)


class TestManyVectors:
    """The approximate index, with its limit lowered so that a test is quick."""

    @pytest.fixture(autouse=True)
    def _few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dense, "FLAT_LIMIT", 2000)

    def test_most_of_the_exact_nearest_are_found(self) -> None:
        vectors, queries = _unit(20_000), _unit(20, seed=8)
        index = _index(vectors)
        assert index.approximate
        found = [index.search(q, embedder_id="one", count=10).tolist() for q in queries]
        exact = [np.argsort(-(vectors @ q))[:10].tolist() for q in queries]
        # Vectors without structure are the hardest case of an inverted file.
        assert overlap(found, exact) > 0.4

    def test_a_filter_that_leaves_few_compares_all_of_those(self) -> None:
        vectors, query = _unit(20_000), _unit(1, seed=8)[0]
        allowed = np.zeros(20_000, dtype=bool)
        allowed[np.argsort(vectors @ query)[:1500]] = True
        found = _index(vectors).search(query, embedder_id="one", count=5, allowed=allowed)
        scores = np.where(allowed, vectors @ query, -2)
        assert found.tolist() == np.argsort(-scores)[:5].tolist()

    def test_a_filter_that_leaves_many_still_gives_as_many_as_asked(self) -> None:
        vectors, query = _unit(20_000), _unit(1, seed=8)[0]
        allowed = np.zeros(20_000, dtype=bool)
        allowed[np.argsort(vectors @ query)[:5000]] = True
        found = _index(vectors).search(query, embedder_id="one", count=3000, allowed=allowed)
        assert len(found) == 3000
        assert allowed[found].all()
