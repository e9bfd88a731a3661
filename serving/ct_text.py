"""The measurements of a CT series as lines of text, in English or Chinese."""

from collections.abc import Callable, Iterator, Mapping

from knowledge.clinical_inputs import catalogue
from knowledge.ct_words import ct_saying
from knowledge.finding import NotAssessed
from knowledge.nodule_levels import nodule_levels
from knowledge.reading_form import reading_form
from knowledge.risk import NOT_DETERMINED, MissingInput, Risk
from knowledge.words import Language
from tools.imaging.ct.growth import Growth
from tools.imaging.ct.marked import NoduleResult
from tools.imaging.ct.nodule import NoduleMeasure
from tools.imaging.ct.nodule_level import NoduleLevel
from tools.imaging.ct.report import CtReport

Say = Callable[[str], str]
_TABLES: Mapping[str, str] = {"fleischner_2017": "fleischner", "lung_rads_2022": "lung_rads"}


def lines(found: CtReport, lang: Language = "en") -> Iterator[str]:
    """Yield the report line by line.

    Args:
        found: The measurements.
        lang: Of the words; what a header or a file says stays as it is.
    """
    say = ct_saying(lang)
    yield from _series(found, say)
    if found.lungs is not None:
        lung = found.lungs
        yield (
            f"{say('Lungs')} {lung.volume_ml:.0f} mL ({say('right')} {lung.right_ml:.0f}, "
            f"{say('left')} {lung.left_ml:.0f}); LAA-950 {lung.laa_950_percent:g} %, "
            f"Perc15 {lung.perc15_hu:.0f} HU; {lung.basis}"
        )
        yield from (f"  {say('note')}: {text}" for text in lung.cautions)
    for number, nodule in enumerate(found.nodules, 1):
        yield from _nodule(number, nodule, lang)
    if found.agatston is not None:
        a = found.agatston
        yield (
            f"{say('Agatston score')} {a.score:g} ({a.lesions} {say('lesions')}, "
            f"{a.calcium_mm3:g} mm3); {say('mask')} {a.mask_of}; "
            f"{say('voxels from 130 HU on outside of it, not counted')}: {a.outside}"
        )
    if found.aorta is not None:
        wide = found.aorta.largest
        yield (
            f"{say('Aorta')}: {say('largest')} {wide.long_mm:g} x {wide.short_mm:g} mm, "
            f"{wide.at_mm:g} / {found.aorta.length_mm:g} mm; {say('mask')} {found.aorta.mask_of}"
        )
    for name, reason in found.not_assessed.items():
        yield _gap(say(name), reason, say)
    yield from (f"{say('Note')}: {text}" for text in found.cautions)


def _series(found: CtReport, say: Say) -> Iterator[str]:
    s = found.series
    spacing = " x ".join(f"{v:.3g}" for v in s.spacing_mm)
    name = s.series or f"({say('no UID')})"
    yield f"{say('Series')} {name} {s.description}: {s.shape[0]} {say('slices')}, {spacing} mm"
    thickness = say("not stated") if s.thickness_mm is None else f"{s.thickness_mm:g} mm"
    voltage = say("not stated") if s.kvp is None else f"{s.kvp:g} kVp"
    yield (
        f"  {say('kernel')} {s.kernel or say('not stated')} ({say(s.kernel_kind)}), "
        f"{say('slice thickness')} {thickness}, {say('tube voltage')} {voltage}"
    )


def _gap(name: str, reason: NotAssessed, say: Say) -> str:
    return f"{name}: {say('not assessed')}: {reason.detail}"


def _nodule(number: int, found: NoduleResult, lang: Language) -> Iterator[str]:
    say = ct_saying(lang)
    name = f"{say('Nodule')} {number}"
    if found.same_as is not None:
        yield f"{name}: {say('the same lesion as nodule')} {found.same_as}; {say('counted once')}"
        return
    if found.measure is not None:
        yield from _measure(name, found.measure, say)
    if found.growth is not None:
        yield from _growth(found.growth, say)
    for what, reason in found.not_assessed.items():
        yield _gap(name if what == "nodule" else f"{name}, {say(what)}", reason, say)
    if found.management is not None:
        yield from (f"  {_risk(risk, lang)}" for risk in found.management.risks)
        yield from _level(found.management.level, lang)


