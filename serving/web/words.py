"""Words of closed sets, as a person reads them; every one can be translated."""

from collections.abc import Callable, Mapping

Say = Callable[[str], str]
"""From an English sentence of a page to the same in the page's language."""


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


URGENCY: Mapping[str, str] = {
    "immediate": _("immediate"),
    "urgent": _("urgent"),
    "soon": _("soon"),
    "routine": _("routine"),
}

STATUS: Mapping[str, str] = {
    "complete": _("complete"),
    "partial": _("partial: something the pathway needs is missing"),
    "not_assessable": _("not assessable"),
    "refused": _("refused"),
}

VERDICT: Mapping[str, str] = {
    "supported": _("supported"),
    "argued against": _("argued against"),
    "not assessed": _("not assessed"),
}

CATEGORY: Mapping[str, str] = {
    "low": _("low"),
    "moderate": _("moderate"),
    "intermediate": _("intermediate"),
    "high": _("high"),
    "not-low": _("not low"),
    "unlikely": _("unlikely"),
    "likely": _("likely"),
    "rule-out": _("rule-out"),
    "rule-in": _("rule-in"),
    "observe": _("observe"),
    "imaging": _("imaging"),
    "need second sample": _("second sample needed"),
    "not determined": _("not determined"),
    "not assessed": _("not assessed"),
}

WHY: Mapping[str, str] = {
    "missing": _("missing"),
    "unconfirmed": _("unconfirmed"),
    "unit-not-recognised": _("unit not recognised"),
    "value-impossible": _("impossible value"),
    "time-not-given": _("time not given"),
    "time-zone-unknown": _("time zone unknown"),
    "future-time": _("time in the future"),
    "outside-window": _("outside the window"),
    "stale": _("stale"),
    "assay-not-named": _("assay not named"),
    "not-available-for-assay": _("not available for this assay"),
    "censored": _("only a bound is known"),
    "conflicting": _("sources disagree"),
    "outside-contract": _("does not apply"),
    "quality": _("quality"),
    "unreadable": _("unreadable"),
    "no-model-configured": _("no model configured"),
    "switched-off": _("switched off"),
    "retracted": _("retracted"),
    "depends-on-not-assessed": _("depends on what is missing"),
    "failed": _("failed"),
}

FILE_STATUS: Mapping[str, str] = {
    "read": _("read"),
    "ignored": _("ignored"),
    "failed": _("failed"),
}

WHY_MADE: Mapping[str, str] = {
    "asked for": _("asked for"),
    "new file": _("new file"),
    "answer": _("answer"),
    "time": _("time passed"),
    "correction": _("correction"),
    "agent": _("agent"),
}

AUTHOR: Mapping[str, str] = {
    "templates": _("words by templates"),
    "agent": _("words by the agent, verified"),
}

JOB: Mapping[str, str] = {
    "waiting": _("waiting for a free place"),
    "running": _("running"),
    "done": _("done"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
}

YES, NO, UNKNOWN = _("yes"), _("no"), _("unknown")


def word(words: Mapping[str, str], key: str, say: Say) -> str:
    """Return the word of a key; a key of somebody else's table is shown as it is."""
    found = words.get(key)
    return key if found is None else say(found)
