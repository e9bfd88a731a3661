"""T waves by region and by shape: the inversion map, Wellens, tall T against the QRS.

All of them are refused behind left bundle branch block and pacing, where T is secondary.
"""

from itertools import combinations

from knowledge.ecg_accuracy import ecg_accuracy
from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call, all_sets
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.q_map import is_pathological
from tools.ecg.patterns.rule import in_all, in_contiguous, no_call
from tools.ecg.patterns.shape import TShape, t_shape
from tools.ecg.reading import Reading, depth_mv, mm, st_mv
from tools.ecg.verdict import Verdict, unknown

IF_FREE_OF_PAIN = "if-free-of-pain"


def t_error_mv() -> float:
    """Return our mean error of a T amplitude, mV."""
    return ecg_accuracy()["t_amplitude"].value / 1000  # the table states uV


def t_map(reading: Reading) -> dict[str, Verdict]:
    """Return for each region, by its code, whether two of its leads show an inverted T wave.

    Deeper than the limit of `t_inversion`, whatever the R wave; the basis names each depth. Unlike
    `t-inversion` this is a description and no criterion: V1 and III are often inverted.
    """
    regions = reading.criteria.t_map.regions
    return {f"t-inversion-{name}": _region(reading, leads) for name, leads in regions.items()}


def wellens(reading: Reading, rbbb: Verdict) -> Verdict:
    """Return whether V2 and V3 both show a Wellens T wave: biphasic (A) or deeply inverted (B).

    ST below the limit, R preserved, no pathological Q. The pattern means what it is known for only
    in a patient who had pain, is free of it now, and has little or no troponin rise; the ECG
    cannot know. A right bundle branch block inverts T in these leads by itself.
    """
    rule = reading.criteria.wellens

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        shape = t_shape(reading, lead)
        if isinstance(shape, NotAssessed):
            return no_call(lead, shape)
        kind = _wellens_kind(reading, shape, shift_mv)
        quiet = abs(st_mv(lead)) < rule.st_below_mv
        kept = lead.r_mv >= rule.r_visible.from_mv and not is_pathological(reading, lead)
        text = (
            f"{lead.lead} T {mm(shape.positive_mv)}/{mm(shape.negative_mv)}"
            f"{f' (type {kind})' if kind else ''}, ST {mm(st_mv(lead))}, R {mm(lead.r_mv)}"
        )
        margin = -shape.negative_mv - rule.biphasic.from_mv - shift_mv
        holds = bool(kind) and quiet and kept
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=margin)

    found = in_all(reading, rule.leads, call, row="wellens", margin_mv=t_error_mv())
    if found.holds is not True:
        return found
    if rbbb.holds is not False:
        detail = f"{found.basis}: right bundle branch block may cause it by itself"
        return unknown(Why.CONFLICTING, detail, leads=found.leads, rows=found.rows)
    return found.flagged(IF_FREE_OF_PAIN)


def t_over_qrs(reading: Reading) -> Verdict:
    """Return whether contiguous leads show an upright T at least as tall as the whole QRS.

    A possible hyperacute T wave: no agreed limit exists. Potassium, low voltage and a normal
    variant do the same; the ECG is repeated in short steps.
    """
    rule = reading.criteria.t_over_qrs

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        if lead.t_mv is None:
            why = NotAssessed(why=Why.MISSING, detail=f"no T wave found in {lead.lead}")
            return no_call(lead, why)
        height = lead.r_mv + depth_mv(lead)
        ratio = lead.t_mv / height if height > 0 else 0.0
        limit = rule.from_ratio * height + shift_mv
        text = f"{lead.lead} T {mm(lead.t_mv)}, QRS {height * 10:.1f} mm, T/QRS {ratio:.2f}"
        holds = height > 0 and lead.t_mv >= limit
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=lead.t_mv - limit)

    sets = all_sets(reading.criteria.st_elevation, rule.leads)
    return in_contiguous(
        reading, rule.leads, call, sets=sets, row="t_over_qrs", margin_mv=t_error_mv()
    )


def grade(reading: Reading, t_mv: float) -> str:
    """Return the depth of an inverted T wave in words (AHA/ACCF/HRS 2009, part IV)."""
    rule = reading.criteria.t_map
    if -t_mv > rule.giant_from_mv:
        return "giant"
    return "deep" if -t_mv >= rule.deep_from_mv else "inverted"


def _region(reading: Reading, leads: tuple[str, ...]) -> Verdict:
    rule, limit = reading.criteria.t_map, reading.criteria.t_inversion.above_mv

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        if lead.t_mv is None:
            why = NotAssessed(why=Why.MISSING, detail=f"no T wave found in {lead.lead}")
            return no_call(lead, why)
        holds = -lead.t_mv > limit + shift_mv
        text = f"{lead.lead} T {mm(lead.t_mv)}" + (f" ({grade(reading, lead.t_mv)})" * holds)
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=-lead.t_mv - limit)

    sets = tuple(combinations(leads, rule.leads_needed.count))
    return in_contiguous(reading, leads, call, sets=sets, row="t_map", margin_mv=t_error_mv())


def _wellens_kind(reading: Reading, shape: TShape, shift_mv: float) -> str:
    """Return ``A``, ``B`` or nothing."""
    rule = reading.criteria.wellens
    both = rule.biphasic.from_mv + shift_mv
    upright = shape.positive_mv >= both
    if upright and shape.positive_first and -shape.negative_mv >= both:
        return "A"
    deep = -shape.negative_mv >= rule.deep.from_mv + shift_mv
    return "B" if deep and not upright else ""
