"""The answers chest-pain rules ask an ECG, from the criteria, the named patterns and the rhythm."""

from collections.abc import Mapping

from knowledge.finding import NotAssessed, Why
from tools.ecg import conduction
from tools.ecg.acute import (
    Category,
    heart_category,
    new_ischaemia,
    not_against,
    omi_equivalent,
    st_deviation,
)
from tools.ecg.doubts import GAP
from tools.ecg.model import LEADS_12
from tools.ecg.patterns.de_winter import FAST
from tools.ecg.reading import Reading
from tools.ecg.st_t import StT, st_and_t
from tools.ecg.verdict import BORDERLINE, Verdict

Verdicts = dict[str, Verdict]
_READ_BY_RULES = (
    "stemi_criteria",
    "omi_equivalent",
    "multivessel_ischaemia_pattern",
    "st_deviation",
    "ecg_new_ischaemia",
)
_ANTERIOR_T = "t-inversion-anterior"


def acute(reading: Reading, verdicts: Mapping[str, Verdict]) -> tuple[Verdicts, Verdicts]:
    """Return the ST and T statements with what they say of ischaemia, and the part HEART asks.

    Args:
        reading: The ECG.
        verdicts: Conduction, hypertrophy and the named patterns, by code.
    """
    rule = reading.criteria.named_ischaemia
    gate = conduction.gate(verdicts["lbbb"], verdicts["paced_rhythm"])
    found = st_and_t(reading, gate=gate, lvh=verdicts["lvh"], rbbb=verdicts["rbbb"])
    equal, shown, open_ = _named(reading, verdicts)
    omi = omi_equivalent(
        gate,
        found.posterior,
        found.modified_sgarbossa,
        found.barcelona,
        tuple(equal.values()),
    )
    stemi, many, unexplained = found.stemi, found.multivessel, found.depression.unexplained
    ischaemia = new_ischaemia(
        (stemi, omi, many, unexplained, found.inversion.unexplained, *shown.values())
    )
    regions = tuple(v for group, v in found.regions.items() if _counts(reading, group))
    deviation = st_deviation((*regions, *equal.values()), stemi, found.depression)
    statements = {
        "stemi_criteria": stemi,
        "omi_equivalent": _settled(
            omi if stemi.holds else not_against(omi, {**shown, **open_}), verdicts, rule.equivalent
        ),
        "multivessel_ischaemia_pattern": many,
        "st_deviation": deviation,
        "ecg_new_ischaemia": _settled(
            not_against(ischaemia, {**open_, **_anterior_t(reading, verdicts)}),
            verdicts,
            (*rule.equivalent, *rule.ischaemia),
        ),
        **_single(found),
    }
    return statements, {"stemi": stemi, "omi": omi, "many": many, "depression": unexplained}


def category(
    reading: Reading, verdicts: Mapping[str, Verdict], decides: Mapping[str, Verdict]
) -> Category:
    """Return the ECG category of the HEART score.

    Args:
        reading: The ECG.
        verdicts: Every other statement by code.
        decides: The criteria that make it ST deviation, as `acute` gave them.
    """
    abnormal, open_ = _abnormal(reading, verdicts), _not_normal(reading, verdicts)
    return heart_category(decides, verdicts, abnormal, open_)


def _single(found: StT) -> Verdicts:
    return {
        "st-depression": found.depression.seen,
        "j-depression": found.at_j,
        "t-inversion": found.inversion.seen,
        "posterior-pattern": found.posterior,
        "modified-sgarbossa": found.modified_sgarbossa,
        "barcelona": found.barcelona,
        **{f"st-elevation-{group}": verdict for group, verdict in found.regions.items()},
    }


def _named(
    reading: Reading, verdicts: Mapping[str, Verdict]
) -> tuple[Verdicts, Verdicts, Verdicts]:
    """Return the named patterns that are present: equivalent, ischaemia, open."""
    rule = reading.criteria.named_ischaemia
    kinds = (rule.equivalent, rule.ischaemia, rule.open)
    equal, shown, open_ = (
        {code: verdicts[code] for code in codes if verdicts[code].holds is True} for codes in kinds
    )
    doubtful = {code: v for code, v in equal.items() if FAST in v.flags}
    sure = {code: v for code, v in equal.items() if code not in doubtful}
    return sure, shown, {**open_, **doubtful}


