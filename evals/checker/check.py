"""Checks one sentence against an assessment, independently of how it was written."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from evals.checker.diagnoses import quoted, wrong_verdict
from evals.checker.direction import wrong_way
from evals.checker.events import happened
from evals.checker.marks import Mark, marks_of, plain
from evals.checker.place import Place
from evals.checker.polarity import said_of
from evals.checker.risks import about_score, settled
from evals.checker.torn import torn
from evals.checker.truth import Number, Truth, number, truth_of
from evals.checker.vocabulary import (
    REASSURANCE,
    TROPONIN_RULES,
)
from knowledge.model import Frozen


class Wrong(Frozen):
    """Something a sentence says that the assessment does not.

    Args:
        kind: value, unit, time, polarity, range, category, diagnosis, person, lead, analyte,
            direction, event.
        detail: What, in words.
    """

    kind: str
    detail: str


class Checked(Frozen):
    """What was found in one sentence.

    Args:
        claims: Statements that could be checked.
        wrong: Those that do not hold.
    """

    claims: int = 0
    wrong: tuple[Wrong, ...] = ()


def check_sentence(text: str, truth: Truth) -> Checked:
    """Return what a sentence claims and what of it does not hold."""
    shown = plain(text)
    marks = marks_of(shown)
    wrong: list[Wrong] = []
    claims = 0
    subject: Mark | None = None
    ecg: Mark | None = None
    for index, mark in enumerate(marks):
        if mark.kind in ("score", "analyte"):
            subject = mark
        if mark.kind == "ecg":
            ecg, subject = mark, None
        claims += mark.kind not in ("score", "analyte", "category")
        here = Place(text=shown, marks=marks, index=index, subject=subject, ecg=ecg)
        wrong += _judge(mark, here, truth)
    wrong += [Wrong(kind=kind, detail=detail) for kind, detail in settled(shown, marks, truth)]
    wrong += _comfort(shown, truth)
    if truth.onset is None and _ONSET_KNOWN.search(shown):
        wrong.append(Wrong(kind="time", detail="the onset is not known"))
    wrong += [Wrong(kind="polarity", detail=f"{cut!r} is cut off") for cut in torn(shown, marks)]
    wrong += [Wrong(kind="direction", detail=detail) for detail in wrong_way(shown, marks, truth)]
    wrong += [Wrong(kind="event", detail=detail) for detail in happened(shown, truth)]
    return Checked(claims=claims + sum(m.kind == "category" for m in marks), wrong=tuple(wrong))


def check_narrative(assessment: Mapping[str, Any]) -> tuple[tuple[str, Checked], ...]:
    """Return each sentence of an assessment's narrative with what was found."""
    truth = truth_of(assessment)
    return tuple(
        (one["text"], check_sentence(one["text"], truth))
        for one in assessment["narrative"]["sentences"]
    )


