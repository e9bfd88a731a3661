"""Running servers as processes of this machine until interrupted, and stopping them in order."""

import asyncio
import shlex
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from knowledge.errors import UnavailableError
from serving.llm.launch.command import Process
from serving.llm.launch.errors import OrderError, ServerDiedError
from serving.llm.launch.options import defaults
from serving.llm.launch.plan import Launch

_LOOPBACK = "127.0.0.1"
_EVERYWHERE = ("0.0.0.0", "::", "[::]")  # noqa: S104 - compared with, not listened on
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "TMPDIR",
              "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "VIRTUAL_ENV", "USER")  # fmt: skip
_POLL_S = 0.5
_ANSWER_S = 5.0
_AFTER_DRAIN_S = 20.0


class Running:
    """The processes of a launch.

    Args:
        launch: What is to run; every node must be this machine.
        key: Handed to the servers in their environment.
        inherited: This process's environment; a few variables of it are passed on.
        log: Folder that gets the output of the servers, one file per replica.
        executable: Words instead of ``vllm``, such as a path.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        key: str,
        inherited: Mapping[str, str],
        log: Path,
        executable: str = "vllm",
    ) -> None:
        if launch.order.nodes > 1:
            raise OrderError(
                f"--nodes {launch.order.nodes}",
                "processes of several nodes are started on each of them",
                "use --dry-run for the command of each node, or --as kubernetes",
            )
        self._launch = launch
        self._key = key
        self._base = {name: inherited[name] for name in _INHERITED if name in inherited}
        self.log = log
        self._executable = shlex.split(executable)
        self._servers: list[asyncio.subprocess.Process] = []

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that were started, servers first."""
        return tuple(server.pid for server in self._servers)

    async def start(self) -> None:
        """Start every server and, before several, the router.

        Raises:
            UnavailableError: A program is not there.
        """
        for one in self._launch.processes:
            await self._spawn([*self._executable, *one.argv[1:]], one, f"server-{one.replica}.log")
        if self._launch.router:
            await self._spawn(list(self._launch.router), None, "router.log")

    async def ready(self, within_s: float, told: Callable[[str], None] = lambda text: None) -> None:
        """Wait until every server, and the router before them, lists the model.

        Args:
            within_s: Longest wait.
            told: Gets a line for each that is ready.

        Raises:
            ServerDiedError: One ended, or did not answer in time.
        """
        ports = {f"server {one.replica}": one.port for one in self._launch.processes}
        if self._launch.router:
            ports["router"] = self._launch.order.router_port
        until = time.monotonic() + within_s
        asked = self._launch.order.host
        host = _LOOPBACK if asked in _EVERYWHERE else asked
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client:
            for name, port in ports.items():
                while not await self._lists(client, f"http://{host}:{port}/v1/models"):
                    self._require_alive()
                    if time.monotonic() > until:
                        raise ServerDiedError(
                            name,
                            f"did not list its model within {within_s:.0f} s",
                            f"see {self.log}",
                        )
                    await asyncio.sleep(_POLL_S)
                told(f"{name} at http://{host}:{port}/v1")

    async def ended(self) -> int:
        """Wait until any process ends; return its exit code."""
        waits = [asyncio.create_task(server.wait()) for server in self._servers]
        done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return next(iter(done)).result()

    async def stop(self) -> None:
        """Stop the router, then let the servers finish what runs; kill what does not end."""
        drain = defaults().numbers.shutdown_s + _AFTER_DRAIN_S
        for server in reversed(self._servers):
            with suppress(ProcessLookupError):
                server.send_signal(signal.SIGTERM)
        for server in self._servers:
            try:
                await asyncio.wait_for(server.wait(), drain)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    server.kill()
                await server.wait()

    async def _spawn(self, argv: list[str], one: Process | None, log: str) -> None:
        environment = dict(self._base)
        if one is not None:
            environment |= dict(one.environment) | {"VLLM_API_KEY": self._key}
        self.log.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.log / log).open("ab") as out:
            try:
                server = await asyncio.create_subprocess_exec(
                    *argv, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out
                )
            except OSError as error:
                await self.stop()
                raise UnavailableError(
                    argv[0], f"cannot be started: {error.strerror}", "install it on this machine"
                ) from error
        self._servers.append(server)

    def _require_alive(self) -> None:
        for server in self._servers:
            if server.returncode is not None:
                raise ServerDiedError(
                    "the server", f"ended with {server.returncode}", f"see {self.log}"
                )

    async def _lists(self, client: httpx.AsyncClient, url: str) -> bool:
        try:
            answer = await client.get(url, headers={"Authorization": f"Bearer {self._key}"})
            models = answer.json().get("data", []) if answer.status_code == httpx.codes.OK else []
        except (httpx.HTTPError, ValueError, AttributeError):
            return False
        return any(isinstance(one, dict) and one.get("id") == self._launch.name for one in models)
