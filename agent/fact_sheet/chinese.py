# ruff: noqa: RUF001
"""A fact in Chinese, where we have Chinese words for every part of it."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from agent.fact_sheet.conclusions import DIAGNOSIS, DISCHARGE, HEADLINE
from agent.fact_sheet.critical_chinese import critical_in_chinese
from agent.fact_sheet.scores import CAVEAT
from agent.facts import Fact, FactNumber
from knowledge.clinical_inputs import catalogue
from knowledge.plain_text import has_chinese
from knowledge.score_words import score_told
from knowledge.verifier_terms import verifier_terms

_UNTRANSLATED = re.compile(r"[A-Z][A-Za-z]{0,3}\d*|aV[RLF]|[\d.]+ ?\S+")
_OLD = re.compile(r"the last value is of (.+), older than (\d+) h")
_CONDITIONAL = re.compile(
    r"(?P<name>.+?): Check that the score applies: .+; (?P<label>[^;]+) is not assessed: [^;]*"
)
_NOT_ASSESSED = " is not assessed"
_POSSIBLE = " possible"
_STATES = {
    "present": "存在",
    "absent": "不存在",
    "not_assessed": "未评估",
    "not_determined": "未确定",
    "supported": "支持",
    "argued_against": "不支持",
    "stated": "",
}


_VERDICTS = {"supported": "支持", "argued against": "不支持", "not assessed": "未评估，因此未排除"}
_WHY = {"supported": "支持急性冠脉综合征", "not assessed": "急性冠脉综合征未排除"}


def in_chinese(fact: Fact, day: str = "") -> Fact:
    """Return the fact in Chinese, or as it is where a word is missing or it is said whole.

    Args:
        fact: In English.
        day: The day of the assessment as the facts write it; samples of another day are dated.
    """
    if fact.language == "zh" or (fact.outside and fact.key != HEADLINE):
        return fact
    if fact.key.startswith(DIAGNOSIS) or fact.key == DISCHARGE:
        return _conclusion(fact)
    if fact.whole:
        return _caveat(fact) if fact.key.startswith(CAVEAT) else _whole(fact)
    if fact.kind == "person":
        return _person(fact)
    if fact.kind == "onset":
        return _onset(fact)
    names, parts = _words(fact.names[:1]), _words(fact.parts)
    if fact.kind == "verdict":
        names = _words(fact.names)
    category = _words((fact.category,)) if fact.category else ("",)
    if fact.kind == "score":
        names, category = names or fact.names[:1], category or (fact.category,)
        if fact.state == "not_assessed" and parts is None:
            return _refused(fact, names)
        kept = tuple(part for part in fact.parts if _words((part,)) or part in fact.needed)
        fact, parts = fact.model_copy(update={"parts": kept}), _words(kept)
    if names is None or parts is None or category is None or not names:
        return fact
    needed = tuple(new for old, new in zip(fact.parts, parts, strict=True) if old in fact.needed)
    numbers = tuple(n.model_copy(update={"text": _number(n.text)}) for n in fact.numbers)
    told = fact.model_copy(
        update={
            "names": names,
            "parts": parts,
            "needed": needed,
            "category": category[0],
            "numbers": numbers,
            "language": "zh",
        }
    )
    return told.model_copy(update={"text": _text(told, day)})


def _conclusion(fact: Fact) -> Fact:
    """Return a diagnosis or the state of discharge; a label without Chinese words stays."""
    listed = "、".join((_words((part,)) or (part,))[0] for part in fact.parts)
    if fact.key == DISCHARGE:
        said = "已满足路径的低危条件"
        if fact.category != "met":
            still = f"；尚不清楚：{listed}" if listed else ""
            said = f"尚未确定为低危（{_WHY.get(fact.category, '未满足全部条件')}{still}）"
        names: tuple[str, ...] = ("出院",)
    else:
        names = _words(fact.names) or fact.names
        said = _VERDICTS[fact.category]
        said += f"；可由以下项目判定：{listed}" if listed else ""
    text = f"{names[0]}：{said}。"
    return fact.model_copy(update={"names": names, "text": text, "language": "zh"})


def _whole(fact: Fact) -> Fact:
    if fact.kind == "reason":
        return _reason(fact)
    head, mark, said = fact.text.partition(": ")
    bare = (said if mark and head == "ECG" else fact.text).rstrip(".")
    words = verifier_terms().zh.phrases.get(bare) or critical_in_chinese(bare)
    if words is None or (fact.names and fact.kind != "ecg"):
        return fact
    prefix = "心电图：" if fact.kind == "ecg" else ""
    return fact.model_copy(update={"text": f"{prefix}{words}。", "language": "zh", "names": ()})


def _reason(fact: Fact) -> Fact:
    """Return a reason for or against a diagnosis; as it is where it has no Chinese words."""
    side, _, rest = fact.text.partition(" ")
    said = rest.removeprefix(f"{fact.subject}: ").rstrip(".")
    names, words = _words(fact.names[:1]), _words((said,))
    if names is None or words is None:
        return fact
    stand = "支持" if side == "For" else "不支持"
    text = f"{stand}{names[0]}：{words[0]}。"
    return fact.model_copy(update={"names": names, "text": text, "language": "zh"})


def _refused(fact: Fact, names: tuple[str, ...]) -> Fact:
    """Return a score that is not assessed, with those parts of the reason that have words."""
    said = "，".join((_words((part,)) or (part,))[0] for part in fact.parts)
    text = f"{names[0]}：未评估，{said}。"
    return fact.model_copy(update={"names": names, "text": text, "whole": True, "language": "zh"})


def _caveat(fact: Fact) -> Fact:
    """Return in Chinese that a score may not apply, naming what is not known; others stay."""
    found = _CONDITIONAL.fullmatch(fact.text)
    words = None if found is None else _words((found["label"],))
    if found is None or words is None:
        return _noted(fact)
    text = f"{found['name']}：请确认该评分适用于本患者：{words[0]}未评估。"
    return fact.model_copy(update={"text": text, "language": "zh"})


def _noted(fact: Fact) -> Fact:
    """Return another caveat of a score in Chinese, after its name; as it is without words."""
    name = fact.names[0] if fact.names else ""
    said = score_told().known(fact.text.removeprefix(f"{name}: "))
    if said is None:
        return fact
    shown = (_words((name,)) or (name,))[0]
    return fact.model_copy(update={"text": f"{shown}：{said}", "language": "zh"})


def _person(fact: Fact) -> Fact:
    word = {"woman": "女性", "man": "男性"}.get(fact.names[0])
    if word is None or not fact.numbers:
        return fact
    years = _number(fact.numbers[0].text)
    return fact.model_copy(
        update={
            "names": (word,),
            "numbers": (FactNumber(text=years),),
            "text": f"{word}，{years}。",
            "language": "zh",
        }
    )


def _onset(fact: Fact) -> Fact:
    if fact.state == "not_assessed":
        return fact.model_copy(
            update={"names": ("起病时间",), "text": "起病时间不详。", "language": "zh"}
        )
    since = f"自{next(iter(fact.times), '')}"
    found = re.search(r"(\d+) h (\d+) min", " ".join(fact.parts[1:]))
    ago = f"评估前{found[1]}小时{int(found[2])}分钟" if found else ""
    text = f"胸痛{since}开始{f'（{ago}）' if ago else ''}。"
    return fact.model_copy(
        update={
            "names": ("胸痛",),
            "parts": (since, ago) if ago else (since,),
            "needed": (since,),
            "text": text,
            "language": "zh",
        }
    )


def _words(texts: Sequence[str]) -> tuple[str, ...] | None:
    """Return every text in Chinese; None where one has no Chinese words."""
    phrases = _phrases()
    found: list[str] = []
    for text in texts:
        if text in phrases:
            found.append(phrases[text])
        elif text.removesuffix(_NOT_ASSESSED) in phrases and text.endswith(_NOT_ASSESSED):
            found.append(f"{phrases[text.removesuffix(_NOT_ASSESSED)]}未评估")
        elif text.endswith(_POSSIBLE):
            bands = text.removesuffix(_POSSIBLE).split(" or ")
            found.append(f"{'、'.join(phrases.get(band, band) for band in bands)}均有可能")
        elif missing := re.fullmatch(r"(\d+) inputs? missing", text):
            found.append(f"{missing[1]}项输入缺失")
        elif old := _OLD.fullmatch(text):
            found.append(f"最近一次为{old[1]}，早于{old[2]}小时前")
        elif _UNTRANSLATED.fullmatch(text):
            found.append(_number(text))
        elif (told := score_told().known(text)) is not None:
            found.append(told)
        else:
            return None
    return tuple(found)


@cache
def _phrases() -> Mapping[str, str]:
    return {**catalogue().chinese, **verifier_terms().zh.phrases}


def _number(text: str) -> str:
    text = re.sub(r"between (\S+) and (\S+)", r"\1至\2", text)
    text = text.replace(" years", "岁").replace("/min", "次/分")
    return re.sub(r"(\d) min\b", r"\1分钟", text)


def _text(fact: Fact, day: str) -> str:
    if fact.kind == "verdict":
        listed = "、".join(fact.names)
        return f"{_STATES[fact.state]}：{listed}。"
    if fact.kind == "troponin":
        return _series(fact, day)
    numbers = "、".join(n.text for n in fact.numbers)
    gap = "" if has_chinese(fact.subject[-1:]) else " "  # CURB-65 and 1 are not 651
    head = f"{fact.subject}{gap}{numbers}".rstrip() if fact.kind == "score" else fact.subject
    after = "" if fact.kind == "score" else numbers
    said = "，".join(p for p in (_STATES[fact.state], fact.category, after, *fact.parts) if p)
    when = f"（{'、'.join(fact.times)}）" if _tells_time(fact) else ""
    return f"{head}：{said}{when}。" if said else f"{head}{when}。"


def _tells_time(fact: Fact) -> bool:
    return fact.kind == "finding" and fact.state != "not_assessed" and bool(fact.times)


def _series(fact: Fact, day: str) -> str:
    """Return the samples, each with its time where one is of another day than this."""
    dated = not day or not all(time.startswith(day) for time in fact.times)
    samples = [f"{n.text}{f'（{n.time}）' if dated else ''}" for n in fact.numbers if n.time]
    told = "，随后".join(samples) if samples else ""
    by_role = {n.role: n.text for n in fact.numbers}
    if "delay" in by_role:
        told += f"（{by_role['delay']}后，变化{by_role['change']}）"
    return f"{fact.subject}：首次{told}。"
