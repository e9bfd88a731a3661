"""Which passages a filter leaves, decided before the search so that no hit is thrown away later."""

import datetime as dt
from collections.abc import Iterable, Sequence

import numpy as np

from knowledge.passages import Filter, Passage
from knowledge.retrieval.lexical import Allowed

_KEPT = 16  # filters whose answer is kept: those of one conversation


class Columns:
    """What filters ask about, column by column.

    Args:
        passages: In order of place.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._size = len(passages)
        self._topics: dict[str, list[int]] = {}
        self._kind = _Codes(p.kind for p in passages)
        self._language = _Codes(p.language for p in passages)
        self._population = _Codes(p.population for p in passages)
        self._superseded = np.array([p.superseded_by is not None for p in passages], dtype=bool)
        self._published = np.array([_day(p.published) for p in passages], dtype=np.int32)
        for place, passage in enumerate(passages):
            for topic in passage.topics:
                self._topics.setdefault(topic, []).append(place)
        self._kept: dict[Filter, Allowed | None] = {}

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic there is, sorted."""
        return tuple(sorted(self._topics))

    def allowed(self, only: Filter) -> Allowed | None:
        """Return which passages a filter leaves, None for all of them.

        A passage without a date is of no known age, so not younger than any.
        """
        if only not in self._kept:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._computed(only)
            self._kept[only] = None if bool(found.all()) else found
        return self._kept[only]

    def _computed(self, only: Filter) -> Allowed:
        found = self._kind.among(only.kinds)
        if only.topics:
            on_topic = np.zeros(self._size, dtype=bool)
            for topic in only.topics:
                on_topic[self._topics.get(topic, [])] = True
            found &= on_topic
        if only.population is not None:
            found &= self._population.among((only.population, ""))
        if only.published_from is not None:
            found &= self._published >= _day(only.published_from)
        if not only.superseded:
            found &= ~self._superseded
        if only.languages:
            found &= self._language.among(only.languages)
        return found


class _Codes:
    """A column of few different words, as numbers."""

    def __init__(self, values: Iterable[str]) -> None:
        self._code: dict[str, int] = {}
        self._column = np.array(
            [self._code.setdefault(value, len(self._code)) for value in values], dtype=np.int32
        )

    def among(self, wanted: Sequence[str]) -> Allowed:
        codes = [self._code[word] for word in wanted if word in self._code]
        found: Allowed = np.isin(self._column, codes)
        return found


def _day(date: dt.date | None) -> int:
    """Return a date as a number that grows; 0, before every date, for none."""
    return 0 if date is None else date.toordinal()
