"""The names that a question may use for a laboratory test, in English and Chinese."""

from collections.abc import Iterator, Mapping
from functools import cache

from agent.episode import TROPONIN
from knowledge.analytes import analytes
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_vocabulary import laboratory_vocabulary

_SHORTEST = 3
"""Letters of the shortest name: K, Na and mg stand for other things in a question."""
_OTHER_FLUIDS = ("urine", "fluid", "spinal")
_HOMONYMS = frozenset({"alcohol", "got", "lip"})
"""Names that are words of their own in a question."""


@cache
def names_of_tests() -> Mapping[str, tuple[str, ...]]:
    """Return the names of every laboratory test by its key; troponins have words of their own.

    Examples:
        >>> "crp" in names_of_tests()["crp"], "sodium" in names_of_tests()["sodium"]
        (True, True)
    """
    keys = (key for key in laboratory_tests().tests if key not in TROPONIN)
    return {key: tuple(dict.fromkeys(_names(key))) for key in keys}


def _names(key: str) -> Iterator[str]:
    label = analytes().analytes[key].label.lower()
    held = laboratory_vocabulary().names.values()
    own = laboratory_vocabulary().names.get(key)
    words = [label, laboratory_tests().tests[key].chinese]
    words += [] if own is None or own.analyte not in (None, key) else list(own.words)
    words += [word for row in held if row.analyte == key for word in row.words]
    if not any(fluid in label for fluid in _OTHER_FLUIDS):
        words.append(label.partition(",")[0].partition(" (")[0])
    for word in words:
        long_enough = not word.isascii() or sum(map(str.isalnum, word)) >= _SHORTEST
        if word and long_enough and word not in _HOMONYMS:
            yield word
