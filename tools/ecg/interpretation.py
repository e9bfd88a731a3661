"""From measurements to a report: every rule applied once, in order, and put together.

Order matters only where one statement opens or closes another: conduction before ST, hypertrophy
before ST elevation, V7-V9 before the posterior pattern.
"""

from knowledge.ecg_criteria import EcgCriteria
from knowledge.finding import Finding
from knowledge.reference import Citation
from tools.ecg import conduction, hypertrophy, intervals, st_elevation
from tools.ecg.acute import (
    Category,
    heart_category,
    new_ischaemia,
    omi_equivalent,
    st_deviation,
)
from tools.ecg.device_conflicts import device_conflicts
from tools.ecg.electrodes import limb_reversal
from tools.ecg.further import further
from tools.ecg.headline import advice, headline
from tools.ecg.model import EcgMeasurements, EcgRecording
from tools.ecg.patterns.collect import patterns
from tools.ecg.reading import Reading
from tools.ecg.report import EcgReport
from tools.ecg.rhythm import Rhythm, fast, rhythm, slow, wide_and_fast
from tools.ecg.st_t import st_and_t
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
    reading = Reading.of(recording, measured, age_years=age_years, sex=sex)
    rhythm_name, verdicts, category = _judge(reading, qt_risk_medicine)
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
        headline=headline(findings, rhythm_name),
        rhythm=rhythm_name,
        findings=tuple(findings.values()),
        measurements=numbers,
        quality=measured.problems,
        advice=advice(
            reading,
            findings,
            diffuse=verdicts["stemi_criteria"].holds is True and st_elevation.diffuse(reading),
        ),
        device_said=recording.device_said,
        conflicts=device_conflicts(reading, findings, by_code),
        source=_sources(reading.criteria, verdicts),
    )


def _judge(reading: Reading, medicine: Finding | None) -> tuple[str, dict[str, Verdict], Category]:
    """Return the rhythm in words, the verdict of every statement by code, the HEART category."""
    verdicts = _conduction(reading)
    beats = rhythm(reading, verdicts["paced_rhythm"])
    verdicts |= _rhythm(reading, beats) | _intervals(reading)
    category = _acute(reading, verdicts)
    verdicts["ecg_heart_category"] = category.verdict
    verdicts |= patterns(reading, verdicts)
    verdicts |= further(reading, verdicts, beats, medicine)
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
        "lbbb": left,
        "paced_rhythm": pacing,
        "rbbb": right,
        "incomplete-rbbb": conduction.incomplete_rbbb(reading, left),
        "conduction-delay": conduction.delay(reading, left, right, pacing),
        "limb-lead-reversal": limb_reversal(reading),
        "lvh": hypertrophy.lvh(reading, gate),
        "low-voltage": hypertrophy.low_voltage(reading),
        "pathological-q": hypertrophy.pathological_q(reading, gate),
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


def _intervals(reading: Reading) -> dict[str, Verdict]:
    prolonged = intervals.prolonged_qtc(reading)
    return {
        "prolonged-pr": intervals.prolonged_pr(reading),
        "short-pr": intervals.short_pr(reading),
        "prolonged-qtc": prolonged,
        "qtc-above-500": intervals.very_long_qtc(reading, prolonged),
        "short-qtc": intervals.short_qtc(reading),
        "left-axis": intervals.axis(reading, "left"),
        "right-axis": intervals.axis(reading, "right"),
        "extreme-axis": intervals.axis(reading, "extreme"),
    }


def _acute(reading: Reading, verdicts: dict[str, Verdict]) -> Category:
    """Add the ST and T statements to `verdicts`; return the HEART category."""
    gate = conduction.gate(verdicts["lbbb"], verdicts["paced_rhythm"])
    found = st_and_t(reading, gate=gate, lvh=verdicts["lvh"], rbbb=verdicts["rbbb"])
    omi = omi_equivalent(gate, found.posterior, found.modified_sgarbossa, found.barcelona)
    stemi, many, unexplained = found.stemi, found.multivessel, found.depression.unexplained
    shown = tuple(v for group, v in found.regions.items() if _counts(reading, group))
    verdicts |= {
        "stemi_criteria": stemi,
        "omi_equivalent": omi,
        "multivessel_ischaemia_pattern": many,
        "st_deviation": st_deviation(shown, stemi, found.depression),
        "ecg_new_ischaemia": new_ischaemia(
            (stemi, omi, many, unexplained, found.inversion.unexplained)
        ),
        "st-depression": found.depression.seen,
        "j-depression": found.at_j,
        "t-inversion": found.inversion.seen,
        "posterior-pattern": found.posterior,
        "modified-sgarbossa": found.modified_sgarbossa,
        "barcelona": found.barcelona,
    }
    verdicts |= {f"st-elevation-{group}": verdict for group, verdict in found.regions.items()}
    acute = {"stemi": stemi, "omi": omi, "many": many, "depression": unexplained}
    return heart_category(acute, verdicts)


def _counts(reading: Reading, group: str) -> bool:
    """Return whether a group belongs to the ECG: the extra leads only where recorded."""
    rule = reading.criteria.st_elevation
    return group not in rule.extra_groups or reading.recorded(*rule.groups[group])


def _sources(criteria: EcgCriteria, verdicts: dict[str, Verdict]) -> tuple[Citation, ...]:
    """Return the publications behind every rule that gave an answer."""
    applied = dict.fromkeys(
        row for verdict in verdicts.values() if verdict.holds is not None for row in verdict.rows
    )
    rows = {getattr(criteria, name).source: getattr(criteria, name).review for name in applied}
    return tuple(criteria.cite("ecg_criteria", source, tag) for source, tag in rows.items())
