"""One thing that a pattern looks at: its answer, in words, or why it is not known."""

from dataclasses import dataclass

from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.interference import interferences
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_patterns import FactRow, pattern_words
from knowledge.laboratory_tests import laboratory_tests
from knowledge.laboratory_words import laboratory_told
from knowledge.quantity import Interval, format_number
from knowledge.rules import Answer
from knowledge.scores import score
from knowledge.shown import unit_shown
from knowledge.words import Words
from tools.labs.paired_result import is_not_comparable

_DIGITS = 4
"""Significant digits of a number with decimals that is shown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fact:
    """What is known of one thing.

    Args:
        name: Its name in the pattern's file.
        label: Name to show.
        reads: Keys of analytes and clinical inputs that make it known.
        answer: What it says to a condition; None where it is not known.
        words: The answer, or why there is none.
        why: The reason; given exactly where the answer is None.
        findings: What it was read from.
        caveats: What must be read with it.
    """

    name: str
    label: Words
    reads: tuple[str, ...]
    answer: Answer
    words: Words
    why: NotAssessed | None = None
    findings: tuple[Finding, ...] = ()
    caveats: tuple[Words, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether it is one answer: no interval of numbers and no set of words."""
        if isinstance(self.answer, frozenset):
            return len(self.answer) == 1
        return self.answer is not None and (
            not isinstance(self.answer, Interval) or self.answer.is_exact
        )


def unknown(
    name: str,
    label: Words,
    reads: tuple[str, ...],
    why: NotAssessed,
    *,
    findings: tuple[Finding, ...] = (),
    caveats: tuple[Words, ...] = (),
) -> Fact:
    """Return a fact that is not known, with the reason."""
    return Fact(
        name=name,
        label=label,
        reads=reads,
        answer=None,
        words=reason_words(why),
        why=why,
        findings=findings,
        caveats=caveats,
    )


def phrase(key: str, **parts: Words | str) -> Words:
    """Return one of the shared sentences, filled."""
    return pattern_words().phrases[key].filled(**parts)


def reason_words(why: NotAssessed) -> Words:
    """Return a reason in both languages; the English one in full, the Chinese one by its kind."""
    kind = "not-comparable" if is_not_comparable(why) else why.why.value
    return Words(en=why.detail, zh=pattern_words().phrases[f"why_{kind}"].zh)


def censored(words: Words) -> NotAssessed:
    """Return the reason of a fact that is known only within bounds."""
    return NotAssessed(why=Why.CENSORED, detail=f"known only within bounds: {words.en}")


def test_label(key: str) -> Words:
    """Return the name of an analyte, a worded test or a clinical input."""
    table = laboratory_tests()
    if key in table.tests:
        return Words(en=analytes().analytes[key].label, zh=table.tests[key].chinese)
    if key in table.worded:
        return Words(en=table.worded[key].label, zh=table.worded[key].chinese)
    return input_label(key)


def input_label(input_id: str) -> Words:
    """Return the name of a clinical input; the English one twice where no Chinese one is held."""
    english = catalogue().get(input_id).label
    return Words(en=english, zh=pattern_words().inputs.get(input_id, english))


def label_of(row: FactRow) -> Words:
    """Return the name of a fact."""
    if row.label is not None:
        return row.label
    if row.analyte is not None:
        return phrase(f"label_{row.read}", of=test_label(row.analyte), hours=_hours(row))
    if row.clinical is not None:
        return input_label(row.clinical)
    held = pattern_words()
    if row.index is not None:
        return Words(en=laboratory_indices().indices[row.index].name, zh=held.indices[row.index])
    if row.score is not None:
        return Words(en=score(row.score).name, zh=held.scores[row.score])
    english = interferences().interferences[row.interference or ""].label
    return phrase(
        "label_interference",
        of=test_label(row.on or ""),
        what=Words(en=english, zh=held.interferences[row.interference or ""]),
    )


def number_words(value: Interval, unit: str) -> Words:
    """Return a number or interval with its unit."""
    rounded = Interval(
        low=_rounded(value.low),
        high=_rounded(value.high),
        low_closed=value.low_closed,
        high_closed=value.high_closed,
    )
    text = f"{rounded} {unit_shown(unit)}".rstrip()
    return Words(en=text, zh=laboratory_told()(text))


def _rounded(number: float | None) -> float | None:
    if number is None or number == int(number):
        return number
    digits = max(_DIGITS, len(str(abs(int(number)))))
    return float(f"{number:.{digits}g}")


def _hours(row: FactRow) -> str:
    if row.days_apart is not None:
        return format_number(row.days_apart)
    return format_number(row.within_hours or 0)
