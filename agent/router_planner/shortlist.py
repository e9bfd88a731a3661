"""Which tools a request may be about: nearest texts by MiniLM, and by words in either language.

The texts of a tool are its card, its names and what people ask it for. The small model then
chooses among few names instead of all. MiniLM reads English alone; a Chinese request is put to it
in English as far as the table of search terms goes, and by character pairs to BM25, which has the
Chinese texts.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.router_planner.compact import MOST_NAMES
from agent.router_planner.names import Names, names_of, requests_of
from agent.router_planner.vectors import vectors_of
from knowledge.model import Frozen
from knowledge.retrieval.encoders import Encoder
from knowledge.retrieval.lexical import LexicalIndex
from knowledge.retrieval.terms import thesaurus
from knowledge.retrieval.words import has_chinese, tokens
from tools.toolbox import Tool, discover

TAKEN, TAKEN_OF_A_CASE = 6, MOST_NAMES
"""Tools on the list for a request and for a whole case; see the bench for how often the right one
is among them."""

_RRF = 60.0
"""Constant of reciprocal rank fusion (Cormack 2009, doi 10.1145/1571941.1572114)."""

_EACH = 24


class Nearest(Frozen):
    """One tool of a ranking.

    Args:
        tool: Its name.
        cosine: With the request, where an encoder read it; None where none did.
    """

    tool: str
    cosine: float | None = None


class ToolIndex:
    """Finds tools by a request.

    Args:
        encoder: For English; None for words alone.
        tools: What is found; every tool of this installation by default.
        requests: Whether what people ask for is among the texts. Not where a training makes its
            lists: its requests are these texts, and the right tool would always be first.
        keep: Folder in which vectors are kept; None for none.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        tools: Sequence[Tool[..., Any]] | None = None,
        *,
        requests: bool = True,
        keep: Path | None = None,
    ) -> None:
        self._encoder = encoder
        self._requests = requests
        self._keep = keep
        self._tools = tuple(discover().values()) if tools is None else tuple(tools)
        self._names = tuple(tool.name for tool in self._tools)

    @property
    def encoder_id(self) -> str:
        """Which encoder is used; ``words alone`` where none."""
        return self._encoder.id if self._encoder is not None else "words alone"

    def shortlist(
        self, request: str, *, among: Sequence[str] | None = None, count: int = TAKEN
    ) -> tuple[str, ...]:
        """Return the names of the tools nearest to a request, both rankings fused, best first.

        Args:
            request: As typed.
            among: Only these; all where None. Where they are no more than `count`, all of them
                are returned.
            count: At most so many; where nothing is near, every tool is left for the model.
        """
        score: dict[str, float] = {}
        for ranking in (self.by_meaning(request), self.by_words(request)):
            kept = [n for n in ranking if among is None or n.tool in among][:_EACH]
            for place, near in enumerate(kept):
                score[near.tool] = score.get(near.tool, 0.0) + 1.0 / (_RRF + place + 1)
        found = sorted(score, key=lambda name: (-score[name], name))[:count]
        if among is not None and len(among) <= count:
            found += [name for name in among if name not in found]
        return tuple(found or among or self._names)

    def by_meaning(self, request: str) -> tuple[Nearest, ...]:
        """Return every tool by cosine, best first; none where the request cannot be encoded."""
        text = self._english(request)
        if self._encoder is None or not text:
            return ()
        cosines = self._vectors @ self._encoder.embed([text])[0]
        best: dict[str, float] = {}
        for name, cosine in zip(self._owners, cosines.tolist(), strict=True):
            best[name] = max(cosine, best.get(name, -1.0))
        order = sorted(best, key=lambda name: (-best[name], name))
        return tuple(Nearest(tool=name, cosine=best[name]) for name in order)

    def by_words(self, request: str) -> tuple[Nearest, ...]:
        """Return the tools that share words with a request, by BM25, best first."""
        places = self._lexical.search(tokens(request), count=len(self._documents))
        found = dict.fromkeys(self._documents[place][0] for place in places.tolist())
        return tuple(Nearest(tool=name) for name in found)

    def _english(self, request: str) -> str:
        if self._encoder is None or not has_chinese(request) or "zh" in self._encoder.languages:
            return request
        return thesaurus().in_english(request)

    @cached_property
    def _texts(self) -> tuple[tuple[str, str], ...]:
        """What is encoded of each tool: its first line, and each of its English texts."""
        return tuple(
            (tool.name, text)
            for tool in self._tools
            for text in dict.fromkeys(
                (
                    f"{tool.card.title}. {tool.summary}",
                    *names_of(tool.name).en,
                    *self._asked(tool.name).en,
                )
            )
        )

    @cached_property
    def _documents(self) -> tuple[tuple[str, str], ...]:
        """What words are looked for in: one text of the card and all names, one each request."""
        asked = (
            (tool.name, text)
            for tool in self._tools
            for row in (self._asked(tool.name),)
            for text in dict.fromkeys((*row.en, *row.zh))
        )
        return (*((tool.name, _words(tool)) for tool in self._tools), *asked)

    def _asked(self, tool: str) -> Names:
        return requests_of(tool) if self._requests else Names()

    @property
    def _owners(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._texts)

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        if self._encoder is None:
            raise RuntimeError("there is no encoder")
        return vectors_of(self._encoder, [text for _, text in self._texts], self._keep)

    @cached_property
    def _lexical(self) -> LexicalIndex:
        return LexicalIndex.build([tokens(text) for _, text in self._documents])


def _words(tool: Tool[..., Any]) -> str:
    names = names_of(tool.name)
    return "; ".join(
        (tool.card.title, tool.summary, tool.card.topic, *names.en, *names.zh, tool.name)
    )
