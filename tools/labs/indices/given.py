"""What is known of the inputs of an index: values, what is missing, what is refused."""

from collections.abc import Mapping
from itertools import product

from knowledge.finding import NotAssessed, Why
from knowledge.index import IndexInput
from knowledge.laboratory_indices import IndexInputRow, IndexRow
from knowledge.model import Frozen
from knowledge.quantity import Interval, Operator
from knowledge.risk import MissingInput
from knowledge.units import not_below

Given = Interval | NotAssessed | None
"""What is known of a measured input; None is missing."""
Choice = str | bool | None
"""What is known of an input with a closed set of answers; None is missing."""


class Inputs(Frozen):
    """Everything known of the inputs of one index.

    Args:
        row: The index.
        given: Every measured input of the row, in its unit.
        options: Every option of the row.
        not_needed: Inputs that cannot change the result, given the others.
    """

    row: IndexRow
    given: Mapping[str, Given]
    options: Mapping[str, Choice]
    not_needed: tuple[str, ...] = ()

    @property
    def known(self) -> dict[str, Interval]:
        """An interval for every input that has one; no amount is below zero."""
        found: dict[str, Interval] = {}
        for key, spec in self.row.inputs.items():
            value = self.given[key]
            if isinstance(value, Interval):
                found[key] = value if value.low is not None else not_below(value, 0.0) or value
            elif spec.completion is not None:
                found[key] = spec.completion
        return found

    @property
    def all_numbers(self) -> bool:
        """Whether every input that is needed is one number or one answer."""
        if self.missing:
            return False
        values = (self.given[key] for key in self.row.inputs if key not in self.not_needed)
        return all(isinstance(value, Interval) and value.is_exact for value in values)

    @property
    def missing(self) -> tuple[MissingInput, ...]:
        """What is not assessed and needed, with how to give it."""
        measured = [
            _missing_input(key, spec, self.given[key])
            for key, spec in self.row.inputs.items()
            if not isinstance(self.given[key], Interval) and key not in self.not_needed
        ]
        chosen = [
            MissingInput(
                input=key,
                label=option.label,
                reason=NotAssessed(why=Why.MISSING, detail=f"{option.label} is not given"),
                question=option.question,
                how="one of " + ", ".join(option.choices),
            )
            for key, option in self.row.options.items()
            if self.options[key] is None and key not in self.not_needed
        ]
        return (*measured, *chosen)

    @property
    def refusal(self) -> NotAssessed | None:
        """Why nothing can be said: not held here, outside the contract, or an input missing."""
        if self.row.not_available:
            return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=self.row.not_available)
        known = self.known
        for key, spec in self.row.inputs.items():
            refused = _below_zero(spec, known[key]) if key in known else None
            refused = refused or (_outside(spec, known[key]) if key in known else None)
            if refused is not None:
                return refused
        unknown = [
            m.label for m in self.missing if m.input in self.row.inputs and m.input not in known
        ]
        if unknown:
            return NotAssessed(why=Why.MISSING, detail=f"missing: {', '.join(unknown)}")
        return None

    @property
    def shown(self) -> tuple[IndexInput, ...]:
        """Each input in words."""
        measured = [
            IndexInput(input=key, label=spec.label, words=self._words(key, spec))
            for key, spec in self.row.inputs.items()
        ]
        chosen = [
            IndexInput(
                input=key, label=option.label, words=_word(self.options[key]) or "not assessed"
            )
            for key, option in self.row.options.items()
        ]
        return (*measured, *chosen)

    def answers(self) -> list[dict[str, str]]:
        """Return every combination of answers that is possible.

        Raises:
            ValueError: An answer is none of the choices.
        """
        possible: list[tuple[str, ...]] = []
        for key, option in self.row.options.items():
            word = _word(self.options[key])
            if word is not None and word not in option.choices:
                raise ValueError(f"{key}: {word!r} is none of {', '.join(option.choices)}")
            possible.append(option.choices if word is None else (word,))
        return [dict(zip(self.row.options, chosen, strict=True)) for chosen in product(*possible)]

    def _words(self, key: str, spec: IndexInputRow) -> str:
        value = self.given[key]
        if isinstance(value, Interval):
            return _in_words(spec, value)
        if key in self.not_needed:
            return "not needed here"
        return f"not assessed: {value.detail if value else 'not given'}"


def is_yes(choice: Choice) -> bool:
    """Return whether an answer to a yes-or-no question is yes; a missing one is not."""
    return _word(choice) == "yes"


def _missing_input(key: str, spec: IndexInputRow, value: Given) -> MissingInput:
    reason = NotAssessed(why=Why.MISSING, detail=f"{spec.label} is not given")
    return MissingInput(
        input=key,
        label=spec.label,
        reason=value if isinstance(value, NotAssessed) else reason,
        question=spec.question,
        how=f"a number in {spec.unit}" if spec.unit != "1" else "a number",
    )


def _below_zero(spec: IndexInputRow, value: Interval) -> NotAssessed | None:
    """Return why an amount is impossible; every input of an index is one."""
    if value.compare("ge", 0):
        return None
    detail = f"value impossible: {spec.label} {_in_words(spec, value)} is below zero"
    return NotAssessed(why=Why.VALUE_IMPOSSIBLE, detail=detail)


def _outside(spec: IndexInputRow, value: Interval) -> NotAssessed | None:
    """Return why a value is outside the contract, or not known to be inside."""
    tests: tuple[tuple[Operator, float | None], ...] = (
        ("ge", spec.at_least),
        ("gt", spec.above),
        ("le", spec.at_most),
        ("lt", spec.below),
    )
    truth = [value.compare(operator, limit) for operator, limit in tests if limit is not None]
    if all(truth):
        return None
    sure = "outside the contract" if False in truth else "not known to be inside the contract"
    detail = f"{sure}: {spec.because} ({spec.label} {_in_words(spec, value)})"
    return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)


def _in_words(spec: IndexInputRow, value: Interval) -> str:
    return f"{value} {spec.unit}" if spec.unit != "1" else str(value)


def _word(value: Choice) -> str | None:
    return ("yes" if value else "no") if isinstance(value, bool) else value
