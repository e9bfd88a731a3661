"""A model on a server that speaks the Open Inference Protocol (KServe v2) over HTTP.

The description, the pre-processing, the golden self-test and the reading of the numbers are the
same as for a model in this process; the server turns tensors into tensors and nothing else. It is
sent tensors of pixels, never a header or a name. That it runs the described graph cannot be seen
from here: what it answers to the golden vectors is all that is known.
"""

import math
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from tools.models.contract import ModelContract
from tools.models.runner import Tensors

TIMEOUT_S = 60.0
MAX_ANSWER_BYTES = 1 << 30
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TYPES = {
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "INT8": np.int8,
    "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8,
    "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "BOOL": np.bool_,
}  # fmt: skip
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}


class RemoteRunner:
    """A model on a server."""

    def __init__(
        self, server: str, contract: ModelContract, *, client: httpx.Client | None = None
    ) -> None:
        """Check that the server is ready and has the model's tensors.

        Args:
            server: Its base address; https, or http on this machine.
            contract: Of the model; it has the same id and version there.
            client: For tests; None for one of our own.

        Raises:
            InvalidValueError: The address is not one that pixels may be sent to.
            UnavailableError: It does not answer, or does not have the model.
            ContractError: Its model has other tensors, or of a type that cannot be sent.
        """
        self._item = contract.name
        if any(one.dtype == "float16" for one in contract.inputs):
            raise ContractError(contract.name, "float16 does not travel as JSON", "use float32")
        self._base = _address(server)
        self._client = client or httpx.Client(timeout=TIMEOUT_S, follow_redirects=False)
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
                    "datatype": _NAMES[value.dtype],
                    "data": value.reshape(-1).tolist(),
                }
                for name, value in inputs.items()
            ],
            "outputs": [{"name": name} for name in outputs],
        }
        answer = self._ask("POST", f"{self._path}/infer", body)
        given = answer.get("outputs")
        found = {}
        for one in given if isinstance(given, list) else []:
            if isinstance(one, dict) and one.get("name") in outputs:
                found[str(one["name"])] = self._tensor(one)
        if set(found) != set(outputs):
            raise self._unusable("without the outputs that were asked for")
        return found

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

    def _tensor(self, one: dict[str, Any]) -> NDArray[Any]:
        kind, shape = _TYPES.get(str(one.get("datatype"))), one.get("shape")
        sides: list[int] = list(shape or ()) if _sides(shape) else []
        if kind is None or not _sides(shape):
            raise self._unusable("with a tensor of no known type or shape")
        try:
            flat = np.array(one.get("data"), dtype=np.float64).reshape(-1)
        except (TypeError, ValueError) as error:
            raise self._unusable("with a tensor that is not of numbers") from error
        if flat.size != math.prod(sides):
            raise self._unusable("with a tensor of another size than its shape")
        return flat.reshape(sides).astype(kind)

    def _ask(self, verb: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer = self._client.request(verb, self._base + path, json=body)
        except httpx.HTTPError as error:
            raise UnavailableError(
                self._item, f"its server does not answer ({type(error).__name__})", "is it running?"
            ) from error
        if answer.status_code != httpx.codes.OK:
            raise UnavailableError(
                self._item, f"its server answers {answer.status_code}", "is the model loaded there?"
            )
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise self._unusable("with more than a tensor can hold")
        try:
            found = answer.json()
        except ValueError as error:
            raise self._unusable("with something else than JSON") from error
        if not isinstance(found, dict):
            raise self._unusable("with something else than an object")
        return found

    def _unusable(self, how: str) -> UnavailableError:
        return UnavailableError(self._item, f"its server answers {how}", "see its log")


def _sides(shape: Any) -> bool:
    return isinstance(shape, list) and all(isinstance(s, int) and s >= 0 for s in shape)


def connect(server: str, contract: ModelContract) -> RemoteRunner:
    """Return the runner of a model on a server."""
    return RemoteRunner(server, contract)


def _address(server: str) -> str:
    parts = urlsplit(server)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (plain or parts.scheme == "https") or not parts.hostname or parts.username:
        raise InvalidValueError(
            "model server", "no https address", "pixels travel encrypted, or stay on this machine"
        )
    return server.rstrip("/")
