"""One call of a hook: data, patient, assessment, cards, audit. No language model anywhere in it.

``cards: []`` has three causes and no other: the data show no acute chest pain, an order hook holds
no imaging order that is judged, or all there is to say was shown or answered before. Whatever goes
wrong within is a card that says so, or an HTTP error.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.assessment import Assessment
from knowledge.errors import EpicrisisError, IdentityConflictError
from serving.access.compartment import fhir_base
from serving.access.errors import ForbiddenError
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.cds.answer import Told, cards_of, orders_of
from serving.cds.assessing import Assessing, Ready, Subject
from serving.cds.card_model import CardList, Link
from serving.cds.cards import Made, computing_card, failed_card, refused_card, unread_card
from serving.cds.chart import bundle_of, hash_of
from serving.cds.compartment import check_patient, has_patient
from serving.cds.discovery import PREFETCH, Service
from serving.cds.fatigue import Sorted, looks_back, sort_out
from serving.cds.gathered import Gap, Gathered
from serving.cds.links import links_for
from serving.cds.prefetch import gather, unusable
from serving.cds.protocol import Context, HookCall
from serving.cds.store import Place
from serving.services import Services
from tools.intake.result import CaseFiles

logger = logging.getLogger(__name__)

_PATIENT = "patient"
_SILENT = "no acute chest pain in the data"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call, checked.

    Args:
        call: As it was sent.
        context: Its context.
        service: Which service.
        principal: Who calls; only this patient is within their reach.
        patient: As in `Case.patient`.
        encounter: As in `Case.encounter`.
    """

    call: HookCall
    context: Context
    service: Service
    principal: Principal
    patient: str
    encounter: str | None


