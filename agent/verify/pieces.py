"""What a sentence about one fact may be made of: the fact's pieces, each with its wordings."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from agent.facts import Fact, FactNumber
from agent.verify.tokens import content, group_keys, template
from knowledge.passages import Language
from knowledge.verifier_terms import verifier_terms

Role = Literal["name", "state", "part", "category", "number", "time", "cue", "context", "whole"]
Keys = tuple[str, ...]
_MARKS = frozenset(",;:().")


class Piece(NamedTuple):
    """One piece.

    Args:
        role: What it is for.
        slot: Pieces of one slot are different wordings, or members, of one thing.
        wordings: The keys of each wording: of a name, a part or a whole text with its marks.
        order: For a number or time of a series its place; for a cue the place of what follows.
        needed: A sentence about the fact may not leave its slot out.
        covers: Its slot is told before the fact counts as fully told.
    """

    role: Role
    slot: str
    wordings: tuple[Keys, ...]
    order: int = -1
    needed: bool = False
    covers: bool = False


@lru_cache(maxsize=4096)
def pieces_of(fact: Fact, language: Language, day: str = "") -> tuple[Piece, ...]:
    """Return the pieces of a fact.

    Args:
        fact: The fact.
        language: Of the sentence.
        day: The only day of which a clock time may stand without its date.
    """
    if fact.outside:
        return ()
    if fact.whole:
        return tuple(_whole(fact, language))
    found = [
        *_names(fact, language),
        *_state(fact, language),
        *_numbers(fact, language, day),
        *_parts(fact, language, day),
        *_context(fact, language),
    ]
    return tuple(piece for piece in found if any(piece.wordings))


def _whole(fact: Fact, language: Language) -> Iterator[Piece]:
    """Yield the whole text, and the subject in front of it, which may be left out."""
    text = template(fact.text, language, but="articles")
    wordings = [text]
    head, mark, body = fact.text.partition(": ")
    if fact.kind == "ecg" and mark:
        said = template(body, language, but="articles")
        before = template(head, language, but="articles")
        wordings += [(*before, shown, *said) for shown in ("show", "showed")]
        if not fact.names:
            wordings.append(said)
    elif fact.kind == "ecg":
        wordings += [text[2:]] if text[:2] == ("=ecg", ":") else []
    yield Piece("whole", "whole", tuple(wordings), needed=True, covers=True)
    if fact.kind == "guideline":
        for index, name in enumerate(fact.names):
            yield Piece("name", f"name{index}", _spelled(name, language))
        if fact.original:
            quote = verifier_terms().words(language).classes["quote"]
            yield Piece("context", "quote", tuple(content(w, language) for w in quote))
    if fact.kind in ("guideline", "ecg"):
        yield from _context(fact, language)


def _spelled(name: str, language: Language) -> tuple[Keys, ...]:
    """Return a name with its marks, without them, and with a word for the first of them."""
    keys = template(name, language, but="inner_name")
    bare = tuple(key for key in keys if key not in _MARKS)
    found = [keys, bare]
    at = next((i for i, key in enumerate(keys) if key in _MARKS), None)
    if at:
        rest = tuple(key for key in keys[at:] if key not in _MARKS)
        joints = sorted(group_keys("name_joints", language))
        found += [(*keys[:at], joint, *rest) for joint in joints]
    return tuple(dict.fromkeys(found))


def _names(fact: Fact, language: Language) -> Iterator[Piece]:
    members = fact.kind == "verdict"
    for index, name in enumerate(fact.names):
        slot = f"name{index}" if members else "name"
        yield Piece("name", slot, _spelled(name, language), covers=members)


def _state(fact: Fact, language: Language) -> Iterator[Piece]:
    if fact.state == "stated":
        return
    marks: tuple[tuple[Keys, int], ...] = (((f"~{fact.state}",), -1),)
    if fact.state == "absent":
        marks += ((("~no",), 0),)
    for keys, order in marks:
        needed = fact.state != "present"
        yield Piece("state", "state", (keys,), order=order, needed=needed, covers=needed)


def _numbers(fact: Fact, language: Language, day: str) -> Iterator[Piece]:
    series = any(number.role == "first" for number in fact.numbers)
    if not series:
        for index, number in enumerate(fact.numbers):
            keys = content(number.text, language)
            needed = fact.kind == "finding"
            yield Piece("number", f"number{index}", (keys,), needed=needed, covers=True)
        if fact.kind == "finding":
            for shown in fact.times:
                dated = bool(fact.numbers) and bool(day) and not shown.startswith(day)
                yield Piece("time", "time", _times(shown, language, day), needed=dated)
        return
    yield from _series(fact, language, day)


def _series(fact: Fact, language: Language, day: str) -> Iterator[Piece]:
    """Yield the numbers of a series with their places: each has to be the one its cue says."""
    words = verifier_terms().words(language).series
    rising = next((n.text.startswith("+") for n in fact.numbers if n.role == "change"), None)
    falling = any(n.text.startswith("-") for n in fact.numbers if n.role == "change")
    values = [n for n in fact.numbers if n.role in ("first", "later")]
    for index, number in enumerate(values):
        keys = content(number.text, language)
        yield Piece("number", f"value{index}", (keys,), order=index, needed=True, covers=True)
        if number.time:
            yield Piece("time", f"time{index}", _times(number.time, language, day), order=index)
    yield Piece("cue", "first", tuple(content(w, language) for w in words["first"]), order=0)
    if len(values) == 2:
        way = words["later_rise"] if rising else words["later_fall"] if falling else ()
        later = tuple(content(w, language) for w in (*words["later"], *way))
        yield Piece("cue", "later", later, order=1)
    for number in fact.numbers:
        if number.role == "delay":
            yield _delay(number, words, language)
        if number.role == "change" and rising is not None:
            yield from _change(number, rising, words, language)


def _delay(number: FactNumber, words: Mapping[str, tuple[str, ...]], language: Language) -> Piece:
    keys = content(number.text, language)
    before = [(*content(w, language), *keys) for w in words["after"]]
    after = [(*keys, *content(w, language)) for w in words["later_on"]]
    return Piece("number", "delay", (*before, *after), order=100, covers=True)


def _change(
    number: FactNumber, rising: bool, words: Mapping[str, tuple[str, ...]], language: Language
) -> Iterator[Piece]:
    keys = content(number.text, language)
    bare = (keys[0].lstrip("+-"), *keys[1:])
    falling = number.text.startswith("-")
    way = words["rise"] if rising else words["fall"] if falling else ()
    told = [(*content(w, language), *keys) for w in words["change"]]
    told += [(*keys, *content(w, language)) for w in words["change"]]
    for word in way:
        told += [(*content(word, language), *k) for k in (bare, keys)]
    if rising:
        told += [(*content(w, language), *bare) for w in words["change"]]
    yield Piece("number", "change", tuple(told), order=101, covers=True)
    yield Piece("cue", "way", tuple(content(w, language) for w in way), order=-2)


def _times(shown: str, language: Language, day: str) -> tuple[Keys, ...]:
    """Return a time with its date, and without it where it is of the day of the assessment."""
    keys = template(shown, language, but="neutral")
    if not day or not shown.startswith(day):
        return (keys,)
    clock = tuple(k for i, k in enumerate(keys) if i or ":" in k.removeprefix("t:"))
    return (keys, clock) if clock and clock != keys else (keys,)


def _parts(fact: Fact, language: Language, day: str) -> Iterator[Piece]:
    for index, part in enumerate(fact.parts):
        needed = part in fact.needed
        wordings = _onset(fact, part, language, day)
        wordings = wordings or (template(part, language, but="inner"),)
        yield Piece("part", f"part{index}", wordings, order=index, needed=needed, covers=True)
    if fact.category:
        keys = template(fact.category, language, but="inner")
        graded = fact.category in ("high", "intermediate", "moderate")
        risk = ((*keys, "risk"),) if graded else ()
        told = fact.kind == "finding"
        yield Piece("category", "category", (*risk, keys), needed=told, covers=True)


def _onset(fact: Fact, part: str, language: Language, day: str) -> tuple[Keys, ...]:
    """Return the wordings of a part of the onset: with its date, and of today without it."""
    if fact.kind != "onset":
        return ()
    keys = content(part, language)
    full, *clock = _times(fact.times[0], language, day) if fact.times else ((),)
    if clock and full == keys[-len(full) :]:
        return (keys, (*keys[: -len(full)], *clock[0]))
    return (keys,)


def _context(fact: Fact, language: Language) -> Iterator[Piece]:
    kind = {"troponin_result": "troponin", "missing": "finding"}.get(fact.kind, fact.kind)
    words = verifier_terms().words(language).context.get(kind, ())
    wordings = tuple(content(w, language) or (f"={w}",) for w in words)
    yield Piece("context", "context", tuple(dict.fromkeys(w for w in wordings if w)))
