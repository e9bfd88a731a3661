"""Which tenant somebody is of: addresses are compared in one form, in the file and in requests."""

from collections.abc import Mapping

from agent.llm.pool.limits import TenantRow


def require_apart(tenants: Mapping[str, TenantRow], others: str) -> None:
    """Refuse tenants that cannot be told apart.

    Args:
        tenants: By name.
        others: Name of those whom no row names.

    Raises:
        ValueError: Two match the same, one matches nothing, or one has a reserved name.
    """
    if others in tenants:
        raise ValueError(f"tenants.{others}: is the reserved name of those whom no row names")
    names = {compared(name): name for name in (*tenants, others)}
    whose: dict[str, str] = {}
    for name, row in tenants.items():
        for one in row.match:
            same = compared(one)
            if not same:
                raise ValueError(f"tenants.{name}.match: an entry is empty")
            other = whose.setdefault(same, names.get(same, name))
            if other != name:
                raise ValueError(f"tenants.{name}.match: {one} is tenant {other} already")


def compared(said: str) -> str:
    """Return an address as it is compared: scheme and host in small letters (RFC 3986, 6.2.2.1).

    Blanks around it and slashes at its end do not count.
    """
    said = said.strip().rstrip("/")
    scheme, found, rest = said.partition("://")
    if not found:
        return said
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"
