"""The words of the chest-film gate and report, English and Chinese, as reviewable data."""

from collections.abc import Callable, Mapping
from functools import cache

from knowledge.passages import Language
from knowledge.reference import Table, load
from knowledge.told import Told

_FILE = "film_words"


class FilmWords(Table):
    """The whole file.

    Args:
        words: English text to Chinese text.
        templates: The same for texts that code puts together, with holes (see `knowledge.told`).
    """

    words: Mapping[str, str]
    templates: Mapping[str, str] = {}


@cache
def film_words() -> FilmWords:
    """Return the table."""
    return load(_FILE, FilmWords)


@cache
def film_told() -> Told:
    """Return what tells a text of gate or report in Chinese."""
    table = film_words()
    return Told(table.words, table.templates)


def film_saying(language: Language) -> Callable[[str], str]:
    """Return what tells a text of gate or report in a language.

    A text without Chinese words is told in English: a test walks every text of both.

    Examples:
        >>> film_saying("zh")("lung fields")
        '肺野'
    """
    return str if language == "en" else film_told()
