"""The reading worklist, and everything known of one reading."""

from typing import Any

from serving.access.principal import Principal
from serving.cases.model import Case
from serving.reading.model import BUSY, Round
from serving.reading.outbox import Outbox
from serving.reading.protocol import RoundList, RoundOut, spans
from serving.reading.service import ReadingService
from serving.services import Services

MOST = 500
"""Cases on one list, the newest."""

_ORDER = ("to release", "to review", "to read", "reviewing", "reading", "released")
"""What is nearest to going out comes first: somebody waits for it longest."""


def rounds_seen(services: Services, principal: Principal, *, everything: bool = False) -> RoundList:
    """Return the readings this principal may see; every case shown is audited.

    Args:
        services: Of the application.
        principal: Who asks; their role was checked before.
        everything: Whether released readings are in the list as well.
    """
    cases = services.cases.list(patient=principal.patient, limit=MOST)
    seen = {case.id: case for case in cases if principal.sees(case.patient)}
    found = ReadingService(services).store.of_cases(list(seen))
    shown = [one for one in found if everything or one.state != "released"]
    in_it = {one.case for one in shown}
    services.audit.listed(
        principal, "readings.listed", cases=[case for key, case in seen.items() if key in in_it]
    )
    return RoundList(at=services.clock(), rounds=tuple(sorted(shown, key=_order)))


def details(services: Services, case: Case, identity: str) -> RoundOut:
    """Return everything known of a reading.

    Raises:
        NotFoundError: The case has no such reading.
        AlteredError: Something of it is not what was kept.
    """
    service = ReadingService(services)
    round_ = service.store.find(case.id, identity)
    versions = service.store.versions(identity)
    content: dict[str, Any] | None = None
    if round_.state in BUSY:
        now = service.content(case, round_)
        content = None if now is None else now.model_dump(mode="json", by_alias=True)
    elif versions:
        content = versions[-1].body
    log = service.store.log(identity)
    return RoundOut(
        round=round_,
        content=content,
        differences=service.open_differences(round_)
        if round_.state in ("to release", "released")
        else (),
        release=service.store.release(identity),
        delivery=Outbox(services).of_round(identity),
        fhir_delivery=Outbox(services).of_round(identity, "fhir"),
        log=log,
        spans=spans(round_, log, services.clock()),
    )


def _order(one: Round) -> tuple[int, str]:
    return _ORDER.index(one.state), one.created_at.isoformat()
