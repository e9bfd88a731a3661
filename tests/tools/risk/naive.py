"""A score read straight from its file and worked out for one complete patient: no intervals.

It shares nothing with the engine but the YAML: conditions are plain truth, points are added, the
band is looked up. Brute force over it checks what the engine says of unknown inputs.
"""

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from knowledge.clinical_inputs import catalogue
from knowledge.reference import raw as read

Answers = Mapping[str, Any]
_AGES = (49, 50, 51, 60)
"""Ages at which a limit that moves with age is met exactly."""
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
}


@cache
def raw(name: str) -> dict[str, Any]:
    """Return a file as plain data, read once."""
    return read(name)


def outcome(score_id: str, answers: Answers) -> tuple[float | None, str]:
    """Return (points, category) of one complete patient; a rule has no points."""
    data = raw(f"scores/{score_id}")
    kept = points(data, answers) if data.get("keeps_total") else None
    for row in data.get("decision", ()):
        parts = all(_part(data, part, answers) for part in row.get("parts", ()))
        if parts and ("when" not in row or true(row["when"], answers)):
            return kept, row["category"]
    total = _number(data, points(data, answers))
    return total, next(b["name"] for b in data["bands"] if _within(b, total))


def points(data: Mapping[str, Any], answers: Answers) -> float:
    """Return the sum of the items."""
    return round(sum(_item(item, answers) for item in data["items"]), 9)


def _part(data: Mapping[str, Any], part: Mapping[str, Any], answers: Answers) -> bool:
    """Return whether the sum of some items, or the count of those with many points, is within."""
    items = [i for i in data["items"] if i["id"] in part.get("items", [i["id"]])]
    given = [_item(item, answers) for item in items]
    if "from_points" in part:
        return _within(part, sum(points >= part["from_points"] for points in given))
    return _within(part, sum(given))


def shown(score_id: str, numbers: set[float]) -> tuple[float, float]:
    """Return lowest and highest number as they are shown: those of a model are rounded outward."""
    low, high = min(numbers), max(numbers)
    if "model" not in raw(f"scores/{score_id}"):
        return low, high
    decimals = raw(f"scores/{score_id}")["model"].get("decimals", 2)
    if low == high:
        return round(low, decimals), round(low, decimals)
    step = 10**decimals
    first, last = math.floor(low * step), math.ceil(high * step)
    return first / step, max(first + 1, last) / step


def outside(score_id: str, input_id: str, value: Any) -> bool:
    """Return whether one answer alone puts a patient outside the population."""
    data = raw(f"scores/{score_id}")
    for word, sought in (("outside_if", True), ("requires", False)):
        for clause in data["population"].get(word, ()):
            leaf = clause["when"]
            if leaf["input"] == input_id and true(leaf, {input_id: value}) is sought:
                return True
    return False


def _number(data: Mapping[str, Any], total: float) -> float:
    """Return what a sum stands for: itself, or the number of the file's model."""
    if "model" not in data:
        return total
    x = data["model"].get("intercept", 0) + total
    if data["model"]["link"] == "exponential":
        return float(round(math.e**x, 6))
    return float(100 * math.e**x / (1 + math.e**x))


def true(condition: Mapping[str, Any], answers: Answers) -> bool:
    """Return whether a condition holds for complete answers."""
    if "score" in condition:
        return _within(condition, points(raw(f"scores/{condition['score']}"), answers))
    if "any" in condition:
        return any(true(c, answers) for c in condition["any"])
    if "all" in condition:
        return all(true(c, answers) for c in condition["all"])
    if "not" in condition:
        return not true(condition["not"], answers)
    if "count" in condition:
        return _within(condition, sum(true(c, answers) for c in condition["count"]))
    answer = answers[condition["input"]]
    if "is" in condition:
        wanted = condition["is"] if isinstance(condition["is"], list) else [condition["is"]]
        return ("present" if answer is True else "absent" if answer is False else answer) in wanted
    if "below" in condition:
        moved = condition["below"]
        limit = max(moved["at_least"], moved["times"] * answers[moved["input"]])
        return bool(answer < limit)
    return _within(condition, answer)


@cache
def inputs(score_id: str) -> tuple[str, ...]:
    """Return every input the items and the decision read."""
    data = raw(f"scores/{score_id}")
    found: dict[str, None] = {}
    for item in data.get("items", ()):
        if "line" in item:
            found[item["line"]["input"]] = None
        for rule in item.get("rules", ()):
            found.update(dict.fromkeys(leaf["input"] for leaf in _leaves(rule["when"])))
    for row in data.get("decision", ()):
        for leaf in _leaves(row["when"]) if "when" in row else ():
            if leaf.get("score") == score_id:
                continue
            if "score" in leaf:
                found.update(dict.fromkeys(inputs(leaf["score"])))
            else:
                found[leaf["input"]] = None
                if "below" in leaf:
                    found[leaf["below"]["input"]] = None
    return tuple(found)


