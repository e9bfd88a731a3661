"""Sign-off as pages: decide statement by statement, sign, and see what no longer holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError
from knowledge.reference import Citation
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case, StoredAssessment
from serving.evidence.links import evidence_links, source_links
from serving.evidence.protocol import Link
from serving.services import Services, ServicesDep
from serving.signing.model import Flag, Kind, SignedStatement, SignOff, Statement
from serving.signing.protocol import DecisionIn, DraftView, SignIn, StatementView
from serving.signing.service import SignOffService
from serving.web.pages import language_of, render
from serving.web.patient_view import patient_shown
from serving.web.translation import translations

router = APIRouter(include_in_schema=False)

Readable = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
Signable = Annotated[Case, Depends(allowed_case(Permission.SIGN))]
Words = Annotated[str, Form(max_length=4000)]
Name = Annotated[str, Form(max_length=80)]
Version = Annotated[int, Form(ge=1)]

_GROUPS: tuple[tuple[Kind, ...], ...] = (
    ("headline",),
    ("sentence",),
    ("differential",),
    ("risk",),
    ("recommendation",),
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A statement with its links, and what was decided.

    Args:
        view: What the machine says and the decision of the person who asks; None in a report.
        signed: As it was signed; None in a draft.
        statement: What the machine says.
        links: To its sources and evidence.
    """

    statement: Statement
    links: tuple[Link, ...]
    view: StatementView | None = None
    signed: SignedStatement | None = None


