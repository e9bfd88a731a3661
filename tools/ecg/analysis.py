"""The ECG tool: one recording in, every statement out."""

from knowledge.ecg_accuracy import ecg_accuracy
from knowledge.ecg_criteria import ecg_criteria
from knowledge.ecg_reliability import measured, reliability_words
from knowledge.errors import InputError
from knowledge.finding import Finding, NotAssessed, Why
from tools.ecg.interpretation import interpret
from tools.ecg.measure import NoQrsError, measure
from tools.ecg.model import EcgRecording
from tools.ecg.report import NO_QRS, EcgReport, nothing_assessed
from tools.ecg.statement import VERSION
from tools.toolbox import Card, tool

_MEASURED = {
    "pr": "PR",
    "qrs": "QRS",
    "qt": "QT",
    "st_j": "ST at J",
    "st_j_max": "ST at J",
    "p_wave_share_auroc": "Share of beats with a P wave",
}

CARD = Card(
    title="12-lead ECG analysis",
    group="ecg",
    needs=(
        "a resting ECG of at least three beats; 12 leads for every statement",
        "age and sex, for the limits that depend on them",
        "the medicines of the chart, for the warning of a long QTc with one that causes torsades",
    ),
    refuses=(
        "age under 18 years: the criteria are for adults; intervals are still measured",
        "ordinary ST and T criteria in left bundle branch block or ventricular pacing: they do not "
        "apply; the modified Sgarbossa and Barcelona rules are applied instead",
        "amplitude statements where the gain is not known or a lead is flat, clipped or noisy",
    ),
    limits=(
        "Adults. Where age or sex is not known, a statement is made only if it holds at every "
        "limit that may apply; an adult is assumed.",
        "A single recording: whether a change is new is never stated. Two and more are compared "
        "apart; no pair of labelled tracings was at hand, so only the error of a difference is "
        "known, computed from that of one value.",
        "ST elevation resting on leads with deep S waves in hypertrophy is not assessed.",
        "Named patterns (de Winter, Wellens, T/QRS, subtle occlusion, pericarditis, hyperkalaemia, "
        "Brugada, S1Q3T3) change no criterion; one of ischaemia that is present makes ischaemia "
        "and the equivalent of infarction present or not assessed. Absent does not exclude the "
        "disease.",
        "No labelled recordings of the named patterns were at hand: only false alarms on records "
        "labelled normal are counted; the symmetry and width limits are choices of this project.",
        "The subtle-occlusion formulas are applied only where their studies applied them.",
        "Atrioventricular block of the second and third degree rests on single P waves: one in a "
        "QRS or T wave is not seen, and 2:1 block at a fast atrial rate may be missed.",
        "Flutter with 2:1 conduction, atrial tachycardia and sinus tachycardia are not told apart; "
        "pre-excitation with a normal PR is not seen.",
        "Premature beats are not classified in atrial fibrillation or an irregular rhythm; a wide "
        "one may be aberrantly conducted.",
        "Exchange of V5 with V6 and of left arm with left leg is seldom or never seen.",
        "Each statement that is present carries its grade: good, limited, few labelled recordings, "
        "or not measured.",
        "Not looked for: Aslanger pattern, trifascicular block, incomplete left bundle branch "
        "block, sinoatrial block and the cause of a pause, wandering pacemaker, multifocal atrial "
        "tachycardia, ventricular tachycardia against aberration, pacemaker malfunction, "
        "biventricular pacing, exchange of left arm and left leg electrodes.",
        "Pacing without visible spikes cannot be told from left bundle branch block.",
    ),
    sources=(
        "10.1161/CIR.0000000000000617",
        "10.1016/j.annemergmed.2012.07.119",
        "10.1161/JAHA.119.015573",
        "10.1161/CIRCULATIONAHA.108.191095",
        "10.1056/NEJMc0804737",
        "10.1016/j.jacc.2022.08.750",
        "10.1016/j.jelectrocard.2017.04.005",
        "10.1016/j.jacc.2015.05.033",
        "10.1161/01.CIR.65.5.1004",
    ),
    accuracy=(
        "Sensitivity and specificity for infarction have not been measured: no labelled set of "
        "infarction ECGs with valid amplitudes was available.",
        *(f"{label}: {ecg_accuracy()[row].words}" for row, label in _MEASURED.items()),
        *(
            f"{row.label}: {reliability_words(code)}"
            for code, row in ecg_criteria().statements.items()
            if row.label is not None and measured(code)
        ),
        "Not measured, for want of labelled recordings: "
        + ", ".join(
            row.label
            for code, row in ecg_criteria().statements.items()
            if row.label is not None and not measured(code)
        )
        + ".",
    ),
    regulatory="device-function",
)


@tool(card=CARD, version=VERSION)
def ecg_analysis(
    recording: EcgRecording,
    *,
    age_years: Finding,
    sex: Finding,
    qt_risk_medicine: Finding | None = None,
) -> EcgReport:
    """Return measurements and three-valued statements about one ECG recording.

    A recording that cannot be measured gives a report in which every statement is not assessed,
    with the reason; it never looks like a normal ECG.

    Args:
        recording: As read from a file.
        age_years: The patient's age at the recording, years; may be an interval or not assessed.
        sex: `female`, `male`, or not assessed.
        qt_risk_medicine: Whether a medicine known to cause torsades is taken, from the chart; None
            where the caller knows no chart.
    """
    try:
        numbers = measure(recording)
    except InputError as error:
        reason = NotAssessed(why=Why.QUALITY, detail=f"{error.item}: {error.reason}")
        if isinstance(error, NoQrsError):
            return nothing_assessed(recording, reason, first=NO_QRS)
        return nothing_assessed(recording, reason)
    return interpret(
        recording,
        numbers,
        age_years=age_years,
        sex=sex,
        qt_risk_medicine=qt_risk_medicine,
    )