def _judge(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    judge = _JUDGES.get(mark.kind)
    if judge is not None:
        yield from judge(mark, here, truth)


def _person(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    if truth.sex and mark.key != truth.sex:
        yield Wrong(kind="person", detail=f"{mark.key}, not {truth.sex}")


def _stated(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    """A finding or fact: present where it is said, absent where it is denied."""
    states = truth.states.get(mark.key)
    if mark.kind == "fact" and _within_score(here, truth, mark.parts["text"]):
        return
    if mark.key == "st_elevation" and re.match(r"[- ]?\w* ?criteri", here.text[mark.end :]):
        states = truth.states.get("stemi")
    if quoted(here, truth):
        return
    said = said_of(here.text, here.marks, here.index)
    name = mark.parts["text"]
    if said == "open":
        if states is not None and "not_assessed" not in states:
            yield Wrong(kind="polarity", detail=f"{name}: is assessed")
    elif states is None:
        yield Wrong(kind="polarity", detail=f"{name}: no such finding")
    elif said == "absent":
        if "present" in states or "absent" not in states:
            yield Wrong(kind="polarity", detail=f"{name}: denied, is {_or(states)}")
    elif "present" not in states:
        yield Wrong(kind="polarity", detail=f"{name}: said, is {_or(states)}")


def _or(states: set[str]) -> str:
    return " or ".join(sorted(states))


def _within_score(here: Place, truth: Truth, text: str) -> bool:
    """Return whether the words are those of the score that is spoken of."""
    subject = here.subject
    if subject is None or subject.kind != "score":
        return False
    return text.lower() in truth.texts.get(subject.key, "").lower()


def _lead(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    if here.ecg is None:
        return
    leads = set(truth.leads.get(here.ecg.key, ()))
    if here.ecg.key in ("stemi", "st_elevation"):
        leads = truth.leads.get("stemi", set()) | truth.leads.get("st_elevation", set())
    if leads and mark.key not in leads:
        yield Wrong(kind="lead", detail=f"{mark.key} for {here.ecg.parts['text']}")


_ONSET_KNOWN = re.compile(
    r"onset\b[^;.]{0,30}?(?<!not )(?<!un)\bknown|起病时间(?:已知|明确|清楚)", re.IGNORECASE
)
_PAIN = re.compile(r"pain|onset|since|began|started|胸痛|起病|自", re.IGNORECASE)
_ADVISED = re.compile(r"should|recommend|advis|consider|prefer|建议|应|推荐|考虑", re.IGNORECASE)
_BEFORE = re.compile(r"before|ago|earlier|评估前|前", re.IGNORECASE)


def _moment(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    shown = mark.key.replace("T", " ")
    if len(shown) <= 5:
        if not any(moment.endswith(shown.rjust(5, "0")) for moment in truth.moments):
            yield Wrong(kind="time", detail=f"{shown} is no time of the record")
        return
    if here.subject is None and here.near(_PAIN, after=0):
        if shown != truth.onset_shown:
            yield Wrong(kind="time", detail=f"onset {shown}, not {truth.onset_shown or 'known'}")
    elif shown not in truth.moments:
        yield Wrong(kind="time", detail=f"{shown} is no time of the record")


def _minutes(mark: Mark) -> int:
    parts = mark.parts
    if "only" in parts:
        return int(parts["only"])
    if "days" in parts:
        return 1440 * int(parts["days"])
    return 60 * int(parts["h"]) + int(parts.get("m", 0))


def _duration(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    said = _minutes(mark)
    if here.subject is not None and _text_has(here, truth, mark.key):
        return
    if said in truth.advised and here.near(_ADVISED, before=120, after=60):
        return
    times = [s.at for s in truth.samples if s.at is not None]
    spans = {
        round((b - a).total_seconds() / 60) for i, a in enumerate(times) for b in times[i + 1 :]
    }
    troponin = here.subject is not None and (
        here.subject.key == "troponin" or here.subject.key in TROPONIN_RULES
    )
    if not troponin and truth.onset is not None and truth.at is not None:
        ago = round((truth.at - truth.onset).total_seconds() / 60)
        if here.near(_BEFORE, before=8, after=24) or here.near(_PAIN):
            spans = {ago}
        else:
            spans = spans | {ago}
    if said not in spans:
        yield Wrong(kind="time", detail=f"{mark.key} is no span of the record")


def _text_has(here: Place, truth: Truth, text: str) -> bool:
    subject = here.subject
    return subject is not None and text in truth.texts.get(subject.key, "")


def _diagnosis(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    for detail in wrong_verdict(mark, here, truth):
        yield Wrong(kind="diagnosis", detail=detail)


def _analyte(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    match = re.search(r"(?:[Tt]roponin |cTn|肌钙蛋白)([TI])", mark.parts["text"])
    known = {sample.analyte for sample in truth.samples}
    if match is not None and known and match[1] not in known:
        yield Wrong(
            kind="analyte", detail=f"{mark.parts['text']}: measured was troponin {_or(known)}"
        )


def _measure(mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    subject = here.subject or _named_after(mark, here)
    if subject is not None and subject.kind == "score" and subject.key not in TROPONIN_RULES:
        before = here.text[max(0, mark.start - 8) : mark.start]
        said_of = about_score(mark, subject.key, truth, before)
        yield from (Wrong(kind=kind, detail=detail) for kind, detail in said_of)
        return
    if mark.kind == "count":
        yield Wrong(kind="value", detail=f"{mark.key}: of no score")
        return
    if mark.kind == "range":
        if not _two_samples(mark, subject, truth):
            yield Wrong(kind="range", detail=f"{mark.key} is no range of the record")
        return
    said = number(mark.parts.get("sign", "") + mark.parts["value"], mark.parts.get("unit", ""))
    if said is None:
        return
    if subject is not None and (subject.key == "troponin" or subject.key in TROPONIN_RULES):
        yield from _troponin(said, mark, here, truth)
    elif subject is not None and not _other_unit(said, subject.key):
        yield from _of_analyte(said, subject.key, truth)
    else:
        yield from _anywhere(said, truth)


def _named_after(mark: Mark, here: Place) -> Mark | None:
    """Return the score that a rate is said of where it is named after the rate."""
    unit = mark.parts.get("unit", "").strip()
    if unit not in ("%", "percent", "ng/L"):
        return None
    end = re.search(r"[;。]|\.(?=\s|$)", here.text[mark.end :])
    stop = mark.end + end.start() if end is not None else len(here.text)
    later = [m for m in here.marks[here.index + 1 :] if m.kind in ("score", "analyte")]
    if not later or later[0].kind != "score" or later[0].start >= stop:
        return None
    return later[0] if (later[0].key in TROPONIN_RULES) is (unit == "ng/L") else None


def _two_samples(mark: Mark, subject: Mark | None, truth: Truth) -> bool:
    """Return whether "24 to 43 ng/L" are two troponin samples in their order."""
    if subject is None or (subject.key != "troponin" and subject.key not in TROPONIN_RULES):
        return False
    values = [sample.number.value for sample in truth.samples]
    pairs = {(a, b) for i, a in enumerate(values) for b in values[i + 1 :]}
    return (Decimal(mark.parts["low"]), Decimal(mark.parts["high"])) in pairs


def _other_unit(said: Number, key: str) -> bool:
    """Return whether the unit says that something else is meant: years is an age."""
    return said.unit == "a" and key != "age"


def _of_analyte(said: Number, key: str, truth: Truth) -> Iterator[Wrong]:
    known = truth.numbers.get(key, set())
    if said in known or (not said.unit and any(_same(said, one) for one in known)):
        return
    kind = "unit" if any(one.value == said.value for one in known) else "value"
    yield Wrong(kind=kind, detail=f"{key} {said}")


def _same(one: Number, other: Number) -> bool:
    return one.value == other.value and one.sign == other.sign


def _anywhere(said: Number, truth: Truth) -> Iterator[Wrong]:
    by_unit = {"a": ("age",), "/min": ("heart_rate",)}
    keys = by_unit.get(said.unit, tuple(truth.numbers))
    if any(said in truth.numbers.get(key, ()) for key in keys):
        return
    yield Wrong(kind="value", detail=f"{said}: of nothing in the record")


def _troponin(said: Number, mark: Mark, here: Place, truth: Truth) -> Iterator[Wrong]:
    """A troponin number: a sample, in its order; a change; or a limit that the rule states."""
    values = [sample.number for sample in truth.samples]
    if said.unit not in ("ng/L", ""):
        yield from _of_analyte(said, "troponin", truth)
        return
    before = here.text[max(0, mark.start - 24) : mark.start]
    written = f"{said.sign}{mark.parts['value']} ng/L"
    if re.search(r"limit|above|below|界值|上限", before) and any(
        f"limit {written}" in truth.texts.get(name, "") for name in TROPONIN_RULES
    ):
        return
    if _CHANGE.search(before) or mark.parts["value"].startswith(("+", "-")):
        changes = {b.value - a.value for i, a in enumerate(values) for b in values[i + 1 :]}
        if said.value not in changes and abs(said.value) not in {abs(c) for c in changes}:
            yield Wrong(kind="value", detail=f"change {said}")
        return
    if not any(_same(said, one) for one in values):
        yield Wrong(kind="value", detail=f"troponin {said}")
        return
    yield from _order(said, mark, here, values)


_CHANGE = re.compile(
    r"chang|differ|delta|变化|\b(?:ris|rose|increas|climb|fall|fell|drop|declin|decreas|reduc|up"
    r"|down|higher|lower)\w* "
    r"(?:by|of)|(?:升高|上升|增加|增高|下降|降低|减少)(?:了)? ?$",
)
_ORDER = r"\bthen\b|later|second|afterwards|随后|第二|first|initial|首次"


def _order(said: Number, mark: Mark, here: Place, values: Sequence[Number]) -> Iterator[Wrong]:
    if len(values) < 2:
        return
    follows = re.match(rf"\s*(?:at |as the )?({_ORDER})", here.text[mark.end :])
    since = here.marks[here.index - 1].end if here.index else 0
    late = re.findall(_ORDER, here.text[max(since, mark.start - 24) : mark.start])
    late = [follows[1]] if follows else late
    if not late:
        return
    expects_first = late[-1] in ("first", "initial", "首次")
    if expects_first is not _same(said, values[0]) and not _same(values[0], values[1]):
        yield Wrong(kind="time", detail=f"troponin {said}: {late[-1]}")


def _comfort(text: str, truth: Truth) -> Iterator[Wrong]:
    """Comfort and advice must be the own words of a risk that the sentence names."""
    named = [truth.texts.get(mark.key, "") for mark in marks_of(text) if mark.kind == "score"]
    for match in REASSURANCE.finditer(text):
        word = match.group().lower().replace("-", " ")
        if not any(word in said.lower().replace("-", " ") for said in named):
            yield Wrong(kind="diagnosis", detail=f"{match.group()!r} stands nowhere")


_Judge = Callable[[Mark, Place, Truth], Iterator[Wrong]]
_JUDGES: Mapping[str, _Judge] = {
    "sex": _person,
    "ecg": _stated,
    "fact": _stated,
    "lead": _lead,
    "moment": _moment,
    "duration": _duration,
    "diagnosis": _diagnosis,
    "analyte": _analyte,
    "number": _measure,
    "range": _measure,
    "count": _measure,
}
