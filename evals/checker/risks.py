"""What a sentence may say about a score: its points or its range, its category, its own words."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from evals.checker.marks import Mark
from evals.checker.truth import Json, Truth, attainable, exact, unit_of

Said = tuple[str, str]
"""Kind and detail of something wrong."""

_EQUAL = {"intermediate": "moderate"}
"""Chinese has one word for both."""


def about_score(mark: Mark, name: str, truth: Truth, before: str = "") -> Iterator[Said]:
    """Yield what is wrong with a number that is said of a score, after the words `before`."""
    risk = truth.risks.get(name)
    if risk is None:
        yield "value", f"{name}: not in the assessment"
        return
    if mark.kind == "count":
        if int(mark.parts["n"]) != len(risk.get("missing", ())):
            yield "value", f"{name}: {mark.key}"
        return
    unit = unit_of(mark.parts.get("unit", ""))
    if mark.kind == "range":
        yield from _range(mark, name, unit, truth)
        return
    yield from _number(mark, name, unit, truth, before)


def _range(mark: Mark, name: str, unit: str, truth: Truth) -> Iterator[Said]:
    said = (Decimal(mark.parts["low"]).normalize(), Decimal(mark.parts["high"]).normalize())
    if unit == "%":
        if f"{mark.parts['low']} to {mark.parts['high']} %" not in truth.texts[name]:
            yield "value", f"{name}: {mark.key} is not in its meaning"
    elif said != attainable(truth.risks[name]):
        yield "range", f"{name}: {mark.key}, its range is {attainable(truth.risks[name])}"


def _number(mark: Mark, name: str, unit: str, truth: Truth, before: str) -> Iterator[Said]:
    value = Decimal(mark.parts["value"]).normalize()
    risk, text = truth.risks[name], truth.texts[name]
    if unit in ("", "points"):
        points = exact(risk)
        if points is None and attainable(risk) is not None:
            yield "range", f"{name}: {value:f} as its points, which are a range"
        elif points is None and not _stands(mark.parts["value"], text):
            yield "value", f"{name}: {value:f}, it has no points"
        elif points is not None and value != points:
            yield "value", f"{name}: {value:f}, not {points:f}"
    elif not re.search(
        rf"{_direction(before)}(?<![\d.]){re.escape(mark.parts['value'])} ?{re.escape(unit)}", text
    ):
        yield "value", f"{name}: {value:f} {unit} is not in its meaning"


def _direction(before: str) -> str:
    """Return what must stand before a bound in the risk's own words: the same direction."""
    match = re.search(r"(above|below|高于|低于) ?$", before)
    return (
        {"above": "above ", "高于": "above ", "below": "below ", "低于": "below "}[match[1]]
        if match
        else ""
    )


def _stands(value: str, text: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(value)}(?![\d.]*\d)", text) is not None


def settled(text: str, marks: Sequence[Mark], truth: Truth) -> Iterator[Said]:
    """Yield what is wrong with the categories that are said of scores and rules."""
    names = [i for i, mark in enumerate(marks) if mark.kind == "score"]
    for place, start in enumerate(names):
        end = names[place + 1] if place + 1 < len(names) else len(marks)
        segment = marks[start + 1 : end]
        if any(m.kind == "ecg" for m in segment):
            segment = segment[: next(i for i, m in enumerate(segment) if m.kind == "ecg")]
        segment = _own_statement(text, marks[start], segment)
        risk = truth.risks.get(marks[start].key)
        if risk is None:
            yield "category", f"{marks[start].key}: not in the assessment"
            continue
        yield from _categories(marks[start].key, risk, segment, truth)
        stop = marks[end].start if end < len(marks) else len(text)
        yield from _decided(marks[start].key, risk, text[marks[start].end : stop])


def _own_statement(text: str, name: Mark, segment: Sequence[Mark]) -> Sequence[Mark]:
    """Return the marks before another statement turns to a diagnosis."""
    for place, mark in enumerate(segment):
        if mark.kind == "diagnosis" and re.search(r"[;。]|\.\s", text[name.end : mark.start]):
            return segment[:place]
    return segment


_DECIDED = re.compile(
    r"(?<!not )(?<!un)(?<!not yet )(?<!not been )\b(?:determined|assessed|judged|settled|decided)\b"
    r"|(?<!未)(?<!未能)(?:已确定|已判定|已评估)",
    re.IGNORECASE,
)


def _decided(name: str, risk: Json, said: str) -> Iterator[Said]:
    """Yield where something open is called decided, in its own statement."""
    statement = re.split(r"[;。(]|\.(?=\s|$)", said)[0]
    match = _DECIDED.search(statement)
    if match is not None and risk["category"] in ("not assessed", "not determined"):
        yield "category", f"{name}: {match.group()}, is {risk['category']}"


def _categories(name: str, risk: Json, segment: Sequence[Mark], truth: Truth) -> Iterator[Said]:
    said = [mark for mark in segment if mark.kind == "category"]
    if not said:
        return
    keys = [mark.key for mark in said]
    category = risk["category"]
    own = truth.texts[name].lower()
    if category == "not assessed":
        if "not assessed" not in keys:
            yield "category", f"{name}: {keys[0]}, is not assessed"
        return
    if category == "not determined":
        bands = {band["name"] for band in risk["bands"]}
        twice = len(keys) > len(set(keys))
        if "not determined" not in keys and (twice or not bands <= set(keys)):
            yield "category", f"{name}: {keys[0]}, is not determined"
        allowed = bands | {"not determined"}
    else:
        allowed = {category}
    for mark in said:
        spelled = mark.parts["text"].lower()
        if _may(mark.key, allowed) or (spelled in own and _not_the_category(mark, said, allowed)):
            continue
        if mark.key == "rule-in" and category == "rule-in":
            continue
        yield "category", f"{name}: {spelled}, is {category}"


def _may(key: str, allowed: set[str]) -> bool:
    return key in allowed or _EQUAL.get(key, key) in {_EQUAL.get(one, one) for one in allowed}


def _not_the_category(mark: Mark, said: Sequence[Mark], allowed: set[str]) -> bool:
    """Return whether another word tells the category, so that this one is of its meaning."""
    return any(_may(one.key, allowed) for one in said if one.start < mark.start)
