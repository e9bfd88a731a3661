"""The one sentence of an ECG report, and the advice below it, by templates."""

from collections.abc import Iterator, Mapping
from itertools import chain

from knowledge.ecg_criteria import ecg_criteria
from knowledge.finding import Finding, State, Why
from tools.ecg.arrhythmia import sentences as arrhythmia
from tools.ecg.arrhythmia.flutter import WAVES
from tools.ecg.contiguity import region_names
from tools.ecg.patterns import sentences
from tools.ecg.reading import Reading
from tools.ecg.report import NO_QRS
from tools.ecg.verdict import BORDERLINE

_ST_STATEMENTS = ("stemi_criteria", "omi_equivalent", "st-depression", "t-inversion")


def headline(
    findings: Mapping[str, Finding],
    rhythm: str,
    *,
    no_qrs: str | None = None,
    gap: str | None = None,
    without: tuple[str, ...] = (),
) -> str:
    """Return the most urgent thing the ECG shows, or that it shows none of what was looked for.

    A block or a run of ventricular beats comes before everything that is less urgent than an
    infarction.

    Args:
        findings: Every statement by code.
        rhythm: The rhythm in a few words.
        no_qrs: Why no QRS stands out of the recording, where none does.
        gap: For how long no QRS is seen, where that is longer than a pause lasts.
        without: Standard leads that say nothing.
    """
    if no_qrs is not None:
        return f"{NO_QRS}; {rhythm}."
    if gap is not None:
        rest = headline(findings, rhythm, without=without)
        return f"{gap[0].upper()}{gap[1:]}: look at the patient. {rest}"
    urgent = next(_urgent(findings), None)
    if urgent is not None:
        return f"{urgent}; {rhythm}{arrhythmia.beside(findings)}."
    blocks = arrhythmia.first(findings)
    found = chain(sentences.soon(findings), _changes(findings), _unsettled(findings))
    quiet = (
        "No ST-elevation criteria, no horizontal or downsloping ST depression and no T inversion "
        f"of the rules applied{_without(without)}"
        f"{_margin(findings['stemi_criteria'])}{_also(findings)}"
    )
    rest = next(found, quiet)
    if blocks:
        words = ", ".join(blocks.values())
        rest = f"{words[0].upper()}{words[1:]}; {rest if rest != quiet else f'n{quiet[1:]}'}"
    return f"{rest}; {rhythm}{arrhythmia.beside(findings, without=frozenset(blocks))}."


def _without(leads: tuple[str, ...]) -> str:
    return f", {', '.join(leads)} not assessed" if leads else ""


def advice(reading: Reading, findings: Mapping[str, Finding], *, diffuse: bool) -> tuple[str, ...]:
    """Return what would settle what is open, most urgent first.

    Args:
        reading: The ECG, for the wording in its criteria.
        findings: Every statement by code.
        diffuse: Whether ST elevation is in all regions without reciprocal depression.
    """

    def present(code: str) -> bool:
        return findings[code].state is State.PRESENT

    def flagged(flag: str) -> bool:
        return any(flag in f.flags for f in findings.values())

    def not_recorded(code: str) -> bool:
        reason = findings[code].not_assessed
        return reason is not None and reason.why is Why.MISSING

    mirror = findings["posterior-pattern"]
    wanted = {
        "wide_fast": present("wide-complex-tachycardia"),
        "limb_reversal": present("limb-lead-reversal"),
        "posterior": not_recorded("st-elevation-posterior")
        and (
            mirror.state is State.PRESENT
            or (mirror.not_assessed is not None and bool(mirror.body_site))
        ),
        "right": present("st-elevation-inferior") and not_recorded("st-elevation-right"),
        "lvh": flagged("lvh-mimic"),
        "diffuse": diffuse,
        "borderline": any(BORDERLINE in findings[code].flags for code in _ST_STATEMENTS),
        "new": flagged("not-known-to-be-new"),
        "repeat": not present("stemi_criteria"),
    }
    keys = [key for key, needed in wanted.items() if needed]
    keys[-1:-1] = (*sentences.advice_keys(findings), *arrhythmia.advice_keys(findings))
    return tuple(reading.criteria.advice[key] for key in keys)