def _measure(name: str, m: NoduleMeasure, say: Say) -> Iterator[str]:
    volume = "" if m.volume_mm3 is None else f", {m.volume_mm3:.0f} mm3"
    kind = "" if m.kind is None else f", {say(m.kind)}"
    if m.kind == "part-solid" and m.solid_mm is not None:
        kind += f" ({say('solid part')} {m.solid_mm:g} mm)"
    at = ", ".join(f"{v:g}" for v in m.centre_lps)
    yield (
        f"{name} {say('at')} {at}: {m.long_mm:g} x {m.short_mm:g} mm, {say('mean')} "
        f"{m.mean_mm:g} mm{volume}{kind}"
    )
    for what, reason in m.not_assessed.items():
        yield "  " + _gap(say(what), reason, say)
    yield from (f"  {say('note')}: {text}" for text in m.flags)


def _growth(g: Growth, say: Say) -> Iterator[str]:
    days = "" if g.days is None else f", {g.days:.0f} {say('days')}"
    yield f"  {say('Against the earlier CT')}{days}: {say(g.verdict)} ({g.because})"
    if g.doubling_days is not None and g.doubling_range is not None:
        high = g.doubling_range[1]
        upper = f"{say('to')} {high:.0f}" if high is not None else say("and more")
        word = say("doubling time") if g.verdict == "growth" else say("halving time")
        low = f"{g.doubling_range[0]:.0f}"
        yield f"  {word} {g.doubling_days:.0f} {say('days')} ({low} {upper})"
    yield from (f"  {say('note')}: {text}" for text in g.cautions)


def _risk(risk: Risk, lang: Language) -> str:
    """Return one guideline or model in one line: what follows, or what may, and what is missing."""
    say = ct_saying(lang)
    if risk.not_assessed is not None:
        return _gap(risk.name, risk.not_assessed, say)
    number = ""
    if risk.value is not None:
        number = f"{risk.value:g} {risk.unit}"
    elif risk.range is not None:
        number = f"{risk.range[0]:g} {say('to')} {risk.range[1]:g} {risk.unit}"
    words = number.strip()
    if risk.tool in _TABLES:
        words = f" {say('or')} ".join(_band(risk, band.name, lang) for band in risk.bands)
        if risk.category != NOT_DETERMINED:
            words = _band(risk, risk.category, lang)
    undecided = f"{say(NOT_DETERMINED)}: " if risk.category == NOT_DETERMINED else ""
    return f"{risk.name}: {undecided}{words}{_missing(risk.missing, lang)}"


def _band(risk: Risk, name: str, lang: Language) -> str:
    table = reading_form("ct_nodules").table(_TABLES[risk.tool])
    return table.category(name).label.read(lang)


def _missing(missing: tuple[MissingInput, ...], lang: Language) -> str:
    if not missing:
        return ""
    say, every = ct_saying(lang), catalogue().every
    names = [
        (every[one.input].label_zh or one.label)
        if lang == "zh" and one.input in every
        else one.label
        for one in missing
    ]
    return f"; {say('not known')}: " + "; ".join(names)


def _level(level: NoduleLevel, lang: Language) -> Iterator[str]:
    say, words = ct_saying(lang), nodule_levels().levels
    named = (level.level,) if level.level is not None else level.possible
    shown = f" {say('or')} ".join(words[o].zh if lang == "zh" else words[o].en for o in named)
    undecided = "" if level.level is not None else f"{say(NOT_DETERMINED)}: "
    rule = level.rule_zh if lang == "zh" else level.rule
    yield f"  {say('Suggested level')}: {undecided}{shown}. {rule}"
    yield f"  {level.note_zh if lang == 'zh' else level.note}"
