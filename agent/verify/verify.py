"""Checking one sentence against the facts it cites: nothing that is not understood passes.

A sentence is cut at its marks and joining words into stretches. It passes where there is a cut in
which every stretch is a statement about one cited fact: its subject with its own value, unit, time
and polarity, and no word besides. What a sentence may not do therefore need not be listed: a
diagnosis, a cause, advice, a hedge or a number that the fact does not have is no piece of it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal

from agent.facts import Fact, FactSheet
from agent.verify.frame import Stretch
from agent.verify.pieces import Piece, pieces_of
from agent.verify.tiling import Laid, lay
from agent.verify.tokens import Token, group_keys, neutral_keys, tokens
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.plain_text import has_chinese
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


_Run = tuple[Fact, tuple[Laid, ...]]
"""One statement: the fact, and its pieces in the sentence."""


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
    runs = _Runs(found, facts, language, sheet.day).solve()
    if runs is None:
        return Checked(ok=False, failures=tuple(_why(found, facts, sheet)))
    used = tuple(dict.fromkeys(fact.id for fact, _ in runs))
    return Checked(ok=True, used=used, covered=_covered(runs, sheet))


def _form(text: str, refs: Sequence[str], sheet: FactSheet) -> list[Failure]:
    """Return what is wrong before the words are looked at."""
    found: list[Failure] = []
    unknown = [ref for ref in refs if ref not in sheet.by_id]
    if unknown or not refs:
        detail = f"there is no fact {', '.join(unknown)}" if unknown else "no fact is cited"
        found.append(Failure(rule="reference", detail=detail))
    if not text.strip() or len(text) > MAX_CHARACTERS:
        found.append(Failure(rule="length", detail=f"1 to {MAX_CHARACTERS} characters"))
    elif has_chinese(text) != (sheet.language == "zh"):
        found.append(Failure(rule="language", detail=f"write {sheet.language}"))
    return found


class _Runs:
    """The search for a cut of the sentence into statements.

    In a sentence with a negation, a verdict or a thing not assessed, each statement has to be a
    complete clause of its own: nothing in it can then be read under the state of another.
    """

    def __init__(
        self, found: Sequence[Token], facts: Sequence[Fact], language: Language, day: str
    ) -> None:
        self._tokens = found
        self._facts = [(fact, pieces_of(fact, language, day)) for fact in facts]
        self._language = language
        breaks = group_keys("breaks", language)
        self._cuts = [
            at
            for at, token in enumerate(found)
            if at and (token.kind == "mark" or token.key in breaks)
        ]
        self._dead: set[tuple[int, bool]] = set()
        self._strict = False

    def solve(self) -> list[_Run] | None:
        """Return the statements in order; None where there is no cut that gives statements."""
        for strict in (False, True):
            self._strict = strict
            self._dead.clear()
            runs = self._from(0, reads_on=False)
            if runs is not None:
                return runs
        return None

    def _from(self, start: int, *, reads_on: bool) -> list[_Run] | None:
        if all(token.kind == "mark" for token in self._tokens[start:]):
            return [] if start else None
        if (start, reads_on) in self._dead:
            return None
        neutral = neutral_keys(self._language)
        for end in (len(self._tokens), *reversed(self._cuts)):
            run = self._tokens[start:end]
            if end <= start or all(t.kind == "mark" or t.key in neutral for t in run):
                continue
            for fact, pieces in self._facts:
                rest = self._with(fact, pieces, start, end, reads_on=reads_on)
                if rest is not None:
                    return rest
        self._dead.add((start, reads_on))
        return None

    def _may_read_on(self, fact: Fact, run: Sequence[Token]) -> bool:
        """Return whether a state or a negation in this run could be read over another run.

        A stated fact may hold a negation of its own: "no signs of heart failure".
        """
        if fact.state not in ("stated", "present"):
            return True
        alone = len(run) == len(self._tokens)
        denying = _class_keys("polarity", self._language)
        return not alone and any(token.key in denying for token in run)

    def _with(
        self, fact: Fact, pieces: Sequence[Piece], start: int, end: int, *, reads_on: bool
    ) -> list[_Run] | None:
        """Return the statements from here on, where the first is about this fact."""
        run = self._tokens[start:end]
        if not self._strict and self._may_read_on(fact, run):
            return None
        after = self._tokens[end] if end < len(self._tokens) else None

        def stretch(laid: Sequence[Laid]) -> Stretch:
            return Stretch(
                run, after, first=not start, fact=fact, laid=laid, language=self._language
            )

        def fits(laid: Sequence[Laid]) -> bool:
            told = stretch(laid)
            if not told.is_framed() or (self._strict and not told.is_complete()):
                return False
            return not reads_on or told.is_cut_off()

        laid = lay(run, fact, pieces, self._language, fits)
        if laid is None:
            return None
        rest = self._from(end, reads_on=self._strict and stretch(laid).has_front_state())
        return None if rest is None else [(fact, laid), *rest]


def _covered(runs: Sequence[_Run], sheet: FactSheet) -> tuple[str, ...]:
    """Return the facts of which every piece that has to be told is told."""
    told: dict[str, set[str]] = {}
    for fact, laid in runs:
        told.setdefault(fact.id, set()).update(one.piece.slot for one in laid)
    facts = {fact.id: fact for fact, _ in runs}
    return tuple(
        key
        for key, slots in told.items()
        if all(
            p.slot in slots for p in pieces_of(facts[key], sheet.language, sheet.day) if p.covers
        )
    )


def _why(found: Sequence[Token], facts: Sequence[Fact], sheet: FactSheet) -> list[Failure]:
    """Return what belongs to none of the facts, or that the sentence is put together wrong."""
    language = sheet.language
    known = {
        key
        for fact in facts
        for piece in pieces_of(fact, language, sheet.day)
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
