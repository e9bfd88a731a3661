"""Planted errors: a true sentence made wrong in one known way, to see whether the checker sees it.

They change text only and know nothing of how the checker reads it. Each returns None where the
sentence has nothing of its kind to change.
"""

# ruff: noqa: RUF001  Chinese punctuation is what is written here.

import random
import re
from collections.abc import Callable, Mapping

Mutation = Callable[[str, random.Random], str | None]

_NUMBER = re.compile(r"(?<![\w./:+-])\d+(?:\.\d+)?(?![\w/:-]*\d|[.:]\d|/)(?! ?h\b)(?!-week)")


def other_number(text: str, chance: random.Random) -> str | None:
    """Change one number by at least a tenth."""
    found = [m for m in _NUMBER.finditer(text) if not _part_of_a_name(text, m)]
    if not found:
        return None
    match = chance.choice(found)
    value = float(match.group())
    changed = value + max(1.0, round(value * chance.choice((0.15, 0.5, 1.0))))
    shown = f"{changed:.1f}" if "." in match.group() else f"{changed:.0f}"
    return text[: match.start()] + shown + text[match.end() :]


def _part_of_a_name(text: str, match: re.Match[str]) -> bool:
    return re.match(r"周MACE|小时：|-lead", text[match.end() :]) is not None or text[
        max(0, match.start() - 2) : match.start()
    ].endswith(("0/", "V"))


def other_unit(text: str, chance: random.Random) -> str | None:
    """Change one unit."""
    return _swap(
        text,
        chance,
        {
            "ng/L": "ng/mL",
            "/min": "/s",
            " years": " months",
            "-year-old": "-month-old",
            "次/分": "次/秒",
            " mmHg": " kPa",
            "岁": "个月",
        },
    )


def other_polarity(text: str, chance: random.Random) -> str | None:
    """Turn one statement into its opposite."""
    return _swap(
        text,
        chance,
        {
            "shows ST depression": "shows no ST depression",
            "ECG: ST depression": "ECG: no ST depression",
            "ECG: No ST-elevation": "ECG: ST-elevation",
            "shows no ST-elevation": "shows ST-elevation",
            "criteria of infarction are met": "criteria of infarction are not met",
            "无ST段压低": "有ST段压低",
            "符合心肌梗死": "不符合心肌梗死",
            "sinus rhythm": "no sinus rhythm",
            "窦性心律": "无窦性心律",
        },
    )


def other_time(text: str, chance: random.Random) -> str | None:
    """Move a time of day by some hours, or a span by some minutes."""
    clocks = list(re.finditer(r"(?<= )\d{2}(?=:\d{2})", text))
    if clocks:
        match = chance.choice(clocks)
        hour = (int(match.group()) + chance.choice((1, 3, 5))) % 24
        return f"{text[: match.start()]}{hour:02d}{text[match.end() :]}"
    spans = list(re.finditer(r"\d+(?= ?(?:min\b|分钟|小时\d))", text))
    if not spans:
        return None
    match = chance.choice(spans)
    return f"{text[: match.start()]}{int(match.group()) + 30}{text[match.end() :]}"


def range_as_number(text: str, chance: random.Random) -> str | None:
    """Give a range as one number."""
    match = re.search(r"between ([\d.]+) and ([\d.]+)", text)
    if match:
        return text.replace(match.group(), chance.choice((match[1], match[2])))
    match = re.search(r"评分(?:\(肺栓塞\)|（肺栓塞）)?([\d.]+)至([\d.]+)", text)
    if match:
        return text.replace(f"{match[1]}至{match[2]}", chance.choice((match[1], match[2])))
    return None


def other_category(text: str, chance: random.Random) -> str | None:
    """Give a score or rule another category."""
    return _swap(
        text,
        chance,
        {
            ": high": ": low",
            ": low (": ": high (",
            ": unlikely": ": likely",
            ": intermediate": ": low",
            "not determined, ": "low, ",
            "Rule-in": "Rule-out",
            "Not decided": "Rule-out",
            "高危，": "低危，",
            "低危，低": "高危，低",
            "未确定，": "低危，",
            "尚未判定": "排除",
            "纳入": "排除",
        },
    )


def other_score(text: str, chance: random.Random) -> str | None:
    """Say it of another score or analyte."""
    return _swap(
        text,
        chance,
        {
            "GRACE in-hospital score": "HEART score",
            "HEART score": "GRACE in-hospital score",
            "ADD-RS": "EDACS",
            "troponin T": "troponin I",
            "troponin I ": "troponin T ",
            "肌钙蛋白T": "肌钙蛋白I",
            "肌钙蛋白I": "肌钙蛋白T",
            "GRACE院内评分": "HEART评分",
            "HEART评分": "GRACE院内评分",
        },
    )


def unsupported_diagnosis(text: str, chance: random.Random) -> str | None:
    """Add a diagnosis or a comfort that nothing supports."""
    if re.search(r"[\u4e00-\u9fff]", text):
        added = chance.choice(("，提示肺炎。", "，诊断为心包炎。", "，考虑焦虑。", "，可以出院。"))
        return text.rstrip("。") + added
    added = chance.choice(
        (
            ", consistent with pneumonia.",
            ", suggesting pericarditis.",
            ", consistent with an old myocardial infarction.",
            ", due to anxiety.",
            "; the patient can be discharged.",
            ", which is reassuring.",
        )
    )
    return text.rstrip(".") + added


def other_verdict(text: str, chance: random.Random) -> str | None:
    """Turn a verdict on a diagnosis around."""
    return _swap(
        text,
        chance,
        {
            "Supported:": "Argued against:",
            "Argued against:": "Supported:",
            "Not assessed:": "Argued against:",
            "不支持：": "支持：",
            "未评估：": "不支持：",
        },
    )


def other_lead(text: str, chance: random.Random) -> str | None:
    """Name another lead."""
    swaps = {"V4": "V1", "aVF": "aVL", "V3,": "V2,", "V3，": "V2，"}
    return _swap(text, chance, swaps)


def other_person(text: str, chance: random.Random) -> str | None:
    """Change the sex."""
    return _swap(
        text,
        chance,
        {
            "Woman": "Man",
            "Man,": "Woman,",
            "-old woman": "-old man",
            "-old man": "-old woman",
            "女性": "男性",
            "男性": "女性",
        },
    )


def _swap(text: str, chance: random.Random, swaps: Mapping[str, str]) -> str | None:
    found = [old for old in swaps if old in text]
    if not found:
        return None
    old = chance.choice(found)
    return text.replace(old, swaps[old], 1)


MUTATIONS: Mapping[str, Mutation] = {
    "number": other_number,
    "unit": other_unit,
    "polarity": other_polarity,
    "time": other_time,
    "range as number": range_as_number,
    "category": other_category,
    "score or analyte": other_score,
    "unsupported diagnosis": unsupported_diagnosis,
    "verdict": other_verdict,
    "lead": other_lead,
    "person": other_person,
}
"""Every kind of planted error."""
