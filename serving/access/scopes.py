"""Scopes of SMART App Launch, version 1 and 2, and what they allow here; unknown ones nothing.

``patient/Observation.read`` (v1) is ``patient/Observation.rs`` (v2); ``write`` is ``cud``, ``*`` is
``cruds``. A scope narrowed by a query (``?category=laboratory``) does not give the whole resource.
Source: HL7 SMART App Launch 2.2, "Scopes for requesting FHIR Resources".
"""

import re
from collections.abc import Iterable
from typing import Literal, get_args
from urllib.parse import parse_qsl

from knowledge.model import Frozen
from serving.access.principal import Permission

Context = Literal["patient", "user", "system"]
LAUNCHED: tuple[Context, ...] = ("patient", "user")
BACKEND: tuple[Context, ...] = ("system",)

OWN = "epicrisis/"
"""Prefix of scopes for what FHIR has no word for, for example ``epicrisis/cds.call``."""

_LONGEST = 4000
_FHIR = re.compile(
    r"(?P<context>patient|user|system)/(?P<resource>[A-Z][A-Za-z]{0,63}|\*)"
    r"\.(?P<actions>read|write|\*|c?r?u?d?s?)(?:\?(?P<query>[^\s?#]+))?"
)
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}

NEEDED: dict[Permission, tuple[tuple[str, str], ...]] = {
    Permission.READ_CASE: (("Patient", "r"), ("Observation", "rs")),
    Permission.ASSESS: (("Patient", "r"), ("Observation", "rs")),
    Permission.CREATE_CASE: (("Patient", "r"), ("Observation", "rs")),
    Permission.CHAT: (("Patient", "r"), ("Observation", "rs")),
    Permission.ANSWER: (("Patient", "r"), ("Observation", "rs")),
    Permission.ADD_FILES: (("Patient", "r"), ("Observation", "rs")),
    Permission.SIGN: (("Patient", "r"), ("Observation", "rs")),
    Permission.ACKNOWLEDGE: (("Patient", "r"), ("Observation", "rs")),
    Permission.EXPORT: (("Patient", "r"), ("Observation", "rs")),
    Permission.READ_AUDIT: (("AuditEvent", "rs"),),
}
"""What of the patient's chart a token must open before a permission holds. An assessment shows the
patient and their observations, so nothing about a case is allowed with less."""

UNCONDITIONAL = frozenset({Permission.READ_KNOWLEDGE})
"""What any valid token allows where the role does: it is of no patient."""


class FhirScope(Frozen):
    """One scope on FHIR resources.

    Args:
        context: Whose.
        resource: FHIR type, or ``*``.
        actions: Letters of ``cruds``.
        query: What narrows it, as name and value; empty for all of the type.
    """

    context: Context
    resource: str
    actions: str
    query: tuple[tuple[str, str], ...] = ()


class Scopes(Frozen):
    """What a token was granted.

    Args:
        fhir: On FHIR resources.
        own: Of this service.
        other: Everything else that was granted, as it was written (``openid``, ``launch``).
    """

    fhir: tuple[FhirScope, ...] = ()
    own: frozenset[Permission] = frozenset()
    other: frozenset[str] = frozenset()

    def allows(self, resource: str, actions: str, *, contexts: Iterable[Context]) -> bool:
        """Return whether all of these actions are granted on every resource of a type.

        Args:
            resource: FHIR type.
            actions: Letters of ``cruds``.
            contexts: Which scopes count: `LAUNCHED` or `BACKEND`.
        """
        wanted = set(contexts)
        granted = {
            letter
            for scope in self.fhir
            if scope.context in wanted and scope.resource in ("*", resource) and not scope.query
            for letter in scope.actions
        }
        return bool(actions) and set(actions) <= granted

    def narrowed(
        self, resource: str, action: str, *, contexts: Iterable[Context]
    ) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Return the queries within which an action on a type is granted, where it is by any."""
        wanted = set(contexts)
        return tuple(
            scope.query
            for scope in self.fhir
            if scope.context in wanted
            and scope.resource in ("*", resource)
            and action in scope.actions
            and scope.query
        )

    def permissions(self, *, contexts: Iterable[Context]) -> frozenset[Permission]:
        """Return what these scopes allow here; the role must allow it as well."""
        counted = tuple(contexts)
        of_chart = {
            permission
            for permission, needs in NEEDED.items()
            if all(self.allows(kind, actions, contexts=counted) for kind, actions in needs)
        }
        return self.own | UNCONDITIONAL | of_chart

    def covers(self, other: "Scopes") -> bool:
        """Return whether everything in the other is granted by these; narrowing counts as given."""
        return (
            other.own <= self.own
            and other.other <= self.other
            and all(
                scope in self.fhir
                or self.allows(scope.resource, scope.actions, contexts=(scope.context,))
                for scope in other.fhir
            )
        )


def parse_scopes(text: str) -> Scopes:
    """Return what a scope string grants; what is not understood grants nothing.

    Args:
        text: Scopes with spaces between, as in a token response.

    Examples:
        >>> parse_scopes("patient/Observation.read").fhir[0].actions
        'rs'
        >>> parse_scopes("patient/Observation.sr").fhir
        ()
    """
    fhir: list[FhirScope] = []
    own: set[Permission] = set()
    other: set[str] = set()
    for word in text[:_LONGEST].split():
        if (scope := _fhir(word)) is not None:
            fhir.append(scope)
        elif word.startswith(OWN) and word.removeprefix(OWN) in set(Permission):
            own.add(Permission(word.removeprefix(OWN)))
        else:
            other.add(word)
    return Scopes(fhir=tuple(fhir), own=frozenset(own), other=frozenset(other))


def _fhir(word: str) -> FhirScope | None:
    found = _FHIR.fullmatch(word)
    if found is None or not found["actions"]:
        return None
    context = next(c for c in get_args(Context) if c == found["context"])
    query = tuple(parse_qsl(found["query"] or "", keep_blank_values=True))
    if found["query"] and not query:
        return None
    return FhirScope(
        context=context,
        resource=found["resource"],
        actions=_VERSION_1.get(found["actions"], found["actions"]),
        query=query,
    )