@cache
def grid(score_id: str, input_id: str) -> tuple[Any, ...]:
    """Return answers on both sides of, and on, everything the file says of an input."""
    entry = catalogue().get(input_id)
    if entry.kind == "boolean":
        return (False, True)
    if entry.kind == "choice":
        return tuple(entry.choices)
    if entry.unit == "a":
        ages = {int(limit) for limit in limits(score_id, input_id)}
        return tuple(sorted({n for c in (*ages, 40) for n in (c - 1, c, c + 1) if 18 <= n <= 74}))
    cuts = sorted({entry.low or 0.0, entry.high or 0.0, *_cuts(score_id, input_id)})
    middles = [(a + b) / 2 for a, b in itertools.pairwise(cuts)]
    low, high = entry.low or 0.0, entry.high or 0.0
    return tuple(sorted(x for x in {*cuts, *middles} if low <= x <= high))


def limits(score_id: str, input_id: str) -> tuple[float, ...]:
    """Return every limit that the items, the decision and the population set on an input."""
    return (*_cuts(score_id, input_id), *_edges(score_id, input_id))


def excluded(score_id: str) -> dict[str, Any]:
    """Return answers by which the patient is of the population, parts included."""
    found: dict[str, Any] = {}
    data = raw(f"scores/{score_id}")
    for row in data.get("decision", ()):
        for leaf in _leaves(row["when"]) if "when" in row else ():
            if "score" in leaf and leaf["score"] != score_id:
                found.update(excluded(leaf["score"]))
    for word, sought in (("outside_if", False), ("requires", True)):
        for clause in data["population"].get(word, ()):
            leaf = clause["when"]
            if "is" in leaf and leaf["input"] not in found:
                found[leaf["input"]] = next(
                    v
                    for v in grid(score_id, leaf["input"])
                    if true(leaf, {leaf["input"]: v}) is sought
                )
    return found


def _item(item: Mapping[str, Any], answers: Answers) -> float:
    if "line" in item:
        number = answers[item["line"]["input"]]
        if "coefficient" in item["line"]:
            return _curve(item["line"], number)
        return _along(item["line"]["knots"], number)
    for rule in item["rules"]:
        if true(rule["when"], answers):
            return float(rule["points"])
    return float(item.get("otherwise", 0))


def _curve(line: Mapping[str, Any], number: float) -> float:
    inside = max(line["low"], min(line["high"], number)) / line.get("scale", 1)
    term = (
        math.log(inside) if line.get("shape") == "log" else math.pow(inside, line.get("power", 1))
    )
    return round(float(line["coefficient"] * (term - line.get("centre", 0))), 9)


def _along(knots: list[list[float]], number: float) -> float:
    if number <= knots[0][0]:
        return knots[0][1]
    for (x, y), (x2, y2) in itertools.pairwise(knots):
        if number <= x2:
            return y + (y2 - y) * (number - x) / (x2 - x)
    return knots[-1][1]


def _within(limits: Mapping[str, Any], number: float) -> bool:
    return all(test(number, limits[op]) for op, test in _COMPARE.items() if op in limits)


def _leaves(condition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    parts = [c for key in ("any", "all", "count") for c in condition.get(key, ())]
    parts += [condition["not"]] if "not" in condition else []
    if not parts:
        yield condition
    for part in parts:
        yield from _leaves(part)


def _edges(score_id: str, input_id: str) -> Iterator[float]:
    """Yield the limits of the population on one input."""
    population = raw(f"scores/{score_id}")["population"]
    for clause in (*population.get("outside_if", ()), *population.get("requires", ())):
        if clause["when"]["input"] == input_id:
            yield from (clause["when"][op] for op in _COMPARE if op in clause["when"])


def _cuts(score_id: str, input_id: str) -> Iterator[float]:
    data = raw(f"scores/{score_id}")
    conditions = [r["when"] for i in data.get("items", ()) for r in i.get("rules", ())]
    conditions += [r["when"] for r in data.get("decision", ()) if "when" in r]
    for item in data.get("items", ()):
        if "line" in item and item["line"]["input"] == input_id:
            line = item["line"]
            ends = [(line[end], 0) for end in ("low", "high") if end in line]
            yield from (x for x, _ in line.get("knots", ends))
    for leaf in (leaf for c in conditions for leaf in _leaves(c)):
        if leaf.get("score") == score_id:
            continue
        if "score" in leaf:
            yield from _cuts(leaf["score"], input_id)
        elif leaf["input"] == input_id:
            yield from (leaf[op] for op in _COMPARE if op in leaf)
            if "below" in leaf:
                yield from (leaf["below"]["times"] * age for age in _AGES)
        elif "below" in leaf and leaf["below"]["input"] == input_id:
            yield from _AGES
