"""A long QTc in a patient who takes a medicine known to cause torsades de pointes.

QTc by all five formulas is shown; Fridericia's decides, as for the statement of a prolonged QTc.
Where the medicines are not known nothing is said: a normal QTc does not make them known.
"""

from knowledge.finding import Finding, NotAssessed, State, Why
from tools.ecg.qtc import bazett, framingham, fridericia, hodges, rautaharju
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, every

_ROWS = ("qtc",)

FORMULAS_DISAGREE = "qtc-formulas-disagree"
"""Flag: by another of the five formulas QTc lies on the other side of the limit."""


def qt_medicine_warning(reading: Reading, prolonged: Verdict, medicine: Finding | None) -> Verdict:
    """Return whether QTc is prolonged while such a medicine is taken.

    Args:
        reading: The ECG.
        prolonged: Whether QTc is prolonged.
        medicine: Whether a medicine with known risk is taken; None where nobody was asked.
    """
    if medicine is None:
        why = NotAssessed(why=Why.MISSING, detail="the medicines of the patient are not known here")
        return Verdict(holds=None, why=why, rows=_ROWS)
    if medicine.not_assessed is not None:
        return Verdict(holds=None, why=medicine.not_assessed, rows=_ROWS)
    if prolonged.why is not None:
        return Verdict(holds=None, why=prolonged.why, rows=_ROWS)
    taken = medicine.state is State.PRESENT
    named = f" ({medicine.reported})" if taken and medicine.reported else ""
    words = "taken" if taken else "none"
    values = five_qtc(reading)
    shown = ", ".join(f"{name} {value:.0f}" for name, value in values.items())
    basis = f"medicine with known risk of torsades: {words}{named}; QTc {shown} ms"
    holds = every((taken, prolonged.holds))
    flags = prolonged.flags if holds else ()
    if taken and _disagree(reading, values):
        flags = (*flags, FORMULAS_DISAGREE)
    return Verdict(holds=holds, basis=basis, flags=flags, rows=_ROWS)


def five_qtc(reading: Reading) -> dict[str, float]:
    """Return QTc by the five formulas, ms; empty where QT was not measured."""
    qt = reading.m.qt_ms
    if qt is None or not len(reading.m.rr_ms):
        return {}
    rate = reading.m.heart_rate_per_min
    rr_s = 60.0 / rate
    return {
        "Fridericia": reading.m.qtcf_ms or fridericia(qt, rr_s=rr_s),
        "Bazett": reading.m.qtcb_ms or bazett(qt, rr_s=rr_s),
        "Framingham": framingham(qt, rr_s=rr_s),
        "Hodges": hodges(qt, rate_per_min=rate),
        "Rautaharju": rautaharju(qt, rate_per_min=rate),
    }


def _disagree(reading: Reading, values: dict[str, float]) -> bool:
    rule = reading.criteria.qtc
    limits = [rule.prolonged_from_ms[sex] for sex in reading.sexes]
    above = {value >= min(limits) for value in values.values()}
    return len(above) == 2
