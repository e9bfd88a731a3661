"""Orders that would hide something, show a secret, or write what was not meant are refused."""

import pytest
import yaml

from serving.llm.launch import compose, kubernetes, systemd
from serving.llm.launch.errors import OrderError
from serving.llm.launch.options import defaults
from serving.llm.launch.order import COMPUTED, Form, option_names
from serving.llm.profiles.load import profile
from tests.serving.llm.launch.orders import launched, option

MODEL = "qwen3-30b-a3b"


@pytest.mark.parametrize(
    "word",
    ["--api-key", "--api_key=k", "--api-k", "--hf-token", "--hf_token=k", "--ssl-keyfile-password"],
)
def test_a_secret_is_no_word_of_a_command(word: str) -> None:
    with pytest.raises(OrderError, match="would show a secret") as raised:
        launched(MODEL, extra=(word, "SECRET"))
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize(
    "word", ["--tensor-parallel-size", "--shutdown_timeout=600", "-tp", "--max-model-len=9"]
)
def test_what_launch_computes_is_not_overridden(word: str) -> None:
    with pytest.raises(OrderError, match="is set by launch"):
        launched(MODEL, extra=(word, "7"))


@pytest.mark.parametrize(
    "word", ["--not-an-option", "--tensor-parallel", "-tp8", "--config", "--max-model"]
)
def test_what_vllm_does_not_know_by_its_whole_name_is_refused(word: str) -> None:
    with pytest.raises(OrderError, match=f"{word}: is no option of vLLM 0.32"):
        launched(MODEL, extra=(word, "7"))


def test_numbers_below_nought_are_values() -> None:
    assert launched(MODEL, extra=("--seed", "-1", "--no-enable-prefix-caching")).processes


@pytest.mark.parametrize("option", ["weights", "key_file"])
def test_a_unit_is_not_written_with_a_path_that_systemd_ignores(option: str) -> None:
    """`systemd-analyze verify`: EnvironmentFile= path is not absolute, ignoring: llm.env"""
    with pytest.raises(OrderError, match="is not absolute"):
        systemd.units(launched(MODEL, "systemd", **{option: "models/here"}))


@pytest.mark.parametrize("kind", ["mi300x", "ascend-910b"])
@pytest.mark.parametrize("form", ["compose", "kubernetes"])
def test_containers_are_written_for_the_makers_that_the_image_is_for(form: Form, kind: str) -> None:
    with pytest.raises(OrderError, match="are for NVIDIA"):
        launched(MODEL, form, gpu=kind, gpus=2)
    assert launched(MODEL, "process", gpu=kind, gpus=2).processes


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"replicas": 2, "host": "10.0.0.5"}, "replicas answer on this machine alone"),
        ({"replicas": 100_000}, "--replicas 100000: is above 4,096"),
        ({"gpus": 10**24}, "is above 4,096"),
        ({"cpu": True, "cores": "abc", "ram_bytes": 8 << 30}, "is no list of cores"),
        ({"cpu": True, "cores": "0-1", "ram_bytes": 1e30}, "is no memory of a machine"),
    ],
)
def test_what_no_machine_is_or_has_is_refused(order: dict[str, object], says: str) -> None:
    with pytest.raises(OrderError, match=says):
        launched("smollm2-135m-moe4", **order)


@pytest.mark.parametrize(
    ("model", "form"),
    [
        (MODEL, {}),
        (MODEL, {"gpus": 2, "kv_dtype": "fp8", "replicas": 2}),
        ("deepseek-v3", {"gpus": 16, "nodes": 2, "speculate": True}),
        ("deepseek-v3", {"gpus": 16, "nodes": 2, "executor": "ray"}),
        ("smollm2-135m-moe4", {"cpu": True, "cores": "0-1", "ram_bytes": 24 << 30}),
    ],
)
def test_every_option_is_computed_a_default_or_a_habit_of_the_model(
    model: str, form: dict[str, object]
) -> None:
    """So that none can be overridden by --extra without being refused or replaced."""
    habits = {"--tool-call-parser", "--reasoning-parser", "--chat-template"}
    known = COMPUTED | habits | {one.option for one in defaults().options}
    known |= set(option_names(profile(model).habits.extra_arguments))
    for process in launched(model, **form).processes:
        assert set(option_names(process.argv)) <= known


