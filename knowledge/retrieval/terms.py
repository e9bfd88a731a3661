"""Synonyms and abbreviations: one concept, however it is written, in English or Chinese.

A text is marked with the concepts it names, and so is a query: "cTn" finds "肌钙蛋白". Where one
name stands inside another ("troponin" in "high-sensitivity troponin"), the longest counts.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from pydantic import model_validator

from knowledge.model import Frozen
from knowledge.reference import Table, load
from knowledge.retrieval.words import FUNCTION_WORDS, has_chinese, pieces

TABLE = "search_terms"


class Term(Frozen):
    """One concept and its names.

    Args:
        en: English names and abbreviations, the one to ask an English-only encoder with first.
        zh: Chinese names.
        broader: Concepts that are named along with this one.
    """

    en: tuple[str, ...]
    zh: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()


class TermRows(Frozen):
    """The concepts, and where the words come from."""

    source: str
    review: str
    rows: Mapping[str, Term]


class TermTable(Table):
    """The file ``knowledge/data/search_terms.yaml``."""

    terms: TermRows

    @model_validator(mode="after")
    def _consistent(self) -> "TermTable":
        owner: dict[tuple[str, ...], str] = {}
        for key, term in self.terms.rows.items():
            if not term.en:
                raise ValueError(f"{key}: no English name to ask an English-only encoder with")
            for broader in term.broader:
                if broader not in self.terms.rows:
                    raise ValueError(f"{key}: broader {broader!r} is no row")
            for name in (*term.en, *term.zh):
                found = _checked(key, name)
                if owner.setdefault(found, key) != key:
                    raise ValueError(f"{name!r} is a name of {owner[found]} and of {key}")
        return self


def _checked(key: str, name: str) -> tuple[str, ...]:
    found = pieces(name)
    if not found:
        raise ValueError(f"{key}: {name!r} has nothing to compare")
    if len(found) == 1 and found[0] in FUNCTION_WORDS:
        raise ValueError(f"{key}: {name!r} is also a common English word")
    return found


def search_terms() -> TermTable:
    """Return the packaged table of search terms."""
    return load(TABLE, TermTable)


class Thesaurus:
    """Finds the concepts that a text names.

    Args:
        rows: Concepts by id.
    """

    def __init__(self, rows: Mapping[str, Term]) -> None:
        self._rows = rows
        self._latin: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._chinese: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for key, term in rows.items():
            for name in (*term.en, *term.zh):
                self._add(pieces(name), key)
        for index in (self._latin, self._chinese):
            for names in index.values():
                names.sort(key=lambda pair: (-sum(map(len, pair[0])), pair))

    def concepts(self, text: str) -> tuple[str, ...]:
        """Return the ids of the concepts named, in order of their first mention, broader ones last.

        Examples:
            >>> thesaurus().concepts("hs-cTnT 和 STEMI")[:2]
            ('hs_troponin_t', 'stemi')
        """
        found = self._walk(_units(text))
        named = list(dict.fromkeys(key for _, key in found if key is not None))
        wider = (broader for key in named for broader in self._rows[key].broader)
        return tuple(dict.fromkeys((*named, *wider)))

    def in_english(self, text: str) -> str:
        """Return a query's concepts and Latin words in English; empty where nothing is known.

        Examples:
            >>> thesaurus().in_english("肺栓塞患者溶栓")
            'pulmonary embolism fibrinolysis'
        """
        found = list(self._walk(_units(text)))
        said = [self._rows[key].en[0] for _, key in found if key is not None]
        words = (unit for unit, key in found if key is None and not has_chinese(unit))
        return " ".join(dict.fromkeys((*said, *(w for w in words if w not in FUNCTION_WORDS))))

    def _add(self, name: tuple[str, ...], key: str) -> None:
        units = tuple(unit for piece in name for unit in _split(piece))
        index = self._chinese if has_chinese(units[0]) else self._latin
        index.setdefault(units[0], []).append((units, key))

    def _walk(self, units: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
        """Yield the text from left to right: a name with its concept, or a unit with None."""
        place = 0
        while place < len(units):
            unit = units[place]
            index = self._chinese if has_chinese(unit) else self._latin
            for name, key in index.get(unit, ()):
                if units[place : place + len(name)] == name:
                    yield " ".join(name), key
                    place += len(name)
                    break
            else:
                yield unit, None
                place += 1


def _units(text: str) -> tuple[str, ...]:
    return tuple(unit for piece in pieces(text) for unit in _split(piece))


def _split(piece: str) -> tuple[str, ...]:
    """Return a run of Chinese character by character, anything else whole."""
    return tuple(piece) if has_chinese(piece) else (piece,)


@cache
def thesaurus() -> Thesaurus:
    """Return the thesaurus of the packaged table."""
    return Thesaurus(MappingProxyType(dict(search_terms().terms.rows)))
