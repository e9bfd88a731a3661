# ruff: noqa: RUF001
"""The gate and the measurements of a chest film as lines of text."""

from collections.abc import Iterator

from knowledge.film_words import film_saying
from knowledge.finding import State
from knowledge.passages import Language
from tools.imaging.film.model import FilmFacts, FilmGate, GateItem
from tools.imaging.film.report import APPROXIMATE, FilmReport

_ASKED = {
    "not-a-film": ("Radiograph", False),
    "not-human": ("Human", False),
    "not-a-chest": ("Chest", False),
    "colour": ("Colour picture", True),
    "small": ("Enough pixels", False),
    "empty": ("Anything on the picture", False),
    "captured": ("Captured picture, not as the device made it", True),
    "lateral": ("Lateral or oblique view", True),
    "ap": ("AP view", True),
    "bedside": ("Portable or supine", True),
    "child": ("Adult", False),
    "stored-inverted": ("Stored inverted", True),
    "inverted": ("Light and dark exchanged", True),
    "windows": ("Several windows", True),
    "saturated": ("Grey values lost at an end of the scale", True),
    "no-scale": ("Pixel spacing stated", False),
    "turned": ("Turned or mirrored", True),
    "text-in-picture": ("Text about the patient in the picture", True),
    "cut-off": ("Lung field cut off by the edge", True),
    "rotation": ("Patient rotated", True),
    "inspiration": ("Shallow inspiration", True),
}
"""By id of the item: what is asked, and whether yes is the defect."""

_NAMES = {
    "lung-fields": "lung fields",
    "cardiothoracic-ratio": "cardiothoracic ratio",
    "ratio-against-limit": "ratio against its limit",
    "signs": "signs",
}


def gate_lines(facts: FilmFacts, gate: FilmGate, language: Language = "en") -> Iterator[str]:
    """Yield the gate line by line, in English or Chinese."""
    say = film_saying(language)
    unknown = say("not known")
    view = facts.view.upper() if facts.view else unknown
    age = unknown if facts.age_years is None else f"{facts.age_years:.0f}"
    yield say(f"{facts.image.file}: {facts.columns} x {facts.rows} pixels, view {view}, age {age}")
    for item in gate.items:
        yield f"  {_answered(item, language)}"
    may = (", " if language == "en" else "、").join(say(_NAMES[name]) for name in gate.may)
    yield say(f"May be tried: {may or say('nothing')}")
    for name, reason in gate.refused.items():
        yield f"  {say(f'Refused: {_NAMES[name]} ({reason.detail})')}"


def _answered(item: GateItem, language: Language) -> str:
    """Return what is asked, the answer, and who says so and why."""
    say = film_saying(language)
    asked, yes_is_defect = _ASKED[item.id]
    if item.state is State.NOT_ASSESSED:
        answer, reasons = "not known", [item.detail]
    else:
        answer = "yes" if (item.state is State.PRESENT) == yes_is_defect else "no"
        reasons = ["" if item.told == "nobody" else item.told, item.detail]
    colon, left, right = (": ", " (", ")") if language == "en" else ("：", "（", "）")
    reason = colon.join(say(part) for part in reasons if part)
    told = f"{say(asked)}{colon}{say(answer)}"
    return f"{told}{left}{reason}{right}" if reason else told


def report_lines(report: FilmReport, language: Language = "en") -> Iterator[str]:
    """Yield gate and measurements line by line, in English or Chinese."""
    say = film_saying(language)
    yield from gate_lines(report.facts, report.gate, language)
    for field in report.fields:
        yield say(
            f"Lung field {field.side}: {100 * field.area:.1f} % of the picture, rows "
            f"{field.top:.2f} to {field.bottom:.2f} ({APPROXIMATE})"
        )
    ratio = report.ratio
    if ratio is not None:
        yield say(
            f"Cardiothoracic ratio about {ratio.ratio:.2f} ({APPROXIMATE}; "
            f"{ratio.spread:.2f} between settings of the outline)"
        )
        if ratio.judged is not None and ratio.limit is not None:
            limit = f"{ratio.judged} {ratio.limit:.2f}, the limit of adults on PA films"
            yield f"  {say(limit)}"
        elif ratio.why_not_judged is not None:
            yield f"  {say(f'not held against a limit: {ratio.why_not_judged.detail}')}"
    for name, reason in report.not_assessed.items():
        yield say(f"{_NAMES[name]}: not assessed: {reason.detail}")
    yield from (say(f"Note: {text}") for text in report.cautions)