def _urgent(findings: Mapping[str, Finding]) -> Iterator[str]:
    stemi, omi = findings["stemi_criteria"], findings["omi_equivalent"]
    if stemi.state is State.PRESENT:
        yield (
            f"ST-elevation criteria of infarction are met: {_where(stemi)} ({stemi.body_site})"
            + _margin(stemi)
            + _flutter(stemi)
            + _also(findings)
        )
    if omi.state is State.PRESENT and (which := _which(findings)):
        caution = _flutter(omi)
        yield f"Pattern equivalent to ST-elevation infarction ({omi.body_site}): {which}{caution}"
    yield from sentences.urgent(findings)
    many = findings["multivessel_ischaemia_pattern"]
    if many.state is State.PRESENT:
        yield f"Widespread ST depression with ST elevation in aVR or V1{_flutter(many)}"
    if findings["wide-complex-tachycardia"].state is State.PRESENT:
        yield "Fast rhythm with wide QRS"


def _changes(findings: Mapping[str, Finding]) -> Iterator[str]:
    reason = findings["stemi_criteria"].not_assessed
    if reason is not None and reason.why is Why.CONFLICTING:
        yield (
            f"ST elevation ({findings['stemi_criteria'].body_site}) with hypertrophy by voltage, "
            "which may cause it: ST-elevation criteria not assessed"
        )
    mirror = findings["posterior-pattern"]
    if mirror.not_assessed is not None and mirror.body_site is not None:
        yield (
            f"ST depression with upright T ({mirror.body_site}): posterior infarction not "
            f"excluded, V7-V9 not recorded{_also(findings)}"
        )
    for code, words in (("st-depression", "ST depression"), ("t-inversion", "T-wave inversion")):
        found = findings[code]
        if found.state is State.PRESENT:
            mimic = " that hypertrophy or bundle branch block may cause" * (
                findings["ecg_new_ischaemia"].state is not State.PRESENT
            )
            others = _also(findings)
            yield f"{words} ({found.body_site}){mimic}{_margin(found)}{_flutter(found)}{others}"


def _unsettled(findings: Mapping[str, Finding]) -> Iterator[str]:
    gates = {"lbbb": "Left bundle branch block", "paced_rhythm": "Ventricular paced rhythm"}
    for code, words in gates.items():
        if findings[code].state is State.PRESENT:
            if findings["omi_equivalent"].state is State.ABSENT:
                yield (
                    f"{words}; modified Sgarbossa and Barcelona rules not met; ordinary ST "
                    "criteria do not apply"
                )
            yield f"{words}; ordinary ST criteria do not apply, infarction not assessed"
    reason = findings["stemi_criteria"].not_assessed
    if reason is not None:
        yield f"ST-elevation criteria not assessed: {reason.detail}"
    for code in ("st-depression", "t-inversion"):
        reason = findings[code].not_assessed
        if reason is not None:
            label = findings[code].concept.text
            yield f"No ST-elevation criteria; {label} not assessed: {reason.detail}"


def _where(stemi: Finding) -> str:
    leads = (stemi.body_site or "").split(", ")
    return ", ".join(region_names(ecg_criteria().st_elevation, leads))


def _which(findings: Mapping[str, Finding]) -> str:
    names = [
        findings[code].concept.text
        for code in ("posterior-pattern", "modified-sgarbossa", "barcelona")
        if findings[code].state is State.PRESENT
    ]
    return ", ".join(names)


def _also(findings: Mapping[str, Finding]) -> str:
    words = {
        "j-depression": "upsloping ST depression at the J point",
        "rbbb": "right bundle branch block",
        "lvh": "left ventricular hypertrophy by voltage",
        "pathological-q": "pathological Q waves",
        "prolonged-qtc": "prolonged QTc",
    }
    deviates = findings["st-depression"].state is State.PRESENT
    names = [
        word
        for code, word in words.items()
        if findings[code].state is State.PRESENT and not (code == "j-depression" and deviates)
    ]
    names += sentences.also(findings)
    return f"; with {', '.join(names)}" if names else ""


def _flutter(finding: Finding) -> str:
    return " (flutter waves may cause it: flutter not excluded)" if WAVES in finding.flags else ""


def _margin(finding: Finding) -> str:
    return " (within measurement error of the limit)" if BORDERLINE in finding.flags else ""
