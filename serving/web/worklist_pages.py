"""The worklist as a page: who waits, what is critical, what is due; it refreshes itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import StringConstraints

from knowledge.clinical_time import ClinicalTime
from serving.access.guard import PrincipalDep, allowed, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.evidence.links import evidence_links
from serving.evidence.protocol import Link
from serving.services import Services, ServicesDep
from serving.web.due import Due as Countdown
from serving.web.pages import language_of, render
from serving.web.patient_view import PatientShown, patients_shown
from serving.web.translation import translations
from serving.web.values import span
from serving.web.words import URGENCY, Say, word
from serving.worklist.acknowledge import acknowledge, acknowledge_all
from serving.worklist.due import with_zone
from serving.worklist.model import Acknowledgement, Due, WorklistRow
from serving.worklist.service import worklist

router = APIRouter(include_in_schema=False)


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


STATES: Mapping[str, str] = {
    "not assessed": _("not assessed"),
    "assessing": _("being assessed"),
    "failed": _("assessment failed"),
    "refused": _("refused"),
    "not assessable": _("not assessable"),
    "to sign": _("to sign"),
    "flagged": _("signed report no longer holds"),
    "signed": _("signed"),
}
HELD_REASONS = (
    _("joins the numbers of patients: a person decides"),
    _("joins the numbers of patients, which nothing here does by itself"),
    _("takes back or corrects a result that no case of this patient holds"),
    _("states a number of a known patient beside one that no message of that patient has"),
    _("states a number of the patient that messages of several patients state"),
)
"""Why messages wait for a person, in the words of the store; others are shown as they are."""

GONE_REASONS = (
    _("taken back by its source"),
    _("no longer in the case, or taken back by its source"),
)
"""Why a critical result does not hold any more, likewise."""

MOST_AT_ONCE = 50
"""Critical results that one press acknowledges: more than a case has at one time."""

ShortText = Annotated[str, StringConstraints(max_length=80)]

UNKNOWN = frozenset({"not assessed", "assessing", "failed", "refused", "not assessable"})
"""States without a result that counts: they look like nothing that is known to be low."""


@dataclass(frozen=True, kw_only=True)
class CriticalRow:
    """A critical result nobody has acknowledged.

    Args:
        known: As it is kept.
        since: For how long it has been known.
        overdue: Whether it should have been acknowledged by now.
        due: Until when, in words.
        links: To its evidence.
    """

    known: Acknowledgement
    since: str
    overdue: bool
    due: str
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case on the page.

    Args:
        row: As the list has it.
        patient: Who it is.
        tone: Urgency, or ``unknown`` where there is no result that counts.
        urgency: In words; empty where there is none.
        state: In words.
        waits: For how long, in words.
        critical: Results to acknowledge.
        due: What is due, with its countdown.
        undated: What is due at a time that no clock can reach, in words.
    """

    row: WorklistRow
    patient: PatientShown
    tone: str
    urgency: str
    state: str
    waits: str
    critical: tuple[CriticalRow, ...]
    due: tuple[Countdown, ...]
    undated: tuple[str, ...]


