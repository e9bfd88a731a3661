"""SMART App Launch 2.2: from the EHR's launch, or from here, to a login for one patient."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.model import Frozen
from knowledge.plain_text import visible
from serving.access.address import public_base
from serving.access.compartment import fhir_base, fhir_id, patient_compartment
from serving.access.errors import N_, ForbiddenError, UnauthenticatedError
from serving.access.login.attempts import AttemptStore
from serving.access.login.code_flow import (
    CodeClient,
    Provider,
    begin,
    check_sender,
    exchange,
    identity,
    provider_of,
)
from serving.access.login.people import name_of, subject_of
from serving.access.login.service import Sent
from serving.access.outbound import OutboundClient
from serving.access.principal import Permission, Principal, Role
from serving.access.scopes import LAUNCHED, parse_scopes
from serving.access.smart.protocol import LaunchContext
from serving.services import Services

CALLBACK = "/smart/callback"
_PROFESSIONS = ("Practitioner", "PractitionerRole")
_LONGEST_LAUNCH = 2000
_DEFAULT_TOKEN_S = 300
"""Of a token whose end is not stated: `expires_in` is only recommended."""

_V1 = {"rs": "read", "r": "read", "s": "read"}


class Launched(Frozen):
    """A login by an EHR.

    Args:
        principal: Who, for which patient.
        context: In what context.
        token: For the FHIR server.
    """

    principal: Principal
    context: LaunchContext
    token: SecretStr


class SmartLaunch:
    """Launches and what comes back.

    Args:
        services: Of the application.
    """

    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        self._clock = services.clock
        self._outbound = OutboundClient(services.settings)
        self._attempts = AttemptStore(services.database, services.clock)

    def start(self, iss: str, launch: str | None) -> Sent:
        """Return where to send the browser.

        Args:
            iss: Base address of the FHIR server, as the EHR or a person named it.
            launch: What the EHR gave; None for a launch from here.

        Raises:
            ForbiddenError: The EHR is not on the list.
            UnavailableError: It does not answer as it should.
        """
        base = self._known(iss)
        if launch is not None and not 0 < len(launch) <= _LONGEST_LAUNCH:
            raise InvalidValueError("launch", "is empty or too long", "launch again from the EHR")
        document, provider = self._discover(base)
        first = "launch/patient" if launch is None else "launch"
        scope = f"{first} {_asked(self._settings.smart_scopes, document)}"
        extra = {"aud": base} | ({} if launch is None else {"launch": launch})
        begun = begin(provider, self._client(base), scope=scope, extra=extra)
        kept = {"iss": base, "verifier": begun.verifier, "nonce": begun.nonce}
        return Sent(url=begun.url, cookie=self._attempts.begin("smart", kept, state=begun.state))

    def finish(self, *, state: str, code: str, iss: str | None, browser: str | None) -> Launched:
        """Return the login that a launch has led to.

        Args:
            state: As it came back.
            code: To be exchanged for the token.
            iss: Who sent it, where it says so (RFC 9207); not the FHIR server.
            browser: Cookie of the attempt.

        Raises:
            UnauthenticatedError: The login is not valid, or no patient or professional is in it.
            UnavailableError: The EHR does not answer as it should.
        """
        kept = self._attempts.take("smart", state, browser)
        base = self._known(kept["iss"])
        _, provider = self._discover(base)
        check_sender(provider, iss)
        client = self._client(base)
        answer = exchange(provider, client, self._outbound, code=code, verifier=kept["verifier"])
        claims = identity(
            answer, provider, client, self._outbound, nonce=kept["nonce"], now=self._clock()
        )
        context = self._context(base, answer, claims)
        principal = Principal(
            subject=subject_of(provider.issuer, claims),
            name=name_of(claims, context.fhir_user),
            roles=frozenset({Role.CLINICIAN}),
            patient=patient_compartment(base, context.patient),
            scopes=_granted(context.scope),
            via="smart",
        )
        return Launched(
            principal=principal, context=context, token=SecretStr(str(answer["access_token"]))
        )

    def _known(self, iss: str) -> str:
        for base in self._settings.smart_issuers:
            if fhir_base(base) == fhir_base(iss):
                return fhir_base(base)
        raise ForbiddenError("launches from this EHR")

    def _client(self, base: str) -> CodeClient:
        def of(table: Mapping[str, Any]) -> Any:
            return next((value for key, value in table.items() if fhir_base(key) == base), None)

        return CodeClient(
            client_id=of(self._settings.smart_issuers),
            secret=of(self._settings.smart_client_secrets),
            redirect_uri=public_base(self._settings) + CALLBACK,
        )

    def _discover(self, base: str) -> tuple[Mapping[str, Any], Provider]:
        document = self._outbound.get_json(
            f"{base}/.well-known/smart-configuration", purpose="SMART discovery"
        )
        provider = provider_of(document, "the EHR")
        if "S256" not in document.get("code_challenge_methods_supported", ()):
            raise UnavailableError("the EHR", "does not offer PKCE with S256", "ask its operator")
        return document, provider

    def _context(
        self, base: str, answer: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> LaunchContext:
        """Return the context of a token response; what is needed and missing ends the login."""
        try:
            patient = fhir_id(answer.get("patient"))
            encounter = answer.get("encounter")
            encounter = None if encounter is None else fhir_id(encounter)
        except InvalidValueError as error:
            raise UnauthenticatedError(N_("the EHR named no patient or no usable one")) from error
        seconds = answer.get("expires_in", _DEFAULT_TOKEN_S)
        usable = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0
        lasting = min(seconds, _longest_s(self._settings.session_hours)) if usable else 0
        intent = answer.get("intent")
        return LaunchContext(
            iss=base,
            patient=patient,
            encounter=encounter,
            need_patient_banner=answer.get("need_patient_banner") is not False,
            intent=visible(intent)[:200] if isinstance(intent, str) else None,
            scope=str(answer.get("scope", "")),
            fhir_user=_professional(claims),
            token_expires_at=self._clock() + timedelta(seconds=lasting),
        )


def _granted(scope: str) -> frozenset[Permission]:
    """Return what was granted: servers drop scopes silently, so less than asked is usual."""
    permissions = parse_scopes(scope).permissions(contexts=LAUNCHED)
    if Permission.READ_CASE not in permissions:
        raise UnauthenticatedError(
            N_("the EHR did not grant reading the patient and their observations")
        )
    return permissions


def _professional(claims: Mapping[str, Any]) -> str:
    """Return who launched; only professionals use this service, a patient's own login does not."""
    named = claims.get("fhirUser")
    parts = named.split("/") if isinstance(named, str) else []
    if len(parts) < 2 or parts[-2] not in _PROFESSIONS:
        raise UnauthenticatedError(N_("the EHR named no professional (fhirUser)"))
    try:
        return f"{parts[-2]}/{fhir_id(parts[-1])}"
    except InvalidValueError as error:
        raise UnauthenticatedError(N_("the EHR named no professional (fhirUser)")) from error


def _asked(scopes: str, document: Mapping[str, Any]) -> str:
    """Return the scopes to ask for, in version 1 where an EHR knows no other."""
    able = document.get("capabilities", ())
    if "permission-v2" in able or "permission-v1" not in able:
        return scopes
    return " ".join(_in_version_1(word) for word in scopes.split())


def _in_version_1(word: str) -> str:
    head, dot, actions = word.rpartition(".")
    if not dot or "/" not in head:
        return word
    return f"{head}.{_V1.get(actions, 'write')}"


def _longest_s(hours: int) -> int:
    return hours * 3600
