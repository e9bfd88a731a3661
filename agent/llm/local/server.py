"""The process of the local model: ``python -m agent.llm.local.server``.

Started by `agent.llm.local.supervisor` only. It reads one line of JSON (`Orders`) from standard
input, answers one line of JSON (`Listening`) on standard output once it serves, and ends when
standard input ends: so it never outlives the process that started it, however that ended. The key
comes over the pipe and is in no argument list.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, PositiveInt, SecretStr, field_serializer

from knowledge.model import Frozen


class Orders(Frozen):
    """What to serve.

    Args:
        gguf: File of weights.
        model: Name of the model in requests.
        api_key: Bearer token that every request must carry.
        port: On 127.0.0.1; 0 for a free one.
        threads: For prompts and replies.
        context_tokens: Most tokens of prompt and reply.
    """

    gguf: Path
    model: str
    api_key: SecretStr
    port: NonNegativeInt = 0
    threads: PositiveInt
    context_tokens: PositiveInt

    @field_serializer("api_key", when_used="json")
    def _over_the_pipe(self, key: SecretStr) -> str:
        return key.get_secret_value()


class Listening(Frozen):
    """Where it listens.

    Args:
        url: Of the server, without a path.
    """

    url: str


def main() -> None:
    """Serve until standard input ends."""
    orders = Orders.model_validate_json(sys.stdin.buffer.readline())
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever the library prints is no answer
    server = _serve(orders)
    answers.write(Listening(url=server.listening_address).model_dump_json().encode() + b"\n")
    answers.close()
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)  # requests in progress have nobody left to answer


def _serve(orders: Orders) -> Any:
    xllamacpp = import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(orders.gguf)
    params.hostnames = ["127.0.0.1"]
    params.port = orders.port
    params.api_keys = [orders.api_key.get_secret_value()]
    params.model_alias = {orders.model}
    params.n_parallel = 1
    params.n_ctx = orders.context_tokens
    params.cpuparams.n_threads = orders.threads
    params.cpuparams_batch.n_threads = orders.threads
    params.ui = False
    params.verbosity = 0  # it would log parts of prompts
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
