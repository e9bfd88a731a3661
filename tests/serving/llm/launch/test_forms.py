"""Compose files, Kubernetes manifests and systemd units, checked by others' schemas."""

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from serving.llm.launch import compose, kubernetes, systemd
from serving.llm.launch.containers import READY
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import defaults, known_options
from serving.llm.launch.plan import Launch
from tests.serving.llm.launch.orders import GIB, launched

GIVEN: dict[str, tuple[str, dict[str, Any]]] = {
    "one accelerator": ("qwen3.6-35b-a3b", {}),
    "eight": ("qwen3.6-35b-a3b", {"gpus": 8}),
    "four replicas": ("qwen3.6-35b-a3b", {"gpus": 2, "replicas": 4}),
    "cpu": ("smollm2-135m-moe4", {"cpu": True, "ram_bytes": 24 * GIB, "cores": "0-1"}),
    "two nodes": ("deepseek-v3", {"gpus": 16, "nodes": 2}),
    "two replicas of two nodes": ("deepseek-v3", {"gpus": 16, "nodes": 2, "replicas": 2}),
}
ONE_NODE = [name for name, (_, given) in GIVEN.items() if given.get("nodes", 1) == 1]
VERSIONS = ("1.30", "1.37")


def _objects(name: str) -> list[dict[str, Any]]:
    model, given = GIVEN[name]
    text = kubernetes.files(launched(model, "kubernetes", **given))["kubernetes.yaml"]
    return list(yaml.safe_load_all(text))


def _pods(name: str) -> Iterator[dict[str, Any]]:
    for one in _objects(name):
        if one["kind"] in {"Deployment", "StatefulSet"}:
            yield one["spec"]["template"]["spec"]


def _servers(name: str) -> Iterator[dict[str, Any]]:
    for pod in _pods(name):
        for container in pod["containers"]:
            if container["name"] == "server":
                yield pod | {"container": container}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", GIVEN)
def test_kubernetes_objects_follow_the_schemas(name: str, version: str) -> None:
    validator = pytest.importorskip("kubernetes_validate")
    objects = _objects(name)
    assert len(objects) >= 3
    for one in objects:
        validator.validate(one, version, strict=True)


