"""What a run is asked to do, and what it may use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from agent.assess import Outcome, assess_case, extra_calls, next_calls
from agent.ledger import Entry, Ledger, Wanted
from agent.llm.budget import Budgeted, Spent
from agent.llm.seam import LLM, Urgency
from agent.router_planner.planner import Router
from knowledge.clinical_time import ClinicalTime
from knowledge.model import Frozen
from knowledge.passages import Language, Searcher
from knowledge.settings import Settings
from tools.intake.folder import read_case
from tools.intake.given import GivenAnswer
from tools.intake.result import CaseFiles

SIGN_OFF = Literal["wait", "later"]


class Budget(Frozen):
    """The most one run may spend; what the pathway requires is never cut.

    Args:
        llm_calls: Calls to the model.
        llm_tokens: Tokens of prompts and replies together.
        llm_seconds: Wall time of all calls to the model, s.
        extra_tools: Tool calls beyond the pathway that the model may ask for.
        tool_seconds: Wall time of one tool call, s; a tool that takes longer is "not assessed".
        steps: Steps of the graph.
    """

    llm_calls: PositiveInt = 12
    llm_tokens: PositiveInt = 40_000
    llm_seconds: PositiveFloat = 300.0
    extra_tools: NonNegativeInt = 8
    tool_seconds: PositiveFloat = 120.0
    steps: PositiveInt = 60


class RunRequest(Frozen):
    """One case to assess; the same request gives the same deterministic result.

    Args:
        paths: Folders and files of one patient.
        at: Moment of assessment; else the one the case states, else `now`.
        now: The current moment.
        same_patient: Files stated to be of the same patient although their identity differs.
        given: Answers a person entered to what was missing; part of the request, so that a resumed
            run uses the same.
        given_notice: What a reader must know about answers that are not used.
        language: Of prompts and words.
        sign_off: Wait for a clinician, or leave the result unsigned.
        budget: Limits.
        urgency: Of its calls to the model, where the server can order them; a case with red flags
            is an emergency unless it is batch work, for which nobody waits.
    """

    paths: tuple[str, ...]
    at: ClinicalTime | None = None
    now: ClinicalTime
    same_patient: tuple[str, ...] = ()
    given: tuple[GivenAnswer, ...] = ()
    given_notice: str = ""
    language: Language = "en"
    sign_off: SIGN_OFF = "later"
    budget: Budget = Budget()
    urgency: Urgency = "routine"


Observer = Callable[[str, str], None]
"""Told ``(what, name)`` at every start and end of a node and a tool: for logs and tests."""


def no_observer(what: str, name: str) -> None:
    """Observe nothing."""


@dataclass(kw_only=True)
class Session:
    """What one process holds of a run: nothing that a checkpoint would have to keep.

    Args:
        request: What was asked.
        settings: Limits and switches.
        llm: The model; None is a mode of its own.
        no_llm: Why there is no model, where there is none.
        router: The small model that plans in place of the language model; None for that one.
        searcher: The index over guideline knowledge; None where it cannot be had.
        no_search: Why there is no index.
        observe: Told what goes on.
        spent: What an earlier part of the run has used of its budget.
    """

    request: RunRequest
    settings: Settings
    llm: LLM | None = None
    no_llm: str = "no language model is configured"
    router: Router | None = None
    searcher: Searcher | None = None
    no_search: str = "no index of guideline knowledge is built"
    observe: Observer = no_observer
    spent: Spent = field(default_factory=Spent)
    _limited: LLM | None = field(default=None, repr=False)
    _outcome: tuple[frozenset[str], Outcome] | None = field(default=None, repr=False)
    _case: CaseFiles | None = field(default=None, repr=False)
    _wanted: dict[str, Wanted] = field(default_factory=dict, repr=False)

    def case(self) -> CaseFiles:
        """Return the case, read once in this process.

        Raises:
            InputError: As `read_case`.
            IdentityConflictError: The files are not of one patient.
        """
        if self._case is None:
            self._case = read_case(
                [Path(path) for path in self.request.paths],
                at=self.request.at,
                now=self.request.now,
                settings=self.settings,
                same_patient=self.request.same_patient,
                given=self.request.given,
            )
        return self._case

    def limited_llm(self) -> LLM | None:
        """Return the model within the budget of the run, or None."""
        if self.llm is None:
            return None
        if self._limited is None:
            budget = self.request.budget
            self._limited = Budgeted(
                self.llm,
                max_calls=budget.llm_calls,
                max_tokens=budget.llm_tokens,
                max_seconds=budget.llm_seconds,
                spent=self.spent,
            )
        return self._limited

    @property
    def at(self) -> ClinicalTime:
        """The moment of assessment."""
        return self.request.at or self.case().at or self.request.now

    def next_calls(self, entries: tuple[Entry, ...]) -> tuple[Wanted, ...]:
        """Return what the pathway needs next, and keep it for `wanted`."""
        found = next_calls(self.case(), at=self.at, settings=self.settings, entries=entries)
        self._wanted.update({wanted.key: wanted for wanted in found})
        return found

    def extra_calls(self, names: Sequence[str], entries: tuple[Entry, ...]) -> tuple[Wanted, ...]:
        """Return the calls of tools beyond the pathway, within the budget."""
        if not names:
            return ()
        found = extra_calls(
            self.case(),
            names[: self.request.budget.extra_tools],
            at=self.at,
            settings=self.settings,
            entries=entries,
        )
        self._wanted.update({wanted.key: wanted for wanted in found})
        return found

    def wanted(self, key: str, entries: tuple[Entry, ...]) -> Wanted | None:
        """Return one call that the pathway needs; None where it does not need it any more."""
        if key not in self._wanted:
            self.next_calls(entries)
        return self._wanted.get(key)

    def outcome(self, entries: tuple[Entry, ...]) -> Outcome:
        """Return the assessment that these calls give; a call that is missing is made."""
        key = frozenset(entry.key for entry in entries)
        if self._outcome is None or self._outcome[0] != key:
            ledger = Ledger(entries)
            made = assess_case(self.case(), at=self.at, settings=self.settings, ledger=ledger)
            self._outcome = (key, made)
        return self._outcome[1]
