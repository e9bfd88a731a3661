"""The `detail` of an assessment's card: what, why, what is missing, from where. Markdown alone.

Every number in it is the assessment's; every text from outside goes through `serving.cds.plain`.
"""

from collections.abc import Iterator, Sequence

from agent.assessment import RESEARCH_USE, Assessment, DifferentialEntry, Recommended, Verdict
from serving.cds.discovery import NOT_READ
from serving.cds.gathered import Gap
from serving.cds.plain import bounded, bullets, md

_WHY = 10
_ADVISED = 4
_MISSING = 6
_ARGUMENTS = 3


def detail_of(assessment: Assessment, *, gaps: Sequence[Gap] = (), note: str = "") -> str:
    """Return the detail of a card.

    Args:
        assessment: What it is of.
        gaps: What could not be read; said before everything else.
        note: One sentence of our own to begin with.
    """
    parts = [
        *_gaps(gaps),
        note,
        f"**{md(assessment.narrative.headline)}**",
        *_section("Why", _sentences(assessment), _WHY),
        *_section("Must not be missed", list(_verdicts(assessment.differential)), 6),
        *_section("What the sources advise", list(_advice(assessment.recommendations)), _ADVISED),
        *_section("Sources disagree", [md(c.what) for c in assessment.conflicts], _MISSING),
        *_missing(assessment),
        *_foot(assessment),
    ]
    return bounded("\n\n".join(part for part in parts if part))


def foot_of(assessment: Assessment) -> str:
    """Return the last lines of a card: as of when, and what it is."""
    return "\n\n".join(_foot(assessment))


def _gaps(gaps: Sequence[Gap]) -> Iterator[str]:
    if gaps:
        yield "**Not everything could be read.** What is silent below may only be unread."
        yield bullets([f"{md(gap.what)}: {md(gap.reason)}" for gap in gaps])


def _section(title: str, lines: list[str], shown: int) -> Iterator[str]:
    if lines:
        more = len(lines) - shown
        listed = lines[:shown] + (["and more in the workspace"] if more > 0 else [])
        yield f"**{title}**\n\n{bullets(listed)}"


def _sentences(assessment: Assessment) -> list[str]:
    """Return the sentences of the narrative, without those that only list the verdicts."""
    listed = tuple(f"{verdict.value.capitalize()}: " for verdict in Verdict)
    return [md(s.text) for s in assessment.narrative.sentences if not s.text.startswith(listed)]


def _verdicts(entries: Sequence[DifferentialEntry]) -> Iterator[str]:
    for entry in entries:
        if entry.verdict is not Verdict.NOT_ASSESSED:
            reasons = [*entry.supporting[:_ARGUMENTS], *entry.against[:_ARGUMENTS]]
            said = " ".join(md(reason.text) for reason in reasons)
            yield f"{md(entry.diagnosis)}: {entry.verdict.value}. {said}"
    names = [e.diagnosis for e in entries if e.verdict is Verdict.NOT_ASSESSED]
    if names:
        yield f"Not assessed: {md(', '.join(names))}."


def _advice(rows: Sequence[Recommended]) -> Iterator[str]:
    for row in rows:
        strength = f" Class: {md(row.strength)}." if row.strength else ""
        yield f"{md(row.text)}{strength} *{md(row.label)}; {md(row.review)}.*"


def _missing(assessment: Assessment) -> Iterator[str]:
    items = assessment.missing
    if not items:
        return
    lines = [f"{md(item.label)}: {md(item.question or item.how)}" for item in items]
    yield from _section("Missing, most useful first", lines, _MISSING)
    yield "Missing is not normal: nothing here was taken as absent because it is not known."


def _foot(assessment: Assessment) -> Iterator[str]:
    zone = assessment.time_zone
    at = assessment.provenance.at.show(zone) + (f" ({zone})" if zone else "")
    yield f"As of {md(at)}. {NOT_READ}"
    yield f"*Without a language model, not verbatim from any source. {RESEARCH_USE}*"
