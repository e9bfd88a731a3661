"""Where a card leads: the sidebar by SMART where the EHR can launch it, else the workspace."""

import json

from knowledge.settings import Settings
from serving.access.address import public_base
from serving.access.compartment import fhir_base
from serving.cases.model import Case
from serving.cds.card_model import Link
from serving.cds.protocol import HookCall

SMART_LAUNCH = "/smart/launch"
"""Address at which an EHR launches the sidebar."""


def links_for(call: HookCall, case: Case | None, settings: Settings) -> tuple[Link, ...]:
    """Return the links of a card.

    A client whose server gives tokens can launch by SMART, where this service is known to it; for
    others a SMART link is dead, so they get an absolute one, which asks for a login.

    Args:
        call: The call.
        case: The case, where there is one.
        settings: Address of this service, and the EHRs that may launch it.
    """
    base = public_base(settings)
    server = fhir_base(call.fhirServer or "")
    launches = server in {fhir_base(issuer) for issuer in settings.smart_issuers}
    if call.fhirAuthorization is not None and launches:
        context = json.dumps({"case": case.id}) if case is not None else None
        return (
            Link(
                label="Open the assessment",
                url=f"{base}{SMART_LAUNCH}",
                type="smart",
                appContext=context,
            ),
        )
    where = f"/cases/{case.id}" if case is not None else "/"
    return (Link(label="Open the workspace", url=f"{base}{where}", type="absolute"),)