def _settled(verdict: Verdict, verdicts: Mapping[str, Verdict], named: tuple[str, ...]) -> Verdict:
    """Return the verdict, or that it is not known where a lead for a named pattern is lost.

    Leads that a usual ECG does not have leave it as it is: they are asked for in the advice.
    """
    if verdict.holds is not False:
        return verdict
    for code in named:
        why = verdicts[code].why
        if why is not None and why.why is Why.QUALITY:
            return Verdict(holds=None, why=why, rows=verdict.rows)
    return verdict


def _anterior_t(reading: Reading, verdicts: Mapping[str, Verdict]) -> Verdicts:
    """Return an inversion where T is upright in adults, whatever the R wave, if one is there.

    A right bundle branch block inverts these T waves by itself.
    """
    found, right = verdicts[_ANTERIOR_T], verdicts["rbbb"]
    abnormal = set(found.leads) & set(reading.criteria.t_map.upright_in_adults)
    return {_ANTERIOR_T: found} if found.holds and abnormal and right.holds is not True else {}


def _abnormal(reading: Reading, verdicts: Mapping[str, Verdict]) -> Verdicts:
    """Return the statements that are present and no part of a normal ECG.

    A named pattern of ischaemia counts within our error of its limit as well.
    """
    criteria = reading.criteria
    rule = criteria.named_ischaemia
    named = {*rule.equivalent, *rule.ischaemia, *rule.open}
    return {
        code: verdicts[code]
        for code, row in criteria.statements.items()
        if row.label is not None
        and code not in criteria.heart_normal.may_be_present
        and verdicts[code].holds is True
        and (BORDERLINE not in verdicts[code].flags or code in named)
    }


def _not_normal(reading: Reading, verdicts: Mapping[str, Verdict]) -> NotAssessed | None:
    """Return why nothing abnormal seen does not make the ECG normal.

    A lead that says nothing, electrodes that look misplaced, a stretch without a QRS.
    """
    return _electrodes(reading, verdicts) or _gap(reading, only_at_end=False)


def in_doubt(reading: Reading, verdicts: Mapping[str, Verdict]) -> Verdicts:
    """Return what rules read of ischaemia as not assessed where a lead or electrode leaves it open.

    What is present stays present. A pause between beats leaves the ST segments as they are; a
    stretch without a QRS at either end may be a lost electrode.

    Args:
        reading: The ECG.
        verdicts: Every statement by code, those of the electrodes among them.
    """
    why = _electrodes(reading, verdicts) or _gap(reading, only_at_end=True)
    if why is None:
        return {}
    return {
        code: Verdict(holds=None, why=why, rows=verdicts[code].rows)
        for code in _READ_BY_RULES
        if verdicts[code].holds is False
    }


def _electrodes(reading: Reading, verdicts: Mapping[str, Verdict]) -> NotAssessed | None:
    """Return which standard lead says nothing, or which electrodes look misplaced."""
    for name in LEADS_12:
        found = reading.lead(name)
        if isinstance(found, NotAssessed):
            return found
    for code in reading.criteria.heart_normal.never_normal:
        if verdicts[code].holds is True:
            detail = f"{reading.criteria.statements[code].label}: {verdicts[code].basis}"
            return NotAssessed(why=Why.QUALITY, detail=detail)
    return None


def _gap(reading: Reading, *, only_at_end: bool) -> NotAssessed | None:
    """Return that a stretch without a QRS is longer than a pause lasts."""
    for problem in reading.m.problems:
        if problem.code == GAP and (problem.blocks or not only_at_end):
            return NotAssessed(why=Why.QUALITY, detail=f"{problem.code}: {problem.detail}")
    return None


def _counts(reading: Reading, group: str) -> bool:
    """Return whether a group belongs to the ECG: the extra leads only where recorded."""
    rule = reading.criteria.st_elevation
    return group not in rule.extra_groups or reading.recorded(*rule.groups[group])
