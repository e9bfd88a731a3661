"""The address of a language model: checked, split, and safe to show."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen

_SETTING = "EPICRISIS_LLM_URL"


class Address(Frozen):
    """Where an OpenAI-compatible endpoint is.

    Args:
        api: Base of the OpenAI paths, usually ending in ``/v1``.
        root: Base of the server's own paths (``/version``, ``/props``, ``/tokenize``); None for a
            gateway that has its API elsewhere.
        host: Host and port, to show.
        loopback: Whether it is on this machine.
    """

    api: str
    root: str | None
    host: str
    loopback: bool


def address(url: str, given_as: str = _SETTING) -> Address:
    """Return the parts of a configured address.

    Args:
        url: It.
        given_as: Where it was given, for refusals.

    Raises:
        InvalidValueError: Not an http address, or one that carries a password.

    Examples:
        >>> address("http://127.0.0.1:8000").api
        'http://127.0.0.1:8000/v1'
        >>> address("https://gateway.example.org/models/v2/").api
        'https://gateway.example.org/models/v2'
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        sendable = httpx.URL(url).host and not any(sign.isspace() for sign in url)
    except (ValueError, httpx.InvalidURL) as error:
        raise InvalidValueError(given_as, "is not an address", "for example http://host/v1") from (
            error
        )
    if parts.scheme not in ("http", "https") or not host or not sendable:
        raise InvalidValueError(given_as, "is not an http address", "for example http://host/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidValueError(
            given_as, "carries more than scheme, host, port and path",
            "give the key by EPICRISIS_LLM_API_KEY",
        )  # fmt: skip
    base = f"{parts.scheme}://{parts.netloc}"
    path = parts.path.rstrip("/")
    plain = path in ("", "/v1")
    return Address(
        api=f"{base}{path or '/v1'}",
        root=base if plain else None,
        host=f"{host}:{port}" if port else host,
        loopback=_is_loopback(host),
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
