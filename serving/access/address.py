"""Under which address others reach this service, and whether that is this machine alone."""

import ipaddress
from urllib.parse import urlsplit

from knowledge.errors import InvalidValueError
from knowledge.settings import Settings


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine, whatever a name server says.

    Examples:
        >>> is_loopback("127.0.0.1"), is_loopback("::ffff:127.0.0.1"), is_loopback("a.example")
        (True, True, False)
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower() == "localhost"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def public_base(settings: Settings) -> str:
    """Return the address others use, without a slash at its end; never from a request.

    Raises:
        InvalidValueError: It is not https and not of this machine alone.
    """
    if settings.public_url is None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return f"http://{host}:{settings.port}"
    base = settings.public_url.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme == "https" and parts.hostname:
        return base
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return base
    raise InvalidValueError(
        "EPICRISIS_PUBLIC_URL", "is not an https address", "put a proxy with TLS before the service"
    )


def origin(base: str) -> str:
    """Return scheme, host and port of an address, as browsers name an origin.

    Examples:
        >>> origin("https://a.example/epicrisis")
        'https://a.example'
    """
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_secure(settings: Settings) -> bool:
    """Return whether cookies are kept to https: always, but on this machine alone."""
    return public_base(settings).startswith("https://")
