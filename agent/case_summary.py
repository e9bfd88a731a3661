"""One case as a language model sees it: short, typed, every item with an id it can be named by.

Only our own words and numbers of the record are in it: catalogue labels, values with units, times
before the assessment. No name, no identifier, no free text but the title of a note, cleaned.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Literal

from agent.episode import Episode
from agent.untrusted import one_line
from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE
from knowledge.ecg_criteria import ecg_criteria
from knowledge.finding import Finding, State, Why
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.quantity import Quantity, QuantityInterval, format_number
from knowledge.scores import score, score_ids
from knowledge.timeline import Document
from tools.ecg.model import EcgRecording
from tools.intake.result import CaseFiles
from tools.risk.score import inputs_of

Kind = Literal["ecg", "lab", "vital", "fact", "note"]

_TITLE = 60
_PROBLEM = 80
_OPEN_SHOWN = 24
"""Unanswered questions named to the model, those most scores read first; the rest is a number."""

_HOUR, _DAY = 60, 1440


class EvidenceItem(Frozen):
    """One thing of the record that a call can refer to.

    Args:
        id: For example ``ecg-1``, ``lab-3``, ``fact-7``; for a fact its place in the catalogue of
            clinical inputs, so that it stays the same while other answers come in.
        kind: What sort of thing.
        label: What it is about.
        value: Number or choice; empty for a yes/no fact.
        unit: UCUM unit of a number.
        time: How long before the assessment; empty where not known.
        state: present, absent or not assessed.
        why: Why it is not assessed.
        inputs: The clinical inputs it answers, or that a tool reads from it.
    """

    id: str
    kind: Kind
    label: str
    value: str = ""
    unit: str = ""
    time: str = ""
    state: State
    why: str = ""
    inputs: tuple[str, ...] = ()


class CaseSummary(Frozen):
    """What is known of one case at one moment.

    Args:
        problem: The presenting problem.
        at: The moment of assessment.
        items: Everything a call can refer to.
        unanswered: Clinical inputs without any answer in the record, in catalogue order.
        text: What the model sees.
    """

    problem: str
    at: ClinicalTime
    items: tuple[EvidenceItem, ...]
    unanswered: tuple[str, ...]
    text: str

    @property
    def ids(self) -> frozenset[str]:
        """Every id that occurs in the case."""
        return frozenset(item.id for item in self.items)

    def of(self, *kinds: Kind) -> tuple[EvidenceItem, ...]:
        """Return the items of some kinds, in order."""
        return tuple(item for item in self.items if item.kind in kinds)


def summarise(
    case: CaseFiles,
    findings: Mapping[str, Finding],
    seen: Episode,
    *,
    at: ClinicalTime,
    language: Language,
) -> CaseSummary:
    """Return the summary of a case; the order in which files came changes nothing.

    Args:
        case: What was read.
        findings: Clinical-input id to what is known of it.
        seen: Recordings and samples of this presentation.
        at: The moment of assessment.
        language: Of the headings; labels are those of the catalogue.
    """
    items = (
        *_recordings(seen.recordings, at),
        *_laboratory(seen.samples, findings, at),
        *_answers(findings, at),
        *_notes(case.notes, at),
    )
    unanswered = tuple(
        key for key in catalogue().inputs if key not in findings or _is_missing(findings[key])
    )
    problem = one_line(case.problem, limit=_PROBLEM)
    return CaseSummary(
        problem=problem,
        at=at,
        items=items,
        unanswered=unanswered,
        text="\n".join(_lines(problem, items, unanswered, language)),
    )


def _recordings(recordings: Iterable[EcgRecording], at: ClinicalTime) -> Iterator[EvidenceItem]:
    ordered = sorted(recordings, key=lambda r: (_when(r.start), r.id))
    for number, recording in enumerate(ordered, start=1):
        yield EvidenceItem(
            id=f"ecg-{number}",
            kind="ecg",
            label=f"{len(recording.leads)}-lead ECG",
            time=_before(recording.start, at),
            state=State.PRESENT,
            inputs=tuple(k for k, row in ecg_criteria().statements.items() if row.label is None),
        )


def _laboratory(
    samples: Sequence[Finding], findings: Mapping[str, Finding], at: ClinicalTime
) -> Iterator[EvidenceItem]:
    """Yield the troponin samples in time order, then other results that answer an input."""
    ordered = sorted(samples, key=lambda f: (_when(f.time), f.id))
    for number, sample in enumerate(ordered, start=1):
        yield _item(f"lab-{number}", "lab", _analyte(sample), sample, at, _TROPONIN)
    others = [k for k, e in catalogue().inputs.items() if e.analyte and _told(findings.get(k))]
    for number, key in enumerate(others, start=len(ordered) + 1):
        yield _item(f"lab-{number}", "lab", catalogue().get(key).label, findings[key], at, (key,))


_TROPONIN = ("troponin_times_limit", "troponin_not_elevated_0_2h", "troponin_not_elevated_0_3h")


def _answers(findings: Mapping[str, Finding], at: ClinicalTime) -> Iterator[EvidenceItem]:
    for number, (key, entry) in enumerate(catalogue().inputs.items(), start=1):
        finding = findings.get(key)
        if finding is None or entry.analyte or not _told(finding):
            continue
        kind: Kind = "vital" if entry.kind == "quantity" and entry.observation else "fact"
        yield _item(f"{kind}-{number}", kind, entry.label, finding, at, (key,))


def _notes(documents: Iterable[Document], at: ClinicalTime) -> Iterator[EvidenceItem]:
    ordered = sorted(documents, key=lambda d: (_when(d.time), d.id))
    for number, document in enumerate(ordered, start=1):
        yield EvidenceItem(
            id=f"note-{number}",
            kind="note",
            label=one_line(document.title, limit=_TITLE),
            time=_before(document.time, at),
            state=State.PRESENT,
        )


def _item(
    item_id: str,
    kind: Kind,
    label: str,
    finding: Finding,
    at: ClinicalTime,
    inputs: tuple[str, ...],
) -> EvidenceItem:
    value, unit = _value(finding)
    reason = finding.not_assessed
    return EvidenceItem(
        id=item_id,
        kind=kind,
        label=label,
        value=value,
        unit=unit,
        time=_before(finding.time, at),
        state=finding.state,
        why=reason.why.value if reason else "",
        inputs=inputs,
    )


def _value(finding: Finding) -> tuple[str, str]:
    value = finding.value
    if isinstance(value, Quantity):
        return format_number(value.value), "" if value.unit == "1" else value.unit
    if isinstance(value, QuantityInterval):
        return str(value.interval), "" if value.unit == "1" else value.unit
    return finding.choice or "", ""


def _analyte(finding: Finding) -> str:
    """Return the name of a result in our own table; what a laboratory calls it is cleaned."""
    for coding in finding.concept.codings:
        if coding.system == ANALYTE and coding.code in analytes().analytes:
            return analytes().analytes[coding.code].label
    return one_line(finding.concept.text, limit=_TITLE)


def _told(finding: Finding | None) -> bool:
    return finding is not None and not _is_missing(finding)


def _is_missing(finding: Finding) -> bool:
    return finding.not_assessed is not None and finding.not_assessed.why is Why.MISSING


def _when(time: ClinicalTime | None) -> tuple[str, str]:
    return ("", "") if time is None else (str(time.sort_key[0]), time.sort_key[1])


def _before(time: ClinicalTime | None, at: ClinicalTime) -> str:
    """Return how long before the assessment something was, coarser the longer ago."""
    minutes = elapsed(time, at).minutes
    if minutes is None or minutes.low is None or minutes.high is None:
        return ""
    if not minutes.is_exact:
        return "" if minutes.high < _DAY else f"{round(minutes.high / _DAY)} d"
    whole = round(minutes.low)
    if whole < 0:
        return "later"
    if whole < 2 * _HOUR:
        return f"{whole} min"
    hours, rest = divmod(whole, _HOUR)
    return f"{hours} h {rest:02d} min" if whole < _DAY else f"{whole // _DAY} d"


_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "problem": "Problem",
        "data": "Recordings and results (time before now)",
        "none": "Recordings and results: none",
        "known": "Known",
        "present": "Present",
        "absent": "Absent",
        "unclear": "Not assessed",
        "notes": "Notes",
        "open": "Not in the record",
        "more": "and {} more",
    },
    "zh": {
        "problem": "主诉",
        "data": "记录与检验结果(距现在的时间)",
        "none": "记录与检验结果: 无",
        "known": "已知",
        "present": "有",
        "absent": "无",
        "unclear": "未评估",
        "notes": "病历文书",
        "open": "病历中没有",
        "more": "另有 {} 项",
    },
}


def _lines(
    problem: str,
    items: Sequence[EvidenceItem],
    unanswered: Sequence[str],
    language: Language,
) -> Iterator[str]:
    words = _WORDS[language]
    yield f"{words['problem']}: {problem}"
    data = [i for i in items if i.kind in ("ecg", "lab", "vital")]
    yield f"{words['data']}:" if data else words["none"]
    yield from (_shown(item) for item in data)
    facts = [i for i in items if i.kind == "fact"]
    valued = [i for i in facts if i.state is State.PRESENT and _says_more(i)]
    plain = [i for i in facts if i.state is State.PRESENT and i not in valued]
    groups = (
        ("known", [_shown(i) for i in valued]),
        ("present", [f"{i.id} {i.inputs[0]}" for i in plain]),
        ("absent", [i.inputs[0] for i in facts if i.state is State.ABSENT]),
        ("unclear", [f"{i.inputs[0]} ({i.why})" for i in facts if i.why]),
        ("notes", [_shown(i) for i in items if i.kind == "note"]),
    )
    for name, shown in groups:
        if shown:
            yield f"{words[name]}: {', '.join(shown)}"
    asked = sorted(
        (key for key in unanswered if not catalogue().get(key).tool), key=lambda k: -_readers()[k]
    )
    if asked:
        more = len(asked) - _OPEN_SHOWN
        rest = f" ({words['more'].format(more)})" if more > 0 else ""
        yield f"{words['open']}: {', '.join(asked[:_OPEN_SHOWN])}{rest}"


@cache
def _readers() -> Counter[str]:
    """Return how many scores and rules that may be offered read each clinical input."""
    offered = (name for name in score_ids() if not score(name).on_request)
    return Counter(key for name in offered for key in inputs_of(name))


def _says_more(item: EvidenceItem) -> bool:
    return bool(item.value) or catalogue().get(item.inputs[0]).kind == "time"


def _shown(item: EvidenceItem) -> str:
    """Return one item with its id, value, time and why it is not assessed."""
    value = f" {item.value} {item.unit}".rstrip()
    time = f", {item.time}" if item.time and item.state is State.PRESENT else ""
    why = f" ({item.why})" if item.why else ""
    return f"{item.id} {item.label}{value}{time}{why}"