@router.get("/cases/{case_id}/sign-off")
def sign_off_page(
    request: Request,
    case: Readable,
    principal: PrincipalDep,
    services: ServicesDep,
    amend: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """Return the draft to decide on, the signed report, or both; who may not sign sees reports."""
    return _page(request, services, case, principal, amend=amend)


@router.get("/cases/{case_id}/sign-off/badge")
def sign_off_badge(
    request: Request, case: Readable, principal: PrincipalDep, services: ServicesDep
) -> HTMLResponse:
    """Return one line on how far the sign-off of a case is."""
    signing = SignOffService(services)
    report = signing.store.newest(case.id)
    newest = services.cases.assessment(case.id)
    return render(
        request,
        "signoff_state.html",
        case=case,
        report=report,
        newest=newest,
        flags=_open(signing.store.flags(case.id)),
        at=None if report is None else _clock(report, newest),
    )


@router.get("/cases/{case_id}/sign-off/newer")
def newer(
    request: Request,
    case: Readable,
    services: ServicesDep,
    version: Annotated[int, Query(ge=1)],
) -> HTMLResponse:
    """Return a warning where a newer version was made than the one on the page; else nothing."""
    newest = services.cases.assessment(case.id)
    number = 0 if newest is None else newest.version
    return render(
        request, "signoff_newer.html", case=case, newest=number, version=version, oob=False
    )


@router.post("/cases/{case_id}/sign-off/decide")
def decide(
    request: Request,
    case: Signable,
    principal: PrincipalDep,
    services: ServicesDep,
    version: Version,
    statement: Name,
    decision: Name,
    text: Words = "",
    reason: Words = "",
    hx_request: Annotated[str | None, Header()] = None,
) -> Response:
    """Keep one decision; for a script, return the statement and the progress.

    Raises:
        ConflictError: A newer version was made.
        InvalidValueError: An edit without its words, or without a reason.
    """
    given = _decision(statement, decision, text, reason)
    draft = SignOffService(services).decide(case, version, [given], principal=principal)
    if hx_request is None:
        return RedirectResponse(f"/cases/{case.id}/sign-off#st-{statement}", status_code=303)
    cited = _citations(services.cases.assessment(case.id))
    views = {v.statement.id: v for v in draft.statements}
    twins = [views[key] for key in views[statement].related]
    return render(
        request,
        "signoff_decided.html",
        case=case,
        draft=draft,
        one=_shown(case, views[statement].statement, cited, view=views[statement]),
        twins=[_shown(case, view.statement, cited, view=view) for view in twins],
        by_id=views,
        oob=True,
    )


@router.post("/cases/{case_id}/sign-off")
def sign(
    case: Signable,
    principal: PrincipalDep,
    services: ServicesDep,
    version: Version,
    accept_remaining: Annotated[bool, Form()] = False,
    own_words: Annotated[bool, Form()] = False,
    amends: Name = "",
    reason: Words = "",
) -> Response:
    """Sign the version that was looked at.

    Raises:
        ConflictError: It is not the newest, not decided, not decided since something it rests on
            was changed, states what nothing holds, or somebody signed meanwhile.
        InvalidValueError: An amendment without a reason.
    """
    try:
        asked = SignIn(
            version=version,
            accept_remaining=accept_remaining,
            own_words=own_words,
            amends=amends or None,
            reason=reason,
        )
    except ValidationError as error:
        raise _invalid(error) from error
    SignOffService(services).sign(case, asked, principal=principal)
    return RedirectResponse(f"/cases/{case.id}/sign-off", status_code=303)


@router.post("/cases/{case_id}/sign-off/flags/{flag_id}")
def let_stand(
    case: Signable, principal: PrincipalDep, services: ServicesDep, flag_id: str, reason: Words
) -> Response:
    """Say that a flagged report stands, and why.

    Raises:
        InvalidValueError: There is no reason.
        ConflictError: It is settled already.
    """
    if not reason.strip():
        raise InvalidValueError("reason", "is empty", "say why the report stands")
    SignOffService(services).let_stand(case, flag_id, reason.strip(), principal=principal)
    return RedirectResponse(f"/cases/{case.id}/sign-off", status_code=303)


def _page(
    request: Request, services: Services, case: Case, principal: Principal, *, amend: bool
) -> HTMLResponse:
    signing = SignOffService(services)
    reports = signing.store.sign_offs(case.id)
    newest = services.cases.assessment(case.id)
    report = reports[0] if reports else None
    may_sign = principal.may(Permission.SIGN, patient=case.patient)
    draft = signing.draft(case, principal) if may_sign and newest is not None else None
    current = report is not None and newest is not None and report.version == newest.version
    flags = _open(signing.store.flags(case.id))
    say = translations(language_of(request)).gettext
    return render(
        request,
        "signoff_page.html",
        case=case,
        patient=patient_shown(services, case, say),
        newest=newest,
        draft=draft if not current or amend else None,
        can_amend=draft is not None and current,
        groups=() if draft is None else tuple(_groups(case, newest, draft)),
        by_id={} if draft is None else {v.statement.id: v for v in draft.statements},
        report=report,
        report_at=None if report is None else _clock(report, newest),
        signed=() if report is None else tuple(_signed(services, case, report)),
        earlier=tuple((one, _clock(one, newest)) for one in reports[1:]),
        flags=tuple(_flag(case, flag, newest) for flag in flags),
        oob=False,
    )


def _groups(
    case: Case, newest: StoredAssessment | None, draft: DraftView
) -> Iterator[tuple[Kind, tuple[Shown, ...]]]:
    cited = _citations(newest)
    for kinds in _GROUPS:
        found = tuple(
            _shown(case, view.statement, cited, view=view)
            for view in draft.statements
            if view.statement.kind in kinds
        )
        if found:
            yield kinds[0], found


def _signed(
    services: Services, case: Case, report: SignOff
) -> Iterator[tuple[Kind, tuple[Shown, ...]]]:
    cited = _citations(services.cases.assessment(case.id, report.version))
    for kinds in _GROUPS:
        found = tuple(
            _shown(case, one.statement, cited, signed=one)
            for one in report.statements
            if one.statement.kind in kinds
        )
        if found:
            yield kinds[0], found


def _shown(
    case: Case,
    statement: Statement,
    cited: dict[str, Citation],
    *,
    view: StatementView | None = None,
    signed: SignedStatement | None = None,
) -> Shown:
    sources = [cited[key] for key in statement.citations if key in cited]
    links = (*source_links(case.id, sources), *evidence_links(case.id, statement.evidence))
    return Shown(statement=statement, links=links, view=view, signed=signed)


def _flag(case: Case, flag: Flag, newest: StoredAssessment | None) -> dict[str, Any]:
    zone = None if newest is None else newest.body.get("time_zone")
    changes = [(c, evidence_links(case.id, c.evidence)[:3]) for c in flag.changes]
    raised = ClinicalTime(at=flag.raised_at).show(zone)
    return {"flag": flag, "raised": raised, "changes": changes}


def _open(flags: Sequence[Flag]) -> tuple[Flag, ...]:
    return tuple(flag for flag in flags if flag.resolved_at is None)


def _citations(stored: StoredAssessment | None) -> dict[str, Citation]:
    if stored is None:
        return {}
    assessment = Assessment.model_validate(stored.body)
    of_risks = [c for risk in assessment.risks for c in risk.source]
    return {c.id: c for c in (*of_risks, *assessment.citations)}


def _clock(report: SignOff, newest: StoredAssessment | None) -> str:
    zone = None if newest is None else newest.body.get("time_zone")
    shown = ClinicalTime(at=report.signed_at).show(zone)
    return f"{shown} ({zone})" if zone else shown


def _decision(statement: str, decision: str, text: str, reason: str) -> DecisionIn:
    """Return a decision as a form sends it: fields that are not asked for are left out."""
    try:
        return DecisionIn.model_validate(
            {
                "statement": statement,
                "decision": decision,
                "text": text if decision == "edit" else "",
                "reason": reason if decision in ("edit", "reject") else "",
            }
        )
    except ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: ValidationError) -> InvalidValueError:
    reason = error.errors()[0]["msg"].removeprefix("Value error, ")
    return InvalidValueError("decision", reason, "complete it and send it again")
