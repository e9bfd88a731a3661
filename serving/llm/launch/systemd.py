"""Hardened systemd units: one per replica, one for the router, and a target that holds them."""

import shlex
from collections.abc import Iterator, Mapping

from serving.llm.launch.command import Process
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import defaults
from serving.llm.launch.plan import Launch

_START_S = 3600
_AFTER_DRAIN_S = 30
_BIN = "/opt/vllm/bin"
_RAY_USER = "epicrisis-llm"
"""Server and head of Ray share its files, so they are one user."""
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
    that the service itself cannot. Several nodes get a unit each, to be put on its node. The head
    of Ray has one too: what `ExecStartPre` leaves running is ended before the server starts.

    Raises:
        OrderError: A path cannot stand in a unit.
    """
    _require_plain_paths(launch)
    names = {one: _unit_name(launch, one) for one in launch.processes if one.argv or one.before}
    files = {f"{name}.service": _server(launch, one) for one, name in names.items()}
    for one, name in names.items():
        if one.argv and one.before:
            files[f"{name}-ray.service"] = _ray(launch, one.before[0])
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
        *_with_ray(f"{_unit_name(launch, one)}-ray.service" if one.argv and one.before else ""),
        "After=network-online.target",
        "Wants=network-online.target",
        f"AssertPathIsDirectory={launch.weights}",
        "",
        "[Service]",
        "Type=exec",
        "DynamicUser=yes",
        *([f"User={_RAY_USER}"] if one.before else []),
        "CacheDirectory=%N",
        "Environment=HOME=/var/cache/%N",
        "Environment=VLLM_CACHE_ROOT=/var/cache/%N",
        *(f"Environment={_escaped(f'{name}={value}')}" for name, value in one.environment),
        f"EnvironmentFile={launch.order.key_file}",
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


def _with_ray(unit: str) -> list[str]:
    """Return the lines that tie a server to the head of Ray, whose files are in its ``/tmp``."""
    return [f"Requires={unit}", f"After={unit}", f"JoinsNamespaceOf={unit}"] if unit else []


def _ray(launch: Launch, words: tuple[str, ...]) -> str:
    lines = [
        "[Unit]",
        f"Description=Head of Ray for {launch.name}",
        "After=network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        "Type=exec",
        "DynamicUser=yes",
        f"User={_RAY_USER}",
        "CacheDirectory=%N",
        "Environment=HOME=/var/cache/%N",
        f"ExecStart={_command((*words, '--block'))}",
        "Restart=on-failure",
        "RestartSec=5",
        "LimitNOFILE=65536",
        *_devices(launch),
        *_HARDENING.splitlines(),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _require_plain_paths(launch: Launch) -> None:
    for option, path in (("--weights", launch.weights), ("--key-file", launch.order.key_file)):
        if any(c.isspace() or c in "\"'\\%" for c in path):
            raise OrderError(
                f"{option} {path}",
                "has a blank, a quote, a backslash or a percent sign, which a unit reads otherwise",
                "give a path without",
            )
        if not path.startswith("/"):
            raise OrderError(
                f"{option} {path}",
                "is not absolute: systemd ignores it, and the server would start without",
                "give the whole path",
            )


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
