"""Everything the case page shows of one version of an assessment, as values for its templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.assessment import Assessment, DifferentialEntry, Recommended, Status
from agent.laboratory.view import LaboratoryView, laboratory_view
from knowledge.evidence import Evidence
from knowledge.finding import Finding, State
from knowledge.passages import Language
from knowledge.reference import Citation
from serving.cases.model import Case, StoredAnswer, StoredAssessment
from serving.cases.reader import IDENTITY_CONFLICT
from serving.report import agent as agent_words
from serving.report.sections import sections
from serving.web.answered import answered
from serving.web.change import Change
from serving.web.changes import changes
from serving.web.due import Due, due, is_live, page_moment
from serving.web.entered import Entered, entered_view
from serving.web.inputs_view import inputs
from serving.web.missing_form import SHOWN, asks
from serving.web.patient_view import PatientShown
from serving.web.risk_timeline import risk_timeline
from serving.web.risk_view import risks
from serving.web.timeline_svg import timeline_svg
from serving.web.values import clock, input_of, zone_of
from serving.web.words import (
    AUTHOR,
    FILE_STATUS,
    STATUS,
    URGENCY,
    VERDICT,
    WHY_MADE,
    Say,
    word,
)
from tools.intake.belonging import NEEDS_STATEMENT

_LEAD = 56
"""Characters of what is set apart as the name of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One recommendation.

    Args:
        key: Marks what changed.
        citation: Where it is from, with its review state.
        due: When, where it is dated.
    """

    key: str
    recommended: Recommended
    urgency: str
    citation: Citation | None
    due: Due | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One must-not-miss diagnosis."""

    key: str
    entry: DifferentialEntry
    tone: str
    word: str
    citations: Mapping[str, Citation]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One sentence of the narrative, with the places it rests on."""

    text: str
    evidence: tuple[Evidence, ...]
    lead: str
    rest: str


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version in the history of a case."""

    number: int
    made_at: str
    why: str
    headline: str
    urgency: str
    author: str
    shown: bool
    result_sha256: str


def case_context(
    case: Case,
    stored: StoredAssessment,
    history: Sequence[StoredAssessment],
    *,
    now: datetime,
    say: Say,
    since: StoredAssessment | None = None,
    answers: Sequence[StoredAnswer] = (),
    patient: PatientShown | None = None,
    entered: Sequence[Entered] = (),
    language: Language = "en",
) -> dict[str, Any]:
    """Return what the templates of the case page show.

    Args:
        case: The case.
        stored: The version shown.
        history: Every version, newest first.
        now: The current moment.
        say: From English to the page's language.
        since: The version to compare with; None to compare with none.
        answers: Every answer that was entered to the case, oldest first.
        patient: Who the patient is, to show; None for a page that says it elsewhere.
        entered: Every troponin result that was entered to the case.
        language: Of the page.
    """
    a = Assessment.model_validate(stored.body)
    live = is_live(stored.at, stored.made_at)
    moment = page_moment(stored.at, stored.made_at, now)
    changed = () if since is None else _changes(since, a, say)
    line = risk_timeline(a, moment=moment, live=live, say=say)
    return {
        "case": case,
        "stored": stored,
        "a": a,
        "patient": patient,
        "who": _who(a, moment, say),
        "live": live,
        "moment": clock(moment, a.time_zone, beside=now),
        "assessed_for": a.provenance.at.show(a.time_zone),
        "urgency": word(URGENCY, a.narrative.urgency, say),
        "status_word": word(STATUS, a.status.value, say),
        "author": word(AUTHOR, stored.author, say),
        "next_due": line.due,
        "facts": tuple(_fact(s.text, s.evidence) for s in a.narrative.sentences),
        "risks": risks(a, say),
        "verdicts": _verdicts(a, say),
        "lab": _laboratory(a, language),
        "sections": sections(a, say, chinese=language == "zh"),
        "inputs": inputs(a, say),
        "asks": asks(a, say),
        "asks_shown": SHOWN,
        "answered": answered(answers, say, time_zone=a.time_zone, now=now),
        "entered": entered_view(entered, say, time_zone=a.time_zone, now=now),
        "actions": _actions(a, moment=moment, live=live, say=say),
        "timeline": line,
        "timeline_svg": timeline_svg(line, say),
        "files": tuple((item, word(FILE_STATUS, item.status, say)) for item in a.inputs),
        "refused": a.status is Status.REFUSED,
        "conflicting": tuple(i for i in a.inputs if i.reason == IDENTITY_CONFLICT),
        "needs_statement": NEEDS_STATEMENT,
        "files_wrong": tuple(i for i in a.inputs if i.status == "failed" or i.reason),
        "agent_lines": () if a.agent is None else tuple(agent_words.lines(a.agent)),
        "versions": tuple(_version(one, stored, say, now) for one in history),
        "newest": not history or history[0].version == stored.version,
        "changes": changed,
        "changed_keys": frozenset(c.key for c in changed),
        "since": since,
        "now_local": clock(now, a.time_zone, beside=now),
        "zone": a.time_zone or "UTC",
        "latest_input": _local_input(moment, a.time_zone),
    }


