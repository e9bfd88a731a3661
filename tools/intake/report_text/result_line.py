"""One line of a laboratory report to the results on it, or why it is not understood.

A line is understood only as a whole: name, value, flag, unit and interval in any order behind the
value, and nothing left over. Two columns of results on a line are taken where both names are known.
"""

import re
from dataclasses import dataclass

from knowledge.analytes import analytes
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_vocabulary import NamedTest, laboratory_vocabulary
from knowledge.quantity import Interval
from tools.intake.printed_result import NumberFormat, plain, read_number, two_readings
from tools.labs.printed_interval import parse_interval

MAX_LINE = 400
"""Characters of a line that is read as a result."""

_INDEX = re.compile(r"[0-9]{1,3}[.)]?|[*\u2022\u25cf#\u2605\u2606]")
_NUMBER = re.compile(r"(?:[<>\u2264\u2265]=?)?[-+]?[0-9][0-9.,']*")
_GLUED = re.compile(
    r"(?P<number>(?:[<>\u2264\u2265]=?)?[0-9][0-9.,]*)(?P<flag>[HL\u2191\u2193]{1,2})"
)
_SIGN = re.compile(r"[<>\u2264\u2265]=?")
_LETTER = re.compile(r"[^\W\d_]")
_FORM = NumberFormat()


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultLine:
    """One result of a line.

    Args:
        name: As printed.
        known: What the name stands for; None where it is not known.
        value: The number with its sign, or the words.
        interval: The number or bound; None for words.
        unit: As printed; None where none is.
        flag: The laboratory's flag; None where none is printed.
        range_words: The interval as printed; empty where none is.
    """

    name: str
    known: NamedTest | None
    value: str
    interval: Interval | None
    unit: str | None = None
    flag: str | None = None
    range_words: str = ""


def results_of_line(line: str, form: NumberFormat = _FORM) -> tuple[ResultLine, ...] | str | None:
    """Return the results of a line, why a line with a result is not understood, or None for words.

    Args:
        line: Of the report.
        form: What the numbers of the report show of how they are written.

    Examples:
        >>> results_of_line("Potassium 5.9 H mmol/L 3.5-5.1")[0].flag
        'lab-high'
        >>> results_of_line("Potassium 5,9 mmol/L")
        'a comma in a number, and nobody has said that it is the decimal sign'
        >>> results_of_line("Dear colleague,") is None
        True
    """
    if len(line) > MAX_LINE:
        return "the line is longer than a result can be"
    tokens = [_INDEXLESS.sub("", t) for t in plain(line).replace("|", " ").split()]
    tokens = [t for t in tokens if t]
    if not any(_is_value(t) for t in tokens[1:]):
        return None
    found: list[ResultLine] = []
    while tokens:
        read = _one(tokens, form, first=not found)
        if isinstance(read, str):
            return read
        result, tokens = read
        found.append(result)
    return tuple(found)


_INDEXLESS = re.compile(r"^[*\u2605\u2606]+(?=\S)")


def _one(
    tokens: list[str], form: NumberFormat, *, first: bool
) -> tuple[ResultLine, list[str]] | str:
    """Return the first result of a line and what follows it, or why it is not understood."""
    numbered = len(tokens) > 2 and bool(_INDEX.fullmatch(tokens[0])) and not _is_value(tokens[1])
    tokens = tokens[1:] if numbered else tokens
    name, known, rest = _name(tokens)
    if not name:
        return "no name of a test before the number"
    if known is None and not first:
        return "something follows the result that is not understood"
    value = _value(rest, form)
    if isinstance(value, str):
        return value
    result, rest = value
    unit: str | None = None
    flag, range_words = result.flag, ""
    while rest:
        taken = _next(rest, known, has=(flag is not None, unit is not None, bool(range_words)))
        if taken is None:
            break
        kind, text, count = taken
        flag = text if kind == "flag" else flag
        unit = text if kind == "unit" else unit
        range_words = text if kind == "interval" else range_words
        rest = rest[count:]
    if two_readings(range_words, form):
        return "a number of the interval has two readings (decimal sign, or between thousands)"
    plain_word = numbered and result.interval is None
    if known is None and unit is None and not range_words and not plain_word:
        return "neither the name of the test nor a unit or interval is known"
    line = ResultLine(
        name=name,
        known=known,
        value=result.value,
        interval=result.interval,
        unit=unit,
        flag=flag,
        range_words=range_words,
    )
    return line, rest


