"""The data of one call: what was sent, and what is missing fetched with the token of the call.

A key that is missing was not satisfied and is fetched; null means that there are no data and is
not; an error of the client is fetched once more. Without a token nothing is assumed: 412.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from knowledge.errors import EpicrisisError, InvalidValueError
from serving.access.errors import PreconditionError
from serving.access.scopes import parse_scopes
from serving.cds.discovery import PREFETCH, Wanted
from serving.cds.gathered import Gap, Gathered
from serving.cds.page import Page, read_page
from serving.cds.protocol import Context, HookCall

MOST_PAGES = 10
"""Pages followed for one key; a chart with more is not the newest of a visit."""

MOST_RESOURCES = 5000
"""Resources of one call; a card is no place for a whole archive."""

_AT_ONCE = 4


class Get(Protocol):
    """Calls another server, as `serving.access.outbound.OutboundClient.get_json` does."""

    def __call__(self, url: str, *, headers: Mapping[str, str] | None, purpose: str) -> Any:
        """Return the JSON at an address."""
        ...


class Fetcher:
    """Fetches with the token of one call; lives as long as the call.

    Args:
        server: Base address of the FHIR server.
        token: The access token.
        get: Calls the server.
    """

    def __init__(self, server: str, token: str, get: Get) -> None:
        self._server = server.rstrip("/")
        self._token = token
        self._get = get

    def fetch(self, query: str) -> Any:
        """Return the answer to a query, or to the address of a next page of this server.

        Raises:
            InvalidValueError: A next page is on another server: the token is not sent there.
            EpicrisisError: The server may not be called, or gives no usable answer.
        """
        url = query if "://" in query else f"{self._server}/{query}"
        if not _same_place(url, self._server):
            raise InvalidValueError("next page", "is on another server", "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/fhir+json"}
        return self._get(url, headers=headers, purpose="FHIR search")


def gather(
    call: HookCall, context: Context, *, get: Get, now: datetime, refusal: Callable[[], str]
) -> Gathered:
    """Return the data of one call.

    Args:
        call: The call.
        context: Its context.
        get: Calls the FHIR server.
        now: The current moment.
        refusal: Returns why the token may not be used; empty where it may.

    Raises:
        PreconditionError: Something is missing, and there is no token to fetch it with.
        InvalidValueError: More resources than a card can be made of.
    """
    sent = call.prefetch or {}
    pages = {key: read_page(sent[key], PREFETCH[key], now=now) for key in PREFETCH if key in sent}
    open_keys = [
        key for key in PREFETCH if key not in pages or pages[key].kind in ("error", "partial")
    ]
    reason = refusal() if open_keys else ""
    fetcher = _fetcher(call, get) if not reason else None
    missing = [key for key in open_keys if key not in pages]
    if missing and fetcher is None:
        raise PreconditionError(
            f"prefetch {', '.join(missing)}",
            f"was not sent, and cannot be fetched: {reason or 'no fhirAuthorization'}",
            "send every prefetch key of the discovery document, or a token with its scopes",
        )
    if fetcher is not None and open_keys:
        pages |= _fetch_all(fetcher, open_keys, pages, context, now)
    return _together(pages, fetched=open_keys if fetcher is not None else [])


def unusable(call: HookCall, patient: str) -> str:
    """Return why the token of a call may not be used for its patient; empty where it may."""
    granted = call.fhirAuthorization
    if granted is None:
        return "no fhirAuthorization"
    if granted.expires_in == 0:
        return "the token has expired"
    if granted.patient is not None and granted.patient != patient:
        return "the token is for another patient"
    scopes = parse_scopes(granted.scope)
    if granted.patient is None and any(scope.context == "patient" for scope in scopes.fhir):
        return "the token has scopes of a patient and does not say whose"
    types = {kind for wanted in PREFETCH.values() for kind in wanted.types}
    closed = sorted(
        kind
        for kind in types
        if not scopes.allows(
            kind,
            "r" if kind == "Patient" else "rs",
            contexts=("patient", "user", "system"),
        )
    )
    return f"the token's scopes do not open {', '.join(closed)}" if closed else ""


def _fetcher(call: HookCall, get: Get) -> Fetcher | None:
    if call.fhirServer is None or call.fhirAuthorization is None:
        return None
    token = call.fhirAuthorization.access_token.get_secret_value()
    return Fetcher(call.fhirServer, token, get)


def _fetch_all(
    fetcher: Fetcher, keys: list[str], pages: Mapping[str, Page], context: Context, now: datetime
) -> dict[str, Page]:
    def one(key: str) -> Page:
        return _fetched(fetcher, PREFETCH[key], pages.get(key), context, now)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return dict(zip(keys, pool.map(one, keys), strict=True))


def _fetched(
    fetcher: Fetcher, wanted: Wanted, sent: Page | None, context: Context, now: datetime
) -> Page:
    """Return all pages of one key as one; what cannot be fetched is an error, never empty."""
    following = sent.next if sent is not None and sent.kind == "partial" else None
    found = list(sent.resources) if sent is not None and following else []
    query = following or query_of(wanted, context)
    for _ in range(MOST_PAGES):
        try:
            page = read_page(fetcher.fetch(query), wanted, now=now)
        except EpicrisisError as error:
            return Page(kind="error", resources=tuple(found), reason=error.reason)
        found += page.resources
        if page.kind == "none":
            return Page(kind="error", reason="the FHIR server answered nothing")
        if page.kind != "partial" or not page.next:
            return page.model_copy(update={"resources": tuple(found)})
        query = page.next
    reason = f"has more than {MOST_PAGES} pages"
    return Page(kind="partial", resources=tuple(found), reason=reason)


def query_of(wanted: Wanted, context: Context) -> str:
    """Return a prefetch query with the token of CDS Hooks replaced."""
    return wanted.query.replace("{{context.patientId}}", quote(context.patientId, safe=""))


def _together(pages: Mapping[str, Page], *, fetched: list[str]) -> Gathered:
    gaps: list[Gap] = []
    resources: list[dict[str, Any]] = []
    for key, wanted in PREFETCH.items():
        page = pages[key]
        resources += page.resources
        if page.kind in ("error", "partial"):
            gaps.append(Gap(key=key, what=wanted.what, reason=page.reason))
    if len(resources) > MOST_RESOURCES:
        raise InvalidValueError(
            "prefetch", f"holds over {MOST_RESOURCES} resources", "honour _count of the queries"
        )
    nothing = tuple(key for key in PREFETCH if pages[key].kind == "none")
    return Gathered(
        resources=tuple(resources),
        gaps=tuple(gaps),
        fetched=tuple(fetched),
        nothing=nothing,
    )


def _same_place(url: str, server: str) -> bool:
    one, two = urlsplit(url), urlsplit(server)
    return (one.scheme, one.netloc.lower()) == (two.scheme, two.netloc.lower())