def _laboratory(a: Assessment, language: Language) -> LaboratoryView | None:
    if a.laboratory is None:
        return None
    return laboratory_view(a.laboratory, language, time_zone=a.time_zone)


def _changes(since: StoredAssessment, after: Assessment, say: Say) -> tuple[Change, ...]:
    return changes(Assessment.model_validate(since.body), after, say)


def _local_input(moment: datetime, time_zone: str | None) -> str:
    """Return a moment as a browser's date-and-time field takes it."""
    return moment.astimezone(zone_of(time_zone)).strftime("%Y-%m-%dT%H:%M")


def _fact(text: str, evidence: tuple[Evidence, ...]) -> Fact:
    """Return a sentence with its leading name set apart, as in ``HEART score 3: low``."""
    head, colon, rest = text.partition(": ")
    short = colon and len(head) <= _LEAD
    return Fact(
        text=text,
        evidence=evidence,
        lead=head if short else "",
        rest=rest if short else text,
    )


def _verdicts(a: Assessment, say: Say) -> tuple[Verdict, ...]:
    tones = {"supported": "high", "argued against": "low", "not assessed": "none"}
    cited = {c.id: c for c in a.citations}
    return tuple(
        Verdict(
            key=f"verdict:{entry.id}",
            entry=entry,
            tone=tones[entry.verdict.value],
            word=word(VERDICT, entry.verdict.value, say),
            citations={
                r.citation: cited[r.citation]
                for r in (*entry.supporting, *entry.against)
                if r.citation in cited
            },
        )
        for entry in a.differential
    )


def _actions(a: Assessment, *, moment: datetime, live: bool, say: Say) -> tuple[Action, ...]:
    cited = {c.id: c for c in a.citations}
    made = []
    for r in a.recommendations:
        dated = None
        if r.due is not None:
            dated = due(r.text, r.due, moment=moment, live=live, time_zone=a.time_zone, say=say)
        made.append(
            Action(
                key=f"action:{r.id}",
                recommended=r,
                urgency=word(URGENCY, r.urgency, say),
                citation=cited.get(r.citation),
                due=dated,
            )
        )
    return tuple(made)


def _who(a: Assessment, moment: datetime, say: Say) -> tuple[str, ...]:
    """Return the patient in a few words; what is not known is said to be not known."""
    found = {input_of(f): f for f in a.findings if input_of(f) is not None}
    return (_sex(found.get("sex"), say), _age(found.get("age_years"), say))


def _sex(finding: Finding | None, say: Say) -> str:
    words = {"female": say("woman"), "male": say("man")}
    chosen = None if finding is None else finding.choice
    return words.get(chosen or "", say("sex not known"))


def _age(finding: Finding | None, say: Say) -> str:
    if finding is None or finding.state is State.NOT_ASSESSED or finding.quantity is None:
        return say("age not known")
    number, _, unit = (finding.reported or "").partition(" ")
    if unit.startswith("day"):
        return say("%s days old") % number
    if unit.startswith("month"):
        return say("%s months old") % number
    return say("%s years") % finding.quantity.interval


def _version(one: StoredAssessment, shown: StoredAssessment, say: Say, now: datetime) -> Version:
    zone = one.body.get("time_zone")
    return Version(
        number=one.version,
        made_at=clock(one.made_at, zone, beside=now),
        why=word(WHY_MADE, one.why, say),
        headline=one.headline,
        urgency=one.urgency,
        author=word(AUTHOR, one.author, say),
        shown=one.version == shown.version,
        result_sha256=one.result_sha256,
    )
