"""Whether the process lives, and whether it can do its work."""

import shutil
from typing import Literal

from fastapi import APIRouter, Response
from sqlalchemy import select

from knowledge.errors import EpicrisisError
from knowledge.model import Frozen
from serving.cases.tables import CaseFileRow
from serving.services import Services, ServicesDep

router = APIRouter(tags=["operations"])

_MIB = 1 << 20
_PATIENCE_S = 2
"""Seconds to wait for others that write: a write takes milliseconds."""


class Live(Frozen):
    """The process answers."""

    status: Literal["live"] = "live"


class Check(Frozen):
    """One thing the service needs.

    Args:
        name: What.
        status: ``ok``; ``degraded``, where the answers are plainer without it; ``failed``, where
            there are none.
        detail: Why it is not ok.
    """

    name: str
    status: Literal["ok", "degraded", "failed"]
    detail: str = ""


class Ready(Frozen):
    """Whether requests can be answered.

    Args:
        status: ``not ready`` where any check has failed.
        checks: Each thing that is needed.
    """

    status: Literal["ready", "not ready"]
    checks: tuple[Check, ...]


@router.get("/livez", summary="The process answers")
def livez() -> Live:
    """Answer without asking anything of anybody."""
    return Live()


@router.get("/readyz", summary="Requests can be answered", responses={503: {"model": Ready}})
def readyz(services: ServicesDep, response: Response) -> Ready:
    """Ask the database, the file store, the disk and the index; 503 where one that is needed fails.

    The database must take a write within two seconds, and the file store must have what the newest
    file of a case says.
    """
    needed = (_database(services), _files(services), _disk(services), _index(services))
    checks = (*needed, *_models(services))
    if any(check.status == "failed" for check in checks):
        response.status_code = 503
        return Ready(status="not ready", checks=checks)
    return Ready(status="ready", checks=checks)


def _database(services: Services) -> Check:
    try:
        services.database.ping()
        services.database.check_writable(timeout_s=_PATIENCE_S)
    except EpicrisisError as error:
        return Check(name="database", status="failed", detail=error.reason)
    return Check(name="database", status="ok")


def _files(services: Services) -> Check:
    """Return whether contents can be read; that each is what was kept is asked where it is read."""
    newest = (
        select(CaseFileRow.sha256)
        .where(CaseFileRow.removed_at.is_(None))
        .order_by(CaseFileRow.number.desc())
        .limit(1)
    )
    try:
        with services.database.reading() as session:
            sha256 = session.scalar(newest)
        if sha256 is not None:
            services.files.check_readable(sha256)
    except EpicrisisError as error:
        return Check(name="file store", status="failed", detail=f"{error.item} {error.reason}")
    return Check(name="file store", status="ok")


def _disk(services: Services) -> Check:
    try:
        free = shutil.disk_usage(services.settings.data_dir).free // _MIB
    except OSError as error:
        return Check(name="disk", status="failed", detail=error.strerror or "cannot be read")
    least = services.settings.least_free_mib
    if free < least:
        return Check(name="disk", status="failed", detail=f"{free} MiB free, {least} needed")
    return Check(name="disk", status="ok")


def _index(services: Services) -> Check:
    searcher, why = services.index
    if searcher is None:
        return Check(name="guideline index", status="degraded", detail=why)
    return Check(name="guideline index", status="ok")


def _models(services: Services) -> tuple[Check, ...]:
    """Return whether any server of the pool of language models can be asked, where there is one."""
    if not services.gateway.configured:
        return ()
    found = services.gateway.status()
    if found.pool is not None and found.pool.usable:
        return (Check(name="language models", status="ok"),)
    why = found.problem or "no server of the pool can be asked; see /llm/pool"
    return (Check(name="language models", status="degraded", detail=why),)
