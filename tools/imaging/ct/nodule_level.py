"""What guidelines and models say of a measured nodule, and a suggested level with its rule."""

from collections.abc import Mapping
from typing import Any

from knowledge.clinical_inputs import catalogue
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.model import Frozen
from knowledge.nodule_levels import FILE, ORDER, Level, nodule_levels
from knowledge.quantity import Choice, Quantity, Value
from knowledge.reference import Citation
from knowledge.risk import MissingInput, Risk
from tools.imaging.ct.growth import Growth
from tools.imaging.ct.nodule import NoduleMeasure
from tools.risk.score import evaluate, inputs_of
from tools.toolbox import Card, tool

SCORES = (
    "fleischner_2017", "lung_rads_2022", "brock_nodule", "brock_nodule_2a", "mayo_nodule",
    "herder_nodule",
)  # fmt: skip


class NoduleLevel(Frozen):
    """A suggested level of one nodule.

    Args:
        level: The level; None where it is not determined.
        possible: The levels that what is unknown leaves possible, from the least suspicious.
        rule: What the level rests on, in words with its numbers.
        rule_zh: The same in Chinese.
        model: The model whose probability was used; empty where a sign or time decided.
        probability: Its lowest and highest probability, %, over what is unknown.
        missing: What would settle it.
        not_assessed: Why there is no suggestion at all.
        note, note_zh: What must be read with it.
        source: The publications.
    """

    level: Level | None = None
    possible: tuple[Level, ...] = ()
    rule: str
    rule_zh: str
    model: str = ""
    probability: tuple[float, float] | None = None
    missing: tuple[MissingInput, ...] = ()
    not_assessed: NotAssessed | None = None
    note: str
    note_zh: str
    source: tuple[Citation, ...] = ()


class NoduleManagement(Frozen):
    """Every guideline and model for one nodule, and the level.

    Args:
        risks: Fleischner, Lung-RADS, Brock, Mayo, Herder; each refuses outside its population.
        level: The suggestion.
    """

    risks: tuple[Risk, ...]
    level: NoduleLevel


CARD = Card(
    title="Guidelines, models and a suggested level for a measured nodule",
    group="imaging",
    topic="pulmonary nodule",
    needs=("a nodule as measured", "what a reader and the chart say: age, smoking, place, edge"),
    refuses=("each guideline and model refuses outside its own population",),
    limits=(
        "The four levels are a choice of this product, not of a guideline; the rule is stated.",
        "What is not known leaves several levels possible and is listed.",
    ),
    sources=("10.1148/radiol.2017161659", "10.1016/j.jacr.2023.09.009", "10.1056/NEJMoa1214726",
             "10.1001/archinte.1997.00440290031002", "10.1378/chest.128.4.2490"),
    on_request=True,
)  # fmt: skip


@tool(card=CARD, version="1")
def ct_nodule_management(
    nodule: NoduleMeasure,
    *,
    answers: dict[str, Finding],
    growth: Growth | None = None,
) -> NoduleManagement:
    """Return what guidelines and models say of a measured nodule, and a suggested level.

    Args:
        nodule: As measured.
        answers: What else is known, by clinical-input id (`age_years`, `smoking_ever`, ...). What
            was measured goes before an answer of the same name.
        growth: Against an earlier CT, where there is one.
    """
    findings = {**answers, **measured_findings(nodule, growth)}
    risks: dict[str, Risk] = {}
    for name in SCORES:
        if name == "herder_nodule":
            findings = _with_pretest(findings, risks["mayo_nodule"], nodule)
        risks[name] = evaluate(name, _wanted(name, findings))
    return NoduleManagement(
        risks=tuple(risks.values()), level=_level(nodule, findings, risks, growth)
    )


def _with_pretest(
    findings: dict[str, Finding], mayo: Risk, nodule: NoduleMeasure
) -> dict[str, Finding]:
    """Return the findings with the Mayo model's probability before PET, where it is a number."""
    key = "nodule_pretest_probability"
    if key in findings or mayo.value is None:
        return findings
    return findings | {key: _finding(key, nodule, Quantity(value=mayo.value, unit="%"))}


def measured_findings(nodule: NoduleMeasure, growth: Growth | None) -> dict[str, Finding]:
    """Return what was measured as answers to clinical inputs; what was not is left out."""
    found = {
        "pulmonary_nodule": _finding("pulmonary_nodule", nodule, None),
        "nodule_diameter": _finding(
            "nodule_diameter", nodule, Quantity(value=nodule.mean_mm, unit="mm")
        ),
    }
    if nodule.kind is not None:
        found["nodule_type"] = _finding("nodule_type", nodule, Choice(choice=nodule.kind))
    if nodule.solid_mm is not None and nodule.kind == "part-solid":
        found["nodule_solid_part"] = _finding(
            "nodule_solid_part", nodule, Quantity(value=nodule.solid_mm, unit="mm")
        )
    if growth is not None and growth.lung_rads_status is not None:
        found["nodule_status"] = _finding(
            "nodule_status", nodule, Choice(choice=growth.lung_rads_status)
        )
    return found


