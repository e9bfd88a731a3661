"""The words of the scores, English and Chinese, as reviewable data."""

from collections.abc import Mapping
from functools import cache

from knowledge.clinical_inputs import catalogue
from knowledge.reference import Table, load
from knowledge.told import Told
from knowledge.verifier_terms import verifier_terms

_FILE = "score_words"


class ScoreWords(Table):
    """The whole file.

    Args:
        words: English text of a score file to Chinese text.
        templates: The same for texts of which a part varies (see `knowledge.told`).
    """

    words: Mapping[str, str]
    templates: Mapping[str, str]


@cache
def score_words() -> ScoreWords:
    """Return the table."""
    return load(_FILE, ScoreWords)


@cache
def score_told() -> Told:
    """Return what tells a text of a score in Chinese, with the names of the inputs."""
    table = score_words()
    names = {**catalogue().chinese, **verifier_terms().zh.phrases}
    return Told({**table.words, **names}, table.templates)
