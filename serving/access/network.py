"""Which network addresses may be called: public ones, unless a setting names the host."""

import ipaddress
import socket
from collections.abc import Callable

from knowledge.errors import UnavailableError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], tuple[str, ...]]

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""IPv6 prefixes that stand for an IPv4 address in their last 32 bits (RFC 6052, RFC 8215)."""


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return the network addresses of a host, as the system's resolver gives them.

    Raises:
        UnavailableError: It has none, or the resolver does not answer.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(
            f"host {host}", "has no network address", "check its name and the name server"
        ) from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Return whether a network address is of the public internet, however it is written.

    Examples:
        >>> is_public("192.0.2.1"), is_public("::ffff:10.0.0.1"), is_public("1.1.1.1")
        (False, False, True)
    """
    return all(_is_public(one) for one in _meanings(_parse(address)))


def is_loopback_address(address: str) -> bool:
    """Return whether a network address is this machine's own."""
    return any(one.is_loopback for one in _meanings(_parse(address)))


def _parse(address: str) -> Address:
    return ipaddress.ip_address(address.partition("%")[0])


def _is_public(address: Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _meanings(address: Address) -> tuple[Address, ...]:
    """Return the address, or the IPv4 addresses that an IPv6 one leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    if any(address in network for network in _NAT64):
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)
