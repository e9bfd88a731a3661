"""Small changes that make a true clinical sentence wrong, one kind each."""

import re
from collections.abc import Callable, Mapping
from typing import Literal

Lie = Literal["number", "unit", "polarity", "time", "diagnosis"]

_NUMBER = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?![\w.:/-]*\d)")
_CLOCK = re.compile(r"\b(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)\b")
_UNITS = {
    "ng/L": "ng/mL",
    "ng/mL": "ng/L",
    "mmol/L": "mg/dL",
    "mg/dL": "mmol/L",
    "mmHg": "kPa",
    "mm": "cm",
    "ms": "s",
    "bpm": "Hz",
    "/min": "/s",
    "%": "‰",
}
_OPPOSITES = {
    "no evidence of": "evidence of",
    "is not": "is",
    "was not": "was",
    "does not": "does",
    "without": "with",
    "absent": "present",
    "present": "absent",
    "negative": "positive",
    "positive": "negative",
    "elevated": "normal",
    "raised": "normal",
    "normal": "abnormal",
    "above": "below",
    "below": "above",
    "higher": "lower",
    "rise": "fall",
    "rising": "falling",
    "high": "low",
    "low": "high",
    "no": "a",
    "not": "",
    "yes": "no",
    "未见": "可见",
    "没有": "有",
    "无": "有",
    "阴性": "阳性",
    "阳性": "阴性",
    "升高": "正常",
    "高于": "低于",
    "低于": "高于",
    "不": "",
}


def other_number(text: str) -> str:
    """Return the text with its first number changed.

    Examples:
        >>> other_number("Troponin T was 52 ng/L.")
        'Troponin T was 57 ng/L.'
    """
    return _NUMBER.sub(lambda found: _another(found.group()), text, count=1)


def other_unit(text: str) -> str:
    """Return the text with its first unit replaced by another of the same quantity.

    Examples:
        >>> other_unit("Troponin T was 52 ng/L.")
        'Troponin T was 52 ng/mL.'
    """
    return _first(text, _UNITS, r"(?<=[\d ])(?:{})(?![\w/])")


def other_polarity(text: str) -> str:
    """Return the text saying the opposite.

    Examples:
        >>> other_polarity("There is no evidence of dissection."), other_polarity("未见夹层")
        ('There is evidence of dissection.', '可见夹层')
    """
    english = _first(text, _OPPOSITES, r"\b(?:{})\b")
    return english if english != text else _first(text, _OPPOSITES, r"(?:{})")


def other_time(text: str) -> str:
    """Return the text with its first time of day moved by three hours.

    Examples:
        >>> other_time("A sample at 08:15 was raised.")
        'A sample at 11:15 was raised.'
    """
    return _CLOCK.sub(
        lambda found: f"{(int(found['hour']) + 3) % 24:02d}:{found['minute']}", text, count=1
    )


def unsupported_diagnosis(text: str) -> str:
    """Return the text with a diagnosis that nothing supports.

    Examples:
        >>> unsupported_diagnosis("Troponin T was 52 ng/L.")
        'Troponin T was 52 ng/L, consistent with acute aortic dissection.'
    """
    bare = text.rstrip()
    for stop, words in (
        ("。", ",符合急性主动脉夹层。"),
        (".", ", consistent with acute aortic dissection."),
    ):
        if bare.endswith(stop):
            return bare.removesuffix(stop) + words
    return f"{bare}, consistent with acute aortic dissection"


LIES: Mapping[Lie, Callable[[str], str]] = {
    "number": other_number,
    "unit": other_unit,
    "polarity": other_polarity,
    "time": other_time,
    "diagnosis": unsupported_diagnosis,
}


def _another(number: str) -> str:
    whole, point, decimals = number.partition(".")
    last = (decimals or whole)[-1]
    changed = str((int(last) + 5) % 10)
    return f"{whole}.{decimals[:-1]}{changed}" if point else f"{whole[:-1]}{changed}"


def _first(text: str, changes: Mapping[str, str], form: str) -> str:
    """Return the text with the first word of `changes` replaced; longer words come first."""
    words = sorted(changes, key=len, reverse=True)
    pattern = re.compile(form.format("|".join(map(re.escape, words))))
    return pattern.sub(lambda found: changes[found.group()], text, count=1)
