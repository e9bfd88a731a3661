"""What one assessment says that the one before it did not."""

from collections.abc import Iterator

from agent.assessment import Assessment
from knowledge.risk import Risk
from serving.report import words as report
from serving.web.change import Change
from serving.web.changed_inputs import answers, results
from serving.web.words import CATEGORY, URGENCY, VERDICT, Say, word


def changes(before: Assessment, after: Assessment, say: Say) -> tuple[Change, ...]:
    """Return what changed, most important first."""
    return (
        *_headline(before, after, say),
        *results(before, after, say),
        *answers(before, after, say),
        *_verdicts(before, after, say),
        *_risks(before, after, say),
        *_actions(before, after, say),
        *_missing(before, after, say),
        *_conflicts(before, after, say),
    )


def _headline(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    old, new = before.narrative, after.narrative
    if old.headline != new.headline:
        yield Change(key="headline", what=say("Headline"), before=old.headline, after=new.headline)
    if old.urgency != new.urgency:
        yield Change(
            key="urgency",
            what=say("Urgency"),
            before=word(URGENCY, old.urgency, say),
            after=word(URGENCY, new.urgency, say),
        )


def _verdicts(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    old = {entry.id: entry.verdict for entry in before.differential}
    for entry in after.differential:
        was = old.get(entry.id)
        if was is not None and was != entry.verdict:
            yield Change(
                key=f"verdict:{entry.id}",
                what=entry.diagnosis,
                before=word(VERDICT, was, say),
                after=word(VERDICT, entry.verdict, say),
            )


def _risks(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    old = {risk.name: _result(risk, say) for risk in before.risks}
    for risk in after.risks:
        now, was = _result(risk, say), old.get(risk.name, "")
        if was != now:
            yield Change(key=f"risk:{risk.name}", what=risk.name, before=was, after=now)


def _result(risk: Risk, say: Say) -> str:
    """Return a result in a few words: the number or range, and the category or what is possible."""
    if risk.not_assessed is not None:
        return word(CATEGORY, "not assessed", say)
    names = [b.name for b in risk.bands] if report.possible(risk) else [risk.category]
    score = report.score(risk).replace(" to ", "\N{EN DASH}")
    said = say(" or ").join(word(CATEGORY, name, say) for name in names)
    return f"{score} {said}".strip()


def _actions(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    old = {action.id: action.text for action in before.recommendations}
    new = {action.id: action.text for action in after.recommendations}
    for key, text in new.items():
        if old.get(key) != text:
            yield Change(
                key=f"action:{key}", what=say("Action"), before=old.get(key, ""), after=text
            )
    for key in old.keys() - new.keys():
        yield Change(key=f"action:{key}", what=say("No longer applies"), before=old[key], after="")


def _missing(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    old = {item.input: item.label for item in before.missing}
    new = {item.input: item.label for item in after.missing}
    settled = [label for key, label in old.items() if key not in new]
    asked = [label for key, label in new.items() if key not in old]
    if settled:
        yield Change(
            key="missing", what=say("No longer missing"), before="", after="; ".join(settled)
        )
    if asked:
        yield Change(key="missing", what=say("Newly asked"), before="", after="; ".join(asked))


def _conflicts(before: Assessment, after: Assessment, say: Say) -> Iterator[Change]:
    old = {conflict.what for conflict in before.conflicts}
    new = {conflict.what for conflict in after.conflicts}
    for what in sorted(new - old):
        yield Change(key="conflicts", what=say("New disagreement"), before="", after=what)
    for what in sorted(old - new):
        yield Change(key="conflicts", what=say("Settled"), before=what, after="")
