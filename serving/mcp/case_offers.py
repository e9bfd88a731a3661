"""``assess_case``: a folder of one patient's files to the assessment, over MCP.

Links within the folder are not followed; that is a rule of the intake.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from agent.assess import Outcome, assess_paths
from agent.assessment import Assessment, Status
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import IdentityConflictError, UnreadableError
from knowledge.model import Frozen
from knowledge.settings import Settings
from serving.commands.assess import exit_code, moment
from serving.mcp.case_root import CaseRoots
from serving.mcp.offer import Json, Offer, closed, parsed

NAME = "assess_case"


class Arguments(Frozen):
    """What `assess_case` is asked."""

    path: str = Field(description="Folder or file of one patient, below a folder of cases")
    at: str | None = Field(
        default=None,
        description="Moment of assessment with its zone, for example 2026-11-20T10:00:00+01:00; "
        "else the one the case states, else now",
    )


def assess_offer(roots: CaseRoots, settings: Settings, clock: Callable[[], ClinicalTime]) -> Offer:
    """Return the offer to assess a case.

    Args:
        roots: Below which folders cases lie.
        settings: Limits and switches.
        clock: The current moment.
    """

    def run(arguments: Mapping[str, Any]) -> Json:
        asked = parsed(Arguments, arguments, tool=NAME)
        path = roots.path(asked.path)
        outcome = assess_paths([path], at=moment(asked.at), now=clock(), settings=settings)
        _check(outcome)
        return outcome.assessment.to_json()

    return Offer(
        name=NAME,
        title="Assessment of acute chest pain",
        description=(
            "Assesses acute chest pain from the files of one patient (FHIR, ECG, case.yaml) and "
            "returns findings, scores as ranges, must-not-miss verdicts, recommendations with "
            "their sources, and what is missing. Deterministic; no language model is asked. "
            "Missing data are never taken as normal. Refuses files that are not shown to be of one "
            "patient. Research use only; a professional signs."
        ),
        input_schema=closed(Arguments.model_json_schema()),
        output_schema=Assessment.model_json_schema(mode="serialization"),
        run=run,
    )


def _check(outcome: Outcome) -> None:
    """Make sure that the case could be assessed.

    Raises:
        IdentityConflictError: The files are not shown to be of one patient.
        UnreadableError: Nothing usable was given.
    """
    assessment = outcome.assessment
    if assessment.status is Status.REFUSED:
        raise IdentityConflictError("case", assessment.reason, "separate the patients' files")
    if exit_code(outcome):
        raise UnreadableError("case", "no file of it could be used", "give the patient's files")
