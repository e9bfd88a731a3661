"""Synthetic training traces from the cards of the tools: equal seeds give equal traces.

A trace is a request in English or Chinese, the items of an invented case and the reply that code
works out from the cards. No id is ever named that is not in the case, no patient is in them.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from agent.assess import PATHWAY
from agent.calls import MAX_EVIDENCE
from agent.router_planner.compact import ASK, MAX_CALLS, NONE, prompt_text, reply_text
from agent.router_planner.evidence import RouterItem, lacking, readable, reads
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.pathways import pathway
from serving.llm.train_router.case_items import CaseItems, numbered
from serving.llm.train_router.wording import Words, names, requests, words
from tools.toolbox import discover

Kind = Literal["one", "several", "named item", "missing", "foreign id", "plan", "unclear", "none"]

SHARES: Mapping[Kind, float] = {
    "one": 0.49,
    "several": 0.12,
    "named item": 0.06,
    "missing": 0.10,
    "foreign id": 0.03,
    "plan": 0.04,
    "unclear": 0.05,
    "none": 0.11,
}
"""How often each kind of trace is written."""

_CHINESE = 0.45
_SPECIAL = 3
"""Tools that are no score and no index are few; each is drawn this many times as often."""

_BY_NAME, _SHORT_BY_NAME = 0.3, 0.6
"""How often a request names the tool, alone and among several."""

_SLIPS = 0.06
_LOWER = 0.3
_PICKED = ("ecg-", "film-", "ct-", "slide-", "field-")


class Trace(Frozen):
    """One training example.

    Args:
        kind: What it teaches.
        language: Of the request.
        modality: Group of the tool it is about; ``none`` where there is none.
        request: As a person would type it.
        items: The case.
        reply: Lines of the right reply.
        offered: Tools that stand in the prompt; see `offers`.
    """

    kind: Kind
    language: Language
    modality: str
    request: str
    items: tuple[RouterItem, ...]
    reply: tuple[str, ...]
    offered: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Tools that the reply names."""
        words = [line.removeprefix(f"{ASK} ").split(" ")[0] for line in self.reply]
        return tuple(word for word in words if word not in (ASK, NONE))

    @property
    def prompt(self) -> str:
        """What the model reads."""
        return prompt_text(self.request, self.items, self.offered)

    @property
    def completion(self) -> str:
        """What it is to write."""
        return reply_text(self.reply)


def traces(count: int, *, seed: int) -> tuple[Trace, ...]:
    """Return so many different traces."""
    found: dict[str, Trace] = {}
    for trace in _endless(seed):
        found.setdefault(trace.prompt, trace)
        if len(found) == count:
            break
    return tuple(found.values())


def _endless(seed: int) -> Iterator[Trace]:
    writer = _Writer(random.Random(seed))  # noqa: S311  training data, no secret
    while True:
        yield writer.write()


