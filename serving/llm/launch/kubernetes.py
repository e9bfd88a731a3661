"""Kubernetes objects: servers with probes that know vLLM's habits, their network, the router.

vLLM answers 200 on ``/health`` while it drains, and new requests get 500 then. So a server that is
to stop first makes a mark, fails its readiness by it and sleeps until no one sends any more; then
SIGTERM lets what runs end. Liveness asks ``/health``, which fails once the engine is dead, and
readiness asks for the list of models with the key.
"""

import hashlib
import shlex
from collections.abc import Mapping
from typing import Any

from serving.llm.launch.command import Process
from serving.llm.launch.containers import (
    ALIVE,
    DRAINING,
    PORT,
    PRE_STOP_S,
    READY,
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
from serving.llm.launch.network import client_labels, policies
from serving.llm.launch.plan import Launch
from serving.llm.launch.router_objects import router_objects

SECRET = "epicrisis-llm-key"  # noqa: S105 - the name of an object, not a key
_CLAIM = "epicrisis-llm-weights"
_START_FAILURES = 720
_LONGEST = 40
_HEAD = """# {name} on vLLM (research use).
# Written by `epicrisis llm launch {profile} --as kubernetes`.
# Needed beforehand: a claim "{claim}" with the files of {repository},
# and the key: kubectl create secret generic {secret} --from-env-file={key}
# Who may send requests carries the label {client}.
"""


def files(launch: Launch) -> Mapping[str, str]:
    """Return the manifest and what the router is built from, by name.

    Raises:
        OrderError: Several nodes by Ray, which wants an operator of its own.
    """
    if launch.order.nodes > 1 and launch.order.executor == "ray":
        raise OrderError("--executor ray", "needs the operator of Ray here", "use --executor mp")
    client = ", ".join(f"{name}: {value}" for name, value in client_labels().items())
    head = _HEAD.format(
        name=launch.name,
        profile=launch.profile,
        claim=_CLAIM,
        repository=launch.repository or "the model",
        secret=SECRET,
        key=launch.order.key_file,
        client=client,
    )
    found = {"kubernetes.yaml": head + dumped(*objects(launch))}
    if launch.router:
        found["Containerfile.router"] = router_containerfile()
    return found


def objects(launch: Launch) -> list[dict[str, Any]]:
    """Return every object of the manifest."""
    name = _name(launch)
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "epicrisis-llm"}
    found: list[dict[str, Any]] = []
    if launch.order.nodes > 1:
        for replica in range(launch.order.replicas):
            found += _over_nodes(launch, labels, replica)
    else:
        found += [_alone(launch, labels), _service(name, labels, headless=bool(launch.router))]
    if launch.order.replicas > 1:
        found.append(_budget(name, labels))
    if launch.router:
        found += router_objects(launch, name, _workers(launch))
    return found + policies(name, labels, launch)


def _workers(launch: Launch) -> tuple[str, ...]:
    name = _name(launch)
    over_nodes = launch.order.nodes > 1
    hosts = [
        f"{name}-{replica}" if over_nodes else f"{name}-{replica}.{name}"
        for replica in range(launch.order.replicas)
    ]
    return tuple(f"http://{host}:{PORT}" for host in hosts)


def _alone(launch: Launch, labels: Mapping[str, str]) -> dict[str, Any]:
    one = launch.processes[0]
    template = _pod(labels, _container(launch, one, ["vllm"], inside(launch, one)[1:]))
    spec: dict[str, Any] = {
        "replicas": launch.order.replicas,
        "selector": {"matchLabels": dict(labels)},
        "template": template,
    }
    if launch.order.replicas > 1:
        spec |= {"serviceName": _name(launch), "podManagementPolicy": "Parallel"}
    else:
        spec |= {"strategy": {"type": "Recreate"}, "progressDeadlineSeconds": 7200}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet" if launch.order.replicas > 1 else "Deployment",
        "metadata": {"name": _name(launch), "labels": dict(labels)},
        "spec": spec,
    }


