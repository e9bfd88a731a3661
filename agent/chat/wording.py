# ruff: noqa: RUF001
"""Our own words around the facts of an answer, in both languages."""

from collections import Counter
from collections.abc import Sequence

from agent.chat.select import is_old, of_ecg
from agent.facts import Fact, FactSheet
from agent.untrusted import one_line
from agent.write import VerifiedSentence
from knowledge.passages import Language
from knowledge.plain_text import quotation
from knowledge.verifier_terms import verifier_terms

_NAME = 60
REFUSED = {
    "en": "Answers come from the record of this case; rules and prompts do not change.",
    "zh": "只根据本病例的记录回答问题；规则和提示词不会更改。",
}
NO_GUIDELINE = {
    "en": "guideline knowledge could not be searched",
    "zh": "无法检索指南知识",
}
NOT_UNDERSTOOD = {
    "en": "The question was not recognised as being about one of this case's facts, which does not "
    "mean that the record holds nothing about it. These are the main facts.",
    "zh": "未能识别该问题对应本病例的哪项事实，这并不表示病历中没有相关内容。以下为主要事实。",
}
NOT_OFFERED = {
    "en": "Not computed here: {0} ({1}).",
    "zh": "本系统不计算：{0}（{1}）。",
}
NOT_HELD = {
    "en": "A score of the name {0} is not held here.",
    "zh": "本系统未收录名为 {0} 的评分。",
}
NEAR = {
    "en": "A score of the name {0} is not held here. Names near to it: {1}.",
    "zh": "本系统未收录名为 {0} 的评分。相近的名称：{1}。",
}
HYPOTHETICAL = {
    "en": "What would be if something were otherwise is not computed; these are the facts as they "
    "are.",
    "zh": "不计算假设情形；以下为现有事实。",
}
OTHER_CATEGORY = {
    "en": "the pathway does not apply it to this patient: its conditions are not met or not known",
    "zh": "路径未将其应用于本患者：条件不满足或不清楚",
}
APPLYING = {
    "en": "from a card behind a recommendation for this patient",
    "zh": "来自支持本患者建议的卡片",
}
NOTHING_FOUND = {
    "en": "no guideline statement about this was found",
    "zh": "未找到与此相关的指南说明",
}
GENERAL = {
    "en": "general statement, not computed for this patient",
    "zh": "一般性说明，未针对本患者计算",
}
_LEFT_OUT = {
    "en": "Guideline statements on early discharge are for low-risk patients and are not shown, "
    "because this patient is not established as low risk: {0}",
    "zh": "早期出院的指南说明适用于低危患者；本患者尚未确定为低危，故不显示：{0}",
}
_OLD = {
    "en": "Not of the day of the assessment ({0}): {1}",
    "zh": "非评估当日（{0}）：{1}",
}
_MORE = {"en": "And {0} more fact{1}. {2}.", "zh": "另有{0}项事实。{2}。"}
_NOWHERE = {"en": "Not in the record: {0}", "zh": "病历中没有：{0}"}
_NOT_READ = {
    "en": "Not in what was read{0}. Not read, so it may stand there: {1}",
    "zh": "已读取的内容中没有{0}。未读取、可能含有相关信息的文件：{1}",
}
_GROUPS = {
    "present": {"en": "Present", "zh": "存在"},
    "measured": {"en": "With a value", "zh": "有数值"},
    "score": {"en": "Scores and rules", "zh": "评分和规则"},
    "stated": {"en": "Stated", "zh": "陈述"},
    "not_determined": {"en": "Not determined", "zh": "未确定"},
    "not_assessed": {"en": "Not assessed", "zh": "未评估"},
    "absent": {"en": "Absent", "zh": "不存在"},
}


def left_out(titles: Sequence[str], language: Language) -> str:
    """Return that guideline statements are not shown, and which."""
    return _LEFT_OUT[language].format("; ".join(dict.fromkeys(titles)))


