"""PubMedQA questions over the abstracts they were written from: finds each its own?"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from evals.case import Case
from evals.outside_data import missing, outside_file
from evals.rankings import KS, MODES, Mode, in_memory, rankings, recall_counts
from evals.scoring import Measured, Metric, System
from evals.task import Bench, Task
from knowledge.passages import Passage
from knowledge.reference import Citation
from knowledge.retrieval.collection import Collection, collect
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.opening import encoder
from knowledge.retrieval.searcher import HybridSearcher
from knowledge.settings import Settings

FILE = "pubmedqa/pubmedqa-400.json"
_NAMES: Mapping[Mode, str] = {
    "hybrid": "hybrid",
    "words": "words alone",
    "vectors": "vectors alone",
}
_BUILT: dict[tuple[Path, str], HybridSearcher] = {}


def abstracts(pairs: Mapping[str, Any]) -> Collection:
    """Return a passage for each abstract, without its question and conclusion.

    Args:
        pairs: As in the file: PubMed id to ``QUESTION`` and ``CONTEXTS``.
    """
    return collect(_passage(key, " ".join(pair["CONTEXTS"])) for key, pair in pairs.items())


def cases() -> tuple[Case, ...]:
    """Return a case for each question.

    Raises:
        UnavailableError: The questions are not here.
    """
    return tuple(
        Case(
            id=key,
            source="PubMedQA: the abstract a question was written from",
            given={"query": pair["QUESTION"]},
            expected={"abstract": key},
        )
        for key, pair in _pairs().items()
    )


async def attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Search for one question."""
    found = rankings(_searcher(bench.settings), case.given["query"], pubmed_id)
    notes = tuple(f"no vectors: {notice}" for notice in found.notices)
    relevant = frozenset({case.expected["abstract"]})
    return Measured(counts=recall_counts(found, relevant), notes=notes)


def pubmed_id(passage: Passage) -> str:
    """Return the PubMed id of an abstract."""
    return passage.id.removeprefix("doc:").partition("#")[0]


def _pairs() -> dict[str, Any]:
    pairs: dict[str, Any] = orjson.loads(outside_file(FILE).read_bytes())
    return pairs


def _passage(key: str, text: str) -> Passage:
    return Passage(
        id=f"doc:{key}#1",
        kind="original",
        title="Abstract",
        text=text,
        language="en",
        label="PubMedQA, for measurement",
        citation=Citation(
            id=f"pubmed/{key}", label="PubMed abstract", review="none", licence="not shown"
        ),
    )


def _searcher(settings: Settings) -> HybridSearcher:
    key = (settings.data_dir, str(settings.embedding_url or ""))
    if key not in _BUILT:
        collection = abstracts(_pairs())
        try:
            _BUILT[key] = in_memory(collection, encoder(settings))
        except EncoderUnavailableError as error:
            _BUILT[key] = in_memory(collection, error)
    return _BUILT[key]


def _owed(case: Case, system: System) -> dict[str, float]:
    names = [*(f"recall{k}" for k in KS), "mrr"]
    return {f"{mode}_{name}": 1.0 for mode in MODES for name in names}


def _metrics() -> Iterator[Metric]:
    for mode, name in _NAMES.items():
        for k in KS:
            yield Metric(id=f"{mode}_recall{k}", title=f"own abstract among the first {k}, {name}")
        yield Metric(id=f"{mode}_mrr", title=f"mean reciprocal rank, {name}")


TASK = Task(
    name="pubmedqa",
    title="does a search for a question find the abstract it was written from",
    metrics=tuple(_metrics()),
    systems=("rules",),
    attempt=attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    missing=lambda: missing(FILE),
    load=cases,
)
