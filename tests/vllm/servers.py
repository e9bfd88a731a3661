"""The two servers of these tests: vLLM on the CPU, and the llama.cpp server of the product.

Each is a process that is started, found ready, killed, told to end, and started again at the same
address with the same key. Both listen on 127.0.0.1 alone.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path

import httpx
import orjson
from pydantic import SecretStr

from agent.llm.client import OpenAIChat
from agent.llm.local.server import Listening, Orders

READY_S = 300.0
"""Most seconds until vLLM answers: 31 to 41 on two quiet cores."""
END_S = 60.0
CONTEXT = 8192
SLOTS = 2
"""Requests that vLLM works on at once here; the llama.cpp server of the product has one."""
IN_FLIGHT = 8
"""Most requests that vLLM takes in here, those that wait included."""


class Server(ABC):
    """A language-model server in a process of its own.

    Attributes:
        starts: Seconds of every start, in order.
    """

    kind: str
    model: str

    def __init__(self, log: Path) -> None:
        self.key = SecretStr(secrets.token_urlsafe(16))
        self.starts: list[float] = []
        self._log = log
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base of its API."""
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        """Base of its own paths."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def client(self, key: SecretStr | None = None) -> OpenAIChat:
        """Return a client of the product."""
        return OpenAIChat(self.url, self.model, key or self.key)

    def start(self) -> None:
        """Start the process, and wait until it answers."""
        assert not self.alive
        began = time.monotonic()
        self._process = self._started()
        self._wait_ready(began + READY_S)
        self.starts.append(time.monotonic() - began)

    def kill(self) -> None:
        """End it and its children without a word, as a lack of memory would."""
        self._signal(signal.SIGKILL, group=True)
        self.wait()

    def terminate(self) -> None:
        """Tell it to end, as a supervisor or a cluster does; it may finish what it does."""
        self._signal(signal.SIGTERM, group=False)

    def wait(self) -> float:
        """Wait until it has ended; return the seconds."""
        assert self._process is not None
        began = time.monotonic()
        self._process.wait(END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return time.monotonic() - began

    def stop(self) -> None:
        """End it whatever it does."""
        if self.alive:
            self.kill()

    def health(self) -> int | None:
        """Return the status of ``/health``, or None where nobody answers."""
        try:
            return httpx.get(f"{self.root}/health", timeout=5, trust_env=False).status_code
        except httpx.HTTPError:
            return None

    @abstractmethod
    def _started(self) -> subprocess.Popen[bytes]: ...

    def _wait_ready(self, until: float) -> None:
        while self.health() != httpx.codes.OK:
            assert self.alive, f"{self.kind} ended: {self.said()}"
            assert time.monotonic() < until, f"{self.kind} was not ready: {self.said()}"
            time.sleep(0.25)

    def said(self) -> str:
        """Return the end of what it wrote."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def _signal(self, number: int, *, group: bool) -> None:
        assert self._process is not None
        if group:
            os.killpg(self._process.pid, number)
        else:
            os.kill(self._process.pid, number)


class Vllm(Server):
    """vLLM, serving a checkpoint with the options of a hospital's server, small."""

    kind = "vllm"
    model = "epicrisis-moe"

    def __init__(self, checkpoint: Path, log: Path) -> None:
        super().__init__(log)
        self._checkpoint = checkpoint

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        text = httpx.get(f"{self.root}/metrics", timeout=5, trust_env=False).text
        rows = [line for line in text.splitlines() if line.startswith(f"vllm:{name}{{")]
        return sum(float(row.rpartition(" ")[2]) for row in rows)

    def _started(self) -> subprocess.Popen[bytes]:
        command = [
            str(Path(sys.executable).with_name("vllm")), "serve", str(self._checkpoint),
            "--served-model-name", self.model, "--host", "127.0.0.1", "--port", str(self._port),
            "--dtype", "bfloat16", "--enforce-eager",
            "--max-model-len", str(CONTEXT), "--kv-cache-memory-bytes", "1G",
            "--max-num-seqs", str(SLOTS), "--max-num-queued-reqs", str(IN_FLIGHT),
            "--scheduling-policy", "priority", "--shutdown-timeout", "30",
            "--enable-auto-tool-choice", "--tool-call-parser", "hermes",
            "--tool-strict-level", "parameter", "--enable-prompt-tokens-details",
            "--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}',
        ]  # fmt: skip
        environment = {
            **os.environ,
            "VLLM_API_KEY": self.key.get_secret_value(),
            "VLLM_CPU_OMP_THREADS_BIND": "0-1" if (os.cpu_count() or 1) > 1 else "0",
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
        }
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the command of this environment
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )


class LlamaCpp(Server):
    """The llama.cpp server as the product starts it, with the packaged dense model."""

    kind = "llama.cpp"
    model = "smollm2"

    def __init__(self, gguf: Path, log: Path) -> None:
        super().__init__(log)
        self._gguf = gguf

    def _started(self) -> subprocess.Popen[bytes]:
        orders = Orders(
            gguf=self._gguf,
            model=self.model,
            api_key=self.key,
            port=self._port,
            threads=min(os.cpu_count() or 1, 2),
            context_tokens=CONTEXT,
        )
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "agent.llm.local.server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "OMP_WAIT_POLICY": "passive"},
                start_new_session=True,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orders.model_dump_json().encode() + b"\n")
        process.stdin.flush()
        said = Listening.model_validate(orjson.loads(process.stdout.readline()))
        assert said.url == self.root
        return process


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
