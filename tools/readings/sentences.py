# ruff: noqa: RUF001
"""The standard sentence of an item, in English or Chinese."""

from collections.abc import Mapping, Sequence

from knowledge.finding import State
from knowledge.quantity import format_number
from knowledge.reading_items import Item
from knowledge.reading_words import reading_words
from knowledge.words import Language
from tools.readings.model import Said, Stated

_ENDS = (".", "!", "?", "\u3002", "\uff01", "\uff1f")
"""What ends a sentence already."""

_UNITS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "1": "",
        "{count}": "",
        "mo": " months",
        "a": " years",
        "[HU]": " HU",
        "[hnsf'U]": " HU",
        "cm3": " cm³",
        "mm3": " mm³",
    },
    "zh": {
        "1": "",
        "{count}": "",
        "mo": " 个月",
        "a": " 岁",
        "[HU]": " HU",
        "[hnsf'U]": " HU",
        "cm3": " cm³",
        "mm3": " mm³",
    },
}
"""Units of UCUM that people write in another way."""


def sentence(item: Item, given: Stated, language: Language) -> str:
    """Return one sentence on one item.

    Args:
        item: The item.
        given: Its state.
        language: English or Chinese.

    Examples:
        >>> from tools.readings.model import NOBODY
        >>> from knowledge.reading_form import reading_form
        >>> item = reading_form("thyroid_tirads").item("isthmus")
        >>> sentence(item, NOBODY, "en")
        'Thickness of the isthmus: not assessed (not looked at).'
    """
    label = item.label.read(language)
    if given.not_assessed is not None:
        return _bracketed(
            _named(label, _state(State.NOT_ASSESSED, language), language),
            _why(given, language),
            language,
        )
    if item.kind in ("sign", "list"):
        words = item.present if given.state is State.PRESENT else item.absent
        text = words.read(language) if words is not None else label
    else:
        text = _named(label, value(item, given, language), language)
    return _bracketed(text, _details(item, given, language), language)


def listed(names: Sequence[str], language: Language) -> str:
    """Return names one after the other, told apart also where they hold commas.

    Examples:
        >>> listed(["Insula, I", "Caudate, C"], "en"), listed(["liver", "spleen"], "en")
        ('Insula, I; Caudate, C', 'liver, spleen')
    """
    if language == "zh":
        return ("；" if any("、" in n or "，" in n for n in names) else "、").join(names)
    return ("; " if any("," in name for name in names) else ", ").join(names)


def not_assessed(items: Sequence[Item], given: Stated, language: Language) -> str:
    """Return one sentence on items that are not assessed for one reason.

    Args:
        items: The items.
        given: The state of any of them.
        language: English or Chinese.
    """
    labels = [item.label.read(language) for item in items]
    if len(items) == 1:
        return sentence(items[0], given, language)
    state, why = _state(State.NOT_ASSESSED, language), _why(given, language)
    if language == "zh":
        return f"{state}（{why}）：{listed(labels, language)}。"
    return f"{state[:1].upper()}{state[1:]} ({why}): {listed(labels, language)}."


def value(item: Item, given: Stated, language: Language) -> str:
    """Return what is stated, without the item's name."""
    if given.not_assessed is not None:
        colon = "：" if language == "zh" else ": "
        return f"{_state(State.NOT_ASSESSED, language)}{colon}{_why(given, language)}"
    if given.choices:
        names = [item.answers[c].read(language) for c in given.choices if c in item.answers]
        return listed(names, language)
    if given.number is not None:
        within = f" ± {format_number(given.margin)}" if given.margin is not None else ""
        return with_unit(given.number, given.unit or "1", within=within, language=language)
    if item.kind == "text":
        return given.text
    details = _details(item, given, language)
    state = _state(given.state, language)
    return (
        f"{state} ({details})"
        if details and language == "en"
        else state + (f"（{details}）" if details else "")
    )


def with_unit(number: float, unit: str, *, within: str = "", language: Language = "en") -> str:
    """Return a number with its unit as people write it.

    Examples:
        >>> with_unit(12.345, "mm"), with_unit(0.52, "1"), with_unit(8, "mo"), with_unit(1, "mo")
        ('12.3 mm', '0.52', '8 months', '1 month')
    """
    name = _UNITS[language].get(unit, f" {unit}")
    if language == "en" and number == 1 and unit in ("mo", "a"):
        name = name.removesuffix("s")
    return format_number(_as_shown(number, unit)) + within + name


def _as_shown(number: float, unit: str) -> float:
    """Return a number to as many decimals as its unit is shown with.

    What is no whole number is not rounded onto one, where a limit may stand, and below 1 nothing is
    rounded.
    """
    row = reading_words().decimals.get(unit)
    decimals = None if row is None else row.places
    if decimals is None or abs(number) < 1:
        return number
    rounded = round(number, decimals)
    return number if rounded == int(rounded) != number else rounded


def speaker(said: Said | None, language: Language) -> str:
    """Return who says it."""
    if said is None:
        return ""
    return f"{reading_words().speakers[said.by].read(language)}: {said.who}"


def _state(state: State, language: Language) -> str:
    return reading_words().states[state.value].read(language)


def _why(given: Stated, language: Language) -> str:
    reason = given.not_assessed
    if reason is None:
        return ""
    words = reading_words().reasons.get(reason.why.value)
    kind = words.read(language) if words is not None else reason.why.value
    if given.nobody_looked:
        return kind
    colon = "：" if language == "zh" else ": "
    return f"{kind}{colon}{reason.detail}" if reason.detail else kind


def _details(item: Item, given: Stated, language: Language) -> str:
    words = reading_words()
    parts: list[str] = []
    if given.side is not None:
        parts.append(words.sides[given.side].read(language))
    parts += [words.zones[zone].read(language) for zone in given.zones]
    if given.size_mm is not None:
        parts.append(with_unit(given.size_mm, "mm"))
    if given.change is not None:
        parts.append(words.changes[given.change].read(language))
    if given.certainty is not None:
        percent = f"{given.certainty * 100:.0f} %"
        parts.append(f"{words.headings['certainty'].read(language)} {percent}")
    if given.text and item.kind != "text":
        parts.append(given.text)
    return ("，" if language == "zh" else ", ").join(parts)


def _named(label: str, text: str, language: Language) -> str:
    if text.endswith(_ENDS):
        return f"{label}：{text}" if language == "zh" else f"{label}: {text}"
    return f"{label}：{text}。" if language == "zh" else f"{label}: {text}."


def _bracketed(text: str, details: str, language: Language) -> str:
    if not details:
        return text
    if language == "zh":
        return f"{text.removesuffix('。')}（{details.removesuffix('。')}）。"
    return f"{text.removesuffix('.')} ({details.removesuffix('.')})."
