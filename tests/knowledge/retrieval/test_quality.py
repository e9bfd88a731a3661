"""Questions find the abstract they were written from (PubMedQA, 400 pairs)."""

import json
from typing import Any

import pytest

from knowledge.packaged_weights import present, weights
from knowledge.retrieval.collection import Collection, collect, search_tokens
from knowledge.retrieval.minilm import MODEL
from knowledge.retrieval.opening import encoder, weights_folder
from knowledge.retrieval.quality import Judged, quality
from knowledge.retrieval.searcher import lexical_index
from knowledge.retrieval.terms import thesaurus
from knowledge.settings import load_settings
from tests.data_folder import shared_data
from tests.knowledge.retrieval.passages import passage


@pytest.fixture(scope="module")
def pairs() -> dict[str, Any]:
    file = shared_data("pubmedqa") / "pubmedqa-400.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _abstracts(pairs: dict[str, Any]) -> Collection:
    return collect(
        passage(f"doc:{key}#1", " ".join(pair["CONTEXTS"]), kind="original")
        for key, pair in pairs.items()
    )


def test_words_alone_find_the_own_abstract_of_a_question(pairs: dict[str, Any]) -> None:
    collection = _abstracts(pairs)
    index = lexical_index(collection, thesaurus())
    judged = [
        Judged(
            query=key,
            relevant=frozenset({f"doc:{key}#1"}),
            found=tuple(
                collection.passages[place].id
                for place in index.search(search_tokens(pair["QUESTION"], thesaurus()), count=10)
            ),
        )
        for key, pair in pairs.items()
    ]
    found = quality(judged)
    assert found.queries == 400
    assert found.recall[1] >= 0.95
    assert found.recall[10] >= 0.98


def test_vectors_alone_find_the_own_abstract_of_a_question(pairs: dict[str, Any]) -> None:
    """The first sixty words of sixty abstracts: what a test has time to embed."""
    if present(weights(MODEL), cache=weights_folder(load_settings())) is None:
        pytest.skip("the encoder's weights are not here: `epicrisis knowledge build` fetches them")
    few = dict(list(pairs.items())[:60])
    made = encoder(load_settings())
    texts = [" ".join(" ".join(pair["CONTEXTS"]).split()[:60]) for pair in few.values()]
    scores = made.embed([pair["QUESTION"] for pair in few.values()]) @ made.embed(texts).T
    judged = [
        Judged(
            query=str(row),
            relevant=frozenset({str(row)}),
            found=tuple(str(place) for place in (-scores[row]).argsort()[:10]),
        )
        for row in range(len(few))
    ]
    assert quality(judged).recall[5] >= 0.95
