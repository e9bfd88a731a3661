"""Laying a stretch of a sentence with the pieces of one fact, without a gap.

A stretch is understood as a statement about one fact only where every token of it is a piece of
that fact, a mark, or a neutral word, and the pieces together make a statement the fact makes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

from agent.facts import Fact
from agent.verify.pieces import Piece, Role
from agent.verify.tokens import Token, group_keys, neutral_keys
from knowledge.passages import Language

_MOST_STEPS = 4000
"""A stretch that takes more steps than this is not understood; a real one takes some dozens."""


class Laid(NamedTuple):
    """One piece, the token it starts at, and the token after it."""

    at: int
    end: int
    piece: Piece


class _Steps:
    def __init__(self) -> None:
        self.left = _MOST_STEPS


def lay(
    run: Sequence[Token],
    fact: Fact,
    pieces: Sequence[Piece],
    language: Language,
    fits: Callable[[Sequence[Laid]], bool],
) -> tuple[Laid, ...] | None:
    """Return the pieces that make up a stretch, or None where they do not make a statement.

    Args:
        run: The tokens.
        fact: Whose pieces they are.
        pieces: The pieces.
        language: Of the sentence.
        fits: Whether what lies between the pieces may lie there.
    """
    words = {role: _insertable(role, fact, language) for role in _ROLES}
    for laid in _ways(run, 0, (), pieces, words, neutral_keys(language), _Steps()):
        if _states(fact, pieces, laid, run) and fits(laid):
            return laid
    return None


_ROLES: tuple[Role, ...] = get_args(Role)


def _insertable(role: Role, fact: Fact, language: Language) -> frozenset[str]:
    """Return the words that may stand inside a piece; a mark that is not its own never does."""
    if role == "whole":
        return group_keys("articles", language)
    if role == "name":
        return group_keys("inner_name", language)
    if role in ("part", "category") and fact.kind != "onset":
        return group_keys("inner", language)
    if role == "state":
        return frozenset()
    return neutral_keys(language)


def _ways(
    run: Sequence[Token],
    at: int,
    laid: tuple[Laid, ...],
    pieces: Sequence[Piece],
    words: Mapping[Role, frozenset[str]],
    neutral: frozenset[str],
    steps: _Steps,
) -> Iterator[tuple[Laid, ...]]:
    steps.left -= 1
    if steps.left < 0:
        return
    if at == len(run):
        yield laid
        return
    fits = [
        (end, piece)
        for piece in pieces
        for wording in piece.wordings
        if wording and (end := _end(run, at, wording, words[piece.role])) is not None
    ]
    for end, piece in sorted(fits, key=lambda fit: -fit[0]):
        one = Laid(at, end, piece)
        yield from _ways(run, end, (*laid, one), pieces, words, neutral, steps)
    if run[at].kind == "mark" or run[at].key in neutral:
        yield from _ways(run, at + 1, laid, pieces, words, neutral, steps)


def _end(
    run: Sequence[Token], at: int, wording: Sequence[str], inserted: frozenset[str]
) -> int | None:
    """Return where a wording that begins at a token ends; some words inside do not count."""
    for index, key in enumerate(wording):
        while index and at < len(run) and run[at].key != key and run[at].key in inserted:
            at += 1
        if at >= len(run) or run[at].key != key:
            return None
        at += 1
    return at


def _states(
    fact: Fact, pieces: Sequence[Piece], laid: Sequence[Laid], run: Sequence[Token]
) -> bool:
    """Return whether the pieces make a statement, and none of the fact's limits is left out."""
    slots = {one.piece.slot for one in laid}
    if any(piece.needed and piece.slot not in slots for piece in pieces):
        return False
    if fact.whole:
        return [one.piece.role for one in laid].count("whole") == 1
    named = any(one.piece.role == "name" for one in laid)
    said = any(one.piece.role in ("state", "part", "category", "number") for one in laid)
    if not named:
        return False
    if not said and not (fact.kind == "ecg" or fact.state == "present"):
        return False
    return _one_polarity(laid) and _in_series(laid, run)


def _one_polarity(laid: Sequence[Laid]) -> bool:
    """Return whether a negation stands once, and where it is read as the fact's own."""
    marks = [one for one in laid if one.piece.role == "state"]
    ahead = [one for one in marks if one.piece.order == 0]
    if not ahead:
        return True
    first_name = min(one.at for one in laid if one.piece.role == "name")
    return len(marks) == 1 and ahead[0].at < first_name


def _in_series(laid: Sequence[Laid], run: Sequence[Token]) -> bool:
    """Return whether every value of a series is the one that its cue, or its place, says.

    Delay and change follow the last value; a time follows the value it belongs to. A delay may
    also open the clause of the last value: after a mark, with none between them.
    """
    final = max((one.piece.order for one in laid if _is_value(one)), default=-1)
    cue, last = None, -1
    for index, one in enumerate(laid):
        piece = one.piece
        if piece.role == "cue":
            cue = cue if piece.order == -2 else piece.order
        elif _is_value(one):
            if piece.order != (last + 1 if cue is None else cue) or piece.order <= last:
                return False
            cue, last = None, piece.order
        elif piece.slot == "delay" and last == final - 1 and cue is None:
            if not _opens(run, one.at, laid[index + 1 :]):
                return False
        elif _follows(piece, final, last) is False or (piece.order >= 0 and cue is not None):
            return False
    return cue is None


def _is_value(one: Laid) -> bool:
    return one.piece.slot.startswith("value")


def _follows(piece: Piece, final: int, last: int) -> bool:
    """Return whether a delay, a change or a time stands after the value it belongs to."""
    if piece.slot in ("delay", "change"):
        return last == final
    return piece.role != "time" or piece.order < 0 or piece.order == last


def _opens(run: Sequence[Token], at: int, rest: Sequence[Laid]) -> bool:
    """Return whether a delay opens the clause of the value that comes next."""
    value = next((one for one in rest if _is_value(one)), None)
    if value is None or at == 0 or run[at - 1].key not in (",", ";"):
        return False
    return all(token.kind != "mark" for token in run[at : value.at])