def nowhere(labels: Sequence[str], sheet: FactSheet) -> tuple[str, ...]:
    """Return that the record tells nothing of some inputs; nothing where there are none."""
    if not labels:
        return ()
    phrases = verifier_terms().zh.phrases if sheet.language == "zh" else {}
    mark = "; " if sheet.language == "en" else "、"
    named = mark.join(phrases.get(one, one) for one in labels)
    if sheet.unread:
        colon = ": " if sheet.language == "en" else "："
        return (not_read(sheet, colon + named),)
    return (_NOWHERE[sheet.language].format(named),)


def not_read(sheet: FactSheet, what: str = "") -> str:
    """Return that something is in nothing that was read, and what was not read."""
    mark = ", " if sheet.language == "en" else "、"
    return _NOT_READ[sheet.language].format(what, mark.join(quotation(n) for n in sheet.unread))


def old_facts(facts: Sequence[Fact], sheet: FactSheet, language: Language) -> tuple[str, ...]:
    """Return the measurements and ECGs among the facts that are not of the assessment's day."""
    found = {
        f"{_name(fact)} ({', '.join(fact.times)})": None
        for fact in facts
        if is_old(fact, sheet) and (fact.numbers or of_ecg(fact))
    }
    if any(fact.kind == "ecg" for fact in facts):
        traced = [f for f in sheet.facts if f.kind == "finding" and of_ecg(f) and is_old(f, sheet)]
        found |= {
            f"{'ECG' if language == 'en' else '心电图'} ({t})": None
            for f in traced
            for t in f.times
        }
    if not found:
        return ()
    day = sheet.day or ("day not known" if language == "en" else "日期不详")
    mark = "; " if language == "en" else "；"
    return (_OLD[language].format(day, mark.join(found)),)


def more_facts(
    facts: Sequence[Fact], sheet: FactSheet, language: Language
) -> tuple[VerifiedSentence, ...]:
    """Return one sentence that names what else is known, by state; nothing where that is all."""
    if not facts:
        return ()
    comma, stop = (", ", ". ") if language == "en" else ("、", "；")
    colon = ": " if language == "en" else "："
    told = []
    for key, words in _GROUPS.items():
        names = Counter(_dated(f, sheet) for f in facts if _group(f) == key)
        listed = comma.join(f"{n} ({c})" if c > 1 else n for n, c in names.items())
        if listed:
            told.append(f"{words[language]}{colon}{listed}")
    text = _MORE[language].format(len(facts), "" if len(facts) == 1 else "s", stop.join(told))
    refs = tuple(fact.id for fact in facts)
    return (VerifiedSentence(text=text, refs=refs, covered=()),)


def counted(sheet: FactSheet, shown: Sequence[Fact], language: Language) -> str:
    """Return how many facts an overview leaves out, and of which sort."""
    rest = [f for f in sheet.facts if f not in shown]
    findings = sum(f.kind == "finding" for f in rest)
    missing = sum(f.kind == "missing" for f in rest)
    scores = sum(f.kind in ("score", "troponin_result") for f in rest)
    if language == "zh":
        return f"另有{findings}项发现、{scores}项评分和规则、{missing}项缺失，可按名称询问。"
    return (
        f"And {findings} more findings, {scores} scores and rules, {missing} missing items: "
        "ask for them by name."
    )


def _group(fact: Fact) -> str:
    if fact.kind in ("score", "troponin_result") and fact.state == "stated":
        return "score"
    if fact.state in _GROUPS and fact.state != "stated":
        return fact.state
    return "measured" if fact.numbers else "stated"


def _dated(fact: Fact, sheet: FactSheet) -> str:
    said = _name(fact)
    if fact.category and not fact.outside and len(fact.category) <= _NAME:
        said = f"{said} {fact.category}" if fact.kind in ("score", "finding") else said
    return f"{said} [{', '.join(fact.times)}]" if is_old(fact, sheet) else said


def _name(fact: Fact) -> str:
    subject = fact.text.partition(": ")[0] if fact.kind == "reason" else fact.subject
    name = one_line(subject, limit=_NAME)
    return f"“{name}”" if fact.outside else name
