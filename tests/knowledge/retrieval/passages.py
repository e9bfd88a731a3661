"""Hand-made passages for the tests of the search."""

import datetime as dt
from typing import Any

from knowledge.passages import Language, Passage
from knowledge.reference import Citation
from knowledge.retrieval.collection import Collection, collect
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.fake import FakeEncoder, FakeReranker
from knowledge.retrieval.searcher import PROBE, HybridSearcher, Vectors, lexical_index
from knowledge.retrieval.terms import thesaurus

CITATION = Citation(id="t/s", label="A source (2023)", review="not reviewed", licence="facts only")
NO_ENCODER = EncoderUnavailableError("encoder", "switched off in this test")


def passage(key: str, text: str, language: Language = "en", **fields: Any) -> Passage:
    return Passage(
        id=key,
        kind=fields.pop("kind", "summary"),
        title=fields.pop("title", "Title" if language == "en" else "标题"),
        text=text,
        language=language,
        label="a label",
        citation=CITATION,
        **fields,
    )


def small() -> Collection:
    """Return a few statements in both languages, some filtered by most filters."""
    pe: dict[str, Any] = {"topics": ("pe",), "published": dt.date(2019, 1, 1)}
    acs: dict[str, Any] = {"topics": ("acs", "troponin"), "published": dt.date(2023, 1, 1)}
    return collect(
        [
            passage("card:tn#s1.en", "Serial troponin is measured after one hour.", **acs),
            passage("card:tn#s1.zh", "一小时后复查肌钙蛋白。", "zh", **acs),
            passage("card:pe#s1.en", "Anticoagulation for pulmonary embolism.", **pe),
            passage("card:pe#s1.zh", "肺栓塞应予抗凝。", "zh", **pe),
            passage("card:lysis#s1.en", "Thrombolysis within 12 hours in STEMI.", **acs),
            passage("card:lysis#s1.zh", "STEMI 12小时内溶栓。", "zh", **acs),
            passage(
                "card:old#s1.en", "Troponin after six hours.", superseded_by="tn", topics=("acs",)
            ),
            passage(
                "doc:local@1#1",
                "In women the hospital repeats troponin after two hours.",
                kind="original",
                population="women",
            ),
        ]
    )


def searcher(
    collection: Collection | None = None,
    encoder: FakeEncoder | None = None,
    reranker: FakeReranker | None = None,
) -> HybridSearcher:
    found = small() if collection is None else collection
    vectors: Vectors | EncoderUnavailableError = NO_ENCODER
    if encoder is not None:
        vectors = embedded(found, encoder)
    return HybridSearcher(
        found,
        lexical_index(found, thesaurus()),
        vectors,
        thesaurus=thesaurus(),
        sha256="0" * 64,
        reranker=reranker,
    )


def embedded(collection: Collection, encoder: FakeEncoder) -> Vectors:
    import numpy as np

    texts = {
        place: text
        for place in range(len(collection.passages))
        if (text := collection.text_to_embed(place, encoder.languages)) is not None
    }
    index = DenseIndex(
        encoder.embed(list(texts.values())),
        np.array(list(texts), dtype=np.int64),
        embedder_id=encoder.id,
    )
    return Vectors(index=index, encoder=encoder, probe=encoder.embed([PROBE])[0])