def test_the_schema_finds_a_mistake() -> None:
    validator = pytest.importorskip("kubernetes_validate")
    one = _objects("one accelerator")[0]
    one["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(validator.ValidationError):
        validator.validate(one, "1.34", strict=True)


@pytest.mark.parametrize("name", ONE_NODE)
def test_compose_files_follow_the_specification(name: str) -> None:
    library = pytest.importorskip("compose_spec")
    model, given = GIVEN[name]
    text = compose.files(launched(model, "compose", **given))["compose.yaml"]
    library.PyCompose.from_yaml(text)


def test_the_specification_finds_a_mistake() -> None:
    library = pytest.importorskip("compose_spec")
    text = compose.files(launched("qwen3.6-35b-a3b", "compose"))["compose.yaml"]
    with pytest.raises(ValueError, match="cap_dropped"):
        library.PyCompose.from_yaml(text.replace("cap_drop:", "cap_dropped:"))


@pytest.mark.parametrize("name", GIVEN)
def test_a_server_that_drains_gets_no_new_requests(name: str) -> None:
    """vLLM keeps 200 on /health while it drains; new requests get 500 then."""
    found = list(_servers(name))
    assert found
    for one in found:
        container = one["container"]
        mark, sleep = container["lifecycle"]["preStop"]["exec"]["command"][-1].split("; ")
        file = mark.split()[-1]
        ready = container["readinessProbe"]
        assert file in ready["exec"]["command"][-1]
        assert "/v1/models" in ready["exec"]["command"][-1]
        slept = int(sleep.split()[-1])
        assert slept > ready["periodSeconds"] * ready["failureThreshold"]
        assert one["terminationGracePeriodSeconds"] > slept + defaults().numbers.shutdown_s


def test_readiness_fails_once_the_mark_is_made(tmp_path: Path) -> None:
    """The code of the probe itself, against a mark in a folder of the test."""
    mark = tmp_path / "draining"
    code = READY.replace("/tmp/draining", str(mark))  # noqa: S108
    mark.touch()
    python = shutil.which("python3")
    assert python is not None
    done = subprocess.run(  # noqa: S603
        [python, "-c", code],
        env={"VLLM_API_KEY": "x"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == b""


@pytest.mark.parametrize("name", GIVEN)
def test_slow_loading_is_not_taken_for_death(name: str) -> None:
    for one in _servers(name):
        start = one["container"]["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 1800


@pytest.mark.parametrize("name", GIVEN)
def test_the_key_comes_from_a_secret_and_is_in_no_file(name: str) -> None:
    for one in _servers(name):
        variables = {entry["name"]: entry for entry in one["container"]["env"]}
        assert "secretKeyRef" in variables["VLLM_API_KEY"]["valueFrom"]
        assert "value" not in variables["VLLM_API_KEY"]
        assert one["automountServiceAccountToken"] is False
    assert "Secret" not in {one["kind"] for one in _objects(name)}


@pytest.mark.parametrize("name", GIVEN)
def test_a_pod_may_do_little(name: str) -> None:
    for pod in _pods(name):
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["allowPrivilegeEscalation"] is False
            assert allowed["readOnlyRootFilesystem"] is True
            assert allowed["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", GIVEN)
def test_the_network_admits_clients_only(name: str) -> None:
    """/metrics and /health answer without the key."""
    objects = _objects(name)
    (policy,) = [
        one
        for one in objects
        if one["kind"] == "NetworkPolicy" and not one["metadata"]["name"].endswith("-router")
    ]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    for rule in policy["spec"]["ingress"]:
        assert rule["from"]
        assert all(peer != {} for peer in rule["from"])
    chosen = policy["spec"]["podSelector"]["matchLabels"]
    for one in objects:
        if one["kind"] in {"StatefulSet", "Deployment"} and "router" not in one["metadata"]["name"]:
            labels = one["spec"]["template"]["metadata"]["labels"]
            assert chosen.items() <= labels.items()


def test_the_first_pod_alone_has_a_front() -> None:
    (pod,) = _servers("two nodes")
    (script,) = pod["container"]["args"]
    assert '--node-rank "$RANK"' in script
    assert "--headless" in script
    master = re.search(r"--master-addr (\S+)", script)
    assert master is not None
    names = {one["metadata"]["name"] for one in _objects("two nodes") if one["kind"] == "Service"}
    host, service = master[1].split(".")
    assert service in names
    assert host == "llm-deepseek-v3-0-0"


def test_the_router_knows_every_replica_by_a_name_that_exists() -> None:
    for name in ("four replicas", "two replicas of two nodes"):
        objects = _objects(name)
        services = {one["metadata"]["name"] for one in objects if one["kind"] == "Service"}
        (router,) = [
            container
            for pod in _pods(name)
            for container in pod["containers"]
            if container["name"] == "router"
        ]
        urls = [word for word in router["args"] if word.startswith("http://")]
        assert len(urls) == GIVEN[name][1]["replicas"]
        for url in urls:
            host = url.removeprefix("http://").split(":")[0]
            assert host.split(".")[-1] in services
        for word in router["args"]:
            assert not word.startswith("--") or word in known_options().router_options


def test_a_compose_file_is_closed_to_the_network() -> None:
    for name in ONE_NODE:
        model, given = GIVEN[name]
        found = compose.files(launched(model, "compose", **given))
        body = yaml.safe_load(found["compose.yaml"])
        for service in body["services"].values():
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        if "router" in body["services"]:
            assert "Containerfile.router" in found
            assert not any(
                "ports" in one for key, one in body["services"].items() if key != "router"
            )


def test_forms_that_cannot_span_nodes_say_so() -> None:
    with pytest.raises(OrderError, match="kubernetes or systemd"):
        compose.files(launched("deepseek-v3", "compose", gpus=16, nodes=2))
    with pytest.raises(OrderError, match="--executor mp"):
        kubernetes.files(launched("deepseek-v3", "kubernetes", gpus=16, nodes=2, executor="ray"))


# ---- systemd ----


def _units(name: str) -> dict[str, str]:
    model, given = GIVEN[name]
    return dict(systemd.units(launched(model, "systemd", **given)))


@pytest.mark.parametrize("name", GIVEN)
def test_units_are_hardened_and_read_the_key_from_a_file(name: str) -> None:
    found = _units(name)
    assert found
    for unit, text in found.items():
        service = _sections(text)["Service"]
        assert service["NoNewPrivileges"] == "yes"
        assert service["ProtectSystem"] == "strict"
        assert service["DynamicUser"] == "yes"
        assert service["ExecStart"].startswith("/opt/vllm/bin/")
        if "router" not in unit:
            assert service["EnvironmentFile"] == "/etc/epicrisis/llm.env"
            assert int(service["TimeoutStopSec"]) > defaults().numbers.shutdown_s
        assert "VLLM_API_KEY=" not in text.replace("VLLM_API_KEY=...", "")


def test_every_node_has_a_unit() -> None:
    assert set(_units("two nodes")) == {
        "epicrisis-llm-deepseek-v3-node0.service",
        "epicrisis-llm-deepseek-v3-node1.service",
    }


def test_units_pass_the_check_of_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine")
    for name, text in _units("four replicas").items():
        (tmp_path / name).write_text(text.replace("/opt/vllm/bin/", "/usr/bin/env "))
    done = subprocess.run(  # noqa: S603
        [analyze, "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Unknown" not in done.stderr
    assert "Failed to parse" not in done.stderr


def _sections(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_words_with_braces_survive_in_a_unit() -> None:
    found: Launch = launched("deepseek-v3", "systemd", gpus=8)
    (text,) = systemd.units(found).values()
    assert """--eplb-config '{"window_size":1000""" in text
