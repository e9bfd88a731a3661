"""The gate and the measurements of a chest film as lines of text."""

from collections.abc import Iterator

from knowledge.finding import State
from tools.imaging.film.model import FilmFacts, FilmGate
from tools.imaging.film.report import APPROXIMATE, FilmReport

_STATES = {State.PRESENT: "present", State.ABSENT: "absent", State.NOT_ASSESSED: "not assessed"}
_NAMES = {
    "lung-fields": "lung fields",
    "cardiothoracic-ratio": "cardiothoracic ratio",
    "ratio-against-limit": "ratio against its limit",
    "signs": "signs",
}


def gate_lines(facts: FilmFacts, gate: FilmGate) -> Iterator[str]:
    """Yield the gate line by line."""
    view = facts.view.upper() if facts.view else "not known"
    age = "not known" if facts.age_years is None else f"{facts.age_years:.0f}"
    yield f"{facts.image.file}: {facts.columns} x {facts.rows} pixels, view {view}, age {age}"
    for item in gate.items:
        by = f" [{item.told}]" if item.state is not State.NOT_ASSESSED else ""
        detail = f": {item.detail}" if item.detail else ""
        yield f"  {item.label}: {_STATES[item.state]}{detail}{by}"
    may = ", ".join(_NAMES[name] for name in gate.may)
    yield f"May be tried: {may or 'nothing'}"
    for name, reason in gate.refused.items():
        yield f"  not {_NAMES[name]}: {reason.detail}"


def report_lines(report: FilmReport) -> Iterator[str]:
    """Yield gate and measurements line by line."""
    yield from gate_lines(report.facts, report.gate)
    for field in report.fields:
        yield (
            f"Lung field {field.side}: {100 * field.area:.1f} % of the picture, rows "
            f"{field.top:.2f} to {field.bottom:.2f} ({APPROXIMATE})"
        )
    ratio = report.ratio
    if ratio is not None:
        yield (
            f"Cardiothoracic ratio about {ratio.ratio:.2f} ({APPROXIMATE}; "
            f"{ratio.spread:.2f} between settings of the outline)"
        )
        if ratio.judged is not None and ratio.limit is not None:
            yield f"  {ratio.judged} {ratio.limit:.2f}, the limit of adults on PA films"
        elif ratio.why_not_judged is not None:
            yield f"  not held against a limit: {ratio.why_not_judged.detail}"
    for name, reason in report.not_assessed.items():
        yield f"{_NAMES[name]}: not assessed: {reason.detail}"
    yield from (f"Note: {text}" for text in report.cautions)
