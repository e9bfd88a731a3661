"""What an assessment was told that the one before it was told otherwise, or is not told now."""

from collections.abc import Iterator

from agent.assessment import Assessment
from agent.episode import TROPONIN
from knowledge.clinical_inputs import catalogue
from knowledge.codes import ANALYTE
from knowledge.finding import Finding, State
from serving.web.change import Change
from serving.web.values import input_of, value_and_unit
from serving.web.words import CATEGORY, Say, word


def results(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    """Yield each troponin result that came or went, those of one time and test together."""
    old, new = _samples(before, say), _samples(after, say)
    for key in (*old, *(k for k in new if k not in old)):
        was, there = old.get(key, ()), new.get(key, ())
        gone = tuple(one for one in was if one not in there)
        came = tuple(one for one in there if one not in was)
        if gone or came or len(was) != len(there):
            label, time = key
            yield Change(
                key=f"result:{label}:{time}",
                what=f"{label}, {time}" if time else label,
                before="; ".join(was),
                after="; ".join(there) or say("not used any more"),
            )


def answers(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    """Yield each input that was known and is now another, or is not known any more."""
    old, new = _inputs(before), _inputs(after)
    for key, finding in old.items():
        now = new.get(key)
        entry = catalogue().inputs.get(key)  # an old version may hold one that is no more
        restates_a_result = entry is not None and bool(entry.multiple_of)
        if finding.state is State.NOT_ASSESSED or restates_a_result:
            continue
        was = _said(finding, before, say)
        said = say("not used any more") if now is None else _said(now, after, say)
        if was != said:
            answered = now is not None and now.state is not State.NOT_ASSESSED
            by = f" ({now.method})" if now is not None and answered and now.method else ""
            yield Change(
                key=f"input:{key}", what=finding.concept.text, before=was, after=f"{said}{by}"
            )


def _samples(assessment: Assessment, say: Say) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for finding in assessment.findings:
        if not any(finding.concept.has(ANALYTE, key) for key in TROPONIN):
            continue
        time = "" if finding.time is None else finding.time.show(assessment.time_zone)
        key = (finding.concept.text, time)
        said = _said(finding, assessment, say)
        found[key] = tuple(sorted((*found.get(key, ()), said)))
    return found


def _inputs(assessment: Assessment) -> dict[str, Finding]:
    """Return the first finding of each input: what the rules used."""
    found: dict[str, Finding] = {}
    for finding in assessment.findings:
        key = input_of(finding)
        if key is not None:
            found.setdefault(key, finding)
    return found


def _said(finding: Finding, assessment: Assessment, say: Say) -> str:
    reason = finding.not_assessed
    if reason is not None:
        return f"{word(CATEGORY, 'not assessed', say)}: {reason.detail}"
    value, unit = value_and_unit(finding, say, time_zone=assessment.time_zone)
    return f"{value} {unit}".strip()
