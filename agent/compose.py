"""Put an assessment together from what is known at the end of the pathway."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import orjson

from agent.assessment import (
    Assessment,
    DifferentialEntry,
    InputRecord,
    Provenance,
    Reason,
    Recommended,
    Sentence,
    Status,
)
from agent.complaint import is_started
from agent.critical_words import with_critical
from agent.differential import differential
from agent.ecg_change import change_sentence
from agent.ecg_step import EcgRun, ecg_evidence
from agent.episode import Episode
from agent.laboratory.model import LaboratoryReport
from agent.missing import complaint_missing, how_to_settle, missing
from agent.narrative import entry_evidence, narrative
from agent.readings_used import used_now
from agent.recommend import recommendations
from agent.state import State
from agent.urgent_readings import of_now
from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Finding, Why
from knowledge.finding import State as Known
from knowledge.pathways import Pathway
from knowledge.reference import Citation
from knowledge.risk import NOT_DETERMINED
from knowledge.rules import Answer, Condition, holds
from knowledge.timeline import Category
from tools.chart.not_understood import in_words
from tools.chart.not_understood import name as name_of
from tools.intake.readings import HAVE_IT_SIGNED
from tools.intake.result import CaseFiles, InputFile
from tools.intake.wearable.trend import wearable_report
from tools.readings.in_case import UNSIGNED
from tools.toolbox import discover

_TABLE = "pathways/chest_pain"
_SHOWN = 5
_LISTED = 20
_TIMINGS = ("seconds", "result_sha256", "python", "packages")


def compose(
    case: CaseFiles,
    state: State,
    pathway: Pathway,
    *,
    at: ClinicalTime,
    ecgs: Sequence[EcgRun],
    seen: Episode,
    made_by: Provenance,
    laboratory: LaboratoryReport | None = None,
) -> Assessment:
    """Return the assessment; its provenance has no result hash yet."""
    state = with_critical(state, pathway, laboratory, time_zone=case.time_zone)
    entries = differential(pathway, state)
    state = state.with_extra(
        {f"verdict.{e.id}": e.verdict.value for e in entries},
        {f"verdict.{e.id}": entry_evidence(e) for e in entries},
    )
    state = state.with_extra({"age.may-be-minor": _may_be_minor(state)})
    advised = recommendations(pathway, state, time_zone=case.time_zone)
    open_items = (
        missing(state, entries, troponin=pathway.troponin_order, unread=seen.not_understood)
        if is_started(state)
        else complaint_missing(pathway, state, unread=seen.not_understood)
    )
    status, reason = _status(state, pathway, seen, made_by, ecgs)
    cited = _Citations(pathway)
    return Assessment(
        case=case.case,
        synthetic=case.synthetic,
        status=status,
        reason=reason,
        problem=case.problem if is_started(state) else pathway.not_started.problem,
        complaint_stated=is_started(state),
        time_zone=case.time_zone,
        risks=tuple(state.risks.values()),
        findings=tuple(_findings(case, state, ecgs, seen)),
        differential=tuple(_cited_entry(entry, cited) for entry in entries),
        recommendations=tuple(_cited_row(row, cited) for row in advised),
        missing=open_items,
        conflicts=state.conflicts,
        narrative=narrative(
            pathway,
            state,
            entries,
            ecg=_ecg_sentences(ecgs, state),
            at=at,
            time_zone=case.time_zone,
            notes=_notes(case, seen, state, ecgs),
        ),
        citations=cited.all(c for risk in state.risks.values() for c in risk.source),
        inputs=tuple(record(item, seen.not_understood.counts) for item in case.inputs),
        provenance=made_by,
        laboratory=laboratory,
        imaging=case.studies,
        readings=used_now(case.readings, case.timeline, at=at),
        stated_readings=case.stated_readings,
        urgent_readings=of_now(case.urgent, at, pathway.episode.max_age_hours),
        wearable=wearable_report(case.wearables, now=at),
    )


def result_hash(assessment: Assessment) -> str:
    """Return the SHA-256 of a result without timings and machine: equal inputs, equal hash."""
    body = assessment.to_json()
    for name in _TIMINGS:
        body["provenance"].pop(name, None)
    for run in body["provenance"].get("tools", ()):
        run.pop("seconds", None)
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


class _Citations:
    """Citations of the pathway's rows, each source with each review state once."""

    def __init__(self, pathway: Pathway) -> None:
        self._pathway = pathway
        self._found: dict[str, Citation] = {}

    def add(self, row: str) -> str:
        """Return the id of the citation for ``source|review``."""
        source, _, review = row.partition("|")
        citation = self._pathway.cite(_TABLE, source, review)
        key = f"{citation.id}#{review}"
        self._found[key] = citation.model_copy(update={"id": key})
        return key

    def all(self, others: Iterable[Citation]) -> tuple[Citation, ...]:
        """Return every citation that was used, with those the risks bring, by id."""
        found = {**self._found, **{c.id: c for c in others}}
        return tuple(found[key] for key in sorted(found))


