"""Checking one sentence against the facts it cites: nothing that is not understood passes.

A sentence is cut at its marks and joining words into stretches. It passes where there is a cut in
which every stretch is a statement about one cited fact: its subject with its own value, unit, time
and polarity, and no word besides. What a sentence may not do therefore need not be listed: a
diagnosis, a cause, advice, a hedge or a number that the fact does not have is no piece of it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from agent.facts import Fact, FactSheet
from agent.verify.pieces import pieces_of
from agent.verify.tiling import Laid, Skipped, lay, reads_back, reads_on
from agent.verify.tokens import Token, article_keys, break_keys, neutral_keys, tokens
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.verifier_terms import verifier_terms

MAX_CHARACTERS = 600
"""The longest sentence that is looked at."""

Rule = Literal[
    "reference",
    "length",
    "language",
    "character",
    "number",
    "time",
    "polarity",
    "certainty",
    "cause",
    "advice",
    "quote",
    "vocabulary",
    "binding",
]
_CLASSES: tuple[Rule, ...] = ("polarity", "certainty", "cause", "advice", "quote")


_STATELESS = ("person", "onset")
"""Who and since when: never said to be absent, so a state after them is not meant for them."""


class Failure(Frozen):
    """Why a sentence fails.

    Args:
        rule: Which rule.
        detail: What in the sentence, in words that a writer can act on.
    """

    rule: Rule
    detail: str


class Checked(Frozen):
    """What came of checking a sentence.

    Args:
        ok: Whether it says only what its facts say.
        failures: Why not; empty exactly when `ok`.
        used: Ids of the facts it states something about.
        covered: Ids of the facts it tells completely.
    """

    ok: bool
    failures: tuple[Failure, ...] = ()
    used: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()


def verify(text: str, refs: Sequence[str], sheet: FactSheet) -> Checked:
    """Return whether a sentence says only what the facts it cites say.

    Args:
        text: The sentence.
        refs: Ids of the facts it cites.
        sheet: The facts of the case.
    """
    facts = tuple(f for f in sheet.cited(tuple(refs)))
    failures = tuple(_form(text, refs, sheet))
    if failures:
        return Checked(ok=False, failures=failures)
    language = sheet.language
    found = tokens(text, language)
    runs = _Runs(found, facts, language).solve()
    if runs is None:
        return Checked(ok=False, failures=tuple(_why(found, facts, language)))
    used = tuple(dict.fromkeys(fact.id for fact, _ in runs))
    return Checked(ok=True, used=used, covered=_covered(runs, language))


def _form(text: str, refs: Sequence[str], sheet: FactSheet) -> list[Failure]:
    """Return what is wrong before the words are looked at."""
    found: list[Failure] = []
    unknown = [ref for ref in refs if ref not in sheet.by_id]
    if unknown or not refs:
        detail = f"there is no fact {', '.join(unknown)}" if unknown else "no fact is cited"
        found.append(Failure(rule="reference", detail=detail))
    if not text.strip() or len(text) > MAX_CHARACTERS:
        found.append(Failure(rule="length", detail=f"1 to {MAX_CHARACTERS} characters"))
    elif any("\u4e00" <= c <= "\u9fff" for c in text) != (sheet.language == "zh"):
        found.append(Failure(rule="language", detail=f"write {sheet.language}"))
    return found


class _Before(NamedTuple):
    """What the stretch before says about how the next one is read.

    Args:
        reads_on: It opens with a state (``no``, ``not assessed:``) that may hold for a list.
        listed: It has no verb and no state of its own: a state after it may be meant for it too.
    """

    reads_on: bool
    listed: bool


class _Runs:
    """The search for a cut of the sentence into statements."""

    def __init__(self, found: Sequence[Token], facts: Sequence[Fact], language: Language) -> None:
        self._tokens = found
        self._facts = [(fact, pieces_of(fact, language)) for fact in facts]
        self._skipped = neutral_keys(language)
        self._articles = article_keys(language)
        breaks = break_keys(language)
        self._cuts = [
            at
            for at, token in enumerate(found)
            if at and (token.kind == "mark" or token.key in breaks)
        ]
        self._strong = _keys("strong_breaks", language) | {";", "."}
        self._verbs = _keys("verbs", language)
        self._dead: set[tuple[int, _Before]] = set()

    def solve(self) -> list[tuple[Fact, tuple[Laid, ...]]] | None:
        """Return the statements in order; None where there is no cut that gives statements."""
        return self._from(0, _Before(reads_on=False, listed=False))

    def _from(self, start: int, before: "_Before") -> list[tuple[Fact, tuple[Laid, ...]]] | None:
        if self._is_empty(start, len(self._tokens)):
            return [] if start else None
        if (start, before) in self._dead:
            return None
        for end in (len(self._tokens), *reversed(self._cuts)):
            if end <= start or self._is_empty(start, end):
                continue
            if before.reads_on and not (self._is_new(start) or self._has_verb(start, end)):
                continue
            for fact, pieces in self._facts:
                skipped = Skipped(self._skipped, self._articles)
                laid = lay(self._tokens[start:end], fact, pieces, skipped)
                if laid is None or (before.listed and reads_back(laid) and not self._is_new(start)):
                    continue
                listed = fact.kind not in _STATELESS and not (
                    self._has_verb(start, end) or reads_back(laid)
                )
                rest = self._from(end, _Before(reads_on=reads_on(laid), listed=listed))
                if rest is not None:
                    return [(fact, laid), *rest]
        self._dead.add((start, before))
        return None

    def _is_empty(self, start: int, end: int) -> bool:
        return all(t.kind == "mark" or t.key in self._skipped for t in self._tokens[start:end])

    def _is_new(self, start: int) -> bool:
        """Return whether a stretch is clearly cut off from what stands before it."""
        return self._tokens[start].key in self._strong

    def _has_verb(self, start: int, end: int) -> bool:
        return any(t.key in self._verbs for t in self._tokens[start:end])


@cache
def _keys(group: Literal["strong_breaks", "verbs"], language: Language) -> frozenset[str]:
    words = getattr(verifier_terms().words(language), group)
    return frozenset(t.key for word in words for t in tokens(word, language))


def _covered(runs: Sequence[tuple[Fact, tuple[Laid, ...]]], language: Language) -> tuple[str, ...]:
    """Return the facts of which every piece that has to be told is told."""
    told: dict[str, set[str]] = {}
    for fact, laid in runs:
        told.setdefault(fact.id, set()).update(one.piece.slot for one in laid)
    facts = {fact.id: fact for fact, _ in runs}
    return tuple(
        key
        for key, slots in told.items()
        if all(p.slot in slots for p in pieces_of(facts[key], language) if p.covers)
    )


def _why(found: Sequence[Token], facts: Sequence[Fact], language: Language) -> list[Failure]:
    """Return what belongs to none of the facts, or that the sentence is put together wrong."""
    known = {
        key
        for fact in facts
        for piece in pieces_of(fact, language)
        for wording in piece.wordings
        for key in wording
    }
    skipped = neutral_keys(language)
    strange: dict[Rule, list[str]] = {}
    for token in found:
        if token.kind != "mark" and token.key not in known and token.key not in skipped:
            strange.setdefault(_rule(token, language), []).append(token.raw)
    if not strange:
        subjects = ", ".join(fact.subject for fact in facts)
        return [Failure(rule="binding", detail=f"not what is said about {subjects}")]
    return [
        Failure(rule=rule, detail=f"not in the facts: {', '.join(dict.fromkeys(words))}")
        for rule, words in strange.items()
    ]


def _rule(token: Token, language: Language) -> Rule:
    match token.kind:
        case "number":
            return "number"
        case "time":
            return "time"
        case "bad":
            return "character"
        case _:
            for name in _CLASSES:
                if token.key in _class_keys(name, language):
                    return name
            return "vocabulary"


@cache
def _class_keys(name: str, language: Language) -> frozenset[str]:
    words = verifier_terms().words(language).classes[name]
    keys = {t.key for word in words for t in tokens(word, language)}
    return frozenset(keys | {"~no", "~absent"} if name == "polarity" else keys)
