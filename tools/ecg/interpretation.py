"""From measurements to a report: every rule applied once, in order, and put together.

Order matters only where one statement opens or closes another: conduction before ST, hypertrophy
before ST elevation, V7-V9 before the posterior pattern.
"""

from dataclasses import replace

from knowledge.ecg_criteria import EcgCriteria
from knowledge.finding import Finding, NotAssessed
from knowledge.reference import Citation
from tools.ecg import chest_pain, conduction, hypertrophy, intervals, st_elevation
from tools.ecg.acute import Category
from tools.ecg.arrhythmia.av_block import DISSOCIATED, av_block, without_pr
from tools.ecg.device_conflicts import device_conflicts
from tools.ecg.doubts import GAP, with_doubts
from tools.ecg.electrodes import limb_reversal
from tools.ecg.flutter_waves import in_flutter
from tools.ecg.further import further
from tools.ecg.headline import advice, headline
from tools.ecg.model import LEADS_12, EcgMeasurements, EcgRecording
from tools.ecg.patterns.collect import patterns
from tools.ecg.quality import NO_QRS
from tools.ecg.reading import Reading
from tools.ecg.report import EcgReport
from tools.ecg.rhythm import Rhythm, fast, rhythm, slow, wide_and_fast, with_p_waves
from tools.ecg.statement import measurements, statement
from tools.ecg.verdict import Verdict


def interpret(
    recording: EcgRecording,
    measured: EcgMeasurements,
    *,
    age_years: Finding,
    sex: Finding,
    qt_risk_medicine: Finding | None = None,
) -> EcgReport:
    """Return every statement about one measured ECG.

    Args:
        recording: As read.
        measured: What was measured on it.
        age_years: The age; where it is not assessed the limits of every adult age are tried.
        sex: `female` or `male`; where it is not assessed the limits of both are tried.
        qt_risk_medicine: Whether a medicine known to cause torsades is taken; None where the
            medicines are not known.
    """
    reading = with_doubts(Reading.of(recording, measured, age_years=age_years, sex=sex))
    rhythm_name, verdicts, category = _judge(reading, qt_risk_medicine)
    if verdicts["av-block-3"].holds is True:
        missing = {**reading.m.not_measured, "pr_ms": DISSOCIATED}
        unlinked = replace(reading.m, pr_ms=None, not_measured=missing)
        reading = replace(reading, m=unlinked)
    choices = {"ecg_heart_category": category.choice}
    findings = {
        code: statement(reading, code, verdicts[code], choice=choices.get(code))
        for code in reading.criteria.statements
    }
    numbers = tuple(measurements(reading))
    by_code = {f.concept.codings[0].code: f for f in numbers if f.body_site is None}
    return EcgReport(
        recording=recording.id,
        time=recording.start,
        headline=headline(
            findings,
            rhythm_name,
            no_qrs=_has(reading, NO_QRS),
            gap=_has(reading, GAP),
            without=tuple(x for x in LEADS_12 if isinstance(reading.lead(x), NotAssessed)),
        ),
        rhythm=rhythm_name,
        findings=tuple(findings.values()),
        measurements=numbers,
        quality=reading.m.problems,
        advice=advice(
            reading,
            findings,
            diffuse=verdicts["stemi_criteria"].holds is True and st_elevation.diffuse(reading),
        ),
        device_said=recording.device_said,
        conflicts=device_conflicts(reading, findings, by_code),
        source=_sources(reading.criteria, verdicts),
    )


def _has(reading: Reading, code: str) -> str | None:
    return next((p.detail for p in reading.m.problems if p.code == code), None)


def _judge(reading: Reading, medicine: Finding | None) -> tuple[str, dict[str, Verdict], Category]:
    """Return the rhythm in words, the verdict of every statement by code, the HEART category."""
    verdicts = _conduction(reading)
    beats = rhythm(reading, verdicts["paced_rhythm"])
    blocks = av_block(reading, beats, verdicts["paced_rhythm"])
    beats = with_p_waves(reading, beats, blocks)
    verdicts |= _rhythm(reading, beats) | blocks | _intervals(reading, blocks)
    verdicts |= patterns(reading, verdicts)
    statements, decides = chest_pain.acute(reading, verdicts)
    verdicts |= statements
    verdicts |= further(reading, verdicts, beats, medicine)
    verdicts |= in_flutter(verdicts)
    category = chest_pain.category(reading, verdicts, decides)
    verdicts["ecg_heart_category"] = category.verdict
    verdicts |= chest_pain.in_doubt(reading, verdicts)
    if (why := reading.outside_contract) is not None:
        refused = Verdict(holds=None, why=why)
        verdicts = dict.fromkeys(verdicts, refused)
        return beats.name, verdicts, Category(verdict=refused, choice=None)
    return beats.name, verdicts, category


def _conduction(reading: Reading) -> dict[str, Verdict]:
    left, pacing = conduction.lbbb(reading), conduction.paced(reading)
    right = conduction.rbbb(reading, left)
    gate = conduction.gate(left, pacing)
    return {
        "lbbb": conduction.beside_pacing(left, pacing),
        "paced_rhythm": pacing,
        "rbbb": right,
        "incomplete-rbbb": conduction.incomplete_rbbb(reading, left),
        "conduction-delay": conduction.delay(reading, left, right, pacing),
        "limb-lead-reversal": limb_reversal(reading),
        "lvh": conduction.beside_spikes(hypertrophy.lvh(reading, gate), pacing),
        "low-voltage": hypertrophy.low_voltage(reading),
        "pathological-q": conduction.beside_spikes(
            hypertrophy.pathological_q(reading, gate), pacing
        ),
    }


def _rhythm(reading: Reading, beats: Rhythm) -> dict[str, Verdict]:
    return {
        "sinus-rhythm": beats.sinus,
        "atrial-fibrillation": beats.fibrillation,
        "irregular-unclassified": beats.irregular,
        "ectopy": beats.ectopy,
        "bradycardia": slow(reading),
        "tachycardia": fast(reading),
        "wide-complex-tachycardia": wide_and_fast(reading),
    }


def _intervals(reading: Reading, blocks: dict[str, Verdict]) -> dict[str, Verdict]:
    prolonged = intervals.prolonged_qtc(reading)
    with_pr = {
        "prolonged-pr": intervals.prolonged_pr(reading),
        "short-pr": intervals.short_pr(reading),
    }
    return {
        **without_pr(with_pr, blocks),
        "prolonged-qtc": prolonged,
        "qtc-above-500": intervals.very_long_qtc(reading, prolonged),
        "short-qtc": intervals.short_qtc(reading),
        "left-axis": intervals.axis(reading, "left"),
        "right-axis": intervals.axis(reading, "right"),
        "extreme-axis": intervals.axis(reading, "extreme"),
    }


def _sources(criteria: EcgCriteria, verdicts: dict[str, Verdict]) -> tuple[Citation, ...]:
    """Return the publications behind every rule that gave an answer."""
    applied = dict.fromkeys(
        row for verdict in verdicts.values() if verdict.holds is not None for row in verdict.rows
    )
    rows = {getattr(criteria, name).source: getattr(criteria, name).review for name in applied}
    return tuple(criteria.cite("ecg_criteria", source, tag) for source, tag in rows.items())
