"""A pull of one patient into a case: whose it is comes from the server, and is checked."""

import orjson
from pydantic import SecretStr

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.access.compartment import encounter_compartment, fhir_base, patient_compartment
from serving.access.errors import ForbiddenError, UnauthenticatedError
from serving.access.outbound import OutboundClient
from serving.access.principal import Permission, Principal
from serving.access.smart.protocol import SmartContext
from serving.cases.model import Case, StoredAssessment
from serving.cases.service import CaseService
from serving.fhir_in.backend import backend_token
from serving.fhir_in.earlier import with_earlier
from serving.fhir_in.protocol import PullIn
from serving.fhir_in.pull import Limits, Pulled, pull_patient
from serving.services import Services

FILE = "fhir/pull.json"
"""Name of the bundle within a case; a later pull takes the place of the earlier."""


class Whose(Frozen):
    """Whose data are pulled.

    Args:
        base: FHIR base address.
        patient: Id of the patient there.
        encounter: Id of the encounter there, where one is known.
    """

    base: str
    patient: str
    encounter: str | None = None

    @property
    def compartment(self) -> str:
        """As `Case.patient`."""
        return patient_compartment(self.base, self.patient)

    @property
    def visit(self) -> str | None:
        """As `Case.encounter`."""
        return encounter_compartment(self.base, self.encounter) if self.encounter else None


class Done(Frozen):
    """What came of a pull."""

    case: Case
    created: bool
    stored: StoredAssessment
    pulled: Pulled


class PullService:
    """Pulls patients; every method raises what `pull_patient` raises.

    Args:
        services: Of the application.
        outbound: Calls other servers.
    """

    def __init__(self, services: Services, outbound: OutboundClient | None = None) -> None:
        self._services = services
        self._outbound = outbound or OutboundClient(services.settings)

    def pull(self, asked: PullIn, *, principal: Principal, smart: SmartContext | None) -> Done:
        """Pull a patient into their case, made where there is none of this visit.

        Args:
            asked: Whose data.
            principal: Who asks.
            smart: The EHR's launch behind the login, where there is one; its token is used.

        Raises:
            InvalidValueError: It is not said whose, or the server is not one that may be asked.
            ForbiddenError: Not allowed, or not for this patient.
            UnauthenticatedError: The token of the launch has ended.
        """
        whose = _whose(asked, smart)
        self._allow(principal, whose)
        token = self._token(whose, smart)
        settings = self._services.settings
        pulled = pull_patient(
            lambda url: self._outbound.get_json(
                url,
                headers={
                    "Authorization": f"Bearer {token.get_secret_value()}",
                    "Accept": "application/fhir+json",
                },
                purpose="FHIR read",
            ),
            base=whose.base,
            patient=whose.patient,
            limits=Limits(pages=settings.fhir_pull_pages, seconds=settings.fhir_pull_s),
        )
        return self.keep(whose, pulled, principal=principal, label=asked.label)

    def keep(self, whose: Whose, pulled: Pulled, *, principal: Principal, label: str) -> Done:
        """Put what was pulled into the case of this visit, and assess it.

        Args:
            whose: Whose data.
            pulled: What came.
            principal: Who asked.
            label: Of a new case.
        """
        services = self._services
        cases = CaseService(services)
        case, created = self._case(whose), False
        if case is None:
            case, created = services.cases.open_visit(
                whose.compartment,
                whose.visit,
                label=label or "from the EHR",
                source="fhir",
                by=principal.subject,
                files=[(FILE, orjson.dumps(pulled.bundle))],
            )
        if created:
            stored = cases.assess(case, principal=principal, why="new file")
        else:
            pulled = with_earlier(pulled, self._earlier(case))
            content = orjson.dumps(pulled.bundle)
            stored = cases.add_files(case, [(FILE, content)], principal=principal)
        services.audit.used(
            principal,
            "fhir.pulled",
            case=case,
            detail={"counts": pulled.counts, "problems": len(pulled.problems)},
        )
        return Done(case=case, created=created, stored=stored, pulled=pulled)

    def _earlier(self, case: Case) -> bytes | None:
        """Return the Bundle of the pull before this one, or None."""
        store = self._services.cases
        kept = next((file for file in store.files(case.id) if file.name == FILE), None)
        return None if kept is None else store.content(kept)

    def _case(self, whose: Whose) -> Case | None:
        """Return the case of this visit."""
        return self._services.cases.visit(whose.compartment, whose.visit)

    def _allow(self, principal: Principal, whose: Whose) -> None:
        for permission in (Permission.CREATE_CASE, Permission.ADD_FILES):
            if not principal.may(permission, patient=whose.compartment):
                self._services.audit.refused(principal, permission.value, case=None)
                raise ForbiddenError(permission.value)

    def _token(self, whose: Whose, smart: SmartContext | None) -> SecretStr:
        if smart is None:
            return backend_token(self._services.settings, self._outbound, whose.base)
        if smart.access_token is None:
            raise UnauthenticatedError("the EHR's token has ended; launch again from the EHR")
        return smart.access_token


def _whose(asked: PullIn, smart: SmartContext | None) -> Whose:
    if smart is None:
        if asked.server is None or asked.patient is None:
            raise InvalidValueError("pull", "names no server or no patient", "give both")
        return Whose(base=fhir_base(asked.server), patient=asked.patient, encounter=asked.encounter)
    launched = Whose(base=fhir_base(smart.iss), patient=smart.patient, encounter=smart.encounter)
    given = (asked.server and fhir_base(asked.server), asked.patient, asked.encounter)
    own = (launched.base, launched.patient, launched.encounter)
    if any(one is not None and one != other for one, other in zip(given, own, strict=True)):
        raise ForbiddenError("a patient other than the launch's")
    return launched
