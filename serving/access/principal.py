"""Who asks: a person or a system, with roles and, for a token of one patient, that patient."""

from enum import StrEnum
from typing import Literal

from pydantic import field_validator

from knowledge.model import Frozen
from serving.access.compartment import fhir_base, normal


class Role(StrEnum):
    """What somebody is to this service."""

    VIEWER = "viewer"
    CLINICIAN = "clinician"
    REVIEWER = "reviewer"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that can be done."""

    READ_CASE = "case.read"
    CREATE_CASE = "case.create"
    ADD_FILES = "case.files"
    ASSESS = "case.assess"
    ANSWER = "case.answer"
    CHAT = "case.chat"
    SIGN = "case.sign"
    ACKNOWLEDGE = "case.acknowledge"
    EXPORT = "case.export"
    DELETE = "case.delete"
    CDS = "cds.call"
    READ_FEEDBACK = "feedback.read"
    READ_KNOWLEDGE = "knowledge.read"
    READ_AUDIT = "audit.read"
    OPERATE = "service.operate"


_READER = frozenset({Permission.READ_CASE, Permission.READ_KNOWLEDGE})
_CLINICIAN = _READER | {
    Permission.CREATE_CASE,
    Permission.ADD_FILES,
    Permission.ASSESS,
    Permission.ANSWER,
    Permission.CHAT,
    Permission.SIGN,
    Permission.ACKNOWLEDGE,
    Permission.EXPORT,
}
_INTEGRATOR = _READER | {
    Permission.CREATE_CASE,
    Permission.ADD_FILES,
    Permission.ASSESS,
    Permission.EXPORT,
    Permission.CDS,
}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _READER,
    Role.CLINICIAN: _CLINICIAN,
    Role.REVIEWER: _READER | {Permission.READ_FEEDBACK},
    Role.INTEGRATOR: _INTEGRATOR,
    Role.ADMIN: frozenset(
        {
            Permission.READ_AUDIT,
            Permission.OPERATE,
            Permission.DELETE,
            Permission.READ_FEEDBACK,
            Permission.READ_KNOWLEDGE,
        }
    ),
}
"""What each role may do. An administrator runs the service and reads no patient's data."""


class Principal(Frozen):
    """Who asks, for one request.

    Args:
        subject: Stable id, unique within `via` and its issuer.
        name: As shown and as signed with.
        roles: What they are here; none may do nothing.
        patient: The only patient they may see (`Case.patient`); None where the role decides alone.
        scopes: Permissions that the token grants; None where the role decides alone. Both must
            allow.
        tenants: FHIR base addresses whose patients a system may see; None where the role decides
            alone.
        via: How they came in.
    """

    subject: str
    name: str
    roles: frozenset[Role]
    patient: str | None = None
    scopes: frozenset[Permission] | None = None
    tenants: frozenset[str] | None = None
    via: Literal["local", "oidc", "smart", "service", "cds"]

    @field_validator("tenants")
    @classmethod
    def _as_compared(cls, tenants: frozenset[str] | None) -> frozenset[str] | None:
        return None if tenants is None else frozenset(map(fhir_base, tenants))

    @field_validator("patient")
    @classmethod
    def _compared(cls, patient: str | None) -> str | None:
        return None if patient is None else normal(patient)

    def may(self, permission: Permission, *, patient: str | None = None) -> bool:
        """Return whether they may do this, to this patient's data where one is named.

        A token of one patient allows nothing that is not of that patient: also not what is of no
        known patient.

        Args:
            permission: What.
            patient: `Case.patient` of the case it is done to.
        """
        return self.grants(permission) and self.sees(patient)

    def grants(self, permission: Permission) -> bool:
        """Return whether role and token allow this at all, to whatever patient they reach.

        Args:
            permission: What.
        """
        granted = frozenset[Permission]().union(*(GRANTS[role] for role in self.roles))
        return permission in granted and (self.scopes is None or permission in self.scopes)

    def sees(self, patient: str | None) -> bool:
        """Return whether data of this patient are within reach.

        Args:
            patient: `Case.patient`; None for one who is not known.
        """
        if self.patient is not None:
            return patient is not None and self.patient == normal(patient)
        if self.tenants is not None:
            return patient is not None and fhir_base(patient.partition("|")[0]) in self.tenants
        return True
