"""Every named pattern of one ECG, read at one J point or, where in doubt, at two."""

from collections.abc import Mapping

from tools.ecg import conduction, st_elevation
from tools.ecg.patterns import end_of_qrs, extra_leads, potassium, q_map, right_heart, t_waves
from tools.ecg.patterns.brugada import brugada
from tools.ecg.patterns.de_winter import de_winter
from tools.ecg.patterns.pericarditis import pericarditis
from tools.ecg.patterns.subtle_occlusion import subtle_occlusion
from tools.ecg.reading import Reading
from tools.ecg.st_t import same_at_both
from tools.ecg.verdict import Verdict

Verdicts = dict[str, Verdict]


def patterns(reading: Reading, verdicts: Mapping[str, Verdict]) -> Verdicts:
    """Return the verdict of every named pattern by code.

    Behind left bundle branch block and pacing all that rest on ST and T are refused.

    Args:
        reading: The ECG.
        verdicts: The conduction and hypertrophy statements, by code.
    """
    gate = conduction.gate(verdicts["lbbb"], verdicts["paced_rhythm"])
    rbbb = verdicts["rbbb"]
    regions = q_map.q_waves(reading, gate)
    found: Verdicts = {**regions, "q-equivalent": q_map.q_equivalent(reading, gate, rbbb)}
    first = _st_and_t(reading, gate, verdicts, regions)
    later = reading.at_later_j()
    if later is None:
        return found | first
    second = _st_and_t(later, gate, verdicts, regions)
    return found | {code: same_at_both(v, second[code]) for code, v in first.items()}


def _st_and_t(
    reading: Reading, gate: Verdict, verdicts: Mapping[str, Verdict], regions: Verdicts
) -> Verdicts:
    rbbb = verdicts["rbbb"]
    refusal = st_elevation.refused(reading, gate)
    if refusal is not None:
        return dict.fromkeys(_codes(reading), refusal)
    peaked = potassium.peaked_t(reading)
    return {
        **t_waves.t_map(reading),
        "de-winter": de_winter(reading),
        "wellens": t_waves.wellens(reading, rbbb),
        "t-over-qrs": t_waves.t_over_qrs(reading),
        **subtle_occlusion(reading, lvh=verdicts["lvh"]),
        "terminal-qrs-distortion": end_of_qrs.terminal_distortion(reading),
        "early-repolarisation": end_of_qrs.early_repolarisation(reading),
        "pericarditis-pattern": pericarditis(reading),
        "peaked-t": peaked,
        "hyperkalaemia-pattern": potassium.hyperkalaemia(reading, peaked),
        "brugada-type-1": brugada(reading, rbbb),
        "s1q3t3": right_heart.s1q3t3(reading, regions["q-waves-inferior"]),
        "right-ventricular-strain": right_heart.right_ventricular_strain(reading, rbbb),
        "v4r-elevation": extra_leads.v4r(reading),
        "posterior-lead-elevation": extra_leads.posterior_lead(reading),
    }


def _codes(reading: Reading) -> tuple[str, ...]:
    """Return the codes of everything that rests on ST and T."""
    regions = reading.criteria.t_map.regions
    return (
        *(f"t-inversion-{name}" for name in regions),
        "de-winter",
        "wellens",
        "t-over-qrs",
        "subtle-occlusion-4",
        "subtle-occlusion-3",
        "terminal-qrs-distortion",
        "early-repolarisation",
        "pericarditis-pattern",
        "peaked-t",
        "hyperkalaemia-pattern",
        "brugada-type-1",
        "s1q3t3",
        "right-ventricular-strain",
        "v4r-elevation",
        "posterior-lead-elevation",
    )
