"""A compose file: a server per replica, the router, nothing open beyond this machine."""

from collections.abc import Mapping
from typing import Any

from serving.llm.launch.command import Process
from serving.llm.launch.containers import (
    ALIVE,
    PORT,
    PRE_STOP_S,
    UID,
    WEIGHTS,
    dumped,
    environment,
    grace_s,
    image,
    inside,
    router_containerfile,
)
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import defaults
from serving.llm.launch.plan import Launch

_HEAD = """# {name} on vLLM (research use).
# Written by `epicrisis llm launch {profile} --as compose`.
# The key stands in {key} (mode 0600), one line: VLLM_API_KEY=...
# The ports are open on this machine alone; a proxy with TLS stands before them.
"""


def files(launch: Launch) -> Mapping[str, str]:
    """Return ``compose.yaml`` and what it builds from, by name.

    Raises:
        OrderError: It needs several nodes, which compose does not know.
    """
    if launch.order.nodes > 1:
        raise OrderError("--as compose", "serves on one machine", "use --as kubernetes or systemd")
    services: dict[str, Any] = {
        _name(launch, one): _server(launch, one) for one in launch.processes
    }
    found = {}
    if launch.router:
        services["router"] = _router(launch)
        found["Containerfile.router"] = router_containerfile()
    body = {"name": "epicrisis-llm", "services": services, "networks": {"llm": {}}}
    head = _HEAD.format(name=launch.name, profile=launch.profile, key=launch.order.key_file)
    found["compose.yaml"] = head + dumped(body)
    return found


def _server(launch: Launch, one: Process) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": image(launch),
        "entrypoint": ["vllm"],
        "command": [_escaped(word) for word in inside(launch, one)[1:]],
        "environment": environment(one),
        "env_file": [{"path": launch.order.key_file, "required": True}],
        "user": f"{UID}:{UID}",
        "volumes": [
            {
                "type": "bind",
                "source": launch.weights,
                "target": WEIGHTS,
                "read_only": True,
                "bind": {"create_host_path": False},
            }
        ],
        "networks": ["llm"],
        "shm_size": "16gb",
        "read_only": True,
        "tmpfs": ["/tmp:mode=1777,exec"],  # noqa: S108 - within the container
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "healthcheck": {
            "test": ["CMD", "python3", "-c", ALIVE],
            "interval": "15s",
            "timeout": "5s",
            "retries": 4,
            "start_period": "3600s",
            "start_interval": "5s",
        },
        "stop_signal": "SIGTERM",
        "stop_grace_period": f"{grace_s() - PRE_STOP_S}s",
        "restart": "unless-stopped",
    }
    if not launch.router:
        service["ports"] = [f"127.0.0.1:{one.port}:{PORT}"]
    if not launch.order.cpu:
        first = one.replica * launch.order.gpus
        numbers = [str(number) for number in range(first, first + launch.order.gpus)]
        device = {"driver": "nvidia", "device_ids": numbers, "capabilities": ["gpu"]}
        service["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
    return service


def _router(launch: Launch) -> dict[str, Any]:
    servers = [_name(launch, one) for one in launch.processes]
    workers = [f"http://{name}:{PORT}" for name in servers]
    words = list(launch.router[1:])
    start, end = words.index("--worker-urls") + 1, words.index("--policy")
    words[start:end] = workers
    words[words.index("--host") + 1] = "0.0.0.0"  # noqa: S104 - within its network
    return {
        "image": defaults().images.router,
        "build": {"context": ".", "dockerfile": "Containerfile.router"},
        "command": words,
        "networks": ["llm"],
        "ports": [f"127.0.0.1:{launch.order.router_port}:{launch.order.router_port}"],
        "depends_on": {name: {"condition": "service_healthy"} for name in servers},
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - within the container
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
    }


def _name(launch: Launch, one: Process) -> str:
    return f"server-{one.replica}" if launch.order.replicas > 1 else "server"


def _escaped(word: str) -> str:
    return word.replace("$", "$$")
