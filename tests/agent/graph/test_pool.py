"""A run over a pool: its record names who really answered, also after the model is gone."""

import asyncio
from pathlib import Path
from typing import Any

from agent.graph.checkpoints import open_checkpoints
from agent.graph.journal import Journal
from agent.graph.run import AgentOutcome, start_run
from agent.llm.errors import LLMDownError
from agent.llm.fake import FakeLLM
from agent.llm.pool.caller import Caller
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from agent.llm.recording import RecordingLLM
from agent.llm.seam import ChatRequest
from serving.report.agent import lines
from tests.agent.graph.scripts import fake, helpful, session
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import pool_file, scripted


def dies_after_the_plan(request: ChatRequest) -> Any:
    if request.purpose == "plan":
        return helpful(request)
    return LLMDownError("moe", "answered with status 500")


def run() -> tuple[AgentOutcome, str]:
    """Return the outcome of a run whose first model dies after its plan, and its pinned model."""

    async def main() -> tuple[AgentOutcome, str]:
        file = pool_file({"name": "moe-1"}, {"name": "cpu", "model": "small", "priority": 9})
        models = {"moe-1": FakeLLM(dies_after_the_plan), "cpu": fake()}
        llm = PooledLLM(Pool(file, scripted(models)), Caller(conversation="run-1"))
        async with open_checkpoints("memory") as checkpoints:
            done = await start_run(session(llm=llm), checkpoints, run="run-1")
            return done, await Journal(checkpoints.store, "run-1").pinned_model()

    return asyncio.run(main())


def test_both_models_are_in_the_record_and_the_change_is_said() -> None:
    done, pinned = run()
    record = done.outcome.assessment.agent
    assert record is not None
    assert record.mode == "with language model"
    assert {name.split(" ")[0] for name in record.model.split(", ")} == {"moe", "small"}
    (notice,) = record.model_notices
    assert "moe answered before in this conversation and cannot be asked now" in notice
    assert "small answers from here on" in notice
    assert ("language model", notice) in list(lines(record))
    assert pinned == "small"  # a resumed run goes on with it


def test_every_recorded_call_names_the_model_that_answered_it() -> None:
    done, _ = run()
    by_purpose = {e.purpose: e.model.name for e in done.exchanges if e.reply and e.model}
    assert by_purpose["plan"] == "moe"
    assert {name for purpose, name in by_purpose.items() if purpose != "plan"} == {"small"}


def test_the_hash_of_a_transcript_depends_on_who_answered() -> None:
    from agent.graph.transcript import transcript_hash

    done, _ = run()
    changed = tuple(
        e if e.model is None else e.model_copy(
            update={"model": e.model.model_copy(update={"name": "another"})}
        )
        for e in done.exchanges
    )  # fmt: skip
    assert transcript_hash(done.exchanges) != transcript_hash(changed)


def test_a_recording_keeps_who_answered_and_replays_it() -> None:
    async def main() -> None:
        file = pool_file({"name": "moe-1"})
        pool = Pool(file, scripted({"moe-1": FakeLLM({"chat": ["hello"]})}))
        recording = RecordingLLM(PooledLLM(pool))
        await recording.chat(asking())
        (exchange,) = recording.exchanges
        assert exchange.model is not None
        assert exchange.model.name == "moe"
        replay = RecordingLLM(None, recording.exchanges, replay_only=True)
        reply = await replay.chat(asking())
        assert (reply.model, reply.backend) == (exchange.model, "moe-1")

    asyncio.run(main())


def test_without_a_pool_nothing_of_it_is_in_the_published_record(tmp_path: Path) -> None:
    async def main() -> AgentOutcome:
        async with open_checkpoints("memory") as checkpoints:
            return await start_run(session(llm=fake()), checkpoints)

    done = asyncio.run(main())
    body = done.outcome.assessment.to_json()
    assert "model_notices" not in body["agent"]
    assert all("backend" not in (e.reply.to_json() if e.reply else {}) for e in done.exchanges)
