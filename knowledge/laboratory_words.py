"""The words of the laboratory report, English and Chinese, as reviewable data."""

from collections.abc import Callable, Mapping
from functools import cache

from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.laboratory_tests import laboratory_tests
from knowledge.passages import Language
from knowledge.reference import Table, load
from knowledge.told import Told

_FILE = "laboratory_words"


class LaboratoryWords(Table):
    """The whole file.

    Args:
        words: English text to Chinese text.
        templates: The same for texts that code puts together, with holes (see `knowledge.told`).
    """

    words: Mapping[str, str]
    templates: Mapping[str, str] = {}


@cache
def laboratory_words() -> LaboratoryWords:
    """Return the table."""
    return load(_FILE, LaboratoryWords)


@cache
def laboratory_told() -> Told:
    """Return what tells a text of the report in Chinese, with the names of tests and inputs."""
    tests = laboratory_tests()
    names = {
        **catalogue().chinese,
        **{analytes().analytes[key].label: row.chinese for key, row in tests.tests.items()},
        **{row.label: row.chinese for row in tests.worded.values()},
    }
    table = laboratory_words()
    return Told({**names, **table.words}, table.templates)


def saying(language: Language) -> Callable[[str], str]:
    """Return what tells a text of the report in a language.

    A text without Chinese words is told in English: a test walks every text of the report.
    """
    return str if language == "en" else laboratory_told()
