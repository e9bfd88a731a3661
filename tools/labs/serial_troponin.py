"""Serial high-sensitivity troponin: five algorithms on one series, with the clock."""

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.patient import Sex
from knowledge.risk import Risk
from knowledge.troponin import assays, pathways
from tools.labs.troponin_assay import which_assay
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_category import NOT_ASSESSED, Category, Verdict
from tools.labs.troponin_episode import unusable
from tools.labs.troponin_esc_0_1h_2h import evaluate as esc_0_1h_2h
from tools.labs.troponin_esc_0_3h import evaluate as esc_0_3h
from tools.labs.troponin_findings import acute_injury, findings, no_findings
from tools.labs.troponin_high_steacs import evaluate as high_steacs
from tools.labs.troponin_levels import above_every_rule_in_limit
from tools.labs.troponin_observe_zone import evaluate as observe_zone
from tools.labs.troponin_onset import Onset, onset_before
from tools.labs.troponin_report import Report
from tools.labs.troponin_samples import Series, SeriesSample, SetAside, build
from tools.labs.troponin_surroundings import Surroundings
from tools.labs.troponin_wording import values_in_words
from tools.toolbox import Card, tool

_VERSION = "1.0.0"
_KEYS = (
    "troponin_esc_0_1h",
    "troponin_esc_0_2h",
    "troponin_esc_0_3h",
    "troponin_observe_zone",
    "troponin_high_steacs",
)


def _accuracy() -> tuple[str, ...]:
    """Return the published accuracy of the ESC 0/1 h algorithm, one line for each assay."""
    found = pathways().performance
    lines: list[str] = []
    for key, sensitivity in found.sensitivity_percent.items():
        specificity = found.specificity_percent.get(key)
        lines.append(
            f"ESC 0/1 h, {assays().assays[key].label}: sensitivity {sensitivity.value:g} %"
            + (f", specificity {specificity.value:g} %" if specificity else "")
            + f" (published meta-analysis of {found.patients.value:g} patients, not measured here)"
        )
    return tuple(lines)


