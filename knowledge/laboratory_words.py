"""The words of the laboratory report, English and Chinese, as reviewable data."""

from collections.abc import Callable, Mapping
from functools import cache

from knowledge.passages import Language
from knowledge.reference import Table, load

_FILE = "laboratory_words"


class LaboratoryWords(Table):
    """The whole file.

    Args:
        words: English text to Chinese text.
    """

    words: Mapping[str, str]


@cache
def laboratory_words() -> LaboratoryWords:
    """Return the table."""
    return load(_FILE, LaboratoryWords)


def saying(language: Language) -> Callable[[str], str]:
    """Return what tells a text of the report in a language.

    A text without Chinese words is told in English: a test walks every text of the report.
    """
    if language == "en":
        return str
    words = laboratory_words().words
    return lambda text: words.get(text, text)
