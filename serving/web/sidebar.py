"""The page beside the chart: one headline, why, what is missing with its form, what to do."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse

from knowledge.clinical_time import ClinicalTime
from knowledge.errors import EpicrisisError
from knowledge.plain_text import visible
from serving.access.guard import PrincipalDep, allowed, allowed_case, authorize_case
from serving.access.principal import Permission, Principal
from serving.access.smart.context import smart_context
from serving.access.smart.protocol import SIDEBAR, SmartContext
from serving.cases.model import Case, StoredAssessment
from serving.cases.patient import named_as
from serving.cases.service import CaseService, newest_unless_altered
from serving.cds.card_model import OVERRIDE_REASONS
from serving.fhir_in.protocol import PullIn
from serving.fhir_in.service import PullService
from serving.problem import status_of
from serving.services import Services, ServicesDep
from serving.signing.store import SignOffStore
from serving.web.case_page import case_context
from serving.web.missing_form import answer_from
from serving.web.pages import language_of, render
from serving.web.sidebar_dismissal import dismiss, dismissal
from serving.web.translation import translations

router = APIRouter(include_in_schema=False)

Reader = Annotated[Principal, Depends(allowed(Permission.READ_CASE))]
Readable = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
Answerable = Annotated[Case, Depends(allowed_case(Permission.ANSWER))]
Text = Annotated[str, Form(max_length=400)]
_ASKED = 3
"""Questions open at once in a narrow column."""


@router.get("/smart/sidebar")
@router.get(SIDEBAR)
def sidebar_page(
    request: Request,
    principal: Reader,
    services: ServicesDep,
    case: Annotated[str | None, Query(max_length=80)] = None,
) -> HTMLResponse:
    """Return the sidebar of the patient in context; after a launch it reads the EHR's record.

    Outside a launch, ``case`` names the case.
    """
    smart = smart_context(request)
    found = _case(services, principal, case)
    context = {} if found is None else _context(request, services, found, principal, smart)
    return render(
        request,
        "sidebar_page.html",
        frame="sidebar",
        launched=smart is not None,
        found=found,
        pull_problem="",
        pull_notes=(),
        **context,
    )


@router.post("/sidebar/pull")
def sidebar_pull(request: Request, principal: Reader, services: ServicesDep) -> HTMLResponse:
    """Read the patient of the launch from the EHR, assess, and return the page's body.

    What went wrong is said above what is known from before, which keeps its own time.
    """
    smart = smart_context(request)
    problem, status = "", 200
    notes: tuple[str, ...] = ()
    case: Case | None = None
    try:
        done = PullService(services).pull(PullIn(), principal=principal, smart=smart)
        case, notes = done.case, done.pulled.problems
    except EpicrisisError as error:
        problem, status = visible(str(error)), status_of(error)
        case = _case(services, principal, None)
    context = {} if case is None else _context(request, services, case, principal, smart)
    return render(
        request,
        "sidebar_body.html",
        status=status,
        frame="sidebar",
        launched=smart is not None,
        found=case,
        pull_problem=problem,
        pull_notes=notes,
        **context,
    )


@router.post("/sidebar/cases/{case_id}/answers")
def sidebar_answer(
    request: Request,
    case: Answerable,
    principal: PrincipalDep,
    services: ServicesDep,
    input: Text,
    value: Text = "",
    unit: Text = "",
    observed_at: Text = "",
) -> HTMLResponse:
    """Keep an answer and return the page's body with the new assessment.

    Raises:
        InvalidValueError: It is no answer to the question; nothing was kept.
    """
    before = newest_unless_altered(services, case)
    stated = None if before is None else before.body.get("time_zone")
    zone = stated or "UTC"
    form = {"input": input, "value": value, "unit": unit, "observed_at": observed_at}
    input_id, given = answer_from(form, time_zone=zone)
    CaseService(services).answer(case, input_id, given.answer, principal=principal)
    return _body(request, services, case, principal)


@router.post("/sidebar/cases/{case_id}/dismiss")
def sidebar_dismiss(
    request: Request,
    case: Readable,
    principal: PrincipalDep,
    services: ServicesDep,
    version: Annotated[int, Form(ge=1)],
    reason: Annotated[str, Form(max_length=80)],
    comment: Annotated[str, Form(max_length=1000)] = "",
) -> HTMLResponse:
    """Set the headline aside with a reason; it stays visible, the rest is folded."""
    stored = services.cases.assessment(case.id, version)
    if stored is not None:
        dismiss(services, case, stored, principal=principal, code=reason, comment=comment.strip())
    return _body(request, services, case, principal)


def _body(request: Request, services: Services, case: Case, principal: Principal) -> HTMLResponse:
    smart = smart_context(request)
    return render(
        request,
        "sidebar_body.html",
        frame="sidebar",
        launched=smart is not None,
        found=case,
        pull_problem="",
        pull_notes=(),
        **_context(request, services, case, principal, smart),
    )


def _case(services: Services, principal: Principal, named: str | None) -> Case | None:
    """Return the case that is named, or the newest of the patient the login is for; audited.

    Raises:
        NotFoundError: The named case is not there, or not of this patient.
        ForbiddenError: It may not be read.
    """
    if named is not None:
        return authorize_case(services, principal, Permission.READ_CASE, named)
    if principal.patient is None:
        return None
    for case in services.cases.list(patient=principal.patient, limit=1):
        return authorize_case(services, principal, Permission.READ_CASE, case.id)
    return None


def _context(
    request: Request,
    services: Services,
    case: Case,
    principal: Principal,
    smart: SmartContext | None,
) -> dict[str, Any]:
    """Return what the body shows of the newest assessment; empty where there is none yet."""
    stored = services.cases.assessment(case.id)
    if stored is None:
        return {}
    say = translations(language_of(request)).gettext
    context = case_context(
        case,
        stored,
        (stored,),
        now=services.clock(),
        say=say,
        answers=services.cases.answers(case.id),
    )
    report = SignOffStore(services.database, services.clock).newest(case.id)
    return {
        **context,
        "asks_shown": _ASKED,
        "banner": _banner(services, case, smart),
        "signed": report is not None and report.version == stored.version,
        "set_aside": _set_aside(services, stored, principal),
        "reasons": tuple((one.code, say(one.display)) for one in OVERRIDE_REASONS),
        "may_answer": principal.may(Permission.ANSWER, patient=case.patient),
        "may_chat": principal.may(Permission.CHAT, patient=case.patient),
    }


def _set_aside(
    services: Services, stored: StoredAssessment, principal: Principal
) -> dict[str, str] | None:
    found = dismissal(services, stored, principal)
    if found is None:
        return None
    zone = stored.body.get("time_zone") or services.settings.time_zone
    return {
        "reason": found.reason,
        "comment": visible(found.comment),
        "at": ClinicalTime(at=found.at).show(zone),
    }


def _banner(services: Services, case: Case, smart: SmartContext | None) -> dict[str, str] | None:
    """Return who the patient is, where the EHR does not show it itself; None where it does."""
    if smart is None or not smart.need_patient_banner:
        return None
    read = CaseService(services).outcome(case).case
    if read is None:
        return {}
    patient = read.timeline.patient
    named = named_as(patient)
    numbered = next((one for one in patient.identities if one.identifiers), None)
    name = "" if named is None else ", ".join(filter(None, (named.family, " ".join(named.given))))
    return {
        "name": visible(name),
        "born": "" if patient.birth_date is None else patient.birth_date.show(None),
        "sex": patient.sex or "",
        "identifier": "" if numbered is None else visible(numbered.identifiers[0][1]),
    }
