"""Who may reach a server in Kubernetes: its clients or the router, and what collects figures.

``/health``, ``/metrics`` and ``/version`` answer without the key, so the network decides.
"""

from collections.abc import Mapping
from typing import Any

from serving.llm.launch.containers import PORT
from serving.llm.launch.plan import Launch

_CLIENT = "epicrisis.llm/client"
_MONITORING = "epicrisis.llm/monitoring"
_DNS = 53


def client_labels() -> Mapping[str, str]:
    """Return the labels of pods that may send requests."""
    return {_CLIENT: "true"}


def policies(name: str, labels: Mapping[str, str], launch: Launch) -> list[dict[str, Any]]:
    """Return the network policies of servers and router."""
    from_monitoring = {"namespaceSelector": {"matchLabels": {_MONITORING: "true"}}}
    clients = _pods(router_labels(name) if launch.router else client_labels())
    inward: list[dict[str, Any]] = [
        {"from": [clients, from_monitoring], "ports": [{"protocol": "TCP", "port": PORT}]}
    ]
    outward: list[dict[str, Any]] = []
    if launch.order.nodes > 1:
        inward.append({"from": [_pods(labels)]})
        outward = [{"to": [_pods(labels)]}, _names()]
    found = [_policy(name, labels, inward, outward)]
    if launch.router:
        port = {"protocol": "TCP", "port": launch.order.router_port}
        to_servers = {"to": [_pods(labels)], "ports": [{"protocol": "TCP", "port": PORT}]}
        from_clients = {"from": [_pods(client_labels())], "ports": [port]}
        found.append(
            _policy(f"{name}-router", router_labels(name), [from_clients], [to_servers, _names()])
        )
    return found


def router_labels(name: str) -> dict[str, str]:
    """Return the labels of the router's pods."""
    return {
        "app.kubernetes.io/name": f"{name}-router",
        "app.kubernetes.io/part-of": "epicrisis-llm",
    }


def _policy(
    name: str,
    labels: Mapping[str, str],
    inward: list[dict[str, Any]],
    outward: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "podSelector": {"matchLabels": dict(labels)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": inward,
            "egress": outward,
        },
    }


def _pods(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": dict(labels)}}


def _names() -> dict[str, Any]:
    ports = [{"protocol": protocol, "port": _DNS} for protocol in ("UDP", "TCP")]
    return {"to": [{"namespaceSelector": {}}], "ports": ports}
