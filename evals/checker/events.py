"""What a sentence says happened, and nothing in the record says so.

A published rate is told as if it had happened to the patient, or a recommendation as if it had been
carried out. Both need a word of something done; without one the words are a rate or advice.
"""

import re
from collections.abc import Iterator

from evals.checker.truth import Truth

_OUTCOME = (
    r"\bMACE\b|\bdies?\b|(?:in-hospital |hospital )?\bdeaths?\b|(?:major |adverse )*cardiac events?"
    r"|\bmortality\b|死亡(?!率|风险)|不良心(?:血管|脏)事件"
)
_HAPPENED = (
    r"occurred|happened|came about|\barose\b|escaped|avoided|\bspared\b|took place|documented"
    r"|\bfound\b|observed|recorded|suffered|experienced"
    r"|developed|\bseen\b|\bpresent\b|\bcertain\b|confirmed|established|ensued|followed|\bhas had\b"
    r"|\bhad\b|\bhas\b|\bwill\b|diagnosed|met with|reported"
)
_EVENT = re.compile(
    rf"(?:{_OUTCOME})(?:(?!\d+(?:\.\d+)? ?%).){{0,40}}?(?:{_HAPPENED})"
    rf"|(?:{_HAPPENED})[^;.]{{0,24}}?(?:{_OUTCOME})"
    r"|\b(?:has |have )?died\b|\bis dead\b|\bdeceased\b|passed away"
    rf"|(?:{_OUTCOME})[^;。]{{0,6}}(?:已|发生了|出现了|已经)|已经?(?:发生|出现)|(?:发生|出现)了"
    r"|已经?(?:死亡|去世|病故)|去世|病故|身亡|已有(?:MACE|不良)|(?:患者|病人|她|他)[^;。,]{0,8}?死亡(?!率|风险|概率)",
    re.IGNORECASE,
)
_OF_ONE = re.compile(r"% of (?:her|his|this|the patient)\b", re.IGNORECASE)
_RATE = re.compile(
    r"\bpatients\b|\brisk\b|\brates?\b|expected|estimated|predict\w+|probab\w+|chance|likelihood"
    r"|\bin (?:about )?\d|\bof those\b|\bof such\b|people|cohort|stud(?:y|ies)"
    r"|率|风险|预计|估计|预期|概率|可能",
    re.IGNORECASE,
)
_HAS = re.compile(
    r"(?:\bpatient|\bwoman|\bman|\bs?he)\b[^;.]{0,20}?\b(?:has|had|suffers?|suffered|developed"
    r"|shows?|experienced)\b|\b(?:was|is|were|been) (?:\w+ )?(?:found|documented|confirmed"
    r"|diagnosed|established|present|recorded|observed|seen)"
    r"|consistent with|compatible with|\bindicat\w+|\bsuggest\w*|points? to|提示"
    r"|(?:患者|病人|她|他)[^;。,]{0,4}(?:发生|患有|有|出现)|确诊|已发生|已出现",
    re.IGNORECASE,
)

