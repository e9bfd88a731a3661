"""A reading's table taken from a score or from the levels of a nodule: their numbers, not a copy.

The table names the score; its categories are the score's bands in the order of the table, its rows
those of the score, after one row for everything outside the score's population. The form adds only
Chinese words and says which of its items answers an input.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.model import Frozen
from knowledge.nodule_levels import FILE as LEVELS
from knowledge.nodule_levels import ORDER, nodule_levels
from knowledge.rules import Condition
from knowledge.score_rows import ScoreBand
from knowledge.scores import Score, score
from knowledge.words import Words

OUTSIDE = "outside"


class FromScore(Frozen):
    """Which score a table is, and the words the form adds.

    Args:
        id: Of the score, a rule with decision rows.
        bands: Bands in the order of weight, each with its Chinese name.
        names: What goes before the meaning of a band, where its name alone says it.
        outside: What is said where the score does not hold.
        zh: Chinese of every statement and reason of the score.
        inputs: Condition of this form that answers a yes/no input, where no item has its id.
        assumed: Inputs that are answered by there being an entry.
        source, review: Of the conditions of `inputs`.
    """

    id: str
    source: str
    review: str
    bands: Mapping[str, str]
    names: Mapping[str, Words] = {}
    outside: Words
    zh: Mapping[str, str]
    inputs: Mapping[str, Condition] = {}
    assumed: tuple[str, ...] = ()


class FromLevels(Frozen):
    """Which items of a form answer the rule of the four levels of a nodule.

    Args:
        signs: Condition of this form for each sign of the rule.
        stable: The sign that it was stable for long enough.
        fast: The sign that it grew with a short doubling time.
        probability: The number of its probability, %.
        by_probability: Said of a step of the probability.
    """

    signs: Mapping[str, Condition]
    stable: str
    fast: str
    probability: str
    by_probability: Words


def filled(raw: Any) -> Any:
    """Return a table of a form with categories and rows, where it is taken from other data.

    Raises:
        ValueError: Bands or statements do not fit those of the score.
    """
    if not isinstance(raw, Mapping):
        return raw
    rest = {key: value for key, value in raw.items() if key not in ("from_score", "from_levels")}
    if "from_score" in raw:
        return {**rest, **_of_score(FromScore.model_validate(raw["from_score"]))}
    if "from_levels" in raw:
        return {**rest, **_of_levels(FromLevels.model_validate(raw["from_levels"]))}
    return raw


def rests_on(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the packaged files that a table of a form is taken from, besides the form's own.

    Args:
        table: As it stands in the form's file.
    """
    found = []
    if "from_score" in table:
        found.append(f"scores/{table['from_score']['id']}")
    if "from_levels" in table:
        found.append(LEVELS)
    return tuple(found)


def _of_score(given: FromScore) -> dict[str, Any]:
    chosen = score(given.id)
    bands = {band.name: band for band in chosen.bands}
    if set(bands) != set(given.bands):
        raise ValueError(f"the bands are not those of {given.id}")
    first = chosen.population.outside_if[0]
    outside = {
        "id": OUTSIDE,
        "label": given.outside,
        "source": first.source,
        "review": first.review,
    }
    categories = [outside] + [
        _category(bands[name], zh, given.names.get(name)) for name, zh in given.bands.items()
    ]
    return {"categories": categories, "rows": list(_score_rows(chosen, given))}


def _category(band: ScoreBand, zh: str, name: Words | None) -> dict[str, Any]:
    label = Words(en=band.meaning, zh=zh)
    if name is not None:
        label = Words(en=f"{name.en}: {band.meaning}", zh=f"{name.zh}: {zh}")
    short = "" if name is None else name.en
    return {
        "id": band.name,
        "label": label,
        "short": short,
        "source": band.source,
        "review": band.review,
    }


def _score_rows(chosen: Score, given: FromScore) -> Iterator[dict[str, Any]]:
    for clause in chosen.population.outside_if:
        if set(clause.when.inputs()) <= set(given.assumed):
            continue
        yield _row(clause.when, OUTSIDE, clause.reason, clause.source, clause.review, given)
    for row in chosen.decision:
        yield _row(row.when, row.category, row.statement, row.source, row.review, given)


def _row(
    when: Condition | None, category: str, words: str, source: str, review: str, given: FromScore
) -> dict[str, Any]:
    if words not in given.zh:
        raise ValueError(f"no Chinese of {words!r}")
    return {
        "when": None if when is None else _read(when, given.inputs),
        "category": category,
        "because": Words(en=words, zh=given.zh[words]),
        "source": source,
        "review": review,
    }


def _read(condition: Condition, inputs: Mapping[str, Condition]) -> Condition:
    """Return a condition that reads the form's own items."""
    own = inputs.get(condition.input or "")
    if own is not None:
        return own if condition.is_ == "present" else Condition.model_validate({"not": own})
    parts: dict[str, Any] = {}
    for name in ("all", "any", "count"):
        several = getattr(condition, name)
        if several is not None:
            parts[name] = tuple(_read(part, inputs) for part in several)
    for name, key in (("not_", "not"), ("sure", "sure")):
        one = getattr(condition, name)
        if one is not None:
            parts[key] = _read(one, inputs)
    if not parts:
        return condition
    return Condition.model_validate({**parts, **dict(condition.limits)})


def _of_levels(given: FromLevels) -> dict[str, Any]:
    rule = nodule_levels()
    tag = {"source": rule.probability.source, "review": rule.probability.review}
    categories = [
        {"id": one, "label": Words(en=rule.levels[one].en, zh=rule.levels[one].zh), **tag}
        for one in ORDER
    ]
    return {"categories": categories, "rows": list(_level_rows(given))}


def _level_rows(given: FromLevels) -> Iterator[dict[str, Any]]:
    rule = nodule_levels()
    for name, sign in rule.signs.items():
        words = Words(en=sign.en, zh=sign.zh)
        yield {"when": given.signs[name], "category": sign.level, "because": words,
               "source": sign.source, "review": sign.review}  # fmt: skip
    stable, fast = rule.stable, rule.growing
    days = round(stable.days_by_volume)
    yield {
        "when": {"input": given.stable, "is": "present"},
        "category": stable.level,
        "because": Words(en=stable.en % days, zh=stable.zh % days),
        "source": stable.source,
        "review": stable.review,
    }
    most = next(step.below for step in rule.probability.rows if step.level == fast.least)
    yield {
        "when": {"all": [
            {"input": given.fast, "is": "present"},
            {"input": given.probability, "lt": most},
        ]},
        "category": fast.least,
        "because": Words(en=fast.en % fast.doubling_days, zh=fast.zh % fast.doubling_days),
        "source": fast.source,
        "review": fast.review,
    }  # fmt: skip
    last = rule.probability.rows[-1]
    for step in rule.probability.rows:
        level = rule.levels[step.level]
        when = None if step is last else {"input": given.probability, "lt": step.below}
        said = given.by_probability
        yield {
            "when": when,
            "category": step.level,
            "because": Words(en=f"{said.en} {level.en}.", zh=f"{said.zh}{level.zh}。"),
            "source": rule.probability.source,
            "review": rule.probability.review,
        }
