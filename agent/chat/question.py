"""What a question asks for, and which facts speak to it: decided without any model."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal

from agent.facts import Fact, FactSheet
from agent.verify.tokens import content
from knowledge.passages import Language
from knowledge.verifier_terms import Questions, verifier_terms

Asks = Literal["rules", "orders", "overview", "missing", "facts"]

MOST_FACTS = 6
"""Facts that are given for one question."""


def asks_for(question: str) -> Asks:
    """Return what a question asks for: a change of the rules before anything else."""
    words = verifier_terms().questions
    if _any(question, words.rules):
        return "rules"
    if _any(question, words.overview):
        return "overview"
    if _any(question, words.orders) or _commands(question, words):
        return "orders"
    return "missing" if _any(question, words.missing) else "facts"


def relevant(question: str, sheet: FactSheet, *, most: int = MOST_FACTS) -> tuple[Fact, ...]:
    """Return the facts that speak to a question, best first; none where none is about it.

    A fact speaks to a question that asks for nothing but words of the fact, or that holds a whole
    name of it and asks for no other time, person or kind of it: the troponin I does not answer for
    a troponin T, nor a previous embolism for a previous ECG. Words that many facts share count
    less, and a fact whose whole name is asked for comes first.
    """
    asked = _asked(question, sheet.language) - _generic(sheet.language)
    if not asked and _any(question, verifier_terms().questions.age):
        return tuple(fact for fact in sheet.facts if fact.kind == "person")
    spoken = [(fact, _spoken(fact)) for fact in sheet.facts]
    speaking = [(fact, words) for fact, words in spoken if _answers(question, asked, fact, words)]
    if sheet.language == "zh":
        whole = [one for one in speaking if any(name in question for name in one[0].names)]
        speaking = whole or speaking
    shared = {word: sum(word in words for _, words in spoken) for word in asked}
    scored = [
        (_named(fact, asked) + sum(1 / shared[w] for w in asked & words) / len(words) ** 0.5, fact)
        for fact, words in speaking
    ]
    best = sorted(scored, key=lambda one: -one[0])
    if not best:
        return ()
    return tuple(fact for score, fact in best[:most] if score >= best[0][0] / 3)


def _answers(question: str, asked: frozenset[str], fact: Fact, words: frozenset[str]) -> bool:
    """Return whether what is asked for is what a fact is about."""
    left = asked - words
    if not asked & words:
        return False
    if not left:
        return True
    if _any(question, verifier_terms().questions.qualifiers):
        return False
    if any(len(word) == 1 and word.isascii() for word in left):
        return False
    return _named_alone(fact, asked)


def _named_alone(fact: Fact, asked: frozenset[str]) -> bool:
    """Return whether a name that is no part of many others is asked for."""
    table = verifier_terms().questions.part_names
    parts = {_words(name, fact.language) for name in table}
    names = (_words(name, fact.language) for name in fact.names)
    return any(name and name <= asked and name not in parts for name in names)


def _asked(question: str, language: Language) -> frozenset[str]:
    """Return the words of a question, with the letter of a troponin, which else is no word."""
    words = _words(question, language)
    letters = re.findall(r"(?:troponin|tn|肌钙蛋白)[- ]?([ti])(?![a-z])", question, re.IGNORECASE)
    return words | {letter.lower() for letter in letters}


def _any(question: str, phrases: Sequence[str]) -> bool:
    return any(_holds(question, phrase) for phrase in phrases)


def _holds(question: str, phrase: str) -> bool:
    wanted = phrase.lower()
    if not wanted.isascii():
        return wanted in question.lower()
    return f" {wanted} " in f" {' '.join(_plain(question))} "


def _commands(question: str, words: Questions) -> bool:
    """Return whether a question tells somebody to do something."""
    said = _plain(question)
    return any(
        word in words.commands and (not at or said[at - 1] in words.before_commands)
        for at, word in enumerate(said)
    )


def _plain(question: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in question.lower()).split()


def _words(text: str, language: Language) -> frozenset[str]:
    keys = frozenset(content(text, language))
    return frozenset(k for k in keys - _stop(language) if not k.startswith(("~", "?")))


def _named(fact: Fact, asked: frozenset[str]) -> int:
    """Return 1 where a question holds a whole name of the fact, else 0."""
    names = (_words(name, fact.language) for name in fact.names)
    return int(any(name and name <= asked for name in names))


def _spoken(fact: Fact) -> frozenset[str]:
    """Return the words a fact speaks to: its names and its text, in its own language."""
    texts: Sequence[str] = (*fact.names, fact.text)
    letters = re.findall(r"(?:troponin |肌钙蛋白)([TI])(?![A-Za-z])", " ".join(texts))
    plain = {word for name in fact.names for word in _plain(name) if len(word) > 1}
    plain |= {word.removesuffix("s") for word in plain} | {letter.lower() for letter in letters}
    return frozenset(plain).union(*(_words(text, fact.language) for text in texts))


@cache
def _generic(language: Language) -> frozenset[str]:
    words = verifier_terms().questions.generic
    return frozenset(k for word in words for k in (*content(word, language), word))


@cache
def _stop(language: Language) -> frozenset[str]:
    words = verifier_terms().questions.stop
    return frozenset(k for word in words for k in content(word, language))
