"""The facts that share the words of a question, where no table names what it is about."""

import re
from collections.abc import Sequence
from functools import cache

from agent.facts import Fact, FactSheet
from agent.verify.tokens import content
from knowledge.chat_terms import chat_terms
from knowledge.passages import Language

_LETTERS = re.compile(r"(?:troponin |肌钙蛋白)([TI])(?![A-Za-z])")


def speaking(question: str, sheet: FactSheet) -> tuple[Fact, ...]:
    """Return the facts that speak to a question, best first; none where none is about it.

    A fact speaks to a question that asks for nothing but words of the fact, or that holds a whole
    name of it. Words that many facts share count less, and a fact whose whole name is asked for
    comes first.
    """
    asked = left_over(question, sheet.language)
    spoken = [(fact, _spoken(fact)) for fact in sheet.facts]
    found = [(fact, words) for fact, words in spoken if _answers(asked, fact, words)]
    if sheet.language == "zh":
        whole = [one for one in found if any(name in question for name in one[0].names)]
        found = whole or found
    shared = {word: sum(word in words for _, words in spoken) for word in asked}
    scored = [
        (_named(fact, asked) + sum(1 / shared[w] for w in asked & words) / len(words) ** 0.5, fact)
        for fact, words in found
    ]
    return tuple(fact for _, fact in sorted(scored, key=lambda one: -one[0]))


def left_over(text: str, language: Language) -> frozenset[str]:
    """Return the words of a text that ask for something: not its grammar, not ``normal``."""
    return _words(text, language) - _generic(language)


def _answers(asked: frozenset[str], fact: Fact, words: frozenset[str]) -> bool:
    """Return whether what is asked for is what a fact is about."""
    left = asked - words
    if not asked & words:
        return False
    if not left:
        return True
    if any(len(word) == 1 and word.isascii() for word in left):
        return False
    return _named_alone(fact, asked)


def _named_alone(fact: Fact, asked: frozenset[str]) -> bool:
    """Return whether a name that is no part of many others is asked for."""
    parts = {_words(name, fact.language) for name in chat_terms().questions.part_names}
    names = (_words(name, fact.language) for name in fact.names)
    return any(name and name <= asked and name not in parts for name in names)


def _named(fact: Fact, asked: frozenset[str]) -> int:
    """Return 1 where a question holds a whole name of the fact, else 0."""
    names = (_words(name, fact.language) for name in fact.names)
    return int(any(name and name <= asked for name in names))


def _spoken(fact: Fact) -> frozenset[str]:
    """Return the words a fact speaks to: its names and its text, in its own language."""
    texts: Sequence[str] = (*fact.names, fact.text)
    letters = _LETTERS.findall(" ".join(texts))
    plain = {word for name in fact.names for word in _plain(name) if len(word) > 1}
    plain |= {word.removesuffix("s") for word in plain} | {letter.lower() for letter in letters}
    return frozenset(plain).union(*(_words(text, fact.language) for text in texts))


def _plain(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def _words(text: str, language: Language) -> frozenset[str]:
    keys = frozenset(content(text, language))
    return frozenset(k for k in keys - _stop(language) if not k.startswith(("~", "?")))


@cache
def _generic(language: Language) -> frozenset[str]:
    words = chat_terms().questions.generic
    return frozenset(k for word in words for k in (*content(word, language), word))


@cache
def _stop(language: Language) -> frozenset[str]:
    words = chat_terms().questions.stop
    return frozenset(k for word in words for k in content(word, language))
