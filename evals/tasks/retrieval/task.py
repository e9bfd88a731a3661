"""Gold queries over the packaged cards: does the search find the card that answers?"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from evals.case import Case
from evals.rankings import KS, MODES, Mode, Rankings, in_memory, rankings, recall_counts
from evals.scoring import Count, Measured, Metric, System
from evals.task import Bench, Task
from evals.tasks.retrieval.gold import gold_cases
from knowledge.cards import card_passages, load_cards
from knowledge.passages import Passage
from knowledge.retrieval.collection import Collection, collect
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.opening import encoder
from knowledge.retrieval.searcher import HybridSearcher
from knowledge.settings import Settings

_NAMES: Mapping[Mode, str] = {
    "words": "words alone",
    "vectors": "vectors alone",
    "hybrid": "hybrid",
}


_BUILT: dict[tuple[Path, str], HybridSearcher] = {}


def cards_collection() -> Collection:
    """Return the packaged cards alone: documents of an installation are not judged."""
    terms = {
        card.passage_id(sentence, language): card.terms
        for card in load_cards().values()
        for sentence in card.sentences
        for language in ("en", "zh")
    }
    return collect(card_passages(), terms)


def card_of(passage: Passage) -> str:
    """Return the id of the card a passage belongs to.

    Raises:
        ValueError: It is of a document.
    """
    kind, _, rest = passage.id.partition(":")
    if kind != "card":
        raise ValueError(f"{passage.id} is no card")
    return rest.partition("#")[0]


async def attempt(case: Case, system: System, bench: Bench) -> Measured:
    """Search for one query; a search that breaks is a miss of every search."""
    found = rankings(_searcher(bench.settings), case.given["query"], card_of)
    notes = [*found.notices]
    counts = _counts(case, found)
    relevant = frozenset(case.expected["cards"])
    for mode, keys in found.keys.items():
        if relevant and not relevant & set(keys[:10]):
            notes.append(f"{_NAMES[mode]}: none in the first 10 of {case.given['query']!r}")
    return Measured(counts=counts, notes=tuple(notes))


def _counts(case: Case, found: Rankings) -> dict[str, Count]:
    kind = case.expected["none"]
    if kind is None:
        relevant = frozenset(case.expected["cards"])
        counts = recall_counts(found, relevant, group=f"_{case.language}")
    else:
        counts = {
            f"{mode}_shown_{kind}": Count.of_all([bool(keys)]) for mode, keys in found.keys.items()
        }
    if "vectors" in found.keys:
        agreed = found.keys["words"][:1] == found.keys["vectors"][:1] != ()
        counts[f"agreed_{kind or 'answerable'}"] = Count.of_all([agreed])
        if agreed and kind is None:
            right = found.keys["words"][0] in case.expected["cards"]
            counts["agreed_right"] = Count.of_all([right])
    return counts


def _owed(case: Case, system: System) -> dict[str, float]:
    kind = case.expected["none"]
    if kind is not None:
        return {**{f"{mode}_shown_{kind}": 1.0 for mode in MODES}, f"agreed_{kind}": 1.0}
    names = [*(f"recall{k}" for k in KS), "mrr"]
    return {f"{mode}_{name}_{case.language}": 1.0 for mode in MODES for name in names}


def _metrics() -> Iterator[Metric]:
    modes: tuple[Mode, ...] = ("hybrid", "words", "vectors")
    for language in ("en", "zh"):
        for mode in modes:
            for k in KS:
                yield Metric(
                    id=f"{mode}_recall{k}_{language}",
                    title=f"recall@{k}, {language}, {_NAMES[mode]}",
                )
            yield Metric(
                id=f"{mode}_mrr_{language}",
                title=f"mean reciprocal rank, {language}, {_NAMES[mode]}",
            )
    for kind, words in (("near", "chest pain, no card"), ("far", "another field")):
        for mode in modes:
            yield Metric(
                id=f"{mode}_shown_{kind}",
                title=f"something is shown where no card answers ({words}), {_NAMES[mode]}",
                better="lower",
            )
        yield Metric(
            id=f"agreed_{kind}",
            title=f"words and vectors agree on the first card where none answers ({words})",
            better="lower",
        )
    yield Metric(id="agreed_answerable", title="they agree on the first card where one answers")
    yield Metric(id="agreed_right", title="where they agree, that card answers")


def _searcher(settings: Settings) -> HybridSearcher:
    """Return the searcher, built once for all queries of a process."""
    key = (settings.data_dir, str(settings.embedding_url or ""))
    if key not in _BUILT:
        try:
            _BUILT[key] = in_memory(cards_collection(), encoder(settings))
        except EncoderUnavailableError as error:
            _BUILT[key] = in_memory(cards_collection(), error)
    return _BUILT[key]


TASK = Task(
    name="retrieval",
    title="does the search find the guideline card that answers a clinician's question",
    metrics=tuple(_metrics()),
    systems=("rules",),
    attempt=attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    load=gold_cases,
)
