"""The only way to call an address that came from outside: allow-listed, pinned, bounded.

A name is resolved once; the connection goes to the very address that was checked, so that a name
server cannot answer differently a moment later. TLS is still checked against the name. Redirects
are not followed, proxies and credentials of the environment are not used.
"""

import ssl
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from knowledge.errors import InvalidValueError, TooLargeError, UnavailableError
from knowledge.plain_text import visible
from knowledge.settings import Settings
from serving.access.network import Resolve, is_loopback_address, is_public, resolve

_PORTS = {"https": 443, "http": 80}
_MIB = 1024 * 1024
_LONGEST_URL = 4000


class OutboundError(UnavailableError):
    """Another server gave no usable answer.

    Args:
        item: Which call.
        reason: What happened.
        way_out: What can be done.
        status: HTTP status, where there was an answer.
        body: Its JSON, where it was JSON; never to be shown or logged: it may be of a patient.
    """

    def __init__(
        self,
        item: str,
        reason: str,
        way_out: str = "",
        *,
        status: int | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(item, reason, way_out)
        self.status = status
        self.body = body


class OutboundClient:
    """Calls other servers.

    Args:
        settings: Which ones, and how long and how large.
        resolve: Gives the network addresses of a host.

    Every method raises `InvalidValueError` where the address is not allowed, `OutboundError` where
    the other server gives no usable answer, and `TooLargeError` where its answer is too large.
    """

    def __init__(self, settings: Settings, *, resolve: Resolve = resolve) -> None:
        self._settings = settings
        self._resolve = resolve
        own = (settings.oidc_issuer, settings.reading_fhir_url)
        issuers = [*settings.smart_issuers, *filter(None, own)]
        named = {_host_of(issuer) for issuer in issuers}
        self._private = named | {entry.lower() for entry in settings.outbound_private_hosts}
        self._allowed = self._private | {entry.lower() for entry in settings.outbound_hosts}

    def get_json(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        purpose: str,
        timeout_s: float | None = None,
    ) -> Any:
        """Return the JSON at an address.

        Args:
            url: Absolute address.
            headers: To be sent.
            purpose: What for, in messages, for example ``FHIR read``.
            timeout_s: Seconds, where less than usual are left.
        """
        return self._json("GET", url, purpose, headers=headers, timeout_s=timeout_s)

    def post_form(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        purpose: str,
    ) -> Any:
        """Post a form and return the JSON of the answer.

        Args:
            url: Absolute address.
            form: Its fields.
            headers: To be sent.
            purpose: What for.
        """
        return self._json("POST", url, purpose, headers=headers, form=form)

    def send_json(
        self,
        url: str,
        body: Any,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        purpose: str,
    ) -> Any:
        """Send JSON and return the JSON of the answer; None where the answer has no body.

        Args:
            url: Absolute address.
            body: To be sent.
            method: POST, PUT or PATCH.
            headers: To be sent; a content type given here counts.
            purpose: What for.
        """
        content = orjson.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self._json(method, url, purpose, headers=sent, content=content)

    def check(self, url: str) -> None:
        """Refuse an address that may not be called; nothing is resolved and nothing sent.

        Raises:
            InvalidValueError: It may not.
        """
        self._target(url)

    def _json(
        self,
        method: str,
        url: str,
        purpose: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        usual = self._settings.outbound_timeout_s
        seconds = usual if timeout_s is None else min(usual, timeout_s)
        status, body = self._call(
            method, url, purpose, headers=headers, form=form, content=content, seconds=seconds
        )
        if not 200 <= status < 300:
            raise OutboundError(
                purpose,
                f"the other server answered {status}"
                + (" (redirects are not followed)" if 300 <= status < 400 else ""),
                "ask its operator",
                status=status,
                body=_decoded(body),
            )
        if not body:
            return None
        decoded = _decoded(body)
        if decoded is None and body.strip() != b"null":
            raise OutboundError(
                purpose, "the answer is not JSON", "ask its operator", status=status
            )
        return decoded

    def _call(
        self,
        method: str,
        url: str,
        purpose: str,
        *,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
        content: bytes | None,
        seconds: float,
    ) -> tuple[int, bytes]:
        target = self._target(url)
        failure: httpx.HTTPError | None = None
        with self._client(seconds) as client:
            for address in self._addresses(target):
                request = client.build_request(
                    method,
                    target.copy_with(host=address),
                    headers={
                        "Accept": "application/json",
                        **(headers or {}),
                        "Host": target.netloc.decode(),
                        "Accept-Encoding": "identity",
                    },
                    data=form,
                    content=content,
                    extensions={"sni_hostname": target.host},
                )
                try:
                    return self._exchange(client, request, purpose, seconds)
                except httpx.ConnectError as error:
                    failure = error
                except httpx.HTTPError as error:
                    raise _no_answer(purpose, error) from error
        raise _no_answer(purpose, failure) from failure

    def _exchange(
        self, client: httpx.Client, request: httpx.Request, purpose: str, seconds: float
    ) -> tuple[int, bytes]:
        """Return status and body; slow and large answers are given up while they arrive."""
        until = time.monotonic() + seconds
        most = self._settings.outbound_max_mib * _MIB
        response = client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise OutboundError(purpose, "the answer is compressed", "ask its operator")
            received = bytearray()
            for chunk in response.iter_raw():
                received += chunk
                if len(received) > most:
                    raise TooLargeError(
                        purpose,
                        f"the answer is over {self._settings.outbound_max_mib} MiB",
                        "raise EPICRISIS_OUTBOUND_MAX_MIB",
                    )
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("too slow", request=request)
            return response.status_code, bytes(received)
        finally:
            response.close()

    def _client(self, seconds: float) -> httpx.Client:
        """Return a client for one call: a kept connection may be checked for another name."""
        return httpx.Client(
            verify=_trusted(self._settings.outbound_ca_file),
            trust_env=False,
            follow_redirects=False,
            timeout=seconds,
        )

    def _target(self, url: str) -> httpx.URL:
        """Return an address that is on the list, as the one parser reads it that also connects."""
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or "\\" in url:
            raise _refused("it is not a plain address")
        try:
            target = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise _refused("it is not an address") from error
        if target.userinfo or "@" in urlsplit(url).netloc:
            raise _refused("it carries a user name")
        if target.scheme not in _PORTS or not target.host:
            raise _refused("it is not https")
        names = _names(target)
        if not names & self._allowed:
            raise _refused(f"the host {visible(target.host)[:80]} is not on the list")
        if target.scheme == "http" and not names & self._private:
            raise _refused("it is not https")
        return target

    def _addresses(self, target: httpx.URL) -> tuple[str, ...]:
        """Return where to connect; one address that may not be called refuses the whole host."""
        found = self._resolve(target.host, _port(target))
        if not found:
            raise OutboundError(f"host {target.host}", "has no network address", "check its name")
        if target.scheme == "http" and not all(is_loopback_address(one) for one in found):
            raise _refused("plain http goes to this machine alone")
        if not _names(target) & self._private and not all(is_public(one) for one in found):
            raise _refused(f"the host {visible(target.host)[:80]} is at a private address")
        return found


@lru_cache(maxsize=8)
def _trusted(file: Path | None) -> ssl.SSLContext:
    """Return the certificates that servers are checked against; reading them takes a while."""
    if file is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise InvalidValueError(
            "EPICRISIS_OUTBOUND_CA_FILE", "has no usable certificates", "correct the path"
        ) from error


def _names(target: httpx.URL) -> set[str]:
    """Return the list entries that name this host: with its port, or bare on the usual one."""
    host, port = target.host.lower().rstrip("."), _port(target)
    if ":" in host:
        host = f"[{host}]"
    bare = {host} if port == _PORTS[target.scheme] else set()
    return {f"{host}:{port}", *bare}


def _port(target: httpx.URL) -> int:
    return target.port or _PORTS[target.scheme]


def _host_of(issuer: str) -> str:
    parts = urlsplit(issuer)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port or _PORTS.get(parts.scheme, 443)}"


def _decoded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _refused(reason: str) -> InvalidValueError:
    return InvalidValueError(
        "address of another server",
        f"may not be called: {reason}",
        "the operator names it in EPICRISIS_OUTBOUND_HOSTS or EPICRISIS_OUTBOUND_PRIVATE_HOSTS",
    )


def _no_answer(purpose: str, error: httpx.HTTPError | None) -> OutboundError:
    slow = isinstance(error, httpx.TimeoutException)
    return OutboundError(
        purpose,
        "the other server is too slow" if slow else "the other server cannot be reached",
        "try again later",
    )
