"""What may lie between the pieces of a statement, so that its words are read as the fact's own.

A negation cut off by a full stop, a rate that a verb makes an event of, a state that is read over
the next thing of a list: each has every word of its facts, and says something else.
"""

from collections.abc import Iterator, Sequence

from agent.facts import Fact
from agent.verify.tiling import Laid
from agent.verify.tokens import Group, Token, glue_keys, group_keys
from knowledge.passages import Language
from knowledge.verifier_terms import verifier_terms

_SCORES = ("score", "troponin_result")
_OPENS = frozenset("(,:;")
_BEFORE_STATE = frozenset("(:)")


class Stretch:
    """A stretch of a sentence, laid with the pieces of one fact.

    Args:
        run: Its tokens.
        after: The token that follows it; None at the end of the sentence.
        first: Whether it opens the sentence.
        fact: The fact.
        laid: The pieces.
        language: Of the sentence.
    """

    def __init__(
        self,
        run: Sequence[Token],
        after: Token | None,
        *,
        first: bool,
        fact: Fact,
        laid: Sequence[Laid],
        language: Language,
    ) -> None:
        self._run = run
        self._after = after
        self._first = first
        self._fact = fact
        self._laid = laid
        self._language = language
        self._states = [one for one in laid if one.piece.role == "state"]
        self._names = [one for one in laid if one.piece.role == "name"]

    def is_negative(self) -> bool:
        """Return whether it says a state that could be read over what stands beside it."""
        told = any(one.piece.wordings != (("~present",),) for one in self._states)
        return told or self._fact.state not in ("stated", "present")

    def has_front_state(self) -> bool:
        """Return whether its state stands before its name, and may be read on."""
        first = min((one.at for one in self._names), default=0)
        return any(one.at < first for one in self._states)

    def is_cut_off(self) -> bool:
        """Return whether it is clearly cut off from a state that stands before it."""
        strong = self._keys("strong_breaks") | {";", "."}
        lead = (token.key for token in self._run[: self._laid[0].at])
        return self.has_front_state() or any(key in strong for key in lead)

    def is_framed(self) -> bool:
        """Return whether nothing between its pieces changes how they are read."""
        between = range(self._laid[0].at, self._laid[-1].end)
        if any(self._run[at].key == "." for at in self._gaps() if at in between):
            return False
        if not (self._is_glued() and self._is_bound()):
            return False
        if self._fact.whole:
            return True
        if self._fact.kind == "ecg" and not self._is_name_first():
            return False
        return self._fact.kind not in _SCORES or self._is_score()

    def is_complete(self) -> bool:
        """Return whether it is a clause that no state beside it can be read over."""
        kind = self._fact.kind
        if self._states or self._fact.whole or kind in ("troponin", "troponin_result"):
            return True
        closed = self._after is None or self._after.kind == "mark"
        if kind in ("person", "onset"):
            return closed
        roles = {one.piece.role for one in self._laid}
        if kind == "score":
            return bool(roles & {"category", "part"}) and closed
        if kind == "ecg":
            ended = self._after is None or self._after.key in (";", ".")
            return ended and "context" in roles and self._has_verb(0, self._names[0].at)
        if self._fact.numbers:
            value = next(one for one in self._laid if one.piece.role == "number")
            return closed and self._has_verb(self._names[0].end, value.at)
        return False

    def _keys(self, group: Group) -> frozenset[str]:
        return group_keys(group, self._language)

    def _gaps(self) -> Iterator[int]:
        covered = {at for one in self._laid for at in range(one.at, one.end)}
        return (at for at in range(len(self._run)) if at not in covered)

    def _words(self, start: int, end: int) -> list[str]:
        return [t.key for t in self._run[start:end] if t.kind != "mark"]

    def _has_verb(self, start: int, end: int) -> bool:
        verbs = self._keys("verbs") | {":"}
        return any(token.key in verbs for token in self._run[start:end])

    def _is_glued(self) -> bool:
        """Return whether only words that may join such pieces join them."""
        kind: str = "whole" if self._fact.whole else self._fact.kind
        if kind in ("finding", "missing") and self.is_negative():
            kind = "negative"
        glue = glue_keys(kind, self._language)
        if glue is None:
            return True
        lead = self._laid[0].at
        free = self._may_lead()
        joined = self._copula_places()
        return all(
            token.kind == "mark"
            or token.key in glue
            or (free and at < lead)
            or (at in joined and token.key in self._keys("copulas"))
            for at, token in ((at, self._run[at]) for at in self._gaps())
        )

    def _may_lead(self) -> bool:
        """Return whether any neutral word may stand before the first piece."""
        if any(one.piece.order == 0 for one in self._states[:1]):
            return True
        if self._fact.whole:
            return self._fact.kind == "ecg"
        if not self._first or self._fact.kind not in _SCORES:
            return False
        roles = [one.piece.role for one in self._laid]
        return "part" not in roles or bool(
            {"number", "category"} & set(roles[: roles.index("part")])
        )

    def _copula_places(self) -> frozenset[int]:
        """Return the places between a state and the piece that it belongs to."""
        return frozenset(at for start, end in self._bonds() for at in range(start, end))

    def _bonds(self) -> Iterator[tuple[int, int]]:
        """Yield what lies between each state and the piece it belongs to."""
        for state in self._states:
            at = self._laid.index(state)
            if at == 0 or (self._names and state.at < self._names[0].at):
                if at + 1 < len(self._laid):
                    yield state.end, self._laid[at + 1].at
            else:
                yield self._laid[at - 1].end, state.at

    def _is_bound(self) -> bool:
        """Return whether a state is told once, and beside what it is the state of."""
        if len(self._states) > 1:
            return False
        marks = _BEFORE_STATE | {","} if self._fact.kind == "score" else _BEFORE_STATE
        if any(one.piece.order == 0 for one in self._states):
            marks = frozenset()
        copulas = self._keys("copulas")
        allowed = copulas | {"and", "且"} if self._fact.kind == "score" else copulas
        return all(
            token.key in marks if token.kind == "mark" else token.key in allowed
            for start, end in self._bonds()
            for token in self._run[start:end]
        )

    def _is_name_first(self) -> bool:
        """Return whether nothing of the fact is told before its name."""
        told = (one.piece.role for one in self._laid if one.piece.role != "context")
        return next(told, "") == "name"

    def _is_score(self) -> bool:
        """Return whether the name comes first, and what it means keeps its frame."""
        if not self._is_name_first():
            return False
        told = [one for one in self._laid if one.piece.role != "context"]
        parts = [one for one in told if one.piece.role == "part"]
        orders = [one.piece.order for one in parts]
        if orders != sorted(orders) or not all(self._is_opened(one) for one in parts):
            return False
        graded = self._fact.category in verifier_terms().words(self._language).graded
        if not graded and self._fact.category:
            past = self._keys("past")
            if any(self._run[at].key in past for at in self._gaps()):
                return False
            steps = (one for one in told if one.piece.role == "category")
            return all(self._run[self._before(one)].key in _OPENS for one in steps)
        return True

    def _before(self, one: Laid) -> int:
        """Return the place of the token before a piece, past an article."""
        at = one.at - 1
        while at > 0 and self._run[at].key in self._keys("articles"):
            at -= 1
        return at

    def _is_opened(self, part: Laid) -> bool:
        """Return whether a bracket, a mark, or the few words that may, open a part of a score."""
        before = self._before(part)
        key = self._run[before].key
        if key in _OPENS:
            return True
        if key in self._keys("breaks") and self._run[before - 1].key in _OPENS:
            return key not in self._keys("verbs")
        if self._fact.kind == "troponin_result":
            return key in self._keys("verbs") or key in self._keys("breaks")
        rated = any(k.endswith("|%") for wording in part.piece.wordings for k in wording)
        if key in self._keys("opens_rate"):
            return rated
        previous = self._laid[self._laid.index(part) - 1]
        joined = key in self._keys("breaks") and key not in self._keys("verbs")
        return joined and previous.piece.role == "part" and not rated
