"""Record that a model may answer, or that it may not: in the audit first, then in its own file."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from agent.llm.pool.approval import FILE, GENESIS, Approval, ApprovalFile, prompts_hash
from agent.llm.pool.config import ApprovalRow, PoolFile, read_pool
from agent.llm.pool.opening import pool_path
from evals.discovery import task, task_names
from evals.gate import (
    asked_for,
    by_own_code,
    contents_hash,
    failing,
    figures,
    not_assessed,
    setup_under_test,
)
from evals.manifest import changed
from evals.results import TaskResult, contents, parsed
from evals.task import Task
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.plain_text import visible
from knowledge.settings import Settings
from serving.assembly import utc_now
from serving.audit.log import AuditLog
from serving.audit.tables import AuditRow
from serving.commands.audit import operator
from serving.storage.opening import open_storage

_NAME = 80
APPROVED, REFUSED = "llm.switch-approved", "llm.switch-refused"
_RECORD = "record_sha256"
_NO_SETUP = "the tasks were not all run with the same model, prompts and index"


def approved(
    folder: Path, settings: Settings, *, model: str, by: str, accept_end: str | None = None
) -> tuple[Approval | None, tuple[str, ...]]:
    """Return the record of a switch, or None with every reason why there is none.

    Args:
        folder: Of an evaluation run.
        settings: Where pool, data and audit are.
        model: Which model of the pool.
        by: Who decides.
        accept_end: Hash of the last record, where the audit names another and it is right.

    Raises:
        InvalidValueError: No pool is set, it has no such model, or there are no results.
        UnavailableError: Audit or record cannot be kept; nothing is approved then.
    """
    who = _who(by)
    file = _pool_with(model, settings)
    files = contents(folder)
    results, digest = parsed(files), contents_hash(files)
    tasks = _tasks(file.approval, results)
    records = ApprovalFile.of(settings.data_dir)
    reasons = (
        *changed(folder, files, results),
        *failing(
            results,
            file.approval,
            model=model,
            row=file.models[model],
            prompts_sha256=prompts_hash(),
            tasks=tasks,
        ),
        *_other_end(settings, records.end(), accept_end),
    )
    setup = setup_under_test([r for r in results if r.task in file.approval.tasks])
    detail: dict[str, object] = {"model": model, "by": who, "report_sha256": digest}
    if accept_end is not None:
        detail["accepted_end"] = accept_end
    if reasons or setup is None:
        reasons = reasons or (_NO_SETUP,)
        _audited(settings, REFUSED, {**detail, "failing": list(reasons)})
        return None, reasons
    decisive = asked_for(file.approval)
    counted = [one for one in by_own_code(results, tasks) if one.task in decisive]
    wanted = Approval(
        number=0,
        at=datetime.now(UTC),
        by=who,
        setup=setup,
        report_sha256=digest,
        figures=figures(counted),
        not_assessed=not_assessed(counted, file.approval, tasks),
        epicrisis=_version(results),
    )
    return _recorded(wanted, records, settings, detail, accept_end), ()


def _who(by: str) -> str:
    who = visible(by).strip()[:_NAME]
    if not who:
        raise InvalidValueError("--by", "names nobody", "give a name")
    return who


def _pool_with(model: str, settings: Settings) -> PoolFile:
    file = read_pool(pool_path(settings))
    if model not in file.models:
        raise InvalidValueError(
            f"model {model}", "is not in the pool", f"one of {', '.join(file.models)}"
        )
    return file


def _tasks(rules: ApprovalRow, results: Iterable[TaskResult]) -> Mapping[str, Task]:
    """Return the tasks that are asked for, and those that were run; others there are none of."""
    named = (*asked_for(rules), *(result.task for result in results))
    return {name: task(name) for name in named if name in task_names()}


def _recorded(
    wanted: Approval,
    records: ApprovalFile,
    settings: Settings,
    detail: Mapping[str, object],
    accept_end: str | None,
) -> Approval:
    """Keep a record that the audit has before, and return it as it was kept.

    Raises:
        UnavailableError: It cannot be kept, or another command was at it meanwhile.
    """
    hashes = {
        "prompts_sha256": wanted.setup.prompts_sha256,
        "index_sha256": wanted.setup.index_sha256,
        "weights": wanted.setup.revision or wanted.setup.sha256,
    }
    with records.keeping(wanted) as record:
        if meanwhile := _other_end(settings, record.previous, accept_end):
            raise UnavailableError(FILE, meanwhile[0].removeprefix(f"{FILE}: "))
        _audited(settings, APPROVED, {**detail, **hashes, _RECORD: record.sha256})
    return record


def _other_end(settings: Settings, end: str, accepted: str | None) -> tuple[str, ...]:
    """Return why the record of switches does not end as the audit says; empty where it does.

    Each record names the one before, so that an equal end means equal records.
    """
    known = _audited_end(settings)
    if end in (known, accepted):
        return ()
    was = f"ends with {end}" if end != GENESIS else f"has no records ({end})"
    return (
        f"{FILE}: {was}, and the audit says that it ends with {known}: a record was cut off, "
        "replaced or never written (restore the file from a backup; or, where you know why, "
        "give --accept-end with the hash that it ends with, which the audit keeps)",
    )


def _audited_end(settings: Settings) -> str:
    """Return the hash of the record that was approved last, as the audit has it."""
    newest = (
        select(AuditRow.body)
        .where(AuditRow.action == APPROVED)
        .order_by(AuditRow.sequence.desc())
        .limit(1)
    )
    database, _ = open_storage(settings)
    try:
        with database.reading() as session:
            body = session.scalars(newest).first()
    finally:
        database.close()
    return GENESIS if body is None else _detail(body, _RECORD)


def _detail(body: Mapping[str, Any], name: str) -> str:
    details = (one for entity in body["entity"] for one in entity.get("detail", ()))
    return next((str(one["valueString"]) for one in details if one["type"] == name), "")


def _version(results: tuple[TaskResult, ...]) -> str:
    return ", ".join(sorted({result.epicrisis for result in results if result.epicrisis}))


def _audited(settings: Settings, action: str, detail: dict[str, object]) -> None:
    database, _ = open_storage(settings)
    try:
        log = AuditLog.of(settings, database, utc_now)
        log.used(operator(), action, case=None, detail=detail)
    finally:
        database.close()
