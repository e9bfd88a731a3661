# ruff: noqa: RUF001
"""A sentence as comparable tokens: numbers with units, times, words by their meaning.

Two spellings of one thing become one token, so that everything after this compares for equality.
What is not understood becomes a token that no fact has: it makes the sentence fail.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from knowledge.passages import Language
from knowledge.verifier_terms import markers, verifier_terms

Kind = Literal["word", "number", "time", "mark", "bad"]
Group = Literal[
    "neutral",
    "articles",
    "inner",
    "inner_name",
    "name_joints",
    "copulas",
    "opens_rate",
    "past",
    "graded",
    "breaks",
    "strong_breaks",
    "verbs",
]

_MARKS = {
    "，": ",", "、": ",", "；": ";", "：": ":", "（": "(", "）": ")", "。": ".",
    ",": ",", ";": ";", ":": ":", "(": "(", ")": ")", ".": ".",
}  # fmt: skip
_ENDS = frozenset({".", ";", ","})
_REPLACED = {"−": "-", "–": "-", "’": "'", "\u00a0": " ", "\u202f": " ", "\n": " ", "％": "%"}
_COMPARED = {"<": "=below", ">": "=above", "≤": "=at most", "≥": "=at least"}
_CJK = r"[\u4e00-\u9fff]"
_KINDS = ("space", "date", "clock", "leads", "number", "compared", "mark", "han", "word")
_DURATION = {"h": 60, "min": 1}
_NO_PLURAL = frozenset({"presents"})
"""Not the plural of a word that means something else: "present" says that a finding is there."""
_PLURAL = re.compile(r"[a-z]{3,}(?<![sui])s")


class Token(NamedTuple):
    """One token: how it is compared, and what stood there."""

    kind: Kind
    key: str
    raw: str


def tokens(text: str, language: Language) -> tuple[Token, ...]:
    """Return the tokens of a text.

    Examples:
        >>> [t.key for t in tokens("HR 88 bpm, then 4 h 10 min", "en")]
        ['hr', '88|/min', ',', 'then', '250|min']
    """
    return tuple(_merged(_ranges(_durations(list(_read(text, language)))), language))


def content(text: str, language: Language) -> tuple[str, ...]:
    """Return what of a text is compared: its keys without marks and neutral words."""
    skipped = neutral_keys(language)
    return tuple(t.key for t in tokens(text, language) if t.kind != "mark" and t.key not in skipped)


def template(text: str, language: Language, *, but: Group) -> tuple[str, ...]:
    """Return a template's wording with its own marks, without those it ends with.

    Args:
        text: The wording.
        language: Of it.
        but: The words that may be left out of it.
    """
    skipped = group_keys(but, language)
    keys = [t.key for t in tokens(text, language) if t.kind == "mark" or t.key not in skipped]
    while keys and keys[-1] in _ENDS:
        keys.pop()
    return tuple(keys)


def neutral_keys(language: Language) -> frozenset[str]:
    """Return the keys of words that say nothing about the patient."""
    return group_keys("neutral", language)


@cache
def group_keys(group: Group, language: Language) -> frozenset[str]:
    """Return the keys of one list of words."""
    return _single_keys(getattr(verifier_terms().words(language), group), language)


@cache
def glue_keys(kind: str, language: Language) -> frozenset[str] | None:
    """Return the words that may join the pieces of this kind; None for every neutral word."""
    words = verifier_terms().words(language).glue.get(kind)
    return None if words is None else _single_keys(words, language)


def _single_keys(words: Sequence[str], language: Language) -> frozenset[str]:
    return frozenset(t.key for w in words for t in tokens(w, language))


def _read(text: str, language: Language) -> Iterator[Token]:
    clean = _number_words("".join(_REPLACED.get(c, c) for c in text), language)
    pattern = _pattern()
    at = 0
    while at < len(clean):
        match = pattern.match(clean, at)
        if match is None:
            yield Token("bad", f"?{clean[at]}", clean[at])
            at += 1
            continue
        at = match.end()
        yield from _token(match, language)


def _token(match: re.Match[str], language: Language) -> Iterator[Token]:
    raw = match.group().strip()
    kind = next(name for name in _KINDS if match[name] is not None)
    if kind in ("date", "clock"):
        yield Token("time", f"t:{raw}", raw)
    elif kind == "number":
        yield _number(match, raw)
    elif kind == "compared":
        yield Token("word", _COMPARED[raw], raw)
    elif kind == "mark":
        yield Token("mark", _MARKS[raw], raw)
    elif kind != "space":
        yield from _word(kind, match, raw, language)


def _word(kind: str, match: re.Match[str], raw: str, language: Language) -> Iterator[Token]:
    if kind == "leads":
        first, last = int(match["first"]), int(match["last"])
        for number in range(first, max(last, first) + 1):
            yield Token("word", f"v{number}", f"V{number}")
    elif kind == "han":
        yield Token("word", raw, raw) if language == "zh" else Token("bad", f"?{raw}", raw)
    else:
        for word in raw.split("-"):
            if word:
                yield Token("word", _stem(word.lower()), word)


def _number(match: re.Match[str], raw: str) -> Token:
    digits, spelled = match["digits"], match["unit"] or ""
    unit = _units().get(spelled.lower(), "") if spelled else ""
    sign = "-" if digits.startswith("-") else "+" if digits.startswith("+") else ""
    body = digits.lstrip("+-").replace(",", ".")
    parts = re.split(r"\s?(/|-)\s?", body)
    parts[::2] = [_plain(part) for part in parts[::2]]
    joined = "".join(".." if part == "-" else part for part in parts)
    return Token("number", f"{sign}{joined}|{unit}", raw)


def _plain(digits: str) -> str:
    """Return a decimal without what does not change it: leading and trailing zeros."""
    whole, _, fraction = digits.partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def _is_han(char: str) -> bool:
    return re.match(_CJK, char) is not None


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    if word in _NO_PLURAL:
        return word
    return word[:-1] if _PLURAL.fullmatch(word) else word


def _durations(found: list[Token]) -> list[Token]:
    """Return the tokens with hours and minutes as minutes: ``4 h 10 min`` is ``250 min``."""
    merged: list[Token] = []
    for token in found:
        amount, _, unit = token.key.partition("|")
        if token.kind != "number" or unit not in _DURATION or not amount.isdigit():
            merged.append(token)
            continue
        minutes = int(amount) * _DURATION[unit]
        if unit == "min" and (hours := _hours_before(merged)) is not None:
            minutes += hours
            while merged.pop().kind != "number":
                pass
        merged.append(Token("number", f"{minutes}|min", token.raw))
    return merged


def _hours_before(merged: list[Token]) -> int | None:
    """Return the minutes of the hours that stand last, with or without ``and`` after them."""
    rest = merged[:-1] if merged and merged[-1].key == "and" else merged
    if not rest or rest[-1].kind != "number" or not rest[-1].raw.endswith(_HOURS):
        return None
    amount, _, unit = rest[-1].key.partition("|")
    return int(amount) if unit == "min" and amount.isdigit() else None


def _ranges(found: list[Token]) -> list[Token]:
    """Return the tokens with ``between 4 and 8`` and ``4 to 8`` as one range."""
    merged: list[Token] = []
    at = 0
    while at < len(found):
        token = found[at]
        words = [t.key for t in found[at : at + 4]]
        kinds = [t.kind for t in found[at : at + 4]]
        if token.key in ("between", "from") and kinds[1::2] == ["number", "number"]:
            joiner = "and" if token.key == "between" else "to"
            if words[2] in (joiner, "至", "和") and _bare(words[1]):
                merged.append(_range(found[at + 1], found[at + 3]))
                at += 4
                continue
        joined = kinds[:3] == ["number", "word", "number"] and words[1] in ("to", "至", "到")
        if joined and _bare(words[0]):
            merged.append(_range(token, found[at + 2]))
            at += 3
            continue
        merged.append(token)
        at += 1
    return merged


def _bare(key: str) -> bool:
    return key.endswith("|") and key[0].isdigit() and ".." not in key


def _range(low: Token, high: Token) -> Token:
    return Token("number", f"{low.key[:-1]}..{high.key}", f"{low.raw} to {high.raw}")


def _merged(found: list[Token], language: Language) -> Iterator[Token]:
    """Yield the tokens with the longest known phrases as one token each."""
    known, longest = _phrases(language)
    at = 0
    while at < len(found):
        for size in range(min(longest, len(found) - at), 0, -1):
            part = found[at : at + size]
            key = known.get(tuple(t.key for t in part))
            if key is not None:
                yield Token("word", key, " ".join(t.raw for t in part))
                at += size
                break
        else:
            yield found[at]
            at += 1


@cache
def _phrases(language: Language) -> tuple[dict[tuple[str, ...], str], int]:
    """Return every phrase that is compared as one token, with the length of the longest.

    Raises:
        ValueError: One phrase stands for two things.
    """
    words = verifier_terms().words(language)
    known: dict[tuple[str, ...], str] = {}
    plain = [
        (phrase, phrase)
        for phrase in (*words.neutral, *words.articles, *words.breaks)
        if language == "zh"
    ]
    pairs = [(key, phrase) for key, same in markers(words) for phrase in same] + plain
    for group in (words.series, words.context, words.classes):
        pairs += [(w, w) for same in group.values() for w in same if len(w) > 1 and not w.isascii()]
    for key, phrase in pairs:
        read = tuple(t.key for t in _durations(list(_read(phrase, language))))
        if known.setdefault(read, key) != key and key.startswith(("=", "~")):
            raise ValueError(f"{phrase!r} stands for {known[read]!r} and for {key!r}")
    return known, max(len(phrase) for phrase in known)


@cache
def _units() -> dict[str, str]:
    table = verifier_terms().units
    return {spelled.lower(): unit for unit, same in table.items() for spelled in same}


@cache
def _pattern() -> re.Pattern[str]:
    spelled = sorted(
        (s for same in verifier_terms().units.values() for s in same), key=len, reverse=True
    )
    latin = "|".join(re.escape(s) for s in spelled if s.isascii() or not _is_han(s[-1]))
    han = "|".join(re.escape(s) for s in spelled if _is_han(s[-1]))
    units = rf"(?:{latin})(?![A-Za-z0-9/])|(?:{han})"
    number = r"\d+(?:\.\d+|,\d{1,2}(?!\d))?"
    return re.compile(
        rf"""
        (?P<space>\s+)
        |(?P<date>\d{{4}}-\d\d-\d\d)(?![\d-])
        |(?P<clock>\d\d:\d\d(?::\d\d)?)(?![\d:])
        |(?:(?P<leads>[Vv](?P<first>[1-9])\s?(?:-|to)\s?[Vv]?(?P<last>[1-9]))(?![A-Za-z0-9]))
        |(?P<number>(?P<digits>(?:(?<![A-Za-z0-9_)])[+-])?{number}(?:\s?[/-]\s?{number})*)
            (?:[\s-]?(?P<unit>{units}))?)(?P<end>(?![.,]?\d)|(?<={_CJK}))
        |(?P<compared>[<>≤≥])
        |(?P<mark>[,;:().，；：（）。、])
        |(?P<han>{_CJK})
        |(?P<word>[A-Za-z]+\d*(?:['-][A-Za-z0-9]+)*)
        """,
        re.VERBOSE | re.IGNORECASE,
    )


def _number_words(text: str, language: Language) -> str:
    """Return the text with number words as digits, ``sixty-two`` as ``62``."""
    table = verifier_terms().numerals
    if language == "zh":
        return re.sub(rf"[{table.zh_digits}十百两]+", _chinese_number, text)
    small, tens = "|".join(table.en_small[1:10]), "|".join(table.en_tens)
    every = "|".join(sorted(table.en_small, key=len, reverse=True))
    return re.sub(
        rf"\b(?:(?P<tens>{tens})(?:[- ](?P<ones>{small}))?|(?P<small>{every}))\b",
        _english_number,
        text,
        flags=re.IGNORECASE,
    )


def _english_number(match: re.Match[str]) -> str:
    table = verifier_terms().numerals
    if match["small"]:
        return str(table.en_small.index(match["small"].lower()))
    ones = table.en_small.index(match["ones"].lower()) if match["ones"] else 0
    return str((table.en_tens.index(match["tens"].lower()) + 2) * 10 + ones)


def _chinese_number(match: re.Match[str]) -> str:
    digits = verifier_terms().numerals.zh_digits
    total, current = 0, 0
    for char in match.group().replace("两", digits[2]):
        if char in digits:
            current = digits.index(char)
        else:
            total += (current or 1) * (100 if char == "百" else 10)
            current = 0
    return str(total + current)


_HOURS = tuple(["h", "hr", "hrs", "hour", "hours", "小时"])
