"""One search over words and vectors, which says how it was made."""

import datetime as dt
import logging

import pytest

from knowledge.errors import InvalidValueError, TooLargeError
from knowledge.passages import Filter, Searcher
from knowledge.retrieval.collection import collect
from knowledge.retrieval.errors import IndexMismatchError
from knowledge.retrieval.fake import FakeEncoder, FakeReranker
from knowledge.retrieval.searcher import HybridSearcher
from tests.knowledge.retrieval.passages import embedded, passage, searcher, small


def _ids(found: HybridSearcher, query: str, only: Filter | None = None, k: int = 5) -> list[str]:
    return [hit.passage.id for hit in found.find(query, k=k, only=only).hits]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("cTn after one hour", "card:tn#s1.en"),
        ("PE treatment", "card:pe#s1.en"),
        ("heparin", "card:pe#s1.en"),
        ("肺栓塞", "card:pe#s1.zh"),
        ("心肌肌钙蛋白 复查", "card:tn#s1.zh"),
        ("纤溶", "card:lysis#s1.zh"),
        ("tenecteplase", "card:lysis#s1.en"),
    ],
)
@pytest.mark.parametrize("encoder", [None, FakeEncoder()], ids=["lexical", "hybrid"])
def test_a_synonym_in_either_language_finds_the_statement_in_the_language_of_the_query(
    query: str, first: str, encoder: FakeEncoder | None
) -> None:
    assert _ids(searcher(encoder=encoder), query)[0] == first


def test_a_statement_is_returned_once_and_not_in_both_languages() -> None:
    keys = [i.rsplit(".", 1)[0] for i in _ids(searcher(encoder=FakeEncoder()), "troponin", k=20)]
    assert len(keys) == len(set(keys))


def test_without_an_encoder_the_search_is_lexical_and_says_so() -> None:
    found = searcher()
    result = found.find("troponin")
    assert result.mode == "lexical"
    assert "by words alone" in result.notices[0]
    assert "switched off in this test" in result.notices[0]
    assert found.notice == result.notices[0]
    assert all(hit.dense_rank is None for hit in result.hits)


def test_an_encoder_that_fails_during_a_search_is_said_in_the_result_and_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    encoder = FakeEncoder()
    found = searcher(encoder=encoder)
    assert found.find("troponin").mode == "hybrid"
    encoder.failing = True
    result = found.find("troponin")
    assert (result.mode, len(result.notices)) == ("lexical", 1)
    with caplog.at_level(logging.INFO):
        assert found.search("troponin") == result.hits
    assert "by words alone" in caplog.text
    encoder.failing = False
    assert found.find("troponin").notices == ()


def test_an_encoder_with_other_vectors_under_the_same_id_is_refused() -> None:
    collection = small()
    found = searcher(collection, FakeEncoder())
    vectors = embedded(collection, FakeEncoder())
    object.__setattr__(vectors, "encoder", FakeEncoder(seed="another"))
    object.__setattr__(found, "_vectors", vectors)
    with pytest.raises(IndexMismatchError, match="no longer gives the vectors"):
        found.find("troponin")


def test_an_index_of_one_encoder_is_not_searched_with_another() -> None:
    collection = small()
    found = searcher(collection, FakeEncoder())
    vectors = embedded(collection, FakeEncoder())
    object.__setattr__(vectors, "encoder", FakeEncoder("other"))
    object.__setattr__(found, "_vectors", vectors)
    with pytest.raises(IndexMismatchError, match="made with fake, asked with other"):
        found.find("troponin")


def test_an_english_encoder_is_asked_in_english_and_serves_the_chinese_wording() -> None:
    encoder = FakeEncoder()
    found = searcher(encoder=encoder)
    encoder.asked.clear()
    result = found.find("肺栓塞 抗凝", only=Filter(languages=("zh",)))
    assert encoder.asked[-1] == "pulmonary embolism anticoagulation"
    assert result.hits[0].passage.id == "card:pe#s1.zh"
    assert result.hits[0].dense_rank is not None


def test_a_chinese_query_of_unknown_words_is_lexical_for_an_english_encoder_and_says_so() -> None:
    result = searcher(encoder=FakeEncoder()).find("天气")
    assert (result.mode, result.hits) == ("lexical", ())
    assert "English only" in result.notices[0]


def test_an_encoder_that_reads_chinese_is_asked_in_chinese() -> None:
    encoder = FakeEncoder(languages=("en", "zh"))
    searcher(encoder=encoder).find("肺栓塞")
    assert encoder.asked[-1] == "肺栓塞"


