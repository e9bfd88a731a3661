# ruff: noqa: RUF001
"""Every text of the scores and of the laboratory's tables has its Chinese, whole."""

import re
from collections.abc import Iterator

import pytest

from knowledge.delta_checks import delta_checks
from knowledge.interference import interferences
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_patterns import laboratory_patterns, pattern_words
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_words import laboratory_told
from knowledge.low_risk import block_table
from knowledge.model import Frozen
from knowledge.plain_text import has_chinese
from knowledge.reflex_tests import reflex_tests
from knowledge.score_words import score_told
from knowledge.scores import score, score_ids
from knowledge.serial_markers import serial_markers
from knowledge.told import Told, stays
from knowledge.words import Words

_SENTENCE = re.compile(r"[a-z]{2,}(?:[ ,]+[a-z]{2,}){2,}")
"""Three words in small letters in a row: no abbreviation, unit or proper name."""


def _lacking(texts: Iterator[tuple[str, str]], told: Told) -> list[str]:
    """Return the texts without Chinese, or whose Chinese still holds an English sentence."""
    found = []
    for where, text in texts:
        chinese = told.known(text)
        if chinese is None or _SENTENCE.search(chinese) or _is_english(chinese):
            found.append(f"{where}: {text}")
    return found


def _is_english(text: str) -> bool:
    return not has_chinese(text) and not stays(text) and re.search(r"[a-z]{3,}", text) is not None


def _score_texts(key: str) -> Iterator[tuple[str, str]]:
    held = score(key)
    yield "purpose", held.purpose
    yield "population", held.population.text
    clauses = (*held.population.outside_if, *held.population.requires)
    yield from (("outside", clause.reason) for clause in clauses)
    yield from (("item", item.label) for item in held.items)
    yield from (("meaning", band.meaning) for band in held.bands if band.meaning)
    yield from (("statement", row.statement) for row in held.decision if row.statement)
    yield from (("note", note.text) for note in held.notes)
    yield from (("outcome", t.outcome) for t in (held.table, held.regression) if t is not None)


@pytest.mark.parametrize("key", score_ids())
def test_every_text_of_a_score_has_chinese(key: str) -> None:
    assert not _lacking(_score_texts(key), score_told())


def test_every_category_of_a_score_has_chinese() -> None:
    names = {(key, band.name) for key in score_ids() for band in score(key).bands}
    told = score_told()
    lacking = {n for _, n in names if told.known(n) is None and re.search(r"[a-z]{3}", n)}
    assert not lacking


def test_what_forbids_low_has_chinese() -> None:
    blocks = block_table().blocks.values()
    texts = (("block", f"{block.label}: {block.because}") for block in blocks)
    assert not _lacking(texts, score_told())


def _interference_texts() -> Iterator[tuple[str, str]]:
    table = interferences()
    yield from ((key, signal.label) for key, signal in table.signals.items())
    for key, row in table.interferences.items():
        yield key, row.label
        for effect in row.effects:
            yield key, effect.consequence
            if effect.size:
                yield key, effect.size


def test_every_interference_has_chinese() -> None:
    assert not _lacking(_interference_texts(), laboratory_told())


def _index_texts() -> Iterator[tuple[str, str]]:
    for key, row in laboratory_indices().indices.items():
        yield key, row.name
        yield from ((key, text) for text in row.caveats)
        yield from ((key, text) for text in row.not_when.values())
        if row.not_available:
            yield key, row.not_available
        for spec in row.inputs.values():
            yield from ((key, text) for text in (spec.label, spec.because, spec.question) if text)
        for option in row.options.values():
            yield from ((key, text) for text in (option.label, option.question) if text)
        for categories in row.categories.values():
            for one in categories:
                yield from ((key, text) for text in (one.name, one.meaning) if text)


def test_every_index_has_chinese() -> None:
    assert not _lacking(_index_texts(), laboratory_told())


def _interval_texts() -> Iterator[tuple[str, str]]:
    table = laboratory_tests()
    for key, row in table.tests.items():
        if row.no_interval:
            yield key, row.no_interval
    for name in {
        name for row in table.tests.values() for one in row.intervals for name in one.when
    }:
        yield "when", name
    for key, pattern in delta_checks().patterns.items():
        yield from ((key, text) for text in (pattern.label, pattern.explains, pattern.settles))


def test_every_reason_label_and_contamination_has_chinese() -> None:
    assert not _lacking(_interval_texts(), laboratory_told())


def test_every_test_and_panel_has_a_chinese_name() -> None:
    table = laboratory_tests()
    names = [
        *(row.chinese for row in table.tests.values()),
        *(row.chinese for row in table.worded.values()),
        *(row.chinese for row in table.panels.values()),
    ]
    lacking = [name for name in names if not has_chinese(name)]
    assert all(re.fullmatch(r"[A-Za-z0-9 -]{1,12}", name) for name in lacking)


def _words_in(node: object) -> Iterator[Words]:
    """Yield every pair of texts inside a model."""
    if isinstance(node, Words):
        yield node
    elif isinstance(node, Frozen):
        both = getattr(node, "en", None), getattr(node, "zh", None)
        if all(isinstance(text, str) for text in both):
            yield Words(en=str(both[0]), zh=str(both[1]))
        for name in type(node).model_fields:
            yield from _words_in(getattr(node, name))
    elif isinstance(node, dict) or hasattr(node, "items"):
        for value in node.values():  # type: ignore[attr-defined]
            yield from _words_in(value)
    elif isinstance(node, tuple | list):
        for value in node:
            yield from _words_in(value)


@pytest.mark.parametrize(
    "table",
    [
        *laboratory_patterns().values(),
        pattern_words(),
        reflex_tests(),
        serial_markers(),
    ],
    ids=lambda table: getattr(table, "id", type(table).__name__),
)
def test_every_pattern_reflex_and_marker_row_has_chinese(table: Frozen) -> None:
    found = list(_words_in(table))
    assert found
    assert not [w.en for w in found if _SENTENCE.search(w.zh)]
    bare = [(w.en, re.sub(r"\{\w+\}", "", w.zh)) for w in found]
    assert not [en for en, zh in bare if re.search(r"[a-z]{4}", zh) and not has_chinese(zh)]


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        # GB/T and guideline terms: anion gap, haemolysis, creatinine clearance
        ("Anion gap (without potassium): 27 mmol/L.", "阴离子间隙（不计钾）：27 mmol/L。"),
        ("missing: Body weight, Calcium", "缺少：体重、钙"),
        ("not known; would tell: total protein", "未知；可由以下判定：总蛋白"),
    ],
)
def test_a_text_put_together_by_code_is_told_by_its_template(english: str, chinese: str) -> None:
    assert laboratory_told().known(english) == chinese


def test_a_text_of_which_a_part_is_not_known_is_not_told() -> None:
    assert laboratory_told().known("the moon is full") is None
    assert laboratory_told()("the moon is full") == "the moon is full"


def test_of_several_sentences_the_known_ones_are_told_and_the_others_named() -> None:
    told, left = laboratory_told().by_sentence("The moon is full. There is no fixed limit.")
    assert (told, left) == ("没有固定界限。", "The moon is full.")
