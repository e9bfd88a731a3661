"""What a question asks for, and which facts speak to it: decided without any model."""

from collections.abc import Sequence
from functools import cache
from typing import Literal

from agent.facts import Fact, FactSheet
from agent.verify.terms import verifier_terms
from agent.verify.tokens import content
from knowledge.passages import Language

Asks = Literal["rules", "orders", "overview", "facts"]

MOST_FACTS = 6
"""Facts that are given for one question."""


def asks_for(question: str) -> Asks:
    """Return what a question asks for: a change of the rules before anything else."""
    words = verifier_terms().questions
    for kind in ("rules", "orders", "overview"):
        if any(_holds(question, phrase) for phrase in getattr(words, kind)):
            return kind
    return "facts"


def relevant(question: str, sheet: FactSheet, *, most: int = MOST_FACTS) -> tuple[Fact, ...]:
    """Return the facts that speak to a question, best first.

    A fact speaks to it by the words of what it is about; words that many facts share count less.
    """
    asked = _words(question, sheet.language)
    spoken = [(fact, _spoken(fact)) for fact in sheet.facts]
    shared = {word: sum(word in words for _, words in spoken) for word in asked}
    scored = [
        (sum(1 / shared[w] for w in asked & words) / (len(words) ** 0.5), fact)
        for fact, words in spoken
        if asked & words
    ]
    best = sorted(scored, key=lambda one: -one[0])
    if not best:
        return ()
    return tuple(fact for score, fact in best[:most] if score >= best[0][0] / 3)


def _holds(question: str, phrase: str) -> bool:
    asked, wanted = question.lower(), phrase.lower()
    if not wanted.isascii():
        return wanted in asked
    plain = "".join(c if c.isalnum() else " " for c in asked)
    return f" {wanted} " in f" {' '.join(plain.split())} "


def _words(text: str, language: Language) -> frozenset[str]:
    keys = frozenset(content(text, language))
    return frozenset(k for k in keys - _stop(language) if not k.startswith(("~", "?")))


def _spoken(fact: Fact) -> frozenset[str]:
    """Return the words a fact speaks to: its names and its text, in its own language."""
    texts: Sequence[str] = (*fact.names, fact.text)
    return frozenset().union(*(_words(text, fact.language) for text in texts))


@cache
def _stop(language: Language) -> frozenset[str]:
    words = verifier_terms().questions.stop
    return frozenset(k for word in words for k in content(word, language))
