"""Spellings that differ without a difference in meaning are one word."""

import pytest

from knowledge.retrieval.words import tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ischaemia", "ischemia"),
        ("haemodynamic", "hemodynamic"),
        ("oedema", "edema"),
        ("oesophageal", "esophageal"),
        ("dyspnoea", "dyspnea"),
        ("tumour", "tumor"),
        ("catheterisation", "catheterization"),
        ("biopsies", "biopsy"),
        ("hs-cTnT", "HS CTNT"),
        ("β-blocker", "beta blockers"),
        ("μg/L", "ug/L"),
        ("naïve", "naive"),
        ("ＳＴＥＭＩ", "stemi"),  # noqa: RUF001 - full width on purpose
        ("patient's", "patient"),
    ],
)
def test_two_spellings_of_one_word_are_found_by_each_other(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize("word", ["diagnosis", "thrombus", "illness", "ms", "tachypnoeic"])
def test_what_is_no_plural_is_not_cut(word: str) -> None:
    assert tokens(word)[0][-1] == word[-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("肌钙蛋白", ("肌钙", "钙蛋", "蛋白")),
        ("升高的肌钙", ("升高", "肌钙")),
        ("痛", ("痛",)),
        ("hs-cTnT升高5倍", ("hs", "ctnt", "升高", "5", "倍")),
    ],
)
def test_chinese_is_found_by_pairs_of_characters(text: str, found: tuple[str, ...]) -> None:
    assert tokens(text) == found


def test_a_negation_is_kept_and_words_of_grammar_are_not() -> None:
    assert tokens("It is not without risk") == ("not", "without", "risk")


def test_invisible_and_control_characters_make_no_word() -> None:
    assert tokens("\u200b\x00\u202e") == ()
