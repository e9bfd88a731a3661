"""What the report says of a named pattern: one clear sentence, and the advice that settles it."""

from collections.abc import Iterator, Mapping

from knowledge.finding import Finding, State
from tools.ecg.verdict import BORDERLINE

_ADVICE = {
    "de-winter": "de_winter",
    "wellens": "wellens",
    "t-over-qrs": "hyperacute_t",
    "subtle-occlusion-4": "subtle_occlusion",
    "terminal-qrs-distortion": "subtle_occlusion",
    "hyperkalaemia-pattern": "potassium",
    "peaked-t": "potassium",
    "brugada-type-1": "brugada",
    "pericarditis-pattern": "pericarditis",
    "right-ventricular-strain": "right_heart",
    "s1q3t3": "right_heart",
}
_ALSO = {
    "early-repolarisation": "early repolarisation pattern",
    "pericarditis-pattern": "pericarditis pattern",
    "s1q3t3": "S1Q3T3",
    "right-ventricular-strain": "T inversion in V1-V3",
    "peaked-t": "tall, narrow T waves",
    "t-over-qrs": "T waves as tall as the QRS",
}


def urgent(findings: Mapping[str, Finding]) -> Iterator[str]:
    """Yield a sentence for every pattern its source calls equivalent to an occlusion, or deadly."""
    for code, words in (
        (
            "de-winter",
            "de Winter pattern (%s): suspected occlusion of the left anterior descending",
        ),
        ("posterior-lead-elevation", "ST elevation in a posterior lead (%s): posterior infarction"),
        ("hyperkalaemia-pattern", "Hyperkalaemia pattern (%s): measure the potassium now"),
    ):
        found = findings[code]
        if found.state is State.PRESENT:
            yield words % found.body_site + _margin(found)


def soon(findings: Mapping[str, Finding]) -> Iterator[str]:
    """Yield a sentence for every pattern that needs a decision today."""
    for code, words in (
        ("wellens", "Wellens pattern (%s), if the patient had pain and is free of it now"),
        ("subtle-occlusion-4", "ST elevation in V2-V4 that the four-variable formula takes for an "
         "occlusion (%s)"),
        ("terminal-qrs-distortion", "Terminal QRS distortion with ST elevation (%s)"),
        ("brugada-type-1", "Brugada type 1 pattern suspected (%s)"),
    ):  # fmt: skip
        found = findings[code]
        if found.state is State.PRESENT:
            yield words % found.body_site + _margin(found)


def also(findings: Mapping[str, Finding]) -> Iterator[str]:
    """Yield the patterns that are told beside another sentence."""
    return (word for code, word in _ALSO.items() if findings[code].state is State.PRESENT)


def advice_keys(findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return the keys of the advice that present patterns ask for, each once."""
    keys = (key for code, key in _ADVICE.items() if findings[code].state is State.PRESENT)
    return tuple(dict.fromkeys(keys))


def _margin(found: Finding) -> str:
    return " (within measurement error of the limit)" if BORDERLINE in found.flags else ""
