"""``epicrisis serve`` as a process of its own, and a language model that tests script, both on
127.0.0.1."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from agent.llm.seam import ChatRequest
from tests.agent.graph.scripts import helpful

START = (
    "import typer\n"
    "from serving import cli\n"
    "from serving.commands import serve\n"
    "app = typer.Typer()\n"
    "serve.register(app)\n"
    "cli.application = lambda: app\n"
    "cli.main()\n"
)
ROOT = Path(__file__).parents[3]
LIMIT_S = 240.0


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """One service process; start it as often as needed."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start it, without waiting."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("EPICRISIS_")}
        environment |= {
            "EPICRISIS_DATA_DIR": str(self.folder / "data"),
            "EPICRISIS_LLM": "none",
            "PYTHONPATH": str(ROOT),
            **self.settings,
        }
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-c", START, "--port", str(self.port), *options],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        return self.process

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            assert self.process is not None
            assert self.process.poll() is None, self.log[-2000:]
            try:
                httpx.get(f"{self.url}/livez", timeout=5)
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"it did not answer:\n{self.log[-2000:]}")

    def kill(self) -> int:
        """Kill it as a crash does."""
        return self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Tell it to stop."""
        return self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(sign)
        return self.process.wait(LIMIT_S)


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Served]:
    """Give a service that answers, and end it whatever happens."""
    served = Served(folder, settings)
    served.start()
    try:
        served.wait()
        yield served
    finally:
        if served.process is not None and served.process.poll() is None:
            served.process.kill()
            served.process.wait(LIMIT_S)


class Model:
    """An OpenAI-compatible server that copies the facts it is given, and can be made to wait.

    Attributes:
        asked: Purpose of every request, in order.
        hold: Purposes whose requests are not answered while they are in it.
        reached: Set when such a request has come.
        down: Whether it answers with an error.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.hold: set[str] = set()
        self.reached = threading.Event()
        self.down = False
        self.url = ""

    def app(self) -> Starlette:
        """Return it as an application."""
        return Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ]
        )

    async def _models(self, request: Request) -> JSONResponse:
        return JSONResponse({"data": [{"id": "scripted", "max_model_len": 32768}]})

    async def _chat(self, request: Request) -> JSONResponse:
        body = await request.json()
        named = body["response_format"]["json_schema"]
        self.asked.append(named["name"])
        if self.down:
            return JSONResponse({"error": {"message": "down"}}, status_code=500)
        while named["name"] in self.hold:
            self.reached.set()
            await asyncio.sleep(0.02)
        return JSONResponse(
            {
                "object": "chat.completion",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": json.dumps(_answer(body))},
                        "finish_reason": "stop",
                    }
                ],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50},
            }
        )


def _answer(body: Any) -> Any:
    named = body["response_format"]["json_schema"]
    request = ChatRequest.model_validate(
        {
            "purpose": named["name"],
            "messages": [{"role": m["role"], "content": m["content"]} for m in body["messages"]],
            "json_schema": named["schema"],
        }
    )
    return helpful(request)


@contextmanager
def scripted_model() -> Iterator[Model]:
    """Run the model on a free port while the block lasts."""
    import uvicorn

    model = Model()
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            model.app(), port=port, log_config=None, access_log=False, lifespan="off", ws="none"
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + LIMIT_S
    while not server.started and time.monotonic() < end:
        time.sleep(0.02)
    model.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield model
    finally:
        model.hold.clear()
        server.should_exit = True
        thread.join(20)


def run_of(client: httpx.Client, case: str, run: str, *, until: tuple[str, ...]) -> Any:
    """Return a run once it is in one of these states."""
    end = time.monotonic() + LIMIT_S
    found: Any = None
    while time.monotonic() < end:
        found = client.get(f"/v1/cases/{case}/runs/{run}").raise_for_status().json()
        if found["state"] in until:
            return found
        time.sleep(0.1)
    raise AssertionError(f"still {found}")


def events_of(text: str) -> list[dict[str, Any]]:
    """Return the data of server-sent events."""
    return [json.loads(line) for line in re.findall(r"^data: (.*)$", text, flags=re.MULTILINE)]
