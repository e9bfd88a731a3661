"""The reading worklist and the readings of a case, as pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from knowledge.errors import ContractError, InvalidValueError
from knowledge.passages import Language
from knowledge.reading_form import ReadingForm, reading_form
from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed, allowed_case
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.images.found import images_of
from serving.reading.content import forms_for
from serving.reading.lists import details, rounds_seen
from serving.reading.model import Difference, Round
from serving.reading.outbox import Outbox
from serving.reading.protocol import Decision, RoundOut
from serving.reading.service import ReadingService
from serving.services import Services, ServicesDep
from serving.signing.service import PEOPLE
from serving.web.image_view import problems_told
from serving.web.pages import language_of, render
from serving.web.patient_view import PatientShown, patients_shown
from serving.web.reading_fields import parts
from serving.web.reading_sent import Sent, changes
from serving.web.translation import translations
from serving.web.values import span
from serving.web.words import Say, word
from tools.imaging.study import title_in_chinese
from tools.readings.model import Reading, Said
from tools.readings.names import path_name
from tools.readings.report import reading_report
from tools.readings.sentences import listed, sentence
from tools.readings.summary import clash_line
from tools.readings.versions import open_clashes

router = APIRouter(tags=["pages"], include_in_schema=False)


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


STATES = {
    "to read": _("to read"),
    "reading": _("being read"),
    "to review": _("to review"),
    "reviewing": _("being reviewed"),
    "to release": _("to release"),
    "released": _("released"),
}
KINDS = {
    "first": _("reading"),
    "correction": _("correction"),
    "opinion": _("second opinion"),
}
DONE = {
    "arrived": _("arrived"),
    "images changed": _("further images arrived"),
    "pre-read": _("pre-read by the tools"),
    "started": _("started"),
    "taken over": _("taken over"),
    "saved": _("saved"),
    "given back": _("given back"),
    "signed": _("signed"),
    "released": _("released"),
    "correction asked for": _("correction asked for"),
    "opinion asked for": _("second opinion asked for"),
    "written out": _("in the archive"),
}
DELIVERIES = {
    "archive": {
        "waiting": _("on its way to the archive"),
        "sent": _("in the archive"),
        "refused": _("not sent to the archive"),
    },
    "fhir": {
        "waiting": _("on its way to the FHIR server"),
        "sent": _("at the FHIR server"),
        "refused": _("not sent to the FHIR server"),
    },
}
UNSAID = (_("no validated model configured"), _("switched off"))
"""Reasons of the tools that have a translation; every other is shown as it is."""

SPANS = {
    "waiting": _("waiting"),
    "reading": _("reading"),
    "reviewing": _("reviewing"),
    "whole": _("since it arrived"),
    "released": _("from arrival to release"),
}

Readable = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
Signable = Annotated[Case, Depends(allowed_case(Permission.SIGN))]
ReadingId = Annotated[str, Path(max_length=80)]
Action = Literal["start", "save", "sign", "give-back", "release", "send", "correct", "opinion"]

_MOST_FIELDS = 4000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One reading on the list."""

    round: Round
    title: str
    patient: PatientShown
    kind: str
    state: str
    waits: str


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """One item on which two readers differ."""

    path: str
    name: str
    first: str
    second: str
    settled: str
    reason: str


async def sent_fields(request: Request) -> Sent:
    """Return the fields of the form that was sent.

    Raises:
        InvalidValueError: There are far too many.
    """
    form = await request.form()
    found: dict[str, list[str]] = {}
    for number, (name, value) in enumerate(form.multi_items()):
        if number > _MOST_FIELDS:
            raise InvalidValueError("form", f"has over {_MOST_FIELDS} fields")
        if isinstance(value, str):
            found.setdefault(name, []).append(value[:4000])
    return found


@router.get("/readings")
def readings(
    request: Request,
    principal: Annotated[Principal, Depends(allowed(Permission.READ_CASE))],
    services: ServicesDep,
    everything: Annotated[bool, Query(alias="all")] = False,
) -> HTMLResponse:
    """Return the reading worklist."""
    language = language_of(request)
    say = translations(language).gettext
    found = rounds_seen(services, principal, everything=everything)
    patients = patients_shown(services, list({one.case for one in found.rounds}), say)
    rows = tuple(
        Row(
            round=one,
            title=_title(one, language),
            patient=patients[one.case],
            kind=word(KINDS, one.kind, say),
            state=word(STATES, one.state, say),
            waits=span((found.at - one.created_at).total_seconds() / 60, say),
        )
        for one in found.rounds
    )
    return render(request, "readings_page.html", rows=rows, everything=everything)