@router.get("/worklist")
def worklist_page(
    request: Request,
    principal: Annotated[Principal, Depends(allowed(Permission.READ_CASE))],
    services: ServicesDep,
    everything: Annotated[bool, Query(alias="all")] = False,
    hx_request: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    """Return the list as a page, or the list alone where the page refreshes itself."""
    return _page(request, services, principal, everything=everything, alone=hx_request is not None)


@router.post("/worklist/{case_id}/acknowledgements/{acknowledgement_id}")
def acknowledge_one(
    request: Request,
    case: Annotated[Case, Depends(allowed_case(Permission.ACKNOWLEDGE))],
    acknowledgement_id: str,
    principal: PrincipalDep,
    services: ServicesDep,
    note: Annotated[str, Form(max_length=1000)] = "",
    hx_request: Annotated[str | None, Header()] = None,
) -> Response:
    """Say by name that one knows a critical result, and show the list as it is then.

    Raises:
        ConflictError: Somebody else has acknowledged it.
    """
    acknowledge(services, case, acknowledgement_id, note=note.strip(), principal=principal)
    if hx_request is None:
        return RedirectResponse("/worklist", status_code=303)
    return _page(request, services, principal, everything=False, alone=True)


@router.post("/worklist/{case_id}/acknowledgements")
def acknowledge_shown(
    request: Request,
    case: Annotated[Case, Depends(allowed_case(Permission.ACKNOWLEDGE))],
    principal: PrincipalDep,
    services: ServicesDep,
    ids: Annotated[list[ShortText], Form(min_length=1, max_length=MOST_AT_ONCE)],
    note: Annotated[str, Form(max_length=1000)] = "",
    hx_request: Annotated[str | None, Header()] = None,
) -> Response:
    """Say by name that one knows these critical results of one case: those that were shown.

    Raises:
        ConflictError: Somebody else has acknowledged one; the others are kept.
        NotFoundError: One is of no such result of the case.
    """
    acknowledge_all(services, case, ids, note=note.strip(), principal=principal)
    if hx_request is None:
        return RedirectResponse("/worklist", status_code=303)
    return _page(request, services, principal, everything=False, alone=True)


def _page(
    request: Request, services: Services, principal: Principal, *, everything: bool, alone: bool
) -> HTMLResponse:
    say = translations(language_of(request)).gettext
    found = worklist(services, principal, everything=everything)
    patients = patients_shown(services, [row.case for row in found.rows], say)
    rows = tuple(_row(row, found.at.timestamp(), patients[row.case], say) for row in found.rows)
    return render(
        request,
        "worklist_rows.html" if alone else "worklist_page.html",
        worklist=found,
        critical=tuple(row for row in rows if row.critical),
        rows=rows,
        at=with_zone(ClinicalTime(at=found.at.replace(second=0)), services.settings.time_zone),
        everything=everything,
        may_acknowledge=principal.may(Permission.ACKNOWLEDGE, patient=principal.patient),
    )


def _row(row: WorklistRow, now: float, patient: PatientShown, say: Say) -> Row:
    unknown = row.state in UNKNOWN or row.urgency is None
    counted = tuple(_countdown(one, say) for one in row.due)
    return Row(
        row=row,
        patient=patient,
        tone="unknown" if unknown or row.urgency is None else row.urgency.value,
        urgency="" if row.urgency is None else word(URGENCY, row.urgency.value, say),
        state=word(STATES, row.state, say),
        waits="" if row.waiting_minutes is None else span(row.waiting_minutes, say),
        critical=tuple(_critical(one, now, say) for one in row.critical),
        due=tuple(one for one in counted if isinstance(one, Countdown)),
        undated=tuple(one for one in counted if isinstance(one, str)),
    )


def _critical(known: Acknowledgement, now: float, say: Say) -> CriticalRow:
    left = (known.due_at.timestamp() - now) / 60
    relation = say("overdue by %s") if left < 0 else say("in %s")
    return CriticalRow(
        known=known,
        since=span((now - known.raised_at.timestamp()) / 60, say),
        overdue=left < 0,
        due=relation % span(left, say),
        links=evidence_links(known.case, known.result.evidence)[:3],
    )


def _countdown(due: Due, say: Say) -> Countdown | str:
    """Return a countdown; the words alone where the time has no zone.

    Nothing counts down to what was due at a moment that the case states for itself.
    """
    if due.minutes is None or due.overdue is None:
        return due.words
    shown = (say("overdue since %s") if due.overdue else say("due %s")) % due.shown
    if due.stated is not None:
        relation = say("at the moment this case states, %s") % due.stated
    else:
        pattern = say("overdue by %s") if due.overdue else say("in %s")
        relation = pattern % span(due.minutes, say)
    return Countdown(
        what=due.what,
        shown=shown,
        moment=due.at.at.isoformat(),
        overdue=due.overdue,
        relation=relation,
        live=due.stated is None,
    )
