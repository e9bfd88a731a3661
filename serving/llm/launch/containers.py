"""What container forms share: paths within a container, its limits, the router's image."""

from collections.abc import Iterator
from typing import Any

import yaml

from serving.llm.launch.command import Process
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import defaults, known_options
from serving.llm.launch.plan import Launch

WEIGHTS = "/models/served"
PORT = 8000
UID = 10001
DRAINING = "/tmp/draining"  # noqa: S108 - within a container of its own
PRE_STOP_S = 20
_AFTER_DRAIN_S = 15

_WRITABLE = {
    "HOME": "/tmp",  # noqa: S108 - within a container of its own
    "VLLM_CACHE_ROOT": "/tmp/vllm",  # noqa: S108
    "TORCHINDUCTOR_CACHE_DIR": "/tmp/inductor",  # noqa: S108
    "TRITON_CACHE_DIR": "/tmp/triton",  # noqa: S108
}

ALIVE = (
    "import sys,urllib.request as r;"
    f"sys.exit(r.urlopen('http://127.0.0.1:{PORT}/health',timeout=4).status!=200)"
)
READY = (
    "import os,sys,urllib.request as r;"
    f"os.path.exists('{DRAINING}') and sys.exit(1);"
    f"q=r.Request('http://127.0.0.1:{PORT}/v1/models',"
    "headers={'Authorization':'Bearer '+os.environ['VLLM_API_KEY']});"
    "sys.exit(r.urlopen(q,timeout=4).status!=200)"
)
"""Health stays 200 while a server drains, so a mark made by the hook before stopping decides."""


def dumped(*documents: dict[str, Any]) -> str:
    """Return YAML in which every value is written out where it stands."""
    text: str = yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, width=100)
    return text


def grace_s() -> int:
    """Return how long a container may take to end: the mark, the drain, and a rest."""
    return PRE_STOP_S + defaults().numbers.shutdown_s + _AFTER_DRAIN_S


def inside(launch: Launch, one: Process) -> list[str]:
    """Return the command line within a container: its own folder, address and port.

    Raises:
        OrderError: The chat template lies outside the weights, which alone are mounted.
    """
    outer = launch.weights.rstrip("/")
    template = launch.order.chat_template
    if template is not None and not template.startswith(outer + "/"):
        raise OrderError(
            f"--chat-template {template}",
            "lies outside the folder of the weights, which alone is there in a container",
            f"put the file into {outer}",
        )
    words = []
    for word in one.argv:
        same = word == launch.weights or word.startswith(outer + "/")
        words.append(WEIGHTS + word[len(outer) :] if same else word)
    return list(_replaced(words, {"--host": "0.0.0.0", "--port": str(PORT)}))  # noqa: S104


def image(launch: Launch) -> str:
    """Return the image of the server."""
    return defaults().images.cpu if launch.order.cpu else defaults().images.gpu


def environment(one: Process) -> dict[str, str]:
    """Return the variables of a container: those of the server, and where it may write.

    The user has no name in the image, which parts of the server would ask for.
    """
    return {**dict(one.environment), **_WRITABLE, "USER": "vllm"}


def router_containerfile() -> str:
    """Return the file that builds the router's image."""
    return (
        "# The router before several servers: Apache-2.0, from the Python package index.\n"
        "FROM docker.io/library/python:3.12-slim-bookworm\n"
        f"RUN pip install --no-cache-dir vllm-router=={known_options().router} \\\n"
        f" && useradd --system --uid {UID} router\n"
        f"USER {UID}\n"
        'ENTRYPOINT ["vllm-router"]\n'
    )


class _Plain(yaml.SafeDumper):
    """Safe YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _replaced(words: list[str], values: dict[str, str]) -> Iterator[str]:
    previous = ""
    for word in words:
        yield values.get(previous, word)
        previous = word
