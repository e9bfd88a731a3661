"""The measurements of a CT series as lines of text."""

from collections.abc import Iterator

from knowledge.nodule_levels import nodule_levels
from knowledge.risk import Risk
from tools.imaging.ct.growth import Growth
from tools.imaging.ct.nodule import NoduleMeasure
from tools.imaging.ct.nodule_level import NoduleLevel
from tools.imaging.ct.report import CtReport, NoduleResult


def lines(found: CtReport) -> Iterator[str]:
    """Yield the report line by line."""
    s = found.series
    spacing = " x ".join(f"{v:.3g}" for v in s.spacing_mm)
    name = s.series or "(no UID)"
    yield f"Series {name} {s.description}: {s.shape[0]} slices, voxels {spacing} mm"
    yield (
        f"  kernel {s.kernel or 'not stated'} ({s.kernel_kind}), "
        f"slices of {'?' if s.thickness_mm is None else format(s.thickness_mm, 'g')} mm, "
        f"{'?' if s.kvp is None else format(s.kvp, 'g')} kVp"
    )
    if found.lungs is not None:
        lung = found.lungs
        yield (
            f"Lungs {lung.volume_ml:.0f} mL (right {lung.right_ml:.0f}, left {lung.left_ml:.0f}); "
            f"LAA-950 {lung.laa_950_percent:g} %, Perc15 {lung.perc15_hu:.0f} HU; {lung.basis}"
        )
        yield from (f"  note: {text}" for text in lung.cautions)
    for number, nodule in enumerate(found.nodules, 1):
        yield from _nodule(number, nodule)
    if found.agatston is not None:
        a = found.agatston
        yield f"Agatston {a.score:g} ({a.lesions} lesions, {a.calcium_mm3:g} mm3); mask {a.mask_of}"
    if found.aorta is not None:
        wide = found.aorta.largest
        yield (
            f"Aorta: largest {wide.long_mm:g} x {wide.short_mm:g} mm at {wide.at_mm:g} mm of "
            f"{found.aorta.length_mm:g}; mask {found.aorta.mask_of}"
        )
    for name, reason in found.not_assessed.items():
        yield f"{name}: not assessed: {reason.detail}"
    yield from (f"Note: {text}" for text in found.cautions)


def _nodule(number: int, found: NoduleResult) -> Iterator[str]:
    if found.measure is not None:
        yield from _measure(number, found.measure)
    if found.growth is not None:
        yield from _growth(found.growth)
    for name, reason in found.not_assessed.items():
        yield f"Nodule {number}: {name} not assessed: {reason.detail}"
    if found.management is not None:
        yield from (f"  {_risk(risk)}" for risk in found.management.risks)
        yield from _level(found.management.level)


def _measure(number: int, m: NoduleMeasure) -> Iterator[str]:
    volume = "" if m.volume_mm3 is None else f", {m.volume_mm3:.0f} mm3"
    kind = "" if m.kind is None else f", {m.kind}"
    if m.kind == "part-solid" and m.solid_mm is not None:
        kind += f" (solid part {m.solid_mm:g} mm)"
    at = ", ".join(f"{v:g}" for v in m.centre_lps)
    yield (
        f"Nodule {number} at {at}: {m.long_mm:g} x {m.short_mm:g} mm, mean {m.mean_mm:g} mm"
        f"{volume}{kind}"
    )
    for name, reason in m.not_assessed.items():
        yield f"  {name} not assessed: {reason.detail}"
    yield from (f"  note: {text}" for text in m.flags)


def _growth(g: Growth) -> Iterator[str]:
    days = "" if g.days is None else f" in {g.days:.0f} days"
    yield f"  Against the earlier CT{days}: {g.verdict} ({g.because})"
    if g.doubling_days is not None and g.doubling_range is not None:
        high = g.doubling_range[1]
        upper = f"to {high:.0f}" if high is not None else "and more"
        word = "doubling" if g.verdict == "growth" else "halving"
        yield f"  {word} time {g.doubling_days:.0f} days ({g.doubling_range[0]:.0f} {upper})"


def _risk(risk: Risk) -> str:
    if risk.not_assessed is not None:
        return f"{risk.name}: not assessed: {risk.not_assessed.detail}"
    number = ""
    if risk.value is not None:
        number = f" {risk.value:g} {risk.unit}"
    elif risk.range is not None:
        number = f" {risk.range[0]:g} to {risk.range[1]:g} {risk.unit}"
    missing = "; not known: " + ", ".join(m.label for m in risk.missing) if risk.missing else ""
    return f"{risk.name}:{number} {risk.category}. {risk.statement or ''}{missing}".rstrip()


def _level(level: NoduleLevel) -> Iterator[str]:
    words = nodule_levels().levels
    if level.level is not None:
        yield f"  Suggested level: {words[level.level].en}. {level.rule}"
    else:
        possible = ", ".join(words[one].en for one in level.possible)
        yield f"  Suggested level: not determined ({possible}). {level.rule}"
    yield f"  {level.note}"
