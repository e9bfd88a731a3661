"""Hardened systemd units: one per replica, one for the router, and a target that holds them."""

import shlex
from collections.abc import Iterator, Mapping

from serving.llm.launch.command import Process
from serving.llm.launch.options import defaults
from serving.llm.launch.plan import Launch

_START_S = 3600
_AFTER_DRAIN_S = 30
_BIN = "/opt/vllm/bin"
_HARDENING = """NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
UMask=0077"""


def units(launch: Launch) -> Mapping[str, str]:
    """Return the files for ``/etc/systemd/system``, by name.

    vLLM is expected in a virtual environment at ``/opt/vllm``; the key file is read by systemd, so
    that the service itself cannot. Several nodes get a unit each, to be put on its node.
    """
    names = {one: _unit_name(launch, one) for one in launch.processes if one.argv or one.before}
    files = {f"{name}.service": _server(launch, one) for one, name in names.items()}
    if launch.router:
        files[f"{_stem(launch)}-router.service"] = _router(launch, tuple(names.values()))
    return files


def _server(launch: Launch, one: Process) -> str:
    stop = defaults().numbers.shutdown_s + _AFTER_DRAIN_S
    lines = [
        f"# /etc/systemd/system/{_unit_name(launch, one)}.service",
        f"# The key stands in {launch.order.key_file} (mode 0600): VLLM_API_KEY=...",
        "[Unit]",
        f"Description=Language model {launch.name} on vLLM (research use)",
        "After=network-online.target",
        "Wants=network-online.target",
        f"ConditionPathIsDirectory={launch.weights}",
        "",
        "[Service]",
        "Type=exec",
        "DynamicUser=yes",
        "CacheDirectory=%N",
        "Environment=HOME=/var/cache/%N",
        "Environment=VLLM_CACHE_ROOT=/var/cache/%N",
        *(f"Environment={_escaped(f'{name}={value}')}" for name, value in one.environment),
        f"EnvironmentFile={launch.order.key_file}",
        *(f"ExecStartPre={_command(words)}" for words in one.before if one.argv),
        f"ExecStart={_command(one.argv or one.before[0])}",
        f"TimeoutStartSec={_START_S}",
        "KillSignal=SIGTERM",
        "KillMode=mixed",
        f"TimeoutStopSec={stop}",
        "Restart=on-failure",
        "RestartSec=5",
        "LimitNOFILE=65536",
        "LimitMEMLOCK=infinity",
        f"ReadOnlyPaths={launch.weights}",
        *_devices(launch),
        *_HARDENING.splitlines(),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _router(launch: Launch, servers: tuple[str, ...]) -> str:
    after = " ".join(f"{name}.service" for name in servers)
    lines = [
        "[Unit]",
        f"Description=Router before {launch.order.replicas} servers of {launch.name}",
        f"After={after}",
        f"Wants={after}",
        "",
        "[Service]",
        "Type=exec",
        "DynamicUser=yes",
        f"ExecStart={_command(launch.router)}",
        "TimeoutStopSec=60",
        "Restart=on-failure",
        "RestartSec=2",
        "PrivateDevices=yes",
        *_HARDENING.splitlines(),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _devices(launch: Launch) -> Iterator[str]:
    if launch.order.cpu:
        yield "PrivateDevices=yes"
        return
    yield "DevicePolicy=closed"
    for device in ("char-nvidia*", "char-kfd", "char-drm"):
        yield f"DeviceAllow={device} rw"
    yield "SupplementaryGroups=video render"


def _command(words: tuple[str, ...]) -> str:
    program, *rest = words
    return " ".join([f"{_BIN}/{program}", *(_escaped(shlex.quote(word)) for word in rest)])


def _escaped(text: str) -> str:
    return text.replace("%", "%%").replace("$", "$$")


def _unit_name(launch: Launch, one: Process) -> str:
    name = _stem(launch)
    name += f"-{one.replica}" if launch.order.replicas > 1 else ""
    return name + (f"-node{one.node}" if launch.order.nodes > 1 else "")


def _stem(launch: Launch) -> str:
    return "epicrisis-llm-" + "".join(c if c.isalnum() or c == "-" else "-" for c in launch.name)
