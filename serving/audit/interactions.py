"""What each audited action is in the terms of FHIR and DICOM.

``rest`` events follow IHE BALP: in a read the data flow from server to client, in a query and in
everything that sends something to the server the other way, and the agents' roles say so.
"""

from enum import StrEnum
from typing import Literal

from knowledge.model import Frozen

_BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


class Kind(StrEnum):
    """The interaction an action is."""

    READ = "read"
    QUERY = "search"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    OPERATION = "operation"
    DISCLOSE = "disclose"
    LOGIN = "login"
    LOGOUT = "logout"


class Interaction(Frozen):
    """How an action is written.

    Args:
        kind: The interaction.
        action: ``AuditEvent.action``.
        server_is_source: Whether the data flow from the server to who asks.
        user: Role of the user: receives (IRCP), or is the author of what is sent (AUT).
        profile: Name of the BALP profile, without the word for "with a patient"; empty for none.
        object_role: Code of ``object-role`` of what it was done to: 3 report, 4 domain resource,
            20 job.
    """

    kind: Kind
    action: Literal["C", "R", "U", "D", "E"]
    server_is_source: bool = False
    user: Literal["IRCP", "AUT"] = "AUT"
    profile: str = ""
    object_role: Literal["3", "4", "20"] = "4"

    def profile_url(self, *, patient: bool) -> str | None:
        """Return the BALP profile that an event of this kind follows; None where there is none."""
        if not self.profile or (self.kind in (Kind.DELETE, Kind.DISCLOSE) and not patient):
            return None
        if self.kind is Kind.DISCLOSE:
            return f"{_BALP}{self.profile}"
        return f"{_BALP}{'Patient' if patient else ''}{self.profile}"


_READ = Interaction(kind=Kind.READ, action="R", server_is_source=True, user="IRCP", profile="Read")
_QUERY = Interaction(kind=Kind.QUERY, action="E", user="IRCP", profile="Query")
_CREATE = Interaction(kind=Kind.CREATE, action="C", profile="Create")
_UPDATE = Interaction(kind=Kind.UPDATE, action="U", profile="Update")
_DELETE = Interaction(kind=Kind.DELETE, action="D", profile="Delete")
_OPERATION = Interaction(kind=Kind.OPERATION, action="E")
_RUN = Interaction(kind=Kind.OPERATION, action="E", object_role="20")
_DISCLOSE = Interaction(
    kind=Kind.DISCLOSE,
    action="R",
    server_is_source=True,
    user="IRCP",
    profile="PrivacyDisclosure.Source",
    object_role="3",
)
_LOGIN = Interaction(kind=Kind.LOGIN, action="E", user="IRCP")
_LOGOUT = Interaction(kind=Kind.LOGOUT, action="E", user="IRCP")

_EXACT = {
    "case.create": _CREATE,
    "case.files": _UPDATE,
    "case.assess": _RUN,
    "case.answer": _UPDATE,
    "case.chat": _OPERATION,
    "case.sign": _OPERATION,
    "case.acknowledge": _UPDATE,
    "case.export": _DISCLOSE,
    "case.delete": _DELETE,
    "cds.call": _OPERATION,
    "assessment.kept": Interaction(kind=Kind.CREATE, action="C", profile="Create", object_role="3"),
    "login": _LOGIN,
    "logout": _LOGOUT,
}
_BY_VERB = {
    "read": _READ,
    "shown": _READ,
    "answered": _READ,
    "listed": _QUERY,
    "searched": _QUERY,
    "created": _CREATE,
    "raised": _CREATE,
    "signed": Interaction(kind=Kind.CREATE, action="C", profile="Create", object_role="3"),
    "amended": Interaction(kind=Kind.CREATE, action="C", profile="Create", object_role="3"),
    "kept": _UPDATE,
    "changed": _UPDATE,
    "acknowledged": _UPDATE,
    "escalated": _UPDATE,
    "flagged": _UPDATE,
    "resolved": _UPDATE,
    "overridden": _UPDATE,
    "override": _UPDATE,
    "feedback": _UPDATE,
    "pulled": _CREATE,
    "written-back": _DISCLOSE,
    "exported": _DISCLOSE,
    "disclosed": _DISCLOSE,
    "deleted": _DELETE,
    "submitted": _RUN,
    "started": _RUN,
    "finished": _RUN,
    "cancelled": _RUN,
    "login": _LOGIN,
    "logout": _LOGOUT,
}


def interaction_of(action: str) -> Interaction:
    """Return what an action is: by its name, else by its last word, else an operation.

    Examples:
        >>> interaction_of("case.read").kind.value, interaction_of("card.shown").kind.value
        ('read', 'read')
        >>> interaction_of("something.else").kind.value
        'operation'
    """
    verb = action.rpartition(".")[2]
    return _EXACT.get(action) or _BY_VERB.get(verb) or _OPERATION