@pytest.mark.parametrize(
    ("only", "found"),
    [
        (Filter(topics=("pe",)), {"card:pe#s1.en"}),
        (Filter(kinds=("original",)), {"doc:local@1#1"}),
        (Filter(published_from=dt.date(2020, 1, 1)), {"card:tn#s1.en", "card:lysis#s1.en"}),
        (Filter(languages=("zh",)), {"card:tn#s1.zh", "card:pe#s1.zh", "card:lysis#s1.zh"}),
        (
            Filter(population="men"),
            {"card:tn#s1.en", "card:pe#s1.en", "card:lysis#s1.en"},
        ),
        (Filter(topics=("unheard-of",)), set()),
    ],
    ids=["topic", "kind", "date", "language", "population", "none left"],
)
def test_a_filter_leaves_what_it_says_and_all_of_it(only: Filter, found: set[str]) -> None:
    query = "troponin embolism thrombolysis"
    assert set(_ids(searcher(encoder=FakeEncoder()), query, only, k=20)) == found


def test_what_is_superseded_is_found_only_when_asked_for_and_stays_marked() -> None:
    found = searcher(encoder=FakeEncoder())
    assert "card:old#s1.en" not in _ids(found, "troponin six hours", k=20)
    hits = found.find("troponin six hours", only=Filter(superseded=True)).hits
    assert hits[0].passage.id == "card:old#s1.en"
    assert hits[0].passage.superseded_by == "tn"


def test_a_filter_finds_the_one_that_is_left_behind_a_hundred_better_matches() -> None:
    many = [passage(f"card:a{n}#s1.en", "troponin troponin", topics=("acs",)) for n in range(100)]
    rare = passage("card:z#s1.en", "A long statement that names troponin once.", topics=("pe",))
    found = searcher(collect([*many, rare]), FakeEncoder())
    assert _ids(found, "troponin", Filter(topics=("pe",))) == ["card:z#s1.en"]


def test_equal_passages_come_in_order_of_their_ids() -> None:
    same = [passage(f"card:{key}#s1.en", "troponin") for key in ("c", "a", "b")]
    found = searcher(collect(same), FakeEncoder())
    assert _ids(found, "troponin") == ["card:a#s1.en", "card:b#s1.en", "card:c#s1.en"]


def test_a_question_that_is_near_to_nothing_finds_nothing() -> None:
    for floor, count in ((-1.0, 4), (0.5, 0)):
        found = searcher(encoder=FakeEncoder(min_cosine=floor)).find("bicycle repair")
        assert (found.mode, len(found.hits)) == ("hybrid", count)


def test_a_reranker_orders_the_first_hits_and_is_named() -> None:
    result = searcher(encoder=FakeEncoder(), reranker=FakeReranker()).find("troponin hours")
    lengths = [len(hit.passage.text) for hit in result.hits]
    assert lengths == sorted(lengths)
    assert [hit.rank for hit in result.hits] == list(range(1, len(lengths) + 1))
    assert result.reranker == "fake-reranker"


def test_a_reranker_that_fails_leaves_the_fused_order_and_is_said() -> None:
    plain = searcher(encoder=FakeEncoder()).find("troponin hours")
    failed = searcher(encoder=FakeEncoder(), reranker=FakeReranker(failing=True)).find(
        "troponin hours"
    )
    assert failed.hits == plain.hits
    assert failed.reranker is None
    assert "told to fail" in failed.notices[0]


@pytest.mark.parametrize(
    ("query", "k", "error"),
    [
        ("", 5, InvalidValueError),
        ("?! \u200b", 5, InvalidValueError),
        ("what is the", 5, InvalidValueError),
        ("troponin", 0, InvalidValueError),
        ("troponin " * 300, 5, TooLargeError),
    ],
    ids=["empty", "no word", "words of grammar alone", "none asked for", "a whole text"],
)
def test_a_query_that_asks_nothing_is_refused(query: str, k: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        searcher().find(query, k=k)


def test_a_passage_is_had_by_its_id_and_an_unknown_id_is_an_error() -> None:
    found: Searcher = searcher()
    assert found.passage("card:pe#s1.zh").text == "肺栓塞应予抗凝。"
    with pytest.raises(InvalidValueError):
        found.passage("card:nothing#s1.en")


def test_two_passages_with_one_id_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="twice"):
        collect([passage("card:a#s1.en", "one"), passage("card:a#s1.en", "two")])