@router.get("/cases/{case_id}/readings/{reading_id}")
def reading_page(
    request: Request,
    case: Readable,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
) -> HTMLResponse:
    """Return one reading: to write, to review, to release, or as it was released.

    Raises:
        NotFoundError: The case has no such reading.
    """
    return _page(request, services, case, reading_id, principal)


@router.post("/cases/{case_id}/readings/{reading_id}/{action}")
def act(
    request: Request,
    case: Signable,
    principal: PrincipalDep,
    services: ServicesDep,
    reading_id: ReadingId,
    action: Action,
    sent: Annotated[Sent, Depends(sent_fields)],
) -> Response:
    """Take one step with a reading, and show it as it is then.

    Raises:
        ConflictError: It is not in a state, or in hands, in which that may be done.
        InvalidValueError: What was sent is no answer.
    """
    service = ReadingService(services)
    words = _first(sent, "words")
    match action:
        case "start":
            service.start(case, reading_id, principal=principal, form=_first(sent, "form"))
        case "save" | "sign":
            _save(services, service, case, reading_id, sent, principal)
            if action == "sign":
                accept = _accepted(service, case, reading_id, sent)
                service.sign(case, reading_id, accept, principal=principal)
        case "give-back":
            service.give_back(case, reading_id, principal=principal)
        case "release":
            service.release(case, reading_id, _decisions(sent), principal=principal)
        case "send":
            Outbox(services).again(case, reading_id)
        case "correct":
            reading_id = service.correct(case, reading_id, reason=words, principal=principal).id
        case "opinion":
            reading_id = service.opinion(case, reading_id, question=words, principal=principal).id
    return RedirectResponse(f"/cases/{case.id}/readings/{reading_id}", status_code=303)


def _save(
    services: Services,
    service: ReadingService,
    case: Case,
    reading_id: str,
    sent: Sent,
    principal: Principal,
) -> None:
    round_ = service.store.find(case.id, reading_id)
    content = service.content(case, round_)
    if content is None:
        return
    by = Said(by="reader", who=principal.name or principal.subject, at=services.clock())
    changed = changes(reading_form(content.form), content, sent, by=by)
    if changed:
        service.save(case, reading_id, changed, principal=principal)


def _accepted(service: ReadingService, case: Case, reading_id: str, sent: Sent) -> tuple[str, ...]:
    """Return what was ticked and is still to be looked at again, after what was just saved."""
    content = service.content(case, service.store.find(case.id, reading_id))
    known = () if content is None else open_clashes(content)
    ticked = sent.get("accept", ())
    return tuple(one.key for one in known if one.look_again and one.key in ticked)


def _decisions(sent: Sent) -> tuple[Decision, ...]:
    found = []
    for path in sent.get("difference", ()):
        choice = _first(sent, f"{path}:choice")
        if choice in ("first", "second"):
            reason = _first(sent, f"{path}:reason")
            found.append(
                Decision.model_validate({"path": path, "choice": choice, "reason": reason})
            )
    return tuple(found)


def _first(sent: Sent, name: str) -> str:
    values = sent.get(name, ())
    return values[0].strip() if values else ""


