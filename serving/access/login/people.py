"""Who somebody is here, from what a provider says of them."""

import hashlib
from collections.abc import Mapping
from typing import Any

from knowledge.plain_text import visible
from serving.access.principal import Role

_LONGEST_SUBJECT = 200
_LONGEST_NAME = 80


def subject_of(issuer: str, claims: Mapping[str, Any]) -> str:
    """Return an id that is of this person alone, over all issuers.

    Examples:
        >>> subject_of("https://a.example", {"sub": "7"})
        'https://a.example#7'
    """
    whole = f"{issuer}#{claims['sub']}"
    if len(whole) <= _LONGEST_SUBJECT and whole.isprintable():
        return whole
    return f"sha256:{hashlib.sha256(whole.encode()).hexdigest()}"


def name_of(claims: Mapping[str, Any], otherwise: str) -> str:
    """Return a name as it can be shown and signed with."""
    for key in ("name", "preferred_username", "email"):
        value = claims.get(key)
        if isinstance(value, str) and visible(value).strip():
            return visible(value).strip()[:_LONGEST_NAME]
    return visible(otherwise)[:_LONGEST_NAME] or "unnamed"


def roles_of(claims: Mapping[str, Any], path: str, known: Mapping[str, str]) -> frozenset[Role]:
    """Return the roles that a claim gives; a value that is not in the map gives none.

    Args:
        claims: Of the ID token.
        path: Name of the claim; a dot goes into an object, unless the whole is a claim's name.
        known: Value to role.

    Examples:
        >>> roles_of({"a": {"b": ["md", "admin"]}}, "a.b", {"md": "clinician"})
        frozenset({<Role.CLINICIAN: 'clinician'>})
    """
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = [found] if isinstance(found, str) else found
    if not isinstance(values, list):
        return frozenset()
    return frozenset(
        Role(known[value]) for value in values if isinstance(value, str) and value in known
    )
