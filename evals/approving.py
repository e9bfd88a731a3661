"""Record that a model may answer, or that it may not: in the audit first, then in its own file."""

from datetime import UTC, datetime
from pathlib import Path

from agent.llm.pool.approval import Approval, ApprovalFile, prompts_hash
from agent.llm.pool.config import read_pool
from agent.llm.pool.opening import pool_path
from evals.discovery import task, task_names
from evals.gate import failing, figures, report_hash, setup_under_test
from evals.results import TaskResult, load
from knowledge.errors import InvalidValueError
from knowledge.plain_text import visible
from knowledge.settings import Settings
from serving.assembly import utc_now
from serving.audit.log import AuditLog
from serving.commands.audit import operator
from serving.storage.opening import open_storage

_NAME = 80
APPROVED, REFUSED = "llm.switch-approved", "llm.switch-refused"


def approved(
    folder: Path, settings: Settings, *, model: str, by: str
) -> tuple[Approval | None, tuple[str, ...]]:
    """Return the record of a switch, or None with every reason why there is none.

    Args:
        folder: Of an evaluation run.
        settings: Where pool, data and audit are.
        model: Which model of the pool.
        by: Who decides.

    Raises:
        InvalidValueError: No pool is set, it has no such model, or there are no results.
        UnavailableError: Audit or record cannot be kept; nothing is approved then.
    """
    who = visible(by).strip()[:_NAME]
    if not who:
        raise InvalidValueError("--by", "names nobody", "give a name")
    file = read_pool(pool_path(settings))
    if model not in file.models:
        raise InvalidValueError(
            f"model {model}", "is not in the pool", f"one of {', '.join(file.models)}"
        )
    results, digest, prompts = load(folder), report_hash(folder), prompts_hash()
    reasons = failing(
        results,
        file.approval,
        model=model,
        row=file.models[model],
        prompts_sha256=prompts,
        cases={name: _cases(name) for name in file.approval.tasks},
    )
    setup = setup_under_test([r for r in results if r.task in file.approval.tasks])
    if not reasons and setup is None:
        reasons = ("the tasks were not all run with the same model, prompts and index",)
    detail: dict[str, object] = {"model": model, "by": who, "report_sha256": digest}
    if reasons or setup is None:
        _audited(settings, REFUSED, {**detail, "failing": list(reasons)})
        return None, reasons
    records = ApprovalFile.of(settings.data_dir)
    record = records.numbered(
        Approval(
            number=0,
            at=datetime.now(UTC),
            by=who,
            setup=setup,
            report_sha256=digest,
            figures=figures(results),
            epicrisis=_version(results),
        )
    )
    hashes = {
        "prompts_sha256": setup.prompts_sha256,
        "index_sha256": setup.index_sha256,
        "weights": setup.revision or setup.sha256,
        "record_sha256": record.sha256,
    }
    _audited(settings, APPROVED, {**detail, **hashes})
    return records.append(record), ()


def _cases(name: str) -> int:
    return len(task(name).cases()) if name in task_names() and not task(name).missing() else 0


def _version(results: tuple[TaskResult, ...]) -> str:
    return ", ".join(sorted({result.epicrisis for result in results if result.epicrisis}))


def _audited(settings: Settings, action: str, detail: dict[str, object]) -> None:
    database, _ = open_storage(settings)
    try:
        log = AuditLog.of(settings, database, utc_now)
        log.used(operator(), action, case=None, detail=detail)
    finally:
        database.close()
