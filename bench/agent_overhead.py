"""What the agent costs beside the model: its own time, and its tokens against one big prompt.

Time: the graph with a model that answers at once, against the assessment alone, in one process, in
turn. Tokens: all prompts of one case, against one prompt that holds the files of the case. They are
counted by the configured model's own tokenizer; without one, in UTF-8 bytes, and said so.
"""

import asyncio
import json
import re
import statistics
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.assess import assess_paths
from agent.graph.checkpoints import open_checkpoints
from agent.graph.request import RunRequest, Session
from agent.graph.run import start_run
from agent.llm.choice import llm_from
from agent.llm.fake import FakeLLM
from agent.llm.seam import LLM, ChatRequest
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from serving.commands.demo import names

NOW = parse_fhir("2026-11-20T20:00:00Z", clock="bench")
ROUNDS = 7


def at_once(request: ChatRequest) -> Any:
    """Answer as a model that asks for nothing and copies the facts it is given."""
    schema: Any = request.json_schema
    if request.purpose in ("plan", "coverage"):
        field = "calls" if request.purpose == "plan" else "more"
        wanted = schema["properties"][field]
        calls: Any = [] if wanted["type"] == "array" else {k: [] for k in wanted["required"]}
        return {field: calls, ("ask_user" if request.purpose == "plan" else "unlock"): []}
    text = request.messages[-1].content
    lines = dict(re.findall(r"^(s\d+)(?: facts)?: (.+)$", text, flags=re.MULTILINE))
    return {key: lines[key] for key in schema["required"]}


async def run_agent(folder: Path, settings: Settings, where: str) -> tuple[float, FakeLLM]:
    """Return the seconds of one run, and the model with the requests it saw."""
    model = FakeLLM(at_once)
    async with open_checkpoints(where) as runs:
        session = Session(
            request=RunRequest(paths=(str(folder),), now=NOW), settings=settings, llm=model
        )
        start = time.perf_counter()
        await start_run(session, runs)
        return time.perf_counter() - start, model


def alone(folder: Path, settings: Settings) -> float:
    """Return the seconds of the assessment without any agent."""
    start = time.perf_counter()
    assess_paths([folder], at=None, now=NOW, settings=settings)
    return time.perf_counter() - start


async def counted(text: str, llm: LLM | None) -> int:
    """Return the tokens of a text, or its bytes where there is no model."""
    return len(text.encode()) if llm is None else await llm.count_tokens(text)


async def tokens(folder: Path, model: FakeLLM, llm: LLM | None) -> dict[str, Any]:
    """Return the size of all prompts of one run, and of one prompt with the case's text files."""
    prompts = ["\n".join(m.content for m in r.messages) for r in model.requests]
    whole = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(folder.iterdir())
        if path.suffix in (".json", ".yaml", ".txt")
    )
    agent = sum([await counted(prompt, llm) for prompt in prompts])
    everything = await counted(whole, llm)
    return {
        "calls": len(prompts),
        "agent": agent,
        "one_prompt": everything,
        "one_prompt_over_agent": round(everything / agent, 2),
    }


async def measure(name: str, llm: LLM | None) -> dict[str, Any]:
    """Return medians over the rounds, agent and assessment in turn."""
    folder = Path(str(files("serving").joinpath("examples", name)))
    with tempfile.TemporaryDirectory() as data:
        settings = Settings(data_dir=Path(data))
        with_graph, without = [], []
        for number in range(ROUNDS + 1):
            seconds, model = await run_agent(folder, settings, f"{data}/runs{number}.sqlite")
            with_graph.append(seconds)
            without.append(await asyncio.to_thread(alone, folder, settings))
        beyond = [a - b for a, b in zip(with_graph[1:], without[1:], strict=True)]
        return {
            "example": name,
            "agent_ms": round(statistics.median(with_graph[1:]) * 1000),
            "assessment_ms": round(statistics.median(without[1:]) * 1000),
            "ratio": round(
                statistics.median(a / b for a, b in zip(with_graph[1:], without[1:], strict=True)),
                2,
            ),
            "beyond_model_and_tools_ms": round(statistics.median(beyond) * 1000),
            "tokens": await tokens(folder, model, llm),
        }


async def main() -> None:
    """Print one JSON object."""
    async with llm_from(Settings()) as choice:
        rows = [await measure(name, choice.llm) for name in names()]
        counted_in = "tokens of the configured model"
        if choice.llm is None:
            counted_in = f"UTF-8 bytes, since there is no model here ({choice.reason})"
        result = {
            "what": "graph with a model that answers at once, runs kept in SQLite, against the "
            "assessment alone in the same process",
            "prompts_counted_in": counted_in,
            "rounds": ROUNDS,
            "examples": rows,
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