def _finding(key: str, nodule: NoduleMeasure, value: Value | None) -> Finding:
    return Finding(
        concept=catalogue().concept(key),
        state=State.PRESENT,
        value=value,
        time=nodule.time,
        method=nodule.method,
        evidence=(RecordEvidence(file=nodule.identity.source, record=f"series {nodule.series}"),),
    )


def _wanted(score: str, findings: Mapping[str, Finding]) -> dict[str, Finding]:
    return {key: findings[key] for key in inputs_of(score) if key in findings}


def _level(
    nodule: NoduleMeasure,
    findings: Mapping[str, Finding],
    risks: Mapping[str, Risk],
    growth: Growth | None,
) -> NoduleLevel:
    rule = nodule_levels()
    for sign in rule.signs.values():
        found = findings.get(sign.input)
        if found is not None and found.state is State.PRESENT:
            return _certain(sign.level, sign.en, sign.zh, sign.source, sign.review)
    stable = rule.stable
    days = stable_days(nodule, growth)
    if days is not None:
        return _certain(
            stable.level, stable.en % days, stable.zh % days, stable.source, stable.review
        )
    return _by_model(findings, risks, growth)


def stable_days(nodule: NoduleMeasure, growth: Growth | None) -> int | None:
    """Return the days a solid nodule has been within the error, where they suffice."""
    rule = nodule_levels().stable
    if growth is None or growth.verdict != "within error" or growth.days is None:
        return None
    if nodule.kind != rule.kind:
        return None
    by_volume = growth.volume_change_percent is not None
    needed = rule.days_by_volume if by_volume else rule.days_by_diameter
    return round(needed) if growth.days >= needed else None


def _by_model(
    findings: Mapping[str, Finding], risks: Mapping[str, Risk], growth: Growth | None
) -> NoduleLevel:
    rule = nodule_levels()
    risk = risks[model_of(findings)]
    percent = _percent(risk)
    least, raised = _least(growth)
    if percent is None:
        possible = ORDER[ORDER.index(least) :]
        why = risk.not_assessed or NotAssessed(
            why=Why.MISSING, detail=f"{risk.name} gives no probability"
        )
        return _made(
            None,
            possible,
            f"{raised}{risk.name}: {why.detail}",
            rule.words_zh.refused % risk.name,
            risk=risk,
            not_assessed=why,
        )
    low, high = (max(ORDER.index(rule.level_of(p)), ORDER.index(least)) for p in percent)
    possible = ORDER[low : high + 1]
    ends = dict.fromkeys(f"{p:g}" for p in percent)
    shown = f"{' to '.join(ends)} %"
    steps = ", ".join(f"below {s.below:g} % {rule.levels[s.level].en}"
                      for s in rule.probability.rows[:-1])  # fmt: skip
    last = rule.probability.rows[-2].below
    words = f"{raised}{risk.name}: probability {shown}; {steps}, from {last:g} % malignant."
    words_zh = rule.words_zh.probability % (risk.name, f"{'-'.join(ends)}%")
    level = possible[0] if len(possible) == 1 else None
    return _made(level, possible, words, words_zh, risk=risk, probability=percent)


def model_of(findings: Mapping[str, Finding]) -> str:
    """Return the first model whose input is answered with yes or a value."""
    for row in nodule_levels().models.rows:
        found = findings.get(row.when)
        if not row.when or (found is not None and found.state is State.PRESENT):
            return row.score
    raise ValueError("the last model has no condition")


def _percent(risk: Risk) -> tuple[float, float] | None:
    if risk.not_assessed is not None:
        return None
    if risk.value is not None:
        return risk.value, risk.value
    return risk.range


def _least(growth: Growth | None) -> tuple[Level, str]:
    rule = nodule_levels().growing
    if growth is not None and grew_fast(growth):
        return rule.least, (rule.en % rule.doubling_days) + " "
    return ORDER[0], ""


def grew_fast(growth: Growth) -> bool | None:
    """Return whether it grew beyond the error with a short doubling time; None where not known."""
    if growth.verdict == "not assessed":
        return None
    if growth.verdict != "growth":
        return False
    if growth.doubling_days is None:
        return None
    return growth.doubling_days <= nodule_levels().growing.doubling_days


def _certain(level: Level, en: str, zh: str, source: str, review: str) -> NoduleLevel:
    rule = nodule_levels()
    cited = rule.cite(FILE, source, review)
    return NoduleLevel(
        level=level, possible=(level,), rule=en, rule_zh=zh, note=rule.note.en,
        note_zh=rule.note.zh, source=(cited,),
    )  # fmt: skip


def _made(
    level: Level | None,
    possible: tuple[Level, ...],
    words: str,
    words_zh: str,
    *,
    risk: Risk,
    **more: Any,
) -> NoduleLevel:
    rule = nodule_levels()
    steps = rule.cite(FILE, rule.probability.source, rule.probability.review)
    return NoduleLevel(
        level=level, possible=possible, rule=words, rule_zh=words_zh, model=risk.tool,
        missing=risk.missing, note=rule.note.en, note_zh=rule.note.zh, source=(steps,), **more,
    )  # fmt: skip
