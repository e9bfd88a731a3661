"""``epicrisis llm pool``: the servers of the pool, each asked once, and who may answer."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agent.llm.pool.status import BackendStatus, PoolStatus
from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.plain_text import visible
from knowledge.settings import Settings, load_settings
from serving.cli import fail
from serving.llm.gateway.recorded import ShadowSummary, shadow_summary

NOT_AVAILABLE = 5
EXIT = (
    "Exit code: 0 a server can be asked about a patient, 5 none can (the reasons are printed), "
    "4 a file that is not valid. The state of a service that runs is at /v1/llm/pool."
)


class PoolReport(Frozen):
    """What ``epicrisis llm pool`` found.

    Args:
        file: Name of the file.
        file_sha256: Of its content.
        prompts_sha256: Of the prompts of this version: what models are approved with.
        pool: Each server after one look at it.
        problems: Server to why the look failed; those that answered are not in it.
        not_looked_at: Servers that were not asked, with the reason.
        shadow: What was recorded of shadow requests.
    """

    file: str
    file_sha256: str
    prompts_sha256: str
    pool: PoolStatus
    problems: dict[str, str]
    not_looked_at: dict[str, str]
    shadow: tuple[ShadowSummary, ...] = ()


def pool(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
    start_local: Annotated[
        bool, typer.Option("--start-local", help="Also start and ask the local model")
    ] = False,
) -> None:
    """Ask every server of the pool for one short completion, and say which may answer.

    The file is that of EPICRISIS_LLM_POOL. No patient data are sent. A server may call itself
    healthy and answer nothing, so only a completion counts.
    """
    report = asyncio.run(_looked(load_settings(), start_local=start_local))
    if as_json:
        typer.echo(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console()
        for line in _lines(report):
            console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
    if not _usable(report):
        reasons = "; ".join(f"{one.name}: {_why(one, report)}" for one in report.pool.backends)
        if as_json:
            raise typer.Exit(NOT_AVAILABLE)
        fail(UnavailableError("language model pool", reasons), NOT_AVAILABLE)


async def _looked(settings: Settings, *, start_local: bool) -> PoolReport:
    from agent.llm.pool.approval import prompts_hash
    from agent.llm.pool.config import file_sha256, pool_bytes
    from agent.llm.pool.opening import make_pool, pool_path
    from agent.llm.pool.status import status_of

    path = pool_path(settings)
    made = make_pool(settings)
    left_out = {
        row.name: "the local model, started when it is needed (--start-local asks it)"
        for row in made.file.backends
        if row.local and not start_local
    }
    try:
        found = await made.look(but=tuple(left_out))
        status = status_of(made)
    finally:
        await made.close()
    return PoolReport(
        file=path.name,
        file_sha256=file_sha256(pool_bytes(path)),
        prompts_sha256=prompts_hash(),
        pool=status,
        problems={name: why for name, why in found.items() if why},
        not_looked_at=left_out,
        shadow=shadow_summary(settings.data_dir),
    )


def _usable(report: PoolReport) -> bool:
    return any(one.usable and one.name not in report.problems for one in report.pool.backends)


def _why(one: BackendStatus, report: PoolReport) -> str:
    return one.why_not or report.problems.get(one.name, "")


def _lines(report: PoolReport) -> Iterator[str]:
    yield f"pool: {report.file}, SHA-256 {report.file_sha256}"
    for one in report.pool.backends:
        yield _line(one, report)
    for model in report.pool.models:
        which = model.revision or model.sha256 or "weights that are not named"
        may = model.unapproved or ("approved" if report.pool.approval_required else "may answer")
        yield f"model {model.name} ({which}): {may}"
    if not report.pool.approval_required:
        yield "The file asks for no recorded evaluation: any model of it answers."
    for summary in report.shadow:
        fields = f", {summary.fields_same} of {summary.fields} fields equal" * bool(summary.fields)
        yield (
            f"shadow {summary.candidate}: {summary.same} same, {summary.differs} differ, "
            f"{summary.failed} failed{fields}"
        )


def _line(one: BackendStatus, report: PoolReport) -> str:
    place = f"{one.priority} {one.name} at {one.where}: {one.model}"
    server = f" by {one.server}" if one.server else ""
    if why := _why(one, report):
        return f"{place}: not asked: {why}"
    if one.name in report.not_looked_at:
        return f"{place}: not looked at: {report.not_looked_at[one.name]}"
    return f"{place}{server}: answers"