_ACTION = (
    r"angiogra\w+|\bcoronarograph\w+|\bPCI\b|\blysis\b|percutaneous coronary intervention"
    r"|fibrinoly\w+"
    r"|thromboly\w+|reperfusion|revasculari\w+|stent\w*|cathete\w+|invasive strategy"
    r"|\bCT\b(?: scan)?|perfusion scan|\bscan\b|echocardiogra\w+|ultrasound|imaging|X-ray"
    r"|V[34]R|right[- ]sided leads?|posterior leads?|STEMI pathway|infarction pathway"
    r"|laborator(?:y|ies)"
    r"|monitoring|anticoagula\w+|aspirin|heparin"
    r"|冠状?动?脉?造影|血管造影|造影|PCI|介入(?:治疗)?|溶栓(?:治疗)?|再灌注|支架|超声心动图|右胸导联|监护"
)
_VERB = (
    r"performed|done|carried out|undertaken|taken|obtained|completed|given|started|initiated"
    r"|administered|recorded|documented|achieved|activated|ordered|asked|drawn|made|implanted"
    r"|placed|established|excluded|used|undergone|underway|in progress|contacted|informed"
)
_BEEN = (
    r"(?:was|were|has been|have been|had been|is|are|has just been|got)\s+"
    r"(?:\w+ly |already |then )?"
)
_DONE = re.compile(
    rf"(?:{_ACTION})[^;.]{{0,40}}?(?<!to )\b{_BEEN}(?:{_VERB})"
    rf"|\b(?:underwent|has undergone|received|has had|was given|was treated with)\b"
    rf"[^;.]{{0,40}}?(?:{_ACTION})"
    rf"|(?:{_ACTION})[^;.,]{{0,24}}?\b(?:showed|shows|revealed|demonstrated|found|confirmed"
    r"|excluded|succeeded|was successful|took place|(?:is|was) (?:in place|ongoing|running"
    r"|under ?way))\b"
    rf"|\b(?:was|were|has been|have been)\s+(?:already )?(?:admitted|transferred|monitored"
    rf"|hospitali[sz]ed"
    r"|catheteri[sz]ed|stented|discharged|anticoagulated)\b"
    rf"|\b(?:after|following|post|status post|s/p)[- ](?:\w+ ){{0,2}}?(?:{_ACTION})"
    rf"|\b(?:opened|treated|stented|managed)\b[^;.]{{0,24}}?\b(?:by|with) (?:{_ACTION})"
    rf"|(?:{_ACTION})(?:术后|后|成功)"
    rf"|已经?(?:于[^,;。]{{0,12}})?(?:行|接受|完成|做|予|给予|启动|进行|实施|施行)[^;。]{{0,12}}?(?:{_ACTION})"
    rf"|(?:{_ACTION})[^;。]{{0,8}}?(?:已经?(?:完成|进行|实施|成功|启动|做)|显示|提示|证实|示)"
    rf"|(?:接受|进行|施行|完成|实施)了[^;。]{{0,12}}?(?:{_ACTION})"
    r"|已经?(?:入院|收住院|收入院|转院|出院|监护)",
    re.IGNORECASE,
)
_REPEATED = re.compile(
    rf"\b(?:ECG|electrocardiogram)\b[^;.]{{0,20}}?\b{_BEEN}(?:repeated|recorded again|redone)"
    r"|\b(?:repeat|second|further) (?:ECG|electrocardiogram)\b[^;.]{0,30}?\b(?:was|has been"
    r"|show\w*)"
    r"|(?:已|再次)复?查?了?心电图|已复查|复查(?:了)?心电图(?:示|显示|提示|已)|心电图已复查",
    re.IGNORECASE,
)
_SAMPLED = re.compile(
    r"\b(?:second|further|next|another|repeat|serial)\b[^;.]{0,24}?\b(?:samples?|troponin)\b"
    rf"[^;.]{{0,30}}?\b{_BEEN}(?:{_VERB}|collected|measured|negative|positive|available)"
    r"|\b(?:second|further|next|another|repeat)\b[^;.]{0,24}?\b(?:samples?|troponin)\b"
    r"[^;.]{0,8}?\b(?:came back|returned|is back|arrived|shows?|showed|was|rose|fell)\b"
    r"|(?:第二个?|第二次|下一个?|后续)(?:样本|肌钙蛋白)[^;。]{0,10}?(?:已|为\d)"
    r"|已经?(?:抽取|采集|复查|送检)[^;。]{0,8}?(?:样本|肌钙蛋白)",
    re.IGNORECASE,
)
_NAMED_ASSAY = re.compile(
    r"\bassay\b[^;.]{0,16}?\b(?:was|is|has been) (?:named|known|identified|given)"
    r"|检测方法(?:已知|已明确)",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\bnot\b|n't|\bno\b|never|without|should|\bto be\b|\bmust\b|\bcan\b|\bcould\b|\bmay\b"
    r"|\bif\b|\bwhen\b|\bwhere\b|\bunless\b|\buntil\b|recommend\w*|advis\w+|consider\w*|prefer\w*"
    r"|\bdue\b|\bneeded\b|planned|suggest\w*|未|无|建议|应|需|拟|可|宜|待|尚|推荐|考虑|如果|若",
    re.IGNORECASE,
)


def happened(text: str, truth: Truth) -> Iterator[str]:
    """Yield what a sentence says happened or was done though the record does not have it."""
    for statement in _statements(text):
        if _OF_ONE.search(statement):
            yield "a rate among many, told of one"
        for match in _EVENT.finditer(statement):
            if not (_RATE.search(statement) or _denied(statement, match)):
                yield f"{match.group()}: a rate, told as an event"
                break
        if _NAMED_ASSAY.search(statement) and any("no assay" in t for t in truth.texts.values()):
            yield "the assay is not named"
        done = next(iter(_carried_out(statement, truth)), None)
        if done is not None:
            yield f"{done}: nothing in the record was done"


def asserted(text: str, start: int) -> bool:
    """Return whether the statement around a place says that the patient has it."""
    at = 0
    for statement in _statements(text):
        at = text.index(statement, at)
        if at <= start < at + len(statement):
            return _HAS.search(statement) is not None and _RATE.search(statement) is None
        at += len(statement)
    return False


def _statements(text: str) -> list[str]:
    """Return the statements of a text, between full stops and semicolons."""
    return [one for one in re.split(r"[;。]|\.(?=\s|$)", text) if one.strip()]


def _carried_out(statement: str, truth: Truth) -> Iterator[str]:
    for match in _DONE.finditer(statement):
        word = re.search(_ACTION, match.group(), re.IGNORECASE)
        if word is not None and re.search(
            rf"\b{re.escape(word.group().lower())}\b", truth.recorded
        ):
            continue
        if not _denied(statement, match):
            yield match.group()
    for pattern, enough in ((_REPEATED, truth.ecgs > 1), (_SAMPLED, len(truth.samples) > 1)):
        told = pattern.search(statement)
        if told is not None and not enough and not _denied(statement, told):
            yield told.group()


def _denied(statement: str, match: re.Match[str]) -> bool:
    """Return whether it is denied, advised or a condition, from the last comma before it on."""
    before = re.split(r", (?:but|and|which)|\bbut\b", statement[: match.start()])[-1]
    return _NOT_DONE.search(f"{before} {match.group()}") is not None