def _page(
    request: Request, services: Services, case: Case, identity: str, principal: Principal
) -> HTMLResponse:
    language = language_of(request)
    say = translations(language).gettext
    found = details(services, case, identity)
    round_ = found.round
    content = None if found.content is None else Reading.model_validate(found.content)
    form = None if content is None else reading_form(content.form)
    person = principal.via in PEOPLE and principal.may(Permission.SIGN, patient=case.patient)
    mine = round_.locked is not None and round_.locked.subject == principal.subject
    sending = [one for one in (found.delivery, found.fhir_delivery) if one is not None]
    ways = Outbox(services).ways
    shown: dict[str, Any] = {
        "case": case,
        "round": round_,
        "title": _title(round_, language),
        "kind": word(KINDS, round_.kind, say),
        "state": word(STATES, round_.state, say),
        "patient": patients_shown(services, [case.id], say)[case.id],
        "may": person,
        "mine": mine,
        "forms": tuple(
            (one.id, one.name.read(language)) for one in forms_for(round_.modality, round_.title)
        ),
        "parts": ()
        if not mine or content is None or form is None
        else parts(form, content, language),
        "report": _report(found, content, language),
        "listed": listed,
        "open": () if content is None or not mine else _open(content, language),
        "differences": _differences(found, form, language, say),
        "log": tuple(_line(one, say) for one in found.log),
        "spans": tuple(
            (
                word(SPANS, "released" if s.what == "whole" and found.release else s.what, say),
                s.by,
                span(s.minutes, say),
            )
            for s in found.spans
        ),
        "was_first": round_.first is not None and round_.first.subject == principal.subject,
        "release": found.release,
        "deliveries": tuple((one, word(DELIVERIES[one.way], one.state, say)) for one in sending),
        "ways": ways,
        "unsent": bool(set(ways) - {one.way for one in sending if one.state == "sent"}),
        "image": _image(services, case, round_),
        "quality": _quality(services, case, found, say, language),
        "unsaid": tuple(say(line) for line in _unsaid(found)),
    }
    return render(request, "reading_page.html", **shown)


def _open(content: Reading, language: Language) -> tuple[tuple[str, str], ...]:
    """Return what has to be settled before signing: its key, empty where it is corrected only."""
    form = reading_form(content.form)
    return tuple(
        (one.key if one.look_again else "", clash_line(form, content, one, language))
        for one in open_clashes(content)
    )


def _report(found: RoundOut, content: Reading | None, language: Language) -> Any:
    if found.release is not None:
        return reading_report(Reading.model_validate(found.release.reading), language=language)
    return None if content is None else reading_report(content, language=language)


def _differences(
    found: RoundOut, form: ReadingForm | None, language: Language, say: Say
) -> tuple[Disagreement, ...]:
    if form is None:
        return ()
    every: Sequence[Difference] = found.differences
    settled: dict[str, tuple[str, str]] = {}
    if found.release is not None:
        every = found.release.differences
        whose = {"first": say("first reader"), "second": say("second reader"), None: ""}
        settled = {one.path: (whose[one.choice], one.reason) for one in found.release.differences}
    return tuple(
        Disagreement(
            path=one.path,
            name=path_name(form, one.path, language),
            first=sentence(form.item(one.path), one.first, language),
            second=sentence(form.item(one.path), one.second, language),
            settled=settled.get(one.path, ("", ""))[0],
            reason=settled.get(one.path, ("", ""))[1],
        )
        for one in every
    )


def _line(done: Any, say: Say) -> tuple[str, str, str]:
    at = done.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    if done.what == "written out" and done.detail.get("way") == "FHIR":
        return at, done.by.name, word(DELIVERIES["fhir"], "sent", say)
    return at, done.by.name, word(DONE, done.what, say)


def _image(services: Services, case: Case, round_: Round) -> str:
    """Return the address of the viewer of the study; empty where its images are gone."""
    try:
        kept = images_of(services, case).kept
    except (ContractError, NotFoundError):
        return ""
    name = next((name for name in round_.files if name in kept), None)
    return "" if name is None else f"/cases/{case.id}/images/{kept[name].id}"


def _title(round_: Round, language: Language) -> str:
    """Return the title of the study in the language of the page."""
    if language == "en":
        return round_.title
    return title_in_chinese(round_.title, round_.modality)


def _quality(
    services: Services, case: Case, found: RoundOut, say: Say, language: Language
) -> tuple[str, ...]:
    """Return what the viewer says of the study's images; what was kept where they are gone."""
    round_ = found.round
    try:
        images = images_of(services, case)
    except (ContractError, NotFoundError):
        images = None
    for study in () if images is None else images.studies:
        same = (study.modality or "OT") == round_.modality
        if images is not None and same and set(study.files) & set(round_.files):
            return problems_told(images, study, services.images, say, language)
    told = next((one.detail for one in found.log if one.what == "pre-read"), {})
    return tuple(say(str(line)) for line in told.get("quality", ()))


def _unsaid(found: RoundOut) -> tuple[str, ...]:
    """Return why the tools say nothing, or not everything, as they last said it."""
    told = [one.detail for one in found.log if one.what == "pre-read"]
    lines = [str(one["not_assessed"]) for one in told if one.get("not_assessed")]
    return tuple(dict.fromkeys(lines))