def test_a_default_is_replaced_not_repeated() -> None:
    found = launched(MODEL, extra=("--max-num-seqs", "128"))
    argv = found.processes[0].argv
    assert argv.count("--max-num-seqs") == 1
    assert option(argv, "--max-num-seqs") == "128"
    assert "--max-num-seqs 128" in [choice.option for choice in found.choices]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x\n[Service]\nExecStartPre=/bin/evil"},
        {"name": "///"},
        {"name": "模型"},
        {"name": "x" * 129},
        {"host": "0.0.0.0 --api-key k"},
        {"head": "a;b", "gpus": 16, "nodes": 2},
        {"key_file": "/etc/k\nExecStartPre=/bin/evil"},
        {"weights": "/models/a\nb"},
        {"chat_template": "/models/a\tb"},
        {"extra": ("--seed\n1",)},
        {"port": 65534, "replicas": 3},
        {"port": 8079, "replicas": 3, "router_port": 8080},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(OrderError):
        launched(MODEL, **given)


def test_no_rank_is_left_without_an_expert() -> None:
    """Mixtral 8x7B has eight experts."""
    with pytest.raises(OrderError, match="more ranks of experts than the 8") as raised:
        launched("mixtral-8x7b", gpus=16, nodes=2)
    assert "--gpus 8 with --replicas 2" in str(raised.value)


@pytest.mark.parametrize("path", ["/models/a b", "/models/50%", "/models/'x'"])
def test_a_unit_has_plain_paths(path: str) -> None:
    with pytest.raises(OrderError, match="which a unit reads otherwise"):
        systemd.units(launched(MODEL, "systemd", weights=path))


def test_the_head_of_ray_has_a_unit_that_outlives_the_start() -> None:
    found = systemd.units(launched("deepseek-v3", "systemd", gpus=16, nodes=2, executor="ray"))
    head = "epicrisis-llm-deepseek-v3-node0"
    assert set(found) == {f"{head}.service", f"{head}-ray.service", head[:-1] + "1.service"}
    assert "ray start --head --port 6379 --block" in found[f"{head}-ray.service"]
    server = found[f"{head}.service"]
    assert f"Requires={head}-ray.service" in server
    assert f"JoinsNamespaceOf={head}-ray.service" in server
    assert "ExecStartPre" not in server
    assert all("User=epicrisis-llm\n" in text for text in found.values())


@pytest.mark.parametrize("name", ["x" * 90, "Qwen/Qwen3-30B-A3B:v1"])
def test_names_in_a_cluster_are_labels(name: str) -> None:
    """RFC 1123: at most 63 characters, small letters, digits and dashes."""
    text = kubernetes.files(launched(MODEL, "kubernetes", name=name, replicas=2))
    for one in yaml.safe_load_all(text["kubernetes.yaml"]):
        label = one["metadata"]["name"]
        assert len(label) <= 63
        assert label.replace("-", "").isalnum()
        assert label == label.lower()
        assert not label.endswith("-")


def test_two_long_names_stay_two() -> None:
    names = set()
    for last in "ab":
        text = kubernetes.files(launched(MODEL, "kubernetes", name="x" * 90 + last))
        names |= {one["metadata"]["name"] for one in yaml.safe_load_all(text["kubernetes.yaml"])}
    services = {name for name in names if name.startswith("llm-x")}
    assert len(services) == 2


def test_a_template_that_no_container_has_is_refused() -> None:
    for form, write in (("compose", compose.files), ("kubernetes", kubernetes.files)):
        with pytest.raises(OrderError, match="alone is there in a container"):
            write(launched(MODEL, form, chat_template="/srv/mine.jinja"))  # type: ignore[arg-type]
        inside = launched(MODEL, form, chat_template="/models/here/mine.jinja")  # type: ignore[arg-type]
        assert "/models/served/mine.jinja" in "".join(write(inside).values())
