"""Where the device and our analysis do not agree, shown side by side; neither is corrected.

A device's statements are read by whole phrases of the criteria file; a phrase after a negation
("not", "old", "rule out") is not counted. Comments in a file header are not device statements.
"""

import re
from collections.abc import Iterator, Mapping

from knowledge.conflict import Conflict, Side
from knowledge.finding import Finding, State
from tools.ecg.readers.device_said import ECG_DEVICE
from tools.ecg.reading import Reading

_US = "Epicrisis"
_DEVICE = "ECG device"
_WORDS_BEFORE = 3
"""A negation this many words before a phrase turns it."""
_INTERVALS = {
    "heart_rate": ("heart rate", "heart-rate", "heart_rate_per_min", "/min"),
    "pr": ("PR interval", "pr", "pr_ms", "ms"),
    "qrs": ("QRS duration", "qrs", "qrs_ms", "ms"),
    "qt": ("QT interval", "qt", "qt_ms", "ms"),
}
_CONSEQUENCE = "Both are shown; a physician reads the tracing."
_DEVIATIONS = (
    "stemi_criteria",
    "omi_equivalent",
    "multivessel_ischaemia_pattern",
    "st_deviation",
    "ecg_new_ischaemia",
)


def device_conflicts(
    reading: Reading, findings: Mapping[str, Finding], measurements: Mapping[str, Finding]
) -> tuple[Conflict, ...]:
    """Return every disagreement with the device's own statements and measurements.

    Args:
        reading: The ECG; `EcgRecording.device_said` is compared.
        findings: Our statements by code.
        measurements: Our measurements by code.
    """
    said = reading.recording.device_said
    statements = [f for f in said if f.concept.has(ECG_DEVICE, "statement", "severity")]
    return (
        *_statement_conflicts(reading, statements, findings),
        *_interval_conflicts(reading, said, measurements),
    )


def says(reading: Reading, statement: str, topic: str) -> bool:
    """Return whether a device statement says one of the phrases of a topic, not negated."""
    device = reading.criteria.device
    text = statement.casefold()
    for phrase in device.words[topic]:
        for match in re.finditer(rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)", text):
            before = re.findall(r"\w+", text[: match.start()])[-_WORDS_BEFORE:]
            if not set(before) & set(device.negations):
                return True
    return False


def _statement_conflicts(
    reading: Reading, statements: list[Finding], findings: Mapping[str, Finding]
) -> Iterator[Conflict]:
    def said(topic: str) -> list[Finding]:
        return [f for f in statements if says(reading, str(f.value), topic)]

    stemi = findings["stemi_criteria"]
    normal, infarct = said("normal"), said("infarct")
    if normal:
        for code in _DEVIATIONS:
            if findings[code].state is State.PRESENT:
                yield _conflict("ECG normal or not", code, findings[code], normal)
                break
    acute = (stemi, findings["omi_equivalent"])
    if infarct and all(f.state is not State.PRESENT for f in acute):
        yield _conflict("acute infarction on the ECG", "stemi_criteria", stemi, infarct)
    if statements and not infarct and not normal and stemi.state is State.PRESENT:
        yield _conflict("acute infarction on the ECG", "stemi_criteria", stemi, statements)
    elevated = said("st_elevation")
    if elevated and not infarct and findings["st_deviation"].state is State.ABSENT:
        yield _conflict("ST elevation", "st_deviation", findings["st_deviation"], elevated)
    pairs = (("atrial_fibrillation", "sinus-rhythm"), ("sinus", "atrial-fibrillation"))
    for topic, code in pairs:
        if said(topic) and findings[code].state is State.PRESENT:
            yield _conflict("rhythm", None, findings[code], said(topic))


def _interval_conflicts(
    reading: Reading, said: tuple[Finding, ...], measurements: Mapping[str, Finding]
) -> Iterator[Conflict]:
    tolerance = reading.criteria.device.tolerance
    for code, (label, ours, field, unit) in _INTERVALS.items():
        mine = measurements[ours]
        for theirs in said:
            if not theirs.concept.has(ECG_DEVICE, code) or theirs.body_site is not None:
                continue
            if mine.interval is None or theirs.interval is None:
                continue
            difference = mine.interval.absolute_difference(theirs.interval).high or 0.0
            if difference > getattr(tolerance, field):
                limit = getattr(tolerance, field)
                yield _conflict(
                    f"{label}: {difference:.0f} {unit} apart (tolerance {limit:g})",
                    None,
                    mine,
                    [theirs],
                )


def _conflict(what: str, input_id: str | None, ours: Finding, theirs: list[Finding]) -> Conflict:
    return Conflict(
        what=what,
        input=input_id,
        sides=(
            Side(who=_US, says=_words(ours), evidence=ours.evidence),
            Side(
                who=_DEVICE,
                says="; ".join(str(f.value) for f in theirs),
                evidence=tuple(dict.fromkeys(e for f in theirs for e in f.evidence)),
            ),
        ),
        consequence=_CONSEQUENCE,
    )


def _words(finding: Finding) -> str:
    label = finding.concept.text
    if finding.not_assessed is not None:
        return f"{label}: not assessed, {finding.not_assessed.detail}"
    if finding.quantity is not None:
        return f"{label}: {finding.value}"
    numbers = f" ({finding.reported})" if finding.reported else ""
    return f"{label}: {finding.state.value}{numbers}"