def _cited_entry(entry: DifferentialEntry, cited: _Citations) -> DifferentialEntry:
    def with_ids(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
        return tuple(r.model_copy(update={"citation": cited.add(r.citation)}) for r in reasons)

    return entry.model_copy(
        update={"supporting": with_ids(entry.supporting), "against": with_ids(entry.against)}
    )


def _cited_row(row: Recommended, cited: _Citations) -> Recommended:
    return row.model_copy(update={"citation": cited.add(row.citation)})


def _may_be_minor(state: State) -> bool:
    """Return whether the date of birth leaves open that the patient is under 18."""
    reason = state.findings["age_years"].not_assessed
    return reason is not None and reason.why is Why.OUTSIDE_CONTRACT


def _status(
    state: State,
    pathway: Pathway,
    seen: Episode,
    made_by: Provenance,
    ecgs: Sequence[EcgRun],
) -> tuple[Status, str]:
    """Return how far the assessment got, and what stands in the way.

    Without an ECG (recorded or read by a person) and without a usable troponin nothing can be said
    about infarction: not assessable. Complete means that every required tool came to a result,
    which none is asked for without a stated complaint.
    """
    has_ecg = state.extra.get("ecg.assessed") is True or any(run.analysed for run in ecgs)
    has_troponin = any(s.state is Known.PRESENT for s in seen.samples)
    if not is_started(state):
        status = Status.PARTIAL if has_ecg or has_troponin else Status.NOT_ASSESSABLE
        return status, f"{pathway.not_started.reason}: the pathway was not started"
    if not has_ecg and not has_troponin:
        return Status.NOT_ASSESSABLE, "neither a usable ECG nor a usable troponin result"
    unfinished = tuple(dict.fromkeys(_unfinished(state, pathway, made_by)))
    if state.extra.get("files.failed") is True:
        unfinished += ("files or entries that could not be used",)
    if seen.not_understood.critical:
        unfinished += ("chart items that were not understood",)
    if unfinished:
        return Status.PARTIAL, "not finished: " + ", ".join(unfinished)
    return Status.COMPLETE, ""


def _unfinished(state: State, pathway: Pathway, made_by: Provenance) -> Iterator[str]:
    """Yield the required tools without a result, by the title of their card."""
    answers = state.answers()
    done = {run.tool for run in made_by.tools if run.outcome == "done"}
    for step in pathway.steps:
        if (
            not step.required
            or _holds(step.settled_when, answers)
            or _holds(step.skip_when, answers)
        ):
            continue
        title = discover()[step.tool].card.title
        risk = state.risks.get(step.tool)
        if step.tool == "serial_troponin":
            if state.extra.get("troponin.waiting") is True:
                yield f"{title} (next sample)"
            elif state.extra.get("troponin.decided") is not True:
                yield title
        elif step.tool not in done or (risk is not None and risk.category == NOT_DETERMINED):
            yield title


def _holds(condition: Condition | None, answers: Mapping[str, Answer]) -> bool:
    return condition is not None and holds(condition, answers) is True


def _findings(
    case: CaseFiles, state: State, ecgs: Sequence[EcgRun], seen: Episode
) -> Iterator[Finding]:
    """Yield what the assessment rests on: answered inputs, ECG, troponin, other laboratory."""
    for finding in state.findings.values():
        reason = finding.not_assessed
        if reason is None or reason.why is not Why.MISSING:
            yield finding
    for run in ecgs:
        yield from run.report.measurements
        yield from (f for f in run.report.findings if f.state is not Known.ABSENT or f.evidence)
        yield from run.report.device_said
    yield from (fact.finding for fact in case.timeline.in_category(Category.IMAGING))
    yield from (f for study in case.studies for one in study.measured for f in one.findings)
    yield from seen.samples
    used = {e.model_dump_json() for f in seen.samples for e in f.evidence}
    for item in (*seen.not_understood.critical, *seen.not_understood.settled):
        used.update(e.model_dump_json() for e in item.evidence)
        yield item.model_copy(update={"flags": (*item.flags, "not-understood")})
    for fact in case.timeline.in_category(Category.LABORATORY, Category.VITAL_SIGN):
        if not any(e.model_dump_json() in used for e in fact.finding.evidence):
            yield fact.finding


_STATED_ECG = ("stemi_criteria", "st_deviation", "ecg_heart_category")
"""Inputs that a person may answer who read an ECG that is not in the case."""


def _ecg_sentences(ecgs: Sequence[EcgRun], state: State) -> list[Sentence]:
    """Return a sentence for each recording, with the leads and results it rests on."""
    if not ecgs and state.extra.get("ecg.recorded"):
        stated = (e for key in _STATED_ECG for e in state.findings[key].evidence)
        text = "ECG: no recording in the case; what a person stated about one is used."
        return [Sentence(text=text, evidence=tuple(dict.fromkeys(stated)))]
    if not ecgs:
        return [Sentence(text="ECG: none in the case.")]
    which = [f" {i} of {len(ecgs)}" if len(ecgs) > 1 else "" for i in range(1, len(ecgs) + 1)]
    each = [
        Sentence(text=f"ECG{place}: {run.report.headline}", evidence=ecg_evidence(run))
        for place, run in zip(which, ecgs, strict=True)
    ]
    return [*each, *change_sentence(ecgs)]


def troubled(item: InputFile) -> bool:
    """Return whether a file, or something in it, should have been usable and was not.

    So is a file of a kind that is not taken and that may hold something of the patient.
    """
    return item.status == "failed" or item.unread or bool(item.problems)


def _notes(case: CaseFiles, seen: Episode, state: State, ecgs: Sequence[EcgRun]) -> Iterator[str]:
    """Yield what a reader must know about the data before trusting the rest."""
    yield from _file_notes(case)
    if ecgs and state.extra.get("ecg.timed") is False and state.extra.get("ecg.recorded"):
        yield "The time of the ECG is not established; it may not be of this presentation."
    if not ecgs and state.extra.get("ecg.recorded") and not state.extra.get("ecg.dated"):
        yield (
            "The stated ECG reading has no time; give it with `time` in case.yaml, or attach the "
            "recording."
        )
    for left_out in seen.left_out:
        yield f"Not used: {left_out.in_words(case.time_zone)}."
    items = seen.not_understood
    if items.critical:
        listed = [in_words(item, case.time_zone) for item in items.critical]
        yield f"Chart items not understood: {_some(listed, _LISTED)}."
        yield from how_to_settle(items)
    if items.settled:
        listed = [in_words(item, case.time_zone) for item in items.settled]
        yield f"Chart items not understood, answered by hand: {_some(listed)}."
    if case.documented:
        listed = [in_words(fact.finding, case.time_zone) for fact in case.documented]
        yield f"Read from documents, not used until confirmed: {_some(listed, _LISTED)}."
    if case.retracted:
        said = _retracted(case)
        yield f"Taken back by its source and not used: {_some(said)}."


def _retracted(case: CaseFiles) -> list[str]:
    """Return what sources took back, each by its name and time, as far as any version says it."""
    known: dict[str, dict[str, None]] = {}
    for record in case.retracted:
        for fact in record.facts:
            known.setdefault(record.resource, {})[_named(fact.finding, case.time_zone)] = None
    for fact in case.timeline.facts:
        for one in fact.finding.evidence:
            if one.kind == "fhir":
                known.setdefault(one.resource, {})[_named(fact.finding, case.time_zone)] = None
    said = []
    for record in case.retracted:
        what = ", ".join(known.get(record.resource, ())) or _kind_of(record.resource)
        said.append(f"{what} in {record.file} ({record.reason})")
    return list(dict.fromkeys(said))


def _named(finding: Finding, zone: str | None) -> str:
    return name_of(finding) + ("" if finding.time is None else f" of {finding.time.show(zone)}")


def _kind_of(resource: str) -> str:
    kind = resource.partition("/")[0]
    return {"DiagnosticReport": "a report", "Observation": "a result"}.get(kind, resource)


def _file_notes(case: CaseFiles) -> Iterator[str]:
    """Yield which files, or what in them, could not be used."""
    failed = [item.file for item in case.inputs if item.status == "failed"]
    if failed:
        yield f"Could not be used: {', '.join(failed)}; see the file list."
    waiting = [item.file for item in case.inputs if _waits(item)]
    if waiting:
        yield (
            "Unsigned reading, of which nothing is used until a reader has signed it: "
            f"{_some(waiting)}. Have it signed."
        )
    unread = [
        f"{item.file} ({item.reason})" for item in case.inputs if item.unread and not _waits(item)
    ]
    if unread:
        yield (
            f"Not read, and it may hold a result: {_some(unread)}. Type what it says into "
            "case.yaml, or take the file out of the case if it is not of this patient's visit."
        )
    for item in case.inputs:
        if item.status != "failed" and item.problems:
            yield f"{item.file}: {_some(item.problems)}."


def _waits(item: InputFile) -> bool:
    """Return whether a file is an unsigned reading, or an image with one."""
    return item.unread and (item.reason or "").startswith((HAVE_IT_SIGNED, UNSIGNED))


def _some(texts: Sequence[str], shown: int = _SHOWN) -> str:
    """Return the first few texts, and how many more there are."""
    more = len(texts) - shown
    return "; ".join(texts[:shown]) + (f"; and {more} more" if more > 0 else "")


def record(item: InputFile, unmatched: Mapping[str, int] = MappingProxyType({})) -> InputRecord:
    """Return what became of one file, as an assessment lists it.

    Args:
        item: The file.
        unmatched: File to the number of its chart items that no table matches.
    """
    parts = [f"{count} {name}" for name, count in sorted(item.counts.items())]
    if item.ignored:
        parts.append("not used: " + ", ".join(f"{n} {k}" for k, n in sorted(item.ignored.items())))
    if unmatched.get(item.file):
        parts.append(f"{unmatched[item.file]} chart items that no table here matches")
    return InputRecord(
        file=item.file,
        kind=item.kind,
        status=item.status,
        reason=item.reason or "; ".join(item.problems),
        sha256=item.sha256,
        content="; ".join(parts),
    )
