"""The data of one call: what was sent, and what is missing fetched with the token of the call.

A key that is missing was not satisfied and is fetched; null means that there are no data and is
not; an error of the client is fetched once more. Without a token nothing is assumed: 412.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from knowledge.errors import InvalidValueError
from serving.access.errors import PreconditionError
from serving.access.scopes import parse_scopes
from serving.cds.discovery import PREFETCH, Wanted
from serving.cds.fetching import Fetcher, FetchPlaces, Get, fetch_all
from serving.cds.gathered import Gap, Gathered
from serving.cds.page import Page, read_page
from serving.cds.protocol import Context, HookCall

MOST_RESOURCES = 5000
"""Resources of one call; a card is no place for a whole archive."""


def gather(
    call: HookCall,
    context: Context,
    *,
    get: Get,
    now: datetime,
    refusal: Callable[[], str],
    places: FetchPlaces,
    seconds: float,
) -> Gathered:
    """Return the data of one call.

    Args:
        call: The call.
        context: Its context.
        get: Calls the FHIR server.
        now: The current moment.
        refusal: Returns why the token may not be used; empty where it may.
        places: For calls that wait for a FHIR server.
        seconds: For everything that is fetched, together.

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
        queries = {key: query_of(PREFETCH[key], context) for key in open_keys}
        pages |= fetch_all(fetcher, queries, pages, now=now, seconds=seconds, places=places)
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


def query_of(wanted: Wanted, context: Context) -> str:
    """Return a prefetch query with the token of CDS Hooks replaced."""
    return wanted.query.replace("{{context.patientId}}", quote(context.patientId, safe=""))


def _together(pages: Mapping[str, Page], *, fetched: list[str]) -> Gathered:
    gaps: list[Gap] = []
    resources: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for key, wanted in PREFETCH.items():
        page = pages[key]
        resources += page.resources
        beside += page.beside
        if page.kind in ("error", "partial"):
            gaps.append(Gap(key=key, what=wanted.what, reason=page.reason))
    if len(resources) + len(beside) > MOST_RESOURCES:
        raise InvalidValueError(
            "prefetch", f"holds over {MOST_RESOURCES} resources", "honour _count of the queries"
        )
    nothing = tuple(key for key in PREFETCH if pages[key].kind == "none")
    return Gathered(
        resources=tuple(resources),
        beside=tuple(beside),
        gaps=tuple(gaps),
        fetched=tuple(fetched),
        nothing=nothing,
    )