class CdsService:
    """Answers the calls of CDS Hooks clients.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._assessing = Assessing(services)

    def answer(self, call: HookCall, service: Service, principal: Principal) -> CardList:
        """Return the cards for one call; every card is audited before it is returned.

        Raises:
            InvalidValueError: The call is not what the hook defines.
            ForbiddenError: The client may not see this patient.
            PreconditionError: Data are missing and cannot be fetched.
            UnavailableError: The database cannot be used, so that nothing can be audited.
        """
        asked = self._asked(call, service, principal)
        orders = orders_of(asked.context)
        if orders is not None and not orders.kinds:
            return self._shown(asked, None, [], why="no imaging order that is judged")
        settings = self._services.settings
        gathered = gather(
            call,
            asked.context,
            get=self._services.cds.outbound.get_json,
            now=self._services.clock(),
            refusal=lambda: unusable(call, asked.context.patientId),
            places=self._services.cds.fetching,
            seconds=settings.cds_fetch_ms / 1000,
        )
        try:
            drafts = orders.resources if orders is not None else ()
            everything = [*gathered.resources, *gathered.beside, *drafts]
            check_patient(everything, asked.context.patientId, call.fhirServer)
        except IdentityConflictError as error:
            links = links_for(call, None, settings)
            return self._shown(asked, None, [refused_card(error.reason, links=links)])
        case, cards, why = self._cards(asked, gathered, orders.kinds if orders else None)
        return self._shown(asked, case, cards, why=why)

    def _asked(self, call: HookCall, service: Service, principal: Principal) -> Asked:
        context = call.context_of(service.hook)
        server = _server(call, principal)
        patient = f"{server}|Patient/{context.patientId}"
        if not principal.may(Permission.CDS, patient=patient):
            self._services.audit.refused(principal, Permission.CDS.value, case=None)
            raise ForbiddenError(Permission.CDS.value)
        encounter = f"{server}|Encounter/{context.encounterId}" if context.encounterId else None
        return Asked(
            call=call,
            context=context,
            service=service,
            principal=principal.model_copy(update={"patient": patient}),
            patient=patient,
            encounter=encounter,
        )

    def _cards(
        self, asked: Asked, gathered: Gathered, orders: Sequence[str] | None
    ) -> tuple[Case | None, Sequence[Made], str]:
        """Return the case, what there is to say, and why there is nothing where there is not."""
        settings = self._services.settings
        links = links_for(asked.call, None, settings)
        if not has_patient(gathered.resources):
            return None, [unread_card(_without_patient(gathered), links=links)], ""
        try:
            ready, case = self._ready(asked, gathered)
        except IdentityConflictError as error:
            return None, [refused_card(error.reason, links=links)], ""
        except EpicrisisError as error:
            logger.error("an assessment of a hook failed: %s", type(error).__name__)
            return None, [failed_card(error.reason, links=links)], ""
        except Exception as error:
            logger.exception("an assessment of a hook broke")
            reason = f"A mistake of ours ({type(error).__name__})."
            return None, [failed_card(reason, links=links)], ""
        links = links_for(asked.call, case, settings)
        if ready is None:
            return case, [computing_card(links=links)], ""
        if ready.assessment is None and not gathered.gaps:
            return case, [], _SILENT
        if ready.assessment is None:
            return case, [unread_card(gathered.gaps, links=links)], ""
        said = self._said(asked, ready, ready.assessment, gathered.gaps, orders, links)
        return case, said, "" if said else _SILENT

    def _said(
        self,
        asked: Asked,
        ready: Ready,
        assessment: Assessment,
        gaps: Sequence[Gap],
        orders: Sequence[str] | None,
        links: Sequence[Link],
    ) -> tuple[Made, ...]:
        """Return the cards of an assessment, each under new ids; their text is made once."""
        encounter = asked.context.encounterId
        key = (tuple(gaps), None if orders is None else tuple(orders), encounter, tuple(links))
        if key not in ready.said:
            told = Told(
                patient=asked.context.patientId,
                encounter=encounter,
                now=self._services.clock(),
                links=links,
            )
            ready.said[key] = cards_of(assessment, gaps, orders=orders, told=told)
        return tuple(made.afresh() for made in ready.said[key])

    def _ready(self, asked: Asked, gathered: Gathered) -> tuple[Ready | None, Case | None]:
        """Return the assessment, or None where it is not ready in time; with the case."""
        content = bundle_of(gathered.resources)
        subject = Subject(patient=asked.patient, encounter=asked.encounter, by=asked.principal)
        case = self._assessing.find(subject)
        computing = self._services.cds.computing
        whole = not gathered.gaps
        before = (subject.patient, subject.encounter, whole)
        key = (*before, *self._assessing.seen(case, hash_of(content)))

        if (kept := computing.find(key)) is not None:
            return kept, kept.case
        read = self._assessing.glance(content) if case is None else None
        if isinstance(read, Ready):
            computing.put(key, read)
            return read, None

        def make() -> Ready:
            made = self._made(subject, case, content, read, whole=whole)
            computing.put((*before, *made.seen), made)  # the case may be new
            return made

        budget = self._services.settings.cds_budget_ms / 1000
        ready = computing.get(key, make, timeout_s=budget)
        return ready, ready.case if ready is not None else case

    def _made(
        self,
        subject: Subject,
        case: Case | None,
        content: bytes,
        read: CaseFiles | None,
        *,
        whole: bool,
    ) -> Ready:
        if read is not None:
            return self._assessing.begin(subject, content, read, keep=whole)
        if case is None:
            raise AssertionError("a chart without a case is read before")
        if whole:
            return self._assessing.whole(subject, case, content)
        return self._assessing.partial(case, content)

    def _shown(
        self, asked: Asked, case: Case | None, cards: Sequence[Made], *, why: str = ""
    ) -> CardList:
        """Return the cards that are to be seen; kept and audited first."""
        now = self._services.clock()
        settings, store = self._services.settings, self._services.cds.store
        place = Place.of(
            client=asked.principal.subject,
            user=asked.context.userId,
            patient=asked.patient,
            encounter=asked.encounter,
        )
        before = store.shown(place, since=looks_back(settings, now)) if cards else ()
        sorted_out = sort_out(cards, before, settings=settings, now=now)
        self._audit(asked, case, sorted_out, why)
        store.keep(
            sorted_out.show,
            place,
            service=asked.service.id,
            case=case.id if case is not None else None,
        )
        return CardList(cards=tuple(made.card for made in sorted_out.show))

    def _audit(self, asked: Asked, case: Case | None, sorted_out: Sorted, why: str) -> None:
        detail: dict[str, Any] = {
            "service": asked.service.id,
            "hook_instance": str(asked.call.hookInstance),
            "user": asked.context.userId,
            "patient_sha256": hashlib.sha256(asked.patient.encode()).hexdigest(),
            "repeated": sorted_out.repeated,
            "silenced": sorted_out.silenced,
            "cards": [
                {"uuid": made.card.uuid, "topic": made.topic, "level": made.level}
                for made in sorted_out.show
            ],
        }
        if why:
            detail["no_card_because"] = why
        action = "card.shown" if sorted_out.show else Permission.CDS.value
        self._services.audit.used(asked.principal, action, case=case, detail=detail)


def _server(call: HookCall, principal: Principal) -> str:
    """Return whose patient it is: the server as named, the client's only one, or the client."""
    if call.fhirServer is not None:
        return fhir_base(call.fhirServer)
    if principal.tenants is not None and len(principal.tenants) == 1:
        return next(iter(principal.tenants))
    return f"cds:{principal.subject}"


def _without_patient(gathered: Gathered) -> tuple[Gap, ...]:
    if any(gap.key == _PATIENT for gap in gathered.gaps):
        return gathered.gaps
    gap = Gap(
        key=_PATIENT, what=PREFETCH[_PATIENT].what, reason="the EHR has no record of this patient"
    )
    return (gap, *gathered.gaps)
