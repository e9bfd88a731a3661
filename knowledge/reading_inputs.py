"""What a signed structured reading answers of the clinical inputs, as data."""

from functools import cache
from typing import Self

from pydantic import Field, model_validator

from knowledge.clinical_inputs import catalogue
from knowledge.errors import InputError
from knowledge.model import Frozen
from knowledge.reading_form import reading_form
from knowledge.reading_items import Item
from knowledge.reference import Table, load
from knowledge.rules import Condition
from knowledge.words import Words

STUDY, FORM = "study ", "form "
"""Begin what a finding of a reading is derived from: the study that was read, and its form."""
_STATES = frozenset({"present", "absent"})


class ReadingInput(Frozen):
    """One question that one form may answer.

    Args:
        form: Of `readings/`.
        input: Id in the catalogue of clinical inputs, answered with yes or no.
        present_when, absent_when: Over items of the form; None where it never answers so.
        withdrawn_when: When it takes back what an earlier examination stated, also where it does
            not answer "absent" itself; None for never.
        otherwise: Why it does not answer where the reader has stated the items.
        max_age_hours: An older examination does not answer; None for no limit.
    """

    form: str
    input: str
    present_when: Condition | None = None
    absent_when: Condition | None = None
    withdrawn_when: Condition | None = None
    otherwise: Words
    max_age_hours: float | None = Field(gt=0)
    source: str
    review: str

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions there are."""
        every = (self.present_when, self.absent_when, self.withdrawn_when)
        return tuple(c for c in every if c is not None)

    @property
    def items(self) -> tuple[str, ...]:
        """The items of the form that it reads, in the order written."""
        return tuple(dict.fromkeys(name for c in self.conditions for name in c.inputs()))

    @model_validator(mode="after")
    def _both_exist(self) -> Self:
        try:
            asked, form = catalogue().get(self.input), reading_form(self.form)
        except InputError as error:
            raise ValueError(str(error)) from error
        if asked.kind != "boolean":
            raise ValueError(f"{self.input} is not answered with yes or no")
        if not self.conditions:
            raise ValueError(f"{self.form} never answers {self.input}")
        for leaf in (leaf for c in self.conditions for leaf in c.leaves()):
            _check(leaf, form.items.get(leaf.input or ""), self.form)
        limit = asked.condition.max_age_hours if asked.condition is not None else None
        if limit is not None and limit != self.max_age_hours:
            raise ValueError(f"{self.input}: {limit:g} h is the limit of its chart conditions")
        return self


class ForAPerson(Frozen):
    """When a form states a finding that no row reads and that a person reads first.

    Args:
        form: Of `readings/`.
        when: Over items of the form.
    """

    form: str
    when: Condition
    source: str
    review: str

    @model_validator(mode="after")
    def _items_exist(self) -> Self:
        form = reading_form(self.form)
        for leaf in self.when.leaves():
            _check(leaf, form.items.get(leaf.input or ""), self.form)
        return self


class WithoutOnset(Frozen):
    """What counts where it is not known when the pain began.

    Args:
        absent_within_hours: An older examination does not answer "absent" to a question that has
            a limit of age.
    """

    absent_within_hours: float = Field(gt=0)
    source: str
    review: str


class ReadingInputs(Table):
    """The whole file.

    Args:
        without_onset: What "absent" counts where it is not known when the pain began.
        for_a_person: Findings that a person reads first.
        rows: One for each form and question.
    """

    without_onset: WithoutOnset
    for_a_person: tuple[ForAPerson, ...]
    rows: tuple[ReadingInput, ...]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        pairs = [(row.form, row.input) for row in self.rows]
        if len(set(pairs)) != len(pairs):
            raise ValueError("a form answers an input by one row")
        used = [*(row.source for row in self.rows), *(row.source for row in self.for_a_person)]
        for source in used:
            if source not in self.sources:
                raise ValueError(f"no such source: {source}")
        for row in self.rows:
            if row.max_age_hours != self.limit(row.input):
                raise ValueError(f"{row.input} has two limits of age")
        return self

    def of(self, form: str) -> tuple[ReadingInput, ...]:
        """Return the rows of a form."""
        return tuple(row for row in self.rows if row.form == form)

    def limit(self, input_id: str) -> float | None:
        """Return how old an examination may be that answers an input, h; None for no limit."""
        return next((r.max_age_hours for r in self.rows if r.input == input_id), None)


def _check(leaf: Condition, item: Item | None, form: str) -> None:
    if item is None:
        raise ValueError(f"form {form} has no item {leaf.input!r}")
    if leaf.is_ is None:
        return
    asked = {leaf.is_} if isinstance(leaf.is_, str) else set(leaf.is_)
    known = set(item.answers) if item.kind == "choice" else _STATES
    if asked - known:
        raise ValueError(f"form {form}, {item.id}: no answer {', '.join(sorted(asked - known))}")


@cache
def reading_inputs() -> ReadingInputs:
    """Return the table.

    Examples:
        >>> [row.input for row in reading_inputs().of("coronary_cad_rads")]
        ['coronary_stenosis_50']
    """
    return load("reading_inputs", ReadingInputs)
