"""The local model's server: started, checked by a real completion, restarted, stopped.

The server is a child process. It ends when its standard input ends, so it cannot outlive this
process. A crash is followed by a restart at the same address and with the same key, after a pause
that doubles; after `_MOST_RESTARTS` restarts it stays down.
"""

import asyncio
import logging
import os
import secrets
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path

import orjson
from pydantic import SecretStr, ValidationError

import agent
from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMError
from agent.llm.local.gguf import Gguf
from agent.llm.local.machine import context_for, machine, threads_for
from agent.llm.local.server import Listening, Orders
from agent.llm.seam import ChatRequest, Message
from knowledge.errors import MissingExtraError, UnavailableError
from knowledge.settings import Settings

_LOG = logging.getLogger(__name__)
_ITEM = "local language model"
_START_S = 180.0
"""Most seconds from start to address: 4 s on two cores, more from a slow disk."""
_CHECK_S = 60.0
_STOP_S = 5.0
_FIRST_PAUSE_S = 1.0
_MOST_RESTARTS = 5
_KEY_BYTES = 32
_MODULE = "agent.llm.local.server"
_STARTED_WITH = {"OMP_WAIT_POLICY": "passive"}
"""Threads that spin while they wait make the model ten times slower on shared cores."""


def orders_for(gguf: Gguf, settings: Settings, *, port: int = 0) -> Orders:
    """Return what to serve, fitted to this machine, with a new random key.

    Raises:
        UnavailableError: The memory that is free does not hold the model.
    """
    found = machine()
    size = gguf.path.stat().st_size
    context = context_for(found, weights_bytes=size, wanted=settings.llm_context_tokens)
    if context is None:
        free = (found.free_bytes or 0) / 1e9
        raise UnavailableError(
            _ITEM, f"needs more memory than the {free:.1f} GB that are free",
            "free some, or set EPICRISIS_LLM_URL to another endpoint",
        )  # fmt: skip
    return Orders(
        gguf=gguf.path,
        model=gguf.name,
        api_key=SecretStr(secrets.token_urlsafe(_KEY_BYTES)),
        port=port,
        threads=threads_for(found, wanted=settings.llm_threads),
        context_tokens=context,
    )


def require_engine() -> None:
    """Raise if the engine of the local model is not installed.

    Raises:
        MissingExtraError: It is not.
    """
    from importlib.util import find_spec

    if find_spec("xllamacpp") is None:
        raise MissingExtraError(
            _ITEM, "needs the package xllamacpp", "pip install 'epicrisis[local-llm]'"
        )


class LocalServer:
    """One server process under supervision.

    Args:
        orders: What to serve.
        sha256: Of the weights.
        command: The process; for tests.
        first_pause_s: Pause before the first restart; it doubles.
    """

    def __init__(
        self,
        orders: Orders,
        *,
        sha256: str,
        command: tuple[str, ...] = (sys.executable, "-P", "-m", _MODULE),
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        self._orders = orders
        self._sha256 = sha256
        self._command = command
        self._first_pause_s = first_pause_s
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._said: deque[str] = deque(maxlen=20)
        self._url = ""
        self.restarts = 0

    @property
    def url(self) -> str:
        """Base address of its API."""
        return f"{self._url}/v1"

    @property
    def orders(self) -> Orders:
        """What it serves."""
        return self._orders

    @property
    def pid(self) -> int | None:
        """Of the server process; None while there is none."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    def client(self) -> OpenAIChat:
        """Return a client of it."""
        return OpenAIChat(self.url, self._orders.model, self._orders.api_key, sha256=self._sha256)

    async def start(self) -> None:
        """Start the process and wait until it has answered a completion.

        Raises:
            UnavailableError: It did not come up; the message has the last thing it said.
        """
        try:
            await self._launch()
        except BaseException:
            await self.stop()
            raise
        self._watch = asyncio.create_task(self._restart_after_crashes())

    async def stop(self) -> None:
        """End the process and everything that watches it."""
        for task in (self._watch, self._reader):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        self._watch = self._reader = None
        await self._end_process()

    async def ended(self) -> None:
        """Wait until it is down for good: stopped, or restarted too often."""
        if self._watch is not None:
            await asyncio.wait({self._watch})

    async def _launch(self) -> None:
        environment = {**os.environ, **_STARTED_WITH, "PYTHONPATH": _import_path()}
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        self._reader = asyncio.create_task(self._read_errors(self._process))
        try:
            async with asyncio.timeout(_START_S):
                self._url = await self._address(self._process)
            await self._require_completion()
        except TimeoutError as error:
            await self._end_process()
            raise UnavailableError(_ITEM, f"did not start within {_START_S:g} s") from error
        except UnavailableError:
            await self._end_process()
            raise
        self._orders = self._orders.model_copy(update={"port": int(self._url.rsplit(":", 1)[1])})

    async def _address(self, process: asyncio.subprocess.Process) -> str:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("started with pipes")
        line = b""
        with suppress(ConnectionError):
            process.stdin.write(self._orders.model_dump_json().encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        try:
            return Listening.model_validate(orjson.loads(line)).url
        except (orjson.JSONDecodeError, ValidationError) as error:
            said = self._said[-1] if self._said else "it said nothing"
            raise UnavailableError(_ITEM, f"did not start: {said}") from error

    async def _require_completion(self) -> None:
        client = self.client()
        ask = ChatRequest(
            purpose="health",
            messages=(Message(role="user", content="Answer OK."),),
            max_tokens=1,
            timeout_s=_CHECK_S,
        )
        try:
            await client.chat(ask)
        except LLMError as error:
            raise UnavailableError(_ITEM, f"started, but does not answer: {error}") from error
        finally:
            await client.close()

    async def _restart_after_crashes(self) -> None:
        pause = self._first_pause_s
        while self._process is not None and self.restarts < _MOST_RESTARTS:
            code = await self._process.wait()
            _LOG.warning("the local language model ended with %s, starting it again", code)
            await asyncio.sleep(pause)
            pause *= 2
            self.restarts += 1
            try:
                await self._launch()
            except UnavailableError as error:
                _LOG.warning("%s", error)
        if self._process is not None:
            await self._process.wait()
            _LOG.error("the local language model crashed too often and stays down")

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        while process.stderr is not None and (line := await process.stderr.readline()):
            text = line.decode("utf-8", "replace").strip()
            if text:
                self._said.append(text[:200])

    async def _end_process(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _import_path() -> str:
    """Return what the child needs to import this package from where it was imported here."""
    home = str(Path(next(iter(agent.__path__))).parent)
    before = os.environ.get("PYTHONPATH")
    return f"{home}{os.pathsep}{before}" if before else home
