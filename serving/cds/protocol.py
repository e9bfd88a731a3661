"""What a CDS Hooks client sends: calls and feedback, strict where it matters, else tolerant.

Source: HL7 CDS Hooks 2.0 (and the 3.0 ballot: SMART v2 scopes, further fields). Unknown fields are
ignored, as the specification asks; what is used has its type.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from knowledge.errors import InvalidValueError

Hook = Literal["patient-view", "encounter-start", "order-select", "order-sign"]
FhirId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
"""Logical id of FHIR R4."""

UserId = Annotated[
    str,
    StringConstraints(
        pattern=r"^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}$"
    ),
]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,64}/[A-Za-z0-9\-.]{1,64}$")]

MOST_SELECTIONS = 500
MOST_FEEDBACK = 200
LONGEST_COMMENT = 2000
_LONGEST_TOKEN = 16_384


class Tolerant(BaseModel):
    """Base of what is received: frozen, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FhirAuthorization(Tolerant):
    """A token for the client's FHIR server: for this request alone, never stored, never logged.

    Args:
        access_token: The token.
        token_type: Always Bearer.
        expires_in: Seconds it is valid.
        scope: SMART scopes, version 1 or 2.
        subject: Client id of this service at the server.
        patient: The one patient it is for, where scopes are of a patient.
    """

    access_token: Annotated[SecretStr, Field(min_length=1, max_length=_LONGEST_TOKEN)]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(ge=0, le=86_400)]
    scope: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    subject: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    patient: FhirId | None = None


class PatientView(Tolerant):
    """Context of ``patient-view``."""

    userId: UserId
    patientId: FhirId
    encounterId: FhirId | None = None


class EncounterStart(Tolerant):
    """Context of ``encounter-start``."""

    userId: UserId
    patientId: FhirId
    encounterId: FhirId


class OrderSign(Tolerant):
    """Context of ``order-sign``; the orders are a FHIR Bundle."""

    userId: UserId
    patientId: FhirId
    encounterId: FhirId | None = None
    draftOrders: dict[str, Any]

    @model_validator(mode="after")
    def _is_a_bundle(self) -> Self:
        if self.draftOrders.get("resourceType") != "Bundle":
            raise ValueError("draftOrders is not a Bundle")
        entries = self.draftOrders.get("entry", [])
        if not isinstance(entries, list) or not all(
            isinstance(e, dict) and isinstance(e.get("resource"), dict) for e in entries
        ):
            raise ValueError("draftOrders has entries without a resource")
        return self


class OrderSelect(OrderSign):
    """Context of ``order-select``: as ``order-sign``, with what was selected."""

    selections: Annotated[list[Reference], Field(min_length=1, max_length=MOST_SELECTIONS)]


Context = PatientView | EncounterStart | OrderSelect | OrderSign

CONTEXTS: dict[Hook, type[Context]] = {
    "patient-view": PatientView,
    "encounter-start": EncounterStart,
    "order-select": OrderSelect,
    "order-sign": OrderSign,
}


class HookCall(Tolerant):
    """One call of a service.

    Args:
        hook: Which hook.
        hookInstance: UUID of this occasion.
        fhirServer: Base address of the client's FHIR server.
        fhirAuthorization: A token for it.
        context: As the hook defines it.
        prefetch: What was asked for in discovery, by key. A key that is missing was not satisfied;
            null means that the client has no data.
    """

    hook: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    hookInstance: UUID
    fhirServer: (
        Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=400)] | None
    ) = None
    fhirAuthorization: FhirAuthorization | None = None
    context: dict[str, Any]
    prefetch: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _a_token_has_its_server(self) -> Self:
        if self.fhirAuthorization is not None and self.fhirServer is None:
            raise ValueError("fhirServer is required where fhirAuthorization is given")
        return self

    def context_of(self, hook: Hook) -> Context:
        """Return the context, checked for the hook of the service that was called.

        Raises:
            InvalidValueError: Another hook, or not such a context; names the fields, not values.
        """
        if self.hook != hook:
            raise InvalidValueError("hook", f"this service is for {hook}", "call the service of it")
        try:
            return CONTEXTS[hook].model_validate(self.context)
        except ValidationError as error:
            raise InvalidValueError(
                "context", _faults(error), f"send the context that {hook} defines"
            ) from error


class Coding(Tolerant):
    """A code; a client may leave out what it shows."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    system: Annotated[str, StringConstraints(max_length=400)] | None = None
    display: Annotated[str, StringConstraints(max_length=400)] | None = None


class OverrideReason(Tolerant):
    """Why a card was overridden."""

    reason: Coding | None = None
    userComment: Annotated[str, StringConstraints(max_length=LONGEST_COMMENT)] | None = None


class AcceptedSuggestion(Tolerant):
    """A suggestion that was taken."""

    id: UUID


class Feedback(Tolerant):
    """What became of one card; the same card may be told of several times."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    acceptedSuggestions: Annotated[list[AcceptedSuggestion], Field(max_length=50)] | None = None
    overrideReason: OverrideReason | None = None
    outcomeTimestamp: AwareDatetime

    @model_validator(mode="after")
    def _accepted_what(self) -> Self:
        if self.outcome == "accepted" and not self.acceptedSuggestions:
            raise ValueError("acceptedSuggestions is required where the outcome is accepted")
        return self

    @property
    def at(self) -> datetime:
        """When, as the client says."""
        return self.outcomeTimestamp


class FeedbackBody(Tolerant):
    """One feedback call."""

    feedback: Annotated[list[Feedback], Field(min_length=1, max_length=MOST_FEEDBACK)]


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a body, for OpenAPI, with everything it needs in itself."""
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    made: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    return made


def _inlined(node: Any, defs: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        name = node.get("$ref")
        if isinstance(name, str):
            return _inlined(defs[name.rpartition("/")[2]], defs)
        made = {key: _inlined(value, defs) for key, value in node.items()}
        pattern = made.get("pattern")
        if isinstance(pattern, str):
            made["pattern"] = pattern.replace(r"^", "^").replace(r"$", "$")
        return made
    return [_inlined(part, defs) for part in node] if isinstance(node, list) else node


def _faults(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found[:5])[:600]