def _name(tokens: list[str]) -> tuple[str, NamedTest | None, list[str]]:
    """Return the name, what it stands for, and the rest; the longest known name counts."""
    words = laboratory_vocabulary()
    first_value = next((i for i, t in enumerate(tokens) if i and _is_value(t)), len(tokens))
    for count in range(min(first_value, words.longest_name + 1), 0, -1):
        known = words.named_test(" ".join(tokens[:count]))
        if known is None:
            continue
        rest = tokens[count:]
        other = _name_behind(rest, first_value - count)
        if other is None:
            return " ".join(tokens[:count]), known, rest
        again, used = other
        if again.analyte == known.analyte:
            merged = again if again.loinc else known
            return " ".join(tokens[:count]), merged, rest[used:]
        return "", None, rest
    name = " ".join(tokens[:first_value])
    return (name if _LETTER.search(name) else ""), None, tokens[first_value:]


def _name_behind(tokens: list[str], limit: int) -> tuple[NamedTest, int] | None:
    """Return a second name of the test before its value (a short form beside the full name)."""
    for count in range(limit, 0, -1):
        known = laboratory_vocabulary().named_test(" ".join(tokens[:count]))
        if known is not None:
            return known, count
    return None


def _value(tokens: list[str], form: NumberFormat) -> tuple[ResultLine, list[str]] | str:
    """Return the value, with a flag that is printed at it, and the rest."""
    if not tokens:
        return "no value behind the name"
    head, used, flag = tokens[0], 1, None
    arrow = laboratory_vocabulary().flag(head) if not _NUMBER.fullmatch(head) else None
    if arrow is not None and len(tokens) > 1 and _is_number(tokens[1]):
        flag, head, used = arrow, tokens[1], 2
    elif _SIGN.fullmatch(head) and len(tokens) > 1:
        head, used = head + tokens[1], 2
    glued = _GLUED.fullmatch(head)
    if glued is not None:
        head, flag = glued["number"], laboratory_vocabulary().flag(glued["flag"])
    if _NUMBER.fullmatch(head):
        read = read_number(head, form)
        if read is None or isinstance(read, str):
            return read or "not one plain number"
        result = ResultLine(name="", known=None, value=read[1], interval=read[0], flag=flag)
        return result, tokens[used:]
    if _is_word(head):
        return ResultLine(name="", known=None, value=head, interval=None), tokens[1:]
    return "the value is not understood"


def _next(
    tokens: list[str], known: NamedTest | None, *, has: tuple[bool, bool, bool]
) -> tuple[str, str, int] | None:
    """Return the kind, the text and the length of the next part: flag, unit or interval."""
    flagged, with_unit, with_interval = has
    if not flagged and (flag := laboratory_vocabulary().flag(tokens[0])) is not None:
        return "flag", flag, 1
    if not with_unit:
        for count in range(min(3, len(tokens)), 0, -1):
            for text in (" ".join(tokens[:count]), "".join(tokens[:count])):
                if _is_unit(text, known):
                    return "unit", text, count
    if not with_interval:
        for also_unit in (False, True) if with_unit else (False,):
            for count in range(min(5, len(tokens)), 0, -1):
                text = " ".join(tokens[:count])
                if _is_interval(text, also_unit=also_unit):
                    return "interval", text, count
    return None


def _is_unit(text: str, known: NamedTest | None) -> bool:
    table = analytes()
    if known is not None and table.rows(known.analyte, text):
        return True
    return table.knows_spelling(text) and text != "1"


def _is_interval(text: str, *, also_unit: bool) -> bool:
    """Return whether a text is one interval, with a known unit behind it or without one."""
    read = parse_interval(text)
    if not isinstance(read, tuple):
        return False
    return read[1] is None or (also_unit and analytes().knows_spelling(read[1]))


def _is_number(token: str) -> bool:
    return bool(_NUMBER.fullmatch(token) or _GLUED.fullmatch(token))


def _is_word(token: str) -> bool:
    words = laboratory_vocabulary()
    return laboratory_tests().answer(token) is not None or words.says_no_result(token)


def _is_value(token: str) -> bool:
    return _is_number(token) or bool(_SIGN.fullmatch(token)) or _is_word(token)
