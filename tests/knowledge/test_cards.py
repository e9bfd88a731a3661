"""Guideline cards: sourced, in two languages, and behind every recommendation of the pathway."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from knowledge.card_numbers import disagreements, measured
from knowledge.card_rows import Bilingual, CardFile
from knowledge.cards import Card, CardSentence, card_file, card_passages, load_cards
from knowledge.pathways import Argument, Recommendation, pathway
from knowledge.reference import Review, raw, table_names
from knowledge.scores import score_ids

CARDS = load_cards()
SENTENCES = [(card, sentence) for card in CARDS.values() for sentence in card.sentences]
RESTATING = [(card, s) for card, s in SENTENCES if s.numbers_from]
PATHWAY = pathway("chest_pain")

every_sentence = pytest.mark.parametrize(
    ("card", "sentence"), SENTENCES, ids=[f"{c.id}#{s.id}" for c, s in SENTENCES]
)


def _rows() -> Iterator[tuple[str, str, Recommendation | Argument]]:
    for key, row in PATHWAY.recommendations.items():
        yield key, row.text, row
    for name, diagnosis in PATHWAY.diagnoses.items():
        for number, argument in enumerate(diagnosis.supported + diagnosis.against):
            yield f"{name}-{number}", argument.because, argument


ROWS = list(_rows())
every_row = pytest.mark.parametrize(
    ("text", "row"), [(text, row) for _, text, row in ROWS], ids=[key for key, _, _ in ROWS]
)


@every_row
def test_every_recommendation_and_argument_names_cards_that_exist_and_stand(
    text: str, row: Recommendation | Argument
) -> None:
    assert row.cards, text
    for card_id in row.cards:
        assert CARDS[card_id].superseded_by is None


@every_row
def test_the_cards_of_a_recommendation_rest_on_its_source(
    text: str, row: Recommendation | Argument
) -> None:
    assert row.source in {source for c in row.cards for source in CARDS[c].sources}, text


@every_row
def test_every_number_of_a_recommendation_stands_in_one_of_its_cards(
    text: str, row: Recommendation | Argument
) -> None:
    said = {n for c in row.cards for s in CARDS[c].sentences for n in measured(s.en)}
    assert measured(text) <= said, text


@every_sentence
def test_every_sentence_has_source_review_licence_and_both_languages(
    card: Card, sentence: CardSentence
) -> None:
    assert "not reviewed by a clinician" in Review(tag=sentence.review).words
    assert sentence.citation.label
    assert sentence.citation.licence
    assert re.search(r"[a-z]{3}", sentence.en)
    assert not re.search(r"[\u4e00-\u9fff]", sentence.en)
    assert re.search(r"[\u4e00-\u9fff]", sentence.zh)
    assert sentence.en.endswith(".")
    assert sentence.zh.endswith("。")


@every_sentence
def test_a_sentence_shown_alone_does_not_begin_by_pointing_back(
    card: Card, sentence: CardSentence
) -> None:
    opening = sentence.en.split()[0].strip(",;:").lower()
    assert opening not in {
        "it",
        "this",
        "these",
        "they",
        "then",
        "such",
        "otherwise",
        "here",
        "also",
    }
    assert not sentence.zh.startswith(("其", "此", "该", "这", "否则"))


@pytest.mark.parametrize(
    ("card", "sentence"), RESTATING, ids=[f"{c.id}#{s.id}" for c, s in RESTATING]
)
def test_a_sentence_holds_exactly_the_numbers_of_the_rows_it_restates(
    card: Card, sentence: CardSentence
) -> None:
    assert disagreements(sentence.en, sentence.numbers_from) == ()


def test_most_assay_and_score_numbers_are_tied_to_the_rows_that_tools_use() -> None:
    tied = {selector.split(":")[0] for _, s in RESTATING for selector in s.numbers_from}
    assert {"troponin_assays", "troponin_pathways", "ecg_criteria", "pathways/chest_pain"} <= tied
    assert {f"scores/{name}" for name in score_ids()} <= tied | {"scores/years"}


def test_every_troponin_assay_has_a_card() -> None:
    about = _about()
    for assay in raw("troponin_assays")["assays"]:
        assert f"troponin_assays:assays.{assay}" in about


def test_every_score_has_a_card() -> None:
    assert {f"scores/{name}" for name in score_ids()} <= _about()


def test_every_group_of_ecg_criteria_has_a_card() -> None:
    words = {"title", "version", "licence", "sources", "advice", "statements"}
    groups = {f"ecg_criteria:{key}" for key in set(raw("ecg_criteria")) - words}
    assert groups <= _about()


def test_every_condition_that_forbids_low_has_a_card() -> None:
    blocks = raw("chest_pain_low_risk_blocks")["blocks"]
    assert {f"chest_pain_low_risk_blocks:blocks.{key}" for key in blocks} <= _about()


def test_every_troponin_algorithm_has_a_card() -> None:
    algorithms = raw("troponin_pathways")["algorithms"]
    assert {f"troponin_pathways:algorithms.{key}" for key in algorithms} <= _about()


def test_what_a_card_is_about_exists() -> None:
    for about in _about():
        table, _, path = about.partition(":")
        node: Any = raw(table)
        for part in path.split(".") if path else ():
            assert part in node, about
            node = node[part]


def test_a_superseded_card_names_a_successor_that_stands_and_is_newer() -> None:
    superseded = [card for card in CARDS.values() if card.superseded_by is not None]
    assert superseded
    for card in superseded:
        assert card.superseded_by is not None
        successor = CARDS[card.superseded_by]
        assert successor.superseded_by is None
        old, new = card.sentences[0].published, max(_dates(successor))
        assert old is not None
        assert old < new


def test_passages_are_one_for_each_sentence_and_language_with_unique_ids() -> None:
    passages = card_passages()
    assert len(passages) == 2 * len(SENTENCES)
    assert len({p.id for p in passages}) == len(passages)
    assert len({p.text for p in passages}) == len(passages)
    assert all(re.fullmatch(r"card:[a-z0-9-]+#s\d+\.(en|zh)", p.id) for p in passages)


def test_a_passage_is_labelled_as_our_summary_and_never_as_a_quote() -> None:
    for passage in card_passages():
        assert passage.kind == "summary"
        assert passage.origin is None
        own = passage.label == "Epicrisis design choice, not from a guideline"
        assert own is passage.citation.id.endswith("/epicrisis")
        if not own:
            assert passage.label.startswith("Epicrisis summary of ")
            assert passage.label.endswith(", not verbatim")
        assert "quot" not in f"{passage.label} {passage.title} {passage.text}".lower()


def test_a_row_recalled_with_little_confidence_says_so_where_it_is_shown() -> None:
    weak = next(p for p in card_passages() if p.id == "card:thyroid-cytology#s1.en")
    assert "recalled with 80 % confidence" in weak.citation.review


def test_a_source_is_the_same_in_every_file_that_names_it() -> None:
    seen: dict[str, dict[str, Any]] = {}
    for name in table_names():
        if not name.startswith(("cards/", "pathways/")):
            continue
        for key, source in raw(name)["sources"].items():
            fields = {f: source.get(f) for f in ("year", "doi")}
            before = seen.setdefault(key, fields)
            known = {f: v for f, v in before.items() if v is not None}
            assert all(fields[f] in (None, v) for f, v in known.items()), (name, key)


def test_the_same_words_with_another_number_in_chinese_are_refused() -> None:
    with pytest.raises(ValidationError, match="numbers differ between the languages: 12, 21"):
        Bilingual(en="below 12 ng/L", zh="低于 21 ng/L")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "unheard-of"}, "not listed"),
        ({"review": "surely"}, "not a review tag"),
        ({"sentences": {}}, "at least 1"),
        ({"topics": []}, "at least 1"),
        ({"sentences": {"first": {"en": "A.", "zh": "甲。"}}}, "pattern"),
        ({"colour": "red"}, "Extra inputs"),
    ],
    ids=["source", "review", "no sentence", "no topic", "sentence id", "unknown field"],
)
def test_a_card_with_a_mistake_is_refused(change: dict[str, Any], message: str) -> None:
    data = raw("cards/aortic_syndrome")
    data["cards"]["add-rs"] |= change
    with pytest.raises(ValidationError, match=message):
        CardFile.model_validate(data)


def test_no_file_claims_a_clinicians_review() -> None:
    for name in table_names():
        if name.startswith("cards/"):
            assert card_file(name.removeprefix("cards/")).reviewed_on is None


def _about() -> set[str]:
    return {about for card in CARDS.values() for about in card.about}


def _dates(card: Card) -> list[Any]:
    return [s.published for s in card.sentences if s.published is not None]
