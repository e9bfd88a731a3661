"""What the report says of rhythm, conduction and electrodes beside its first sentence."""

from collections.abc import Mapping

from knowledge.finding import Finding, State
from tools.ecg.verdict import BORDERLINE

_SAID = {
    "qt-medicine-warning": "prolonged QTc with a medicine known to cause torsades",
    "ventricular-run": "run of ventricular beats",
    "av-block-3": "third-degree atrioventricular block suspected",
    "av-block-2-type-2": "second-degree atrioventricular block, type 2",
    "av-block-2-to-1": "2:1 atrioventricular block",
    "av-block-2-type-1": "second-degree atrioventricular block, type 1",
    "atrial-flutter": "atrial flutter suspected",
    "pre-excitation": "pre-excitation",
    "bifascicular-block": "bifascicular block",
    "ventricular-bigeminy": "ventricular bigeminy",
    "dual-chamber-pacing": "dual-chamber pacing",
    "leg-electrode-reversal": "arm and leg electrodes look exchanged",
    "chest-lead-order": "chest leads look out of order",
    "dextrocardia": "dextrocardia suspected",
}
_FIRST = (
    "ventricular-run",
    "av-block-3",
    "av-block-2-type-2",
    "av-block-2-to-1",
    "av-block-2-type-1",
)
"""What a headline begins with, unless an infarction or a fast wide rhythm comes before it."""
_ADVICE = {
    "qt-medicine-warning": "qt_medicine",
    "av-block-3": "block",
    "av-block-2-type-2": "block",
    "av-block-2-to-1": "block",
    "atrial-flutter": "flutter",
    "pre-excitation": "pre_excitation",
    "leg-electrode-reversal": "electrodes",
    "chest-lead-order": "electrodes",
    "dextrocardia": "dextrocardia",
}


def first(findings: Mapping[str, Finding]) -> dict[str, str]:
    """Return the blocks and runs that are present in words, by code, the gravest first."""
    return {
        code: _SAID[code] + _margin(findings[code])
        for code in _FIRST
        if findings[code].state is State.PRESENT
    }


def beside(findings: Mapping[str, Finding], *, without: frozenset[str] = frozenset()) -> str:
    """Return what is said after the rhythm, with the words that join it; empty for nothing.

    Statements that only count or measure (first-degree block, single premature beats, atrial
    enlargement) are in the list of findings and not in the sentence.

    Args:
        findings: Every statement by code.
        without: What is said elsewhere.
    """
    words = [
        said + _margin(findings[code])
        for code, said in _SAID.items()
        if findings[code].state is State.PRESENT and code not in without
    ]
    return f"; {', '.join(words)}" if words else ""


def advice_keys(findings: Mapping[str, Finding]) -> tuple[str, ...]:
    """Return the keys of the advice that present statements ask for, each once."""
    keys = (key for code, key in _ADVICE.items() if findings[code].state is State.PRESENT)
    return tuple(dict.fromkeys(keys))


def _margin(found: Finding) -> str:
    return " (within measurement error of the limit)" if BORDERLINE in found.flags else ""
