"""Nearest vectors by inner product of unit vectors, that is by cosine.

Up to 20,000 vectors every one is compared (FAISS ``Flat``); beyond, an inverted file of scalar
quantised vectors (``IVF<n>,SQ8``, n the power of two next to the square root of the count) of which
the 16 nearest cells or 1/64 are read. A filter that leaves few passages compares all of those few.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.retrieval.errors import IndexDamagedError, IndexMismatchError
from knowledge.retrieval.lexical import Allowed, best

Vectors = NDArray[np.float32]

FLAT_LIMIT = 20_000
"""Vectors up to which all are compared: under a millisecond, and exact."""

_UNIT = 1e-3  # how far from 1 the length of a unit vector may be
_TRAINING = 64  # vectors per cell that the cells are found with; FAISS asks for at least 39
_WAY_OUT = "run `epicrisis knowledge build`"


class DenseIndex:
    """Vectors of passages, and the encoder they are of.

    Args:
        vectors: Unit vectors ``(n, dimension)``, float32.
        rows: The place of the passage of each vector ``(n,)``, int64; no place twice.
        embedder_id: Whose vectors they are.
        index: A FAISS index made of them before; made now where None.

    Raises:
        IndexDamagedError: The parts do not fit together.
    """

    def __init__(
        self, vectors: Vectors, rows: NDArray[np.int64], *, embedder_id: str, index: Any = None
    ) -> None:
        _check(vectors, rows)
        self.embedder_id = embedder_id
        self._vectors = vectors
        self._rows = rows
        self._index = _made(vectors, rows) if index is None else index
        self._check_index()

    @property
    def index(self) -> Any:
        """The FAISS index."""
        return self._index

    @property
    def approximate(self) -> bool:
        """Whether not every vector is compared."""
        return len(self._vectors) > FLAT_LIMIT

    def search(
        self,
        query: Vectors,
        *,
        embedder_id: str,
        count: int,
        allowed: Allowed | None = None,
        above: float = -1.0,
    ) -> NDArray[np.int64]:
        """Return the places of the nearest passages, nearest first, equal ones in order of place.

        Args:
            query: One unit vector ``(dimension,)``.
            embedder_id: The encoder that made it.
            count: So many where there are as many allowed and near enough.
            allowed: Which passages may be found, by place; None for all.
            above: Cosine below which a passage is not near at all.

        Raises:
            IndexMismatchError: The query is of another encoder.
        """
        if embedder_id != self.embedder_id:
            raise IndexMismatchError(
                "vector index", f"made with {self.embedder_id}, asked with {embedder_id}", _WAY_OUT
            )
        if query.shape != self._vectors.shape[1:]:
            raise IndexMismatchError("vector index", "the query has another dimension", _WAY_OUT)
        within = None if allowed is None else allowed[self._rows]
        left = len(self._rows) if within is None else int(within.sum())
        if within is not None and left <= FLAT_LIMIT:
            places, scores = self._exact(query, count, np.flatnonzero(within))
        else:
            places, scores = self._nearest(query, min(count, left), allowed)
        near = scores >= above
        places, scores = places[near], scores[near]
        return places[np.lexsort((places, -scores))]

    def _exact(
        self, query: Vectors, count: int, among: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Vectors]:
        scores = np.asarray(self._vectors[among]) @ query
        order = best(scores, count=count, above=-np.inf)
        return self._rows[among[order]], scores[order]

    def _nearest(
        self, query: Vectors, wanted: int, allowed: Allowed | None
    ) -> tuple[NDArray[np.int64], Vectors]:
        """Ask FAISS, in more cells as long as too few are found."""
        import faiss

        cells = faiss.extract_index_ivf(self._index).nlist if self.approximate else 1
        probed = _probes(cells)
        while True:
            with _one_thread():
                scores, ids = self._index.search(
                    query[None, :], wanted, params=_parameters(allowed, probed, self.approximate)
                )
            found = ids[0] >= 0
            if int(found.sum()) >= wanted or probed >= cells:
                return ids[0][found], scores[0][found]
            probed = min(cells, 2 * probed)

    def _check_index(self) -> None:
        import faiss

        if self._index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise IndexDamagedError("vector index", "has another metric", _WAY_OUT)
        if self._index.ntotal != len(self._rows) or self._index.d != self._vectors.shape[1]:
            raise IndexDamagedError("vector index", "does not fit the vectors", _WAY_OUT)
        if not self.approximate:
            ids = faiss.vector_to_array(self._index.id_map)
            if not np.array_equal(ids, self._rows):
                raise IndexDamagedError("vector index", "ids are not the passages'", _WAY_OUT)


def _check(vectors: Vectors, rows: NDArray[np.int64]) -> None:
    if vectors.ndim != 2 or vectors.dtype != np.float32 or rows.shape != (len(vectors),):
        raise IndexDamagedError("vector index", "vectors and passages do not fit", _WAY_OUT)
    if len(vectors) == 0 or len(np.unique(rows)) != len(rows) or rows.min() < 0:
        raise IndexDamagedError("vector index", "no vectors, or a passage twice", _WAY_OUT)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not bool(np.all(np.abs(lengths - 1) < _UNIT)):
        raise IndexDamagedError("vector index", "a vector is not of unit length", _WAY_OUT)


def _made(vectors: Vectors, rows: NDArray[np.int64]) -> Any:
    import faiss

    dimension = vectors.shape[1]
    if len(vectors) <= FLAT_LIMIT:
        flat = faiss.IndexFlat(dimension, faiss.METRIC_INNER_PRODUCT)
        index: Any = faiss.IndexIDMap(flat)
    else:
        index = faiss.index_factory(
            dimension, f"IVF{cell_count(len(vectors))},SQ8", faiss.METRIC_INNER_PRODUCT
        )
        step = max(1, len(vectors) // (_TRAINING * cell_count(len(vectors))))
        index.train(np.ascontiguousarray(vectors[::step]))
    index.add_with_ids(np.ascontiguousarray(vectors), rows)
    return index


def cell_count(vectors: int) -> int:
    """Return the number of cells: the power of two next to the square root.

    Examples:
        >>> cell_count(1_000_000)
        1024
    """
    return int(2 ** round(np.log2(np.sqrt(vectors))))


def _probes(cells: int) -> int:
    return min(cells, max(16, cells // 64))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let FAISS use the calling thread alone.

    One query is a millisecond of work; on a busy machine two threads that wait for each other take
    ten times that.
    """
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _parameters(allowed: Allowed | None, probed: int, approximate: bool) -> Any:
    import faiss

    chosen: dict[str, Any] = {}
    if allowed is not None:
        # The stubs know the C++ constructor (count, pointer), not the wrapper that takes an array.
        selector: Any = faiss.IDSelectorBitmap
        chosen["sel"] = selector(np.packbits(allowed, bitorder="little"))
    kind: Any = faiss.SearchParametersIVF if approximate else faiss.SearchParameters
    return kind(**chosen, nprobe=probed) if approximate else kind(**chosen)
