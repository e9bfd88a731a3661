"""The words of the CT report, English and Chinese, as reviewable data."""

from collections.abc import Callable, Mapping
from functools import cache

from knowledge.reference import Table, load
from knowledge.words import Language

_FILE = "ct_words"


class CtWords(Table):
    """The whole file: English text to Chinese text."""

    words: Mapping[str, str]


@cache
def ct_words() -> CtWords:
    """Return the table."""
    return load(_FILE, CtWords)


def ct_saying(language: Language) -> Callable[[str], str]:
    """Return what tells a word of the CT report in a language.

    Examples:
        >>> ct_saying("zh")("Nodule"), ct_saying("en")("Nodule")
        ('结节', 'Nodule')
    """
    if language == "zh":
        return lambda text: ct_words().words.get(text, text)
    return lambda text: {"nodule-growth": "growth", "detection": "other findings"}.get(text, text)