def _over_nodes(launch: Launch, labels: Mapping[str, str], replica: int) -> list[dict[str, Any]]:
    name = f"{_name(launch)}-{replica}"
    own = {**labels, "epicrisis.llm/replica": str(replica)}
    first = next(one for one in launch.processes if one.replica == replica and one.node == 0)
    words = inside(launch, first)
    words[words.index("--master-addr") + 1] = f"{name}-0.{name}-nodes"
    at = words.index("--node-rank") + 1
    before, after = shlex.join(words[:at]), shlex.join(words[at + 1 :])
    script = f'[ "$RANK" = 0 ] || HEADLESS=--headless; exec {before} "$RANK" {after} $HEADLESS'
    container = _container(launch, first, ["sh", "-c"], [script])
    rank = {"fieldPath": "metadata.labels['apps.kubernetes.io/pod-index']"}
    container["env"].append({"name": "RANK", "valueFrom": {"fieldRef": rank}})
    container["env"].append({"name": "HEADLESS", "value": ""})
    container["startupProbe"] = _probe(_first_only(ALIVE), _START_FAILURES)
    container["livenessProbe"] = _probe(_first_only(ALIVE), 6)
    container["readinessProbe"] = _probe(_first_only(READY), 2)
    nodes = _service(f"{name}-nodes", own, headless=True)
    nodes["spec"]["publishNotReadyAddresses"] = True
    front = _service(name, {**own, "apps.kubernetes.io/pod-index": "0"}, headless=False)
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": name, "labels": own},
            "spec": {
                "replicas": launch.order.nodes,
                "serviceName": f"{name}-nodes",
                "podManagementPolicy": "Parallel",
                "selector": {"matchLabels": own},
                "template": _pod(own, container),
            },
        },
        nodes,
        front,
    ]


def _pod(labels: Mapping[str, str], container: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"labels": dict(labels)},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": grace_s(),
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": UID,
                "runAsGroup": UID,
                "fsGroup": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {
                    "name": "weights",
                    "persistentVolumeClaim": {"claimName": _CLAIM, "readOnly": True},
                },
                {"name": "tmp", "emptyDir": {"sizeLimit": "20Gi"}},
                {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "16Gi"}},
            ],
        },
    }


def _container(
    launch: Launch, one: Process, command: list[str], words: list[str]
) -> dict[str, Any]:
    key = {"secretKeyRef": {"name": SECRET, "key": "VLLM_API_KEY"}}
    variables = [{"name": name, "value": value} for name, value in environment(one).items()]
    stop = f"touch {DRAINING}; sleep {PRE_STOP_S}"
    return {
        "name": "server",
        "image": image(launch),
        "command": command,
        "args": words,
        "env": [*variables, {"name": "VLLM_API_KEY", "valueFrom": key}],
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": _resources(launch),
        "startupProbe": {**_health(), "periodSeconds": 5, "failureThreshold": _START_FAILURES},
        "livenessProbe": {**_health(), "periodSeconds": 10, "failureThreshold": 6},
        "readinessProbe": _probe(READY, 2),
        "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", stop]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "weights", "mountPath": WEIGHTS, "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - within the container
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - within the container
        ],
    }


def _health() -> dict[str, Any]:
    return {"httpGet": {"path": "/health", "port": "http"}, "timeoutSeconds": 5}


def _probe(code: str, failures: int) -> dict[str, Any]:
    return {
        "exec": {"command": ["python3", "-c", code]},
        "periodSeconds": 5,
        "timeoutSeconds": 6,
        "failureThreshold": failures,
    }


def _first_only(code: str) -> str:
    return "import os,sys;os.environ['RANK']!='0' and sys.exit(0);" + code


def _resources(launch: Launch) -> dict[str, Any]:
    if launch.order.cpu:
        gib = int(launch.memory.usable)
        return {"requests": {"memory": f"{gib}Gi"}, "limits": {"memory": f"{gib}Gi"}}
    gpus = str(launch.order.gpus // launch.order.nodes)
    return {"requests": {"nvidia.com/gpu": gpus}, "limits": {"nvidia.com/gpu": gpus}}


def _service(name: str, labels: Mapping[str, str], *, headless: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": dict(labels),
        "ports": [{"name": "http", "port": PORT, "targetPort": "http"}],
    }
    if headless:
        spec["clusterIP"] = "None"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": spec,
    }


def _budget(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": dict(labels)}},
    }


def _name(launch: Launch) -> str:
    """Return the name of the objects: with its longest suffix at most 63 characters (RFC 1123)."""
    name = "".join(c if c.isalnum() else "-" for c in launch.name.lower()).strip("-")
    if len(name) > _LONGEST:
        own = hashlib.sha256(launch.name.encode()).hexdigest()[:8]
        name = f"{name[: _LONGEST - 9].rstrip('-')}-{own}"
    return f"llm-{name}"
