# ruff: noqa: RUF001
"""A statement about critical laboratory results in Chinese, its tests and doubts by their names."""

import re
from functools import cache

from agent.critical_words import BETWEEN, COLLECTED, NEWEST, NO_VALUE, OF
from knowledge.analytes import analytes
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_words import laboratory_told
from knowledge.verifier_terms import verifier_terms

_START = "Critical laboratory result: "
_PLACED = ("Critical laboratory result: %s: ", "In doubt is %s: ")


def critical_in_chinese(text: str) -> str | None:
    """Return a statement in Chinese without its full stop; None where a sentence has no words.

    Args:
        text: As the pathway words it, without its full stop.
    """
    if _START not in text:
        return None
    found: list[str] = []
    rest: list[str] = []
    for sentence in text.split(". "):
        told = _sentence(sentence)
        if told is None:
            rest.append(sentence)
        else:
            found.append(told)
    if rest:
        others = verifier_terms().zh.phrases.get(". ".join(rest))
        if others is None:
            return None
        found.append(others)
    return "。".join(found)


def _sentence(sentence: str) -> str | None:
    told = laboratory_told()
    for opening in _PLACED:
        before, _, between = opening.partition("%s")
        match = re.fullmatch(f"{re.escape(before)}(.+){re.escape(between)}(.+?)", sentence)
        if match is None:
            continue
        start, end = told.known(opening.strip()), told.known(match[2])
        if start is None or end is None:
            return None
        listed = "；".join(_result(one) for one in match[1].split(BETWEEN))
        return start % listed + end
    return told.known(sentence)


def _result(text: str) -> str:
    """Return a result with its name and its doubts in Chinese; what has no words stays."""
    name = max((n for n in _names() if text.startswith(n)), key=len, default="")
    rest = text.removeprefix(name)
    value, mark, said = rest.partition(" (")
    doubts = "，".join(_doubt(one) for one in said.removesuffix(")").split(" / ")) if mark else ""
    return f"{_names().get(name, '')}{value}" + (f"（{doubts}）" if doubts else "")


def _doubt(text: str) -> str:
    told = laboratory_told()
    if text.startswith(COLLECTED) and NEWEST in text:
        return _past(text)
    lead, colon, labels = text.partition(": ")
    listed = "、".join(told.known(one) or one for one in labels.split(", ")) if colon else ""
    return f"{told.known(lead) or lead}{'：' if colon else ''}{listed}"


def _past(text: str) -> str:
    """Return when a result that is not the newest was collected, and the newest, in Chinese."""
    told = laboratory_told()
    when, _, newest = text.removeprefix(COLLECTED).partition(NEWEST)
    value, of, time = newest.partition(OF)
    value = (told.known(NO_VALUE) or value) if value == NO_VALUE else value
    said = f"采集于{told.known(when) or when}，最新结果{value}"
    return f"{said}，采集于{time}" if of else said


@cache
def _names() -> dict[str, str]:
    table, held = laboratory_tests(), analytes().analytes
    found = {held[key].label: row.chinese for key, row in table.tests.items()}
    found.update({row.label: row.chinese for row in table.worded.values()})
    return {english: chinese for english, chinese in found.items() if chinese}
