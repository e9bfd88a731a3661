"""Latency, memory and recall of the hybrid search, against FAISS comparing every vector.

Run from the repository root: ``python bench/retrieval.py [--millions 1] [--no-quality]``.

10,000 passages are real text, embedded: sentences and overlapping windows of 24 words of PubMedQA
abstracts, narratives of the FHIR examples, and our own cards. The million are seeded perturbed
copies of those and prove nothing about quality: each vector with noise of 0.3 of its length added,
each text with about a third of its tokens left out. Questions are PubMedQA's. The first run embeds
for some minutes; vectors are kept in ``out/bench``.
"""

import argparse
import gc
import hashlib
import json
import os
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.cards import card_passages
from knowledge.errors import UnavailableError
from knowledge.passages import Passage
from knowledge.reference import Citation
from knowledge.retrieval.collection import Collection, collect, search_tokens
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.encoders import Encoder
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.lexical import LexicalIndex
from knowledge.retrieval.opening import encoder
from knowledge.retrieval.quality import Judged, overlap, quality
from knowledge.retrieval.searcher import PROBE, HybridSearcher, Vectors, lexical_index
from knowledge.retrieval.terms import thesaurus
from knowledge.settings import load_settings

ROOT = Path(__file__).parents[1]
REAL = 10_000
NOISE = 0.3  # length of what is added to a unit vector; the copy is at a cosine of about 0.96
KEPT = 0.7  # share of the tokens that a copy keeps
SEED = 20261122
MISSING = 3  # exit status where something needed is not there

Floats = NDArray[np.float32]
CITATION = Citation(id="bench/text", label="Bench text", review="none", licence="see the data")


@dataclass(frozen=True)
class Real:
    """The real passages with their vectors, and the questions with theirs."""

    collection: Collection
    vectors: Floats
    questions: list[str]
    asked: Floats


