"""A model on a server that speaks the Open Inference Protocol (KServe v2) over HTTP.

The description, the pre-processing, the golden self-test and the reading of the numbers are the
same as for a model in this process; the server turns tensors into tensors and nothing else. It is
sent tensors of pixels, never a header or a name. That it runs the described graph cannot be seen
from here: what it answers to the golden vectors is all that is known.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from numpy.typing import NDArray

from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from tools.models.contract import ModelContract
from tools.models.isolated import Limits
from tools.models.remote_answer import NAMES, UnusableError, decoded, tensors
from tools.models.runner import Tensors

LIMITS = Limits(seconds=60.0, memory_mib=1024)
"""Of one answer, where nothing else is given: from connecting to the last byte, and its size."""

Found = TypeVar("Found")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MIB = 1 << 20


class RemoteRunner:
    """A model on a server."""

    def __init__(
        self,
        server: str,
        contract: ModelContract,
        *,
        client: httpx.Client | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        """Check that the server is ready and has the model's tensors.

        Args:
            server: Its base address; https, or http on this machine.
            contract: Of the model; it has the same id and version there.
            client: For tests; None for one of our own.
            limits: Of one answer: its time as a whole, and its size.

        Raises:
            InvalidValueError: The address is not one that pixels may be sent to.
            UnavailableError: It does not answer, or does not have the model.
            ContractError: Its model has other tensors, or of a type that cannot be sent.
        """
        self._item, self._contract, self._limits = contract.name, contract, limits
        self._form: dict[str, tuple[str, int]] = {}
        if any(one.dtype == "float16" for one in contract.inputs):
            raise ContractError(contract.name, "float16 does not travel as JSON", "use float32")
        self._base = _address(server)
        self._client = client or httpx.Client(timeout=limits.seconds, follow_redirects=False)
        self._path = f"/v2/models/{quote(contract.id)}/versions/{quote(contract.version)}"
        self.where = f"KServe v2 at {urlsplit(self._base).hostname}"
        self._compare(contract)

    def run(self, inputs: Tensors, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the named outputs.

        Raises:
            UnavailableError: The server does not answer, or not with what was asked.
        """
        body = {
            "inputs": [
                {
                    "name": name,
                    "shape": list(value.shape),
                    "datatype": NAMES[value.dtype],
                    "data": value.reshape(-1).tolist(),
                }
                for name, value in inputs.items()
            ],
            "outputs": [{"name": name} for name in outputs],
        }
        answer = self._ask("POST", f"{self._path}/infer", body)
        self._same_model(answer)
        try:
            found = tensors(answer, outputs)
        except UnusableError as error:
            raise self._unusable(str(error)) from error
        for name, value in found.items():
            form = (NAMES[value.dtype], value.ndim)
            if self._form.setdefault(name, form) != form:
                raise self._unusable("with another type or number of axes than before")
        return found

    def _same_model(self, answer: dict[str, Any]) -> None:
        """Refuse an answer that names another model or version than was asked."""
        asked = {"model_name": self._contract.id, "model_version": self._contract.version}
        for key, wanted in asked.items():
            if answer.get(key) not in (None, "", wanted):
                raise self._unusable("as another model or version")

    def _compare(self, contract: ModelContract) -> None:
        about = self._ask("GET", self._path, None)
        for part, wanted in (("inputs", contract.inputs), ("outputs", contract.outputs)):
            given = about.get(part)
            rows = (
                [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
            )
            names = {str(one.get("name")) for one in rows}
            lost = {one.name for one in wanted} - names
            if lost:
                raise ContractError(
                    self._item, f"the server's model has no {part} {sorted(lost)}", "another model?"
                )

    def _ask(self, verb: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Return the object a server answers within the limits.

        Raises:
            UnavailableError: It does not, or answers something else.
        """
        try:
            status, content = in_time(
                lambda until: self._received(verb, path, body, until), self._limits.seconds
            )
        except httpx.HTTPError as error:
            raise UnavailableError(
                self._item, f"its server does not answer ({type(error).__name__})", "is it running?"
            ) from error
        except TimeoutError as error:
            raise UnavailableError(
                self._item,
                f"no whole answer of its server within {self._limits.seconds:g} s",
                "EPICRISIS_MODEL_SECONDS is the limit",
            ) from error
        except UnusableError as error:
            raise self._unusable(str(error)) from error
        if status != httpx.codes.OK:
            raise UnavailableError(
                self._item, f"its server answers {status}", "is the model loaded there?"
            )
        try:
            return decoded(content)
        except UnusableError as error:
            raise self._unusable(str(error)) from error

    def _received(
        self, verb: str, path: str, body: dict[str, Any] | None, until: float
    ) -> tuple[int, bytes]:
        """Return status and content, counted and timed while they come in."""
        content = bytearray()
        plain = {"accept-encoding": "identity"}
        with self._client.stream(verb, self._base + path, json=body, headers=plain) as answer:
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > self._limits.memory_mib * _MIB:
                    raise UnusableError("with more than it may")
                if time.monotonic() > until:
                    raise TimeoutError
            return answer.status_code, bytes(content)

    def _unusable(self, how: str) -> UnavailableError:
        return UnavailableError(self._item, f"its server answers {how}", "see its log")


def connect(server: str, contract: ModelContract, *, limits: Limits = LIMITS) -> RemoteRunner:
    """Return the runner of a model on a server."""
    return RemoteRunner(server, contract, limits=limits)


def in_time(work: Callable[[float], Found], seconds: float) -> Found:
    """Return what some work returns, waited for no longer than a time.

    A server may send its header byte by byte, which no time between two bytes ends: the work is
    done by a thread of its own, which is left behind then and ends with the program.

    Args:
        work: Called with the moment (`time.monotonic`) from which on nobody waits for it.
        seconds: The time.

    Raises:
        TimeoutError: It is not done by then.
    """
    done: Future[Found] = Future()
    until = time.monotonic() + seconds

    def run() -> None:
        try:
            done.set_result(work(until))
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except FutureTimeoutError as error:
        raise TimeoutError from error


def _address(server: str) -> str:
    parts = urlsplit(server)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (plain or parts.scheme == "https") or not parts.hostname or parts.username:
        raise InvalidValueError(
            "model server", "no https address", "pixels travel encrypted, or stay on this machine"
        )
    return server.rstrip("/")
