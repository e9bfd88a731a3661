"""The words of flags, changes, qualities and reasons; their Chinese is in ``laboratory_words``."""

from collections.abc import Mapping

from knowledge.finding import Why

FLAG: Mapping[str, str] = {
    "critical-low": "critically low",
    "low": "low",
    "normal": "within the interval",
    "high": "high",
    "critical-high": "critically high",
    "abnormal": "abnormal",
    "critical-abnormal": "abnormal, to be known at once",
}
ARROW = {
    "critical-low": "⇊",
    "low": "↓",
    "high": "↑",
    "critical-high": "⇈",
    "abnormal": "!",
    "critical-abnormal": "!!",
}
MARKED: Mapping[str, str] = {
    "lab-critical-high": "HH",
    "lab-critical-low": "LL",
    "lab-critical-abnormal": "AA",
}
"""Marks of the laboratory itself, as HL7 table 0078 writes them."""
ORIGIN: Mapping[str, str] = {
    "printed": "printed by the laboratory",
    "site": "of this site",
    "fallback": "of a table",
}
CHANGE: Mapping[str, str] = {
    "beyond 99 %": "more than noise (99 %)",
    "beyond 95 %": "more than noise (95 %)",
    "within noise": "within noise",
    "not determined": "not determined",
    "not assessed": "not assessed",
}
QUALITY: Mapping[str, str] = {
    "haemolysed": "haemolysed",
    "lipaemic": "lipaemic",
    "icteric": "icteric",
    "preliminary": "preliminary",
    "corrected": "corrected",
    "amended": "amended",
    "superseded": "replaced by a later version",
    "conflicting-versions": "its versions contradict one another",
    "status-unknown": "status not known",
    "status-not-stated": "status not stated",
    "has-note": "with a note of the laboratory",
    "converted-ddu-to-feu": "reported in DDU, converted to FEU (x 2)",
    "unit-assumed": "unit not printed, taken from the code",
    "result-awaited": "result awaited",
    "hand-entered": "entered by hand",
    "no-collection-time": "collection time not stated",
    "specimen-contradicts-code": "the stated specimen is not that of the code: not used as it",
    "susceptibility-contradicts": "the answer and the interpretation contradict each other",
    "susceptible": "susceptible",
    "intermediate": "susceptible, increased exposure (I)",
    "resistant": "resistant",
    "susceptible-dose-dependent": "susceptible, dose dependent",
    "non-susceptible": "not susceptible",
    "reported-positive": "reported positive",
    "reported-negative": "reported negative",
    "reported-detected": "reported detected",
    "reported-not-detected": "reported not detected",
    "reported-indeterminate": "reported indeterminate",
    "reported-equivocal": "reported equivocal",
    "reported-reactive": "reported reactive",
    "reported-weakly-reactive": "reported weakly reactive",
    "reported-non-reactive": "reported non-reactive",
}
WHY: Mapping[Why, str] = {
    Why.MISSING: "missing",
    Why.UNCONFIRMED: "unconfirmed",
    Why.UNIT_NOT_RECOGNISED: "unit not recognised",
    Why.VALUE_IMPOSSIBLE: "impossible value",
    Why.TIME_NOT_GIVEN: "time not given",
    Why.TIME_ZONE_UNKNOWN: "time zone unknown",
    Why.FUTURE_TIME: "time in the future",
    Why.OUTSIDE_WINDOW: "outside the window",
    Why.STALE: "too old",
    Why.ASSAY_NOT_NAMED: "assay not named",
    Why.NOT_AVAILABLE_FOR_ASSAY: "not available for this assay",
    Why.CENSORED: "only a bound is known",
    Why.CONFLICTING: "sources disagree",
    Why.OUTSIDE_CONTRACT: "does not apply",
    Why.QUALITY: "quality",
    Why.UNREADABLE: "unreadable",
    Why.SWITCHED_OFF: "switched off",
    Why.RETRACTED: "retracted",
    Why.DEPENDS: "depends on what is missing",
    Why.FAILED: "failed",
}
AS_GIVEN = frozenset(key for key in QUALITY if "suscept" in key or "reported" in key) | {
    "intermediate",
    "resistant",
}
"""What the laboratory says of a result beside numbers: shown as given, never judged again."""
