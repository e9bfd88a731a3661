"""The router in Kubernetes; it holds no key, each request brings its own."""

from typing import Any

from serving.llm.launch.containers import UID
from serving.llm.launch.network import router_labels
from serving.llm.launch.options import defaults
from serving.llm.launch.plan import Launch


def router_objects(launch: Launch, name: str, workers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return deployment and service of the router.

    Args:
        launch: What runs.
        name: Of the servers' object.
        workers: Addresses of the replicas.
    """
    labels = router_labels(name)
    port = launch.order.router_port
    metadata = {"name": f"{name}-router", "labels": labels}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod(_container(launch, workers))},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "selector": labels,
            "ports": [{"name": "http", "port": port, "targetPort": "http"}],
        },
    }
    return [deployment, service]


def _container(launch: Launch, workers: tuple[str, ...]) -> dict[str, Any]:
    words = list(launch.router[1:])
    start, end = words.index("--worker-urls") + 1, words.index("--policy")
    words[start:end] = workers
    words[words.index("--host") + 1] = "0.0.0.0"  # noqa: S104 - within the cluster
    probe = {"tcpSocket": {"port": "http"}, "periodSeconds": 5}
    return {
        "name": "router",
        "image": defaults().images.router,
        "args": words,
        "ports": [{"name": "http", "containerPort": launch.order.router_port}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
        "readinessProbe": probe,
        "livenessProbe": {**probe, "periodSeconds": 20},
        "startupProbe": {**probe, "failureThreshold": 720},
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "10"]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the container
    }


def _pod(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