class _Writer:
    """Writes traces, one after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        tools = discover()
        special = [n for n, t in tools.items() if t.card.group not in ("risk", "derived index")]
        self._pool = (*tools, *special * (_SPECIAL - 1))
        self._makers: Mapping[Kind, Callable[[Language], Trace]] = {
            "one": self._one,
            "several": self._several,
            "named item": self._named_item,
            "missing": self._missing,
            "foreign id": self._foreign_id,
            "plan": self._plan,
            "unclear": self._unclear,
            "none": self._none,
        }

    def write(self) -> Trace:
        """Return the next trace."""
        kind = self._chance.choices(tuple(SHARES), tuple(SHARES.values()))[0]
        language: Language = "zh" if self._chance.random() < _CHINESE else "en"
        return self._makers[kind](language)

    def _one(self, language: Language) -> Trace:
        tool = self._chance.choice(self._pool)
        items = self._case(tool)
        return self._trace("one", language, self._about(tool, language), items, [tool])

    def _several(self, language: Language) -> Trace:
        count = 3 if self._chance.random() < 0.15 else 2
        tools = self._together(count)
        lacking_one = tools[-1] if self._chance.random() < 0.15 else None
        case = CaseItems(self._chance)
        for tool in tools:
            if tool != lacking_one:
                case.add_for(tool)
        case.add_others(self._chance.randint(0, 3), not_for=tools)
        templates = self._words(language).join3 if count == 3 else self._words(language).join
        parts = {key: self._short(tool, language) for key, tool in zip("abc", tools, strict=False)}
        request = self._chance.choice(templates).format(**parts)
        return self._trace("several", language, request, case.items(), tools)

    def _named_item(self, language: Language) -> Trace:
        tool = self._chance.choice([t for t in self._pool if _picks(t)])
        prefix = _picks(tool)
        case = CaseItems(self._chance)
        case.add_for(tool)
        case.again(prefix, times=self._chance.randint(1, 2))
        case.add_others(self._chance.randint(0, 3), not_for=[tool])
        items = case.items()
        chosen = numbered(items, prefix)
        wording = self._words(language)
        if self._chance.random() < 0.5:
            one = self._chance.choice(chosen)
            text = self._chance.choice(wording.with_id).format(
                id=one.id, **self._xp(tool, language)
            )
            line = f"{tool} {one.id}"
        else:
            place = self._chance.choice((0, -1))
            which = wording.which.first if place == 0 else wording.which.last
            text = self._chance.choice(wording.with_which).format(
                w=self._chance.choice(which), **self._xp(tool, language)
            )
            kept = [i for i in items if i not in chosen or i == chosen[place]]
            line = self._line(tool, kept)
        return Trace(
            kind="named item", language=language, modality=_group(tool), request=text,
            items=items, reply=(line,),
        )  # fmt: skip

    def _missing(self, language: Language) -> Trace:
        tool = self._chance.choice(self._pool)
        found = reads(tool)
        case = CaseItems(self._chance)
        if found.must and not found.alternative:
            out = self._chance.sample(found.must, self._chance.randint(1, len(found.must)))
            case.add_for(tool, without=out)
        case.add_others(self._chance.randint(2, 5), not_for=[tool])
        request = self._about(tool, language)
        return self._trace("missing", language, request, case.items(), [tool])

    def _foreign_id(self, language: Language) -> Trace:
        tool = self._chance.choice([t for t in self._pool if _picks(t)])
        prefix = _picks(tool)
        case = CaseItems(self._chance)
        case.add_for(tool)
        case.add_others(self._chance.randint(1, 3), not_for=[tool])
        items = case.items()
        last = int(numbered(items, prefix)[-1].id.rpartition("-")[2])
        beyond = last + self._chance.randint(1, 8)
        text = self._chance.choice(self._words(language).with_id)
        request = text.format(id=f"{prefix}{beyond}", **self._xp(tool, language))
        return Trace(
            kind="foreign id", language=language, modality=_group(tool), request=request,
            items=items, reply=(f"{ASK} {tool}",),
        )  # fmt: skip

    def _plan(self, language: Language) -> Trace:
        required = [s.tool for s in pathway(PATHWAY).steps if s.required]
        case = CaseItems(self._chance)
        seen = [tool for tool in required if self._chance.random() < 0.8] or required[:1]
        for tool in seen:
            case.add_for(tool)
        case.add_others(self._chance.randint(0, 4), not_for=required)
        items = case.items()[:18]
        wording = self._words(language)
        request = self._chance.choice(wording.plan).format(t=self._chance.choice(wording.problems))
        fit = [tool for tool in required if not lacking(tool, items)][:MAX_CALLS]
        return self._trace("plan", language, request, items, fit or required[:1], plain=True)

    def _unclear(self, language: Language) -> Trace:
        request = self._chance.choice(self._words(language).unclear)
        return self._refusal("unclear", language, request, ASK)

    def _none(self, language: Language) -> Trace:
        request = self._chance.choice(self._words(language).none)
        return self._refusal("none", language, request, NONE)

    def _refusal(self, kind: Kind, language: Language, request: str, line: str) -> Trace:
        case = CaseItems(self._chance)
        case.add_others(self._chance.randint(1, 6), not_for=())
        return Trace(
            kind=kind, language=language, modality="none",
            request=self._dressed(request, language), items=case.items(), reply=(line,),
        )  # fmt: skip

    def _case(self, tool: str) -> tuple[RouterItem, ...]:
        case = CaseItems(self._chance)
        case.add_for(tool)
        case.add_others(self._chance.randint(0, 4), not_for=[tool])
        return case.items()

    def _trace(
        self,
        kind: Kind,
        language: Language,
        request: str,
        items: tuple[RouterItem, ...],
        tools: Sequence[str],
        *,
        plain: bool = False,
    ) -> Trace:
        """Return a trace whose reply follows from the cards: a call, or what is missing."""
        lines = [
            f"{ASK} {tool}" if lacking(tool, items) else self._line(tool, items) for tool in tools
        ]
        return Trace(
            kind=kind, language=language, modality=_group(tools[0]),
            request=request if plain else self._dressed(request, language),
            items=items, reply=tuple(lines),
        )  # fmt: skip

    def _line(self, tool: str, items: Sequence[RouterItem]) -> str:
        ids = [item.id for item in readable(tool, items)][:MAX_EVIDENCE]
        return " ".join((tool, *ids))

    def _about(self, tool: str, language: Language) -> str:
        """Return a request for a tool, by name or by what it is for."""
        wording = self._words(language)
        by_name = self._chance.random() < _BY_NAME
        template = self._chance.choice(wording.by_name if by_name else wording.by_request)
        return template.format(**self._xp(tool, language))

    def _xp(self, tool: str, language: Language) -> dict[str, str]:
        spoken: Language = "en" if language == "zh" and self._chance.random() < 0.08 else language
        return {
            "x": self._chance.choice(names(tool, spoken)),
            "p": self._chance.choice(requests(tool, spoken)),
        }

    def _short(self, tool: str, language: Language) -> str:
        kind = names if self._chance.random() < _SHORT_BY_NAME else requests
        return self._chance.choice(kind(tool, language))

    def _together(self, count: int) -> tuple[str, ...]:
        """Return different tools, half of the time of one topic."""
        first = self._chance.choice(self._pool)
        card = discover()[first].card
        near = [n for n, t in discover().items() if t.card.topic == card.topic and n != first]
        pool = near if self._chance.random() < 0.5 and len(near) >= count else list(discover())
        others = self._chance.sample([n for n in pool if n != first], count - 1)
        return (first, *others)

    def _dressed(self, request: str, language: Language) -> str:
        """Return a request as it is typed in a hurry."""
        wording = self._words(language)
        text = self._chance.choice(wording.before) + request + self._chance.choice(wording.after)
        if language == "en" and self._chance.random() < _LOWER:
            text = text.lower()
        if language == "en" and self._chance.random() < _SLIPS and len(text) > 12:
            at = self._chance.randrange(2, len(text) - 2)
            text = text[:at] + text[at + 1 :]
        return text

    def _words(self, language: Language) -> Words:
        return words(language)


def _picks(tool: str) -> str:
    """Return the prefix of the recordings or images that a tool reads one of; empty where none."""
    return next((word for word in reads(tool).must if word in _PICKED), "")


def _group(tool: str) -> str:
    return discover()[tool].card.group