class Kept:
    """An encoder whose question vectors were made before, so that search alone is timed."""

    def __init__(self, made_with: Encoder, questions: Sequence[str], vectors: Floats) -> None:
        self.id, self.dimension = made_with.id, made_with.dimension
        self.languages, self.min_cosine = made_with.languages, made_with.min_cosine
        self._known = {q: v for q, v in zip(questions, vectors, strict=True)}
        self._probe = made_with.embed([PROBE])[0]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of questions known."""
        return np.stack([self._probe if t == PROBE else self._known[t] for t in texts])


def main() -> int:
    """Print one JSON object; return the exit status."""
    parser = argparse.ArgumentParser(description="Hybrid search")
    parser.add_argument("--millions", type=float, default=1.0, help="perturbed copies, 0 for none")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--no-quality", action="store_true", help="leave PubMedQA recall out")
    arguments = parser.parse_args()
    data = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "pubmedqa").is_dir() or not (data / "fhir-r4-examples").is_dir():
        print("no text: set EPICRISIS_TEST_DATA to a folder with pubmedqa and fhir-r4-examples")
        return MISSING
    try:
        made_with = encoder(load_settings(), fetch=True)
    except UnavailableError as error:
        print(f"no encoder: {error}")
        return MISSING
    pairs = json.loads((data / "pubmedqa" / "pubmedqa-400.json").read_text(encoding="utf-8"))
    real = read(data, pairs, made_with, arguments.questions)
    result: dict[str, Any] = {
        "what": "hybrid search; times in ms; one process",
        "encoder": made_with.id,
        "encode_one_question": times(lambda q: made_with.embed([q]), real.questions),
        "real_10k": measured(real, made_with),
    }
    if not arguments.no_quality:
        result["pubmedqa"] = pubmedqa(pairs, made_with)
    if arguments.millions:
        result["perturbed_copies"] = copies(real, made_with, int(arguments.millions * 100))
    print(json.dumps(result, indent=1))
    return 0


def measured(real: Real, made_with: Encoder) -> dict[str, Any]:
    """Return latencies over the real passages, with the encoder and without."""
    lexical = lexical_index(real.collection, thesaurus())
    dense = _dense(real.vectors, made_with)
    found = {
        "passages": len(real.vectors),
        "vector_mib": real.vectors.nbytes >> 20,
        "hybrid_with_encoding": times(
            _searcher(real, lexical, dense, made_with).find, real.questions
        ),
    }
    found.update(_compared(real, lexical, dense, real.vectors, made_with))
    return found


def copies(real: Real, made_with: Encoder, times_real: int) -> dict[str, Any]:
    """Return the same over seeded perturbed copies."""
    random = np.random.default_rng(SEED)
    before = time.perf_counter()
    vectors = np.concatenate([_noisy(real.vectors, random) for _ in range(times_real)])
    made_s = time.perf_counter() - before
    before = time.perf_counter()
    dense = _dense(vectors, made_with)
    dense_s = time.perf_counter() - before
    documents = _thinned(real.collection, times_real, random)
    before = time.perf_counter()
    lexical = LexicalIndex.build(documents)
    lexical_s = time.perf_counter() - before
    del documents
    gc.collect()
    many = Real(
        _copied(real.collection, times_real), vectors, real.questions[:100], real.asked[:100]
    )
    found: dict[str, Any] = {
        "note": "seeded perturbed copies of the real passages; no statement about quality",
        "passages": len(vectors),
        "make_copies_s": round(made_s, 1),
        "build_vectors_s": round(dense_s, 1),
        "build_words_s": round(lexical_s, 1),
        "vector_mib": vectors.nbytes >> 20,
    }
    found.update(_compared(many, lexical, dense, vectors, made_with))
    found["process_peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return found


def _compared(
    real: Real, lexical: LexicalIndex, dense: DenseIndex, vectors: Floats, made_with: Encoder
) -> dict[str, Any]:
    """Return times of the search and its halves, and recall and ratio against every vector."""
    import faiss

    kept = Kept(made_with, real.questions, real.asked)
    known = dict(zip(real.questions, real.asked, strict=True))
    every: list[Any] = []
    ours: list[Any] = []

    def exact(question: str) -> None:
        asked = known[question][None, :]
        every.append(faiss.knn(asked, vectors, 10, metric=faiss.METRIC_INNER_PRODUCT)[1][0])

    def near(question: str) -> None:
        ours.append(dense.search(known[question], embedder_id=made_with.id, count=10))

    def words(question: str) -> None:
        lexical.search(search_tokens(question, thesaurus()), count=50)

    searcher = _searcher(real, lexical, dense, kept)
    found: dict[str, Any] = {
        "index": "IVF,SQ8" if dense.approximate else "Flat",
        "hybrid": times(searcher.find, real.questions),
        "words_alone": times(words, real.questions),
        "vectors_alone": times(near, real.questions),
        "faiss_every_vector": times(exact, real.questions),
    }
    # On a busy machine FAISS is faster with one thread; the ratio is to the faster of the two.
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    found["faiss_every_vector_one_thread"] = times(exact, real.questions)
    faiss.omp_set_num_threads(threads)
    found["recall_at_10_against_every_vector"] = round(overlap(ours, every[: len(ours)]), 4)
    every_ms = min(
        found[name]["p50"] for name in ("faiss_every_vector", "faiss_every_vector_one_thread")
    )
    ratio = every_ms / found["vectors_alone"]["p50"]
    found["times_as_fast_as_every_vector"] = round(ratio, 2)
    return found


def pubmedqa(pairs: dict[str, Any], made_with: Encoder) -> dict[str, Any]:
    """Return how well each search finds the abstract that a question was written from."""
    collection = collect(
        _passage(f"doc:{key}#1", " ".join(pair["CONTEXTS"])) for key, pair in pairs.items()
    )
    texts = [collection.text_to_embed(n, ("en",)) or "" for n in range(len(collection.passages))]
    vectors = embedded(texts, made_with)
    lexical, dense = lexical_index(collection, thesaurus()), _dense(vectors, made_with)
    questions = [pair["QUESTION"] for pair in pairs.values()]
    asked = embedded(questions, made_with)
    known = dict(zip(questions, asked, strict=True))
    whole = Real(collection, vectors, questions, asked)
    searcher = _searcher(whole, lexical, dense, Kept(made_with, questions, asked))
    ids = [passage.id for passage in collection.passages]
    searches: dict[str, Callable[[str], Iterable[str]]] = {
        "bm25": lambda q: (ids[n] for n in lexical.search(search_tokens(q, thesaurus()), count=50)),
        "dense": lambda q: (
            ids[n] for n in dense.search(known[q], embedder_id=made_with.id, count=50)
        ),
        "hybrid": lambda q: (hit.passage.id for hit in searcher.find(q, k=50).hits),
    }
    return {
        name: quality(
            [
                Judged(
                    query=key,
                    relevant=frozenset({f"doc:{key}#1"}),
                    found=tuple(search(pair["QUESTION"])),
                )
                for key, pair in pairs.items()
            ]
        ).to_json()
        for name, search in searches.items()
    }


def times(search: Callable[[str], Any], questions: Sequence[str]) -> dict[str, float]:
    """Return p50 and p95 in ms of one call for each question, after five to warm up."""
    for question in questions[:5]:
        search(question)
    taken = []
    for question in questions:
        start = time.perf_counter()
        search(question)
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    p95 = taken[min(len(taken) - 1, int(0.95 * len(taken)))]
    return {"p50": round(statistics.median(taken), 3), "p95": round(p95, 3)}


def read(data: Path, pairs: dict[str, Any], made_with: Encoder, questions: int) -> Real:
    """Return 10,000 different real passages and their vectors."""
    texts = list(dict.fromkeys(_texts(data, pairs)))[:REAL]
    if len(texts) < REAL:
        raise SystemExit(f"only {len(texts)} different passages of real text")
    passages = (_passage(f"doc:t{n:05}#1", text) for n, text in enumerate(texts))
    asked = [pair["QUESTION"] for pair in pairs.values()][:questions]
    collection = collect(passages)
    return Real(collection, embedded(texts, made_with), asked, embedded(asked, made_with))


def _texts(data: Path, pairs: dict[str, Any]) -> Iterable[str]:
    yield from (p.text for p in card_passages() if p.language == "en")
    for pair in pairs.values():
        for part in pair["CONTEXTS"]:
            for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", part):
                if len(sentence.split()) >= 5:
                    yield sentence
    for file in sorted((data / "fhir-r4-examples").rglob("*.json")):
        for div in re.findall(r'"div"\s*:\s*"((?:[^"\\]|\\.)*)"', file.read_text("utf-8")):
            text = re.sub(r"<[^>]+>|\\[nrt]", " ", json.loads(f'"{div}"'))
            yield from _windows(text.split(), step=24)
    for pair in pairs.values():
        yield from _windows(" ".join(pair["CONTEXTS"]).split(), step=12)


def _windows(words: list[str], *, step: int) -> Iterable[str]:
    for start in range(0, len(words), step):
        if len(words[start : start + 24]) >= 8:
            yield " ".join(words[start : start + 24])


def embedded(texts: Sequence[str], made_with: Encoder) -> Floats:
    """Return vectors, from ``out/bench`` where they were made before."""
    key = hashlib.sha256("\x1f".join((made_with.id, *texts)).encode()).hexdigest()[:20]
    file = ROOT / "out" / "bench" / f"vectors-{key}.npy"
    if file.is_file():
        kept: Floats = np.load(file)
        return kept
    vectors = np.asarray(made_with.embed(texts), dtype=np.float32)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, vectors)
    return vectors


def _noisy(vectors: Floats, random: np.random.Generator) -> Floats:
    noise = random.standard_normal(vectors.shape, dtype=np.float32)
    moved = vectors + noise * np.float32(NOISE / np.sqrt(vectors.shape[1]))
    unit: Floats = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit


def _thinned(
    collection: Collection, times_real: int, random: np.random.Generator
) -> list[list[str]]:
    whole = [search_tokens(collection.lexical_text(p), thesaurus()) for p in collection.passages]
    found = []
    for _ in range(times_real):
        for tokens in whole:
            kept = random.random(len(tokens)) < KEPT
            found.append([token for token, keep in zip(tokens, kept, strict=True) if keep])
    return found


def _copied(collection: Collection, times_real: int) -> Collection:
    """Return copies with ids of their own, not validated again."""
    return Collection(
        passages=tuple(
            Passage.model_construct(**{**p.__dict__, "id": f"doc:c{n:03}-{p.id[4:]}"})
            for n in range(times_real)
            for p in collection.passages
        ),
        terms={},
    )


def _dense(vectors: Floats, made_with: Encoder) -> DenseIndex:
    return DenseIndex(vectors, np.arange(len(vectors)), embedder_id=made_with.id)


def _searcher(
    real: Real, lexical: LexicalIndex, dense: DenseIndex, asked_with: Encoder
) -> HybridSearcher:
    vectors: Vectors | EncoderUnavailableError = Vectors(
        index=dense, encoder=asked_with, probe=asked_with.embed([PROBE])[0]
    )
    return HybridSearcher(real.collection, lexical, vectors, thesaurus=thesaurus(), sha256="0" * 64)


def _passage(key: str, text: str) -> Passage:
    return Passage(
        id=key,
        kind="original",
        title="Text",
        text=text,
        language="en",
        label="Bench text",
        citation=CITATION,
    )


if __name__ == "__main__":
    sys.exit(main())
