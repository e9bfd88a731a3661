"""What an EHR says at a launch, and what a request of such a login may use."""

from datetime import datetime

from pydantic import SecretStr

from knowledge.model import Frozen
from serving.access.scopes import LAUNCHED, parse_scopes

SIDEBAR = "/sidebar"
"""The page a launch ends on."""


class LaunchContext(Frozen):
    """In what context this service was launched; kept with the session.

    Args:
        iss: Base address of the FHIR server, without a slash at its end.
        patient: FHIR id of the patient in context.
        encounter: FHIR id of the encounter, where one is in context.
        need_patient_banner: Whether the page must say whose data it shows; only a plain false
            means that the EHR does.
        intent: What the EHR wants to be shown, as it was sent.
        scope: What was granted, as it was sent.
        fhir_user: Who launched, as a FHIR reference.
        token_expires_at: When the access token ends.
    """

    iss: str
    patient: str
    encounter: str | None = None
    need_patient_banner: bool = True
    intent: str | None = None
    scope: str
    fhir_user: str
    token_expires_at: datetime


class SmartContext(LaunchContext):
    """The same, with the token: of one request, never to be kept, logged or given to a run.

    Args:
        access_token: For the FHIR server; None once it has ended: a new launch gives another.
    """

    access_token: SecretStr | None

    def allows(self, resource: str, actions: str) -> bool:
        """Return whether the EHR granted these actions on every resource of a type.

        Args:
            resource: FHIR type, for example ``DiagnosticReport``.
            actions: Letters of ``cruds``.
        """
        return parse_scopes(self.scope).allows(resource, actions, contexts=LAUNCHED)