class SerialTroponin(Frozen):
    """What serial troponin says.

    Args:
        risks: One for each algorithm: ESC 0/1 h, ESC 0/2 h, ESC 0/3 h, ESC observe zone (0/3 h),
            High-STEACS.
        findings: Clinical inputs that the series answers (multiple of the limit, not elevated at 0
            and 2 h, at 0 and 3 h), and statements about the series (``urn:epicrisis:statement``):
            the kind of myocardial injury, ``above_99th`` for the latest sample, and
            ``above_every_rule_in_limit`` for any sample, which needs no assay.
        series: The samples in order, with time and change since the first.
        set_aside: Samples that could not be used, and why.
        assay: Key of the assay table; None where the assay is not known or not taken.
    """

    risks: tuple[Risk, ...]
    findings: tuple[Finding, ...]
    series: tuple[SeriesSample, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    assay: str | None = None

    def by_key(self) -> dict[str, Risk]:
        """Return the risks by the key of their algorithm, for example ``troponin_esc_0_1h``."""
        return dict(zip(_KEYS, self.risks, strict=True))


@tool(
    card=Card(
        title="Serial high-sensitivity troponin",
        group="laboratory",
        needs=(
            "the assay, named by the laboratory or a person",
            "troponin samples in ng/L with collection times to the minute",
            "time of onset, or of the worst pain (unknown counts as early)",
            "an ECG read for ST-elevation criteria, and the age",
        ),
        refuses=(
            "conventional assays: the rules are for high-sensitivity assays",
            "an assay that is not named: asked for, not guessed",
            "samples of two assays: their values are never compared",
            "a second sample outside the window: windows are not widened",
            "ST-elevation criteria or an equivalent: outside the rules",
        ),
        limits=(
            "adults",
            "0/2 h, observe zone and High-STEACS: only assays with published limits",
        ),
        sources=(
            "10.1093/eurheartj/ehaa575",
            "10.1093/eurheartj/ehad191",
            "High-STEACS pathway",
        ),
        accuracy=_accuracy(),
    ),
    version=_VERSION,
)
def serial_troponin(
    *,
    samples: tuple[Finding, ...],
    assay: Finding,
    onset: Finding,
    sex: Finding,
    age_years: Finding,
    known_cad: Finding,
    esrd_dialysis: Finding,
    ckd: Finding,
    stemi_criteria: Finding,
    omi_equivalent: Finding,
    st_deviation: Finding,
    lbbb: Finding,
    paced_rhythm: Finding,
    pain_ongoing: Finding,
    at: ClinicalTime,
    grace_points: Finding | None = None,
) -> SerialTroponin:
    """Return what each serial troponin algorithm says of one series.

    A category is given only where every completion of what is censored, imprecise or not assessed
    reaches it; else it is ``not determined`` with the categories still possible. A rule-out is
    never given while the assay, the onset (where it matters), a sample, the age or the ECG is
    unknown. What the rule needs and lacks is in `missing`. A rule-in stands against all that is
    missing, except what puts the patient outside the rule.

    Args:
        samples: Troponin results, ng/L, with collection time, analyte coding and method.
        assay: Choice of the assay.
        onset: Time of onset, or of the worst pain.
        sex: Choice, for sex-specific limits.
        age_years: Age, a.
        known_cad: Known coronary artery disease; qualifies a rule-out.
        esrd_dialysis: End-stage renal disease or dialysis; qualifies a rule-out.
        ckd: Chronic kidney disease; qualifies a rule-out.
        stemi_criteria: ST-elevation criteria on the ECG; present is outside the rules.
        omi_equivalent: A pattern equivalent to them; present is outside the rules.
        st_deviation: ST deviation on the ECG; qualifies a rule-out.
        lbbb: Left bundle branch block; qualifies a rule-out.
        paced_rhythm: Ventricular pacing; qualifies a rule-out.
        pain_ongoing: For the 0/3 h rule.
        at: Time of assessment.
        grace_points: GRACE in-hospital points for the 0/3 h rule.
    """
    inputs = {
        "troponin_assay": assay,
        "onset": onset,
        "sex": sex,
        "age_years": age_years,
        "known_cad": known_cad,
        "esrd_dialysis": esrd_dialysis,
        "ckd": ckd,
        "stemi_criteria": stemi_criteria,
        "omi_equivalent": omi_equivalent,
        "st_deviation": st_deviation,
        "lbbb": lbbb,
        "paced_rhythm": paced_rhythm,
        "pain_ongoing": pain_ongoing,
        **({"grace_points": grace_points} if grace_points is not None else {}),
    }
    surroundings = Surroundings(inputs=inputs)
    key = which_assay(assay, samples)
    if isinstance(key, NotAssessed):
        return _without_assay(key, surroundings, samples, at)
    series = build(samples, assay=key, at=at)
    if not series.samples:
        return _without_samples(key, series, surroundings, samples, at)
    return _with_series(key, series, surroundings, samples, at)


def _with_series(
    key: str,
    series: Series,
    surroundings: Surroundings,
    samples: tuple[Finding, ...],
    at: ClinicalTime,
) -> SerialTroponin:
    level = above_every_rule_in_limit(samples, at, version=_VERSION)
    inputs = surroundings.inputs
    onset = onset_before(inputs["onset"], series.first.time)
    grace = inputs.get("grace_points")
    case = TroponinCase(
        assay_id=key,
        assay=assays().assays[key],
        series=series,
        onset=onset,
        sex=_sex(inputs["sex"]),
        pain_ongoing=surroundings.known("pain_ongoing"),
        grace=None if grace is None else grace.interval,
        at=at,
    )
    first, second = esc_0_1h_2h(case, _KEYS[0]), esc_0_1h_2h(case, _KEYS[1])
    verdicts = (first, second, esc_0_3h(case), observe_zone(case, first), high_steacs(case))
    obstacle = series.obstacle
    found = no_findings(obstacle) if obstacle is not None else findings(case, version=_VERSION)
    evidence = [e for s in series.samples for e in s.evidence]
    evidence += [e for s in series.set_aside for e in s.evidence]
    evidence += [*inputs["troponin_assay"].evidence, *inputs["onset"].evidence]
    report = Report(
        assay_id=key,
        series=series,
        onset=onset,
        surroundings=surroundings,
        evidence=_once(evidence),
        at=at,
        values=values_in_words(samples, at),
        alarm=_words(level) if series.obstacle is not None else "",
        remarks=acute_injury(found),
    )
    risks = tuple(report.risk(k, v) for k, v in zip(_KEYS, verdicts, strict=True))
    return SerialTroponin(
        risks=_one_clock(risks),
        findings=(*found, level),
        series=series.samples,
        set_aside=series.set_aside,
        assay=key,
    )


def _one_clock(risks: tuple[Risk, ...]) -> tuple[Risk, ...]:
    """Return the risks without a next sample where a short ESC algorithm has settled the question.

    The longer algorithms keep their own answers, but a sample nobody needs is not due.
    """
    settled = ({Category.RULE_IN}, {Category.RULE_OUT})
    if not any({band.name for band in r.bands} - {NOT_ASSESSED} in settled for r in risks[:2]):
        return risks
    return tuple(r.model_copy(update={"next_due": None, "overdue": None}) for r in risks)


def _without_assay(
    reason: NotAssessed,
    surroundings: Surroundings,
    samples: tuple[Finding, ...],
    at: ClinicalTime,
) -> SerialTroponin:
    usable = [f for f in samples if unusable(f, at) is None]
    asked = () if reason.why is Why.OUTSIDE_CONTRACT else ("troponin_assay",)
    needs = asked + (() if usable else ("troponin_sample",))
    return _refused(None, Series(), reason, needs, surroundings, samples, at)


def _without_samples(
    key: str,
    series: Series,
    surroundings: Surroundings,
    samples: tuple[Finding, ...],
    at: ClinicalTime,
) -> SerialTroponin:
    reason = series.empty or NotAssessed(why=Why.MISSING, detail="no troponin sample in the case")
    timing = reason.why in (Why.TIME_NOT_GIVEN, Why.TIME_ZONE_UNKNOWN)
    needs = () if timing else ("troponin_sample",)
    return _refused(key, series, reason, needs, surroundings, samples, at)


def _refused(
    key: str | None,
    series: Series,
    reason: NotAssessed,
    needs: tuple[str, ...],
    surroundings: Surroundings,
    samples: tuple[Finding, ...],
    at: ClinicalTime,
) -> SerialTroponin:
    level = above_every_rule_in_limit(samples, at, version=_VERSION)
    onset = surroundings.inputs["onset"]
    if onset.state is State.NOT_ASSESSED:
        needs = (*needs, "onset")
    report = Report(
        assay_id=key,
        series=series,
        onset=Onset(reason=onset.not_assessed),
        surroundings=surroundings,
        evidence=_once([e for f in samples for e in f.evidence]),
        at=at,
        values=values_in_words(samples, at),
        alarm=_words(level),
    )
    verdict = Verdict(refused=reason, needs=(*needs, *surroundings.open()))
    return SerialTroponin(
        risks=tuple(report.risk(k, verdict) for k in _KEYS),
        findings=(*no_findings(reason), level),
        set_aside=series.set_aside,
        assay=key,
    )


def _words(finding: Finding) -> str:
    return "" if finding.value is None else str(finding.value)


def _sex(finding: Finding) -> Sex | None:
    match finding.choice:
        case "female":
            return "female"
        case "male":
            return "male"
        case _:
            return None


def _once(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence))
