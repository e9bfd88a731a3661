"""What would run on 1, 2, 8 and 16 accelerators, and what is refused before anything does."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import EpicrisisError
from serving.llm.capacity.accelerator import accelerator
from serving.llm.launch.command import Process
from serving.llm.launch.errors import OrderError, TooLittleMemoryError
from serving.llm.launch.options import known_options
from serving.llm.launch.plan import least_accelerators
from serving.llm.profiles.load import profile, profiles
from tests.serving.llm.launch.orders import GIB, launched, option

COUNTS = ((1, 1), (2, 1), (8, 1), (16, 2))


@pytest.mark.parametrize(
    ("name", "gpus", "nodes", "tensor", "data", "pipeline", "experts"),
    [
        # Strategies of the recipes of vLLM: one accelerator for 35B in fp8 ("single-GPU serving").
        ("qwen3.6-35b-a3b", 1, 1, None, None, None, False),
        # Not more tensor ranks than the two key-value heads; the rest data ranks, experts spread.
        ("qwen3.6-35b-a3b", 2, 1, "2", None, None, True),
        ("qwen3.6-35b-a3b", 8, 1, "2", "4", None, True),
        ("qwen3.6-35b-a3b", 16, 2, "2", "8", None, True),
        # Latent attention: `-dp 8 -ep` on eight H200 in the recipe.
        ("deepseek-v3", 8, 1, None, "8", None, True),
        ("deepseek-v3", 16, 2, None, "16", None, True),
        # The recipe of gpt-oss: one card, else tensor parallel within a node, TP + EP over nodes.
        ("gpt-oss-120b", 1, 1, None, None, None, False),
        ("gpt-oss-120b", 2, 1, "2", None, None, False),
        ("gpt-oss-120b", 8, 1, "8", None, None, False),
        ("gpt-oss-120b", 16, 2, "8", "2", None, True),
        # Four key-value heads.
        ("qwen3-235b-a22b", 8, 1, "4", "2", None, True),
        # A dense model: whole copies.
        ("medgemma-27b", 1, 1, None, None, None, False),
        ("medgemma-27b", 8, 1, None, "8", None, False),
    ],
)
def test_layout(
    name: str,
    gpus: int,
    nodes: int,
    tensor: str | None,
    data: str | None,
    pipeline: str | None,
    experts: bool,
) -> None:
    argv = launched(name, gpus=gpus, nodes=nodes).processes[0].argv
    assert option(argv, "--tensor-parallel-size") == tensor
    assert option(argv, "--data-parallel-size") == data
    assert option(argv, "--pipeline-parallel-size") == pipeline
    assert ("--enable-expert-parallel" in argv) == experts


def test_a_dense_model_that_no_node_holds_is_cut_into_stages_between_nodes() -> None:
    """55 GB of weights on nodes of one 24 GB card, four of them: layers are divided."""
    found = launched("medgemma-27b", gpu="rtx-4090", gpus=4, nodes=4, context_tokens=2048)
    assert found.layout.rule == "dense-nodes"
    assert option(found.processes[0].argv, "--pipeline-parallel-size") == "4"


def _everything() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in profiles():
        for gpus, nodes in COUNTS:
            for executor in ("mp", "ray"):
                yield name, {"gpus": gpus, "nodes": nodes, "executor": executor}
        yield name, {"gpus": 8, "speculate": True, "kv_dtype": "fp8"}
        yield name, {"gpus": 2, "replicas": 4}
        yield name, {"cpu": True, "ram_bytes": 2000 * GIB}


def test_every_option_of_every_command_line_is_one_that_vllm_has() -> None:
    checked = 0
    for name, given in _everything():
        try:
            found = launched(name, **given)
        except EpicrisisError:
            continue
        for process in found.processes:
            assert list(known_options().unknown(process.argv)) == [], (name, given)
            checked += 1
        for word in found.router:
            assert not word.startswith("--") or word in known_options().router_options
    assert checked > 200


def test_every_option_is_in_the_source_of_the_installed_vllm() -> None:
    spec = find_spec("vllm")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("vLLM is not in this environment; its list was read out of version 0.32.0")
    folder = Path(spec.submodule_search_locations[0])
    engine = (folder / "engine" / "arg_utils.py").read_text()
    front = (folder / "entrypoints" / "launchers" / "cli_args.py").read_text()
    used = {
        word
        for name in profiles()
        for process in _or_nothing(name)
        for word in process.argv
        if word.startswith("--")
    }
    assert len(used) > 20
    for word in used:
        field = word.removeprefix("--").replace("-", "_")
        assert f'"{word}"' in engine + front or f"    {field}:" in front, word


def _or_nothing(name: str) -> tuple[Process, ...]:
    try:
        return launched(name, gpus=16, nodes=2).processes
    except EpicrisisError:
        return ()


def test_an_option_that_vllm_does_not_have_is_found() -> None:
    words = ("vllm", "serve", "--guided-json", "--no-enable-prefix-caching", "--eplb-config.x=1")
    assert list(known_options().unknown(words)) == ["--guided-json"]


@pytest.mark.parametrize("gpus", [1, 2, 8])
def test_what_every_server_gets(gpus: int) -> None:
    """Measured with vLLM 0.32: the defaults abort requests, break schemas and never answer 503."""
    argv = launched("qwen3.6-35b-a3b", gpus=gpus).processes[0].argv
    assert option(argv, "--tool-strict-level") == "parameter"
    assert option(argv, "--scheduling-policy") == "priority"
    assert int(option(argv, "--max-num-queued-reqs") or 0) > 0
    assert int(option(argv, "--shutdown-timeout") or 0) > 0
    assert "--enable-prompt-tokens-details" in argv
    assert "--enable-prefix-caching" in argv
    assert option(argv, "--tool-call-parser") == "qwen3_coder"
    assert option(argv, "--reasoning-parser") == "qwen3"
    assert option(argv, "--allowed-media-domains") == "media.invalid"
    assert json.loads(option(argv, "--limit-mm-per-prompt") or "") == {"image": 4, "video": 0}
    assert option(argv, "--host") == "127.0.0.1"


def test_no_command_line_and_no_environment_holds_a_key() -> None:
    for name, given in _everything():
        try:
            found = launched(name, **given)
        except EpicrisisError:
            continue
        for process in found.processes:
            assert "--api-key" not in process.argv
            assert "VLLM_API_KEY" not in dict(process.environment)


def test_nothing_leaves_the_machine() -> None:
    variables = dict(launched("qwen3.6-35b-a3b").processes[0].environment)
    assert variables["HF_HUB_OFFLINE"] == "1"
    assert variables["TRANSFORMERS_OFFLINE"] == "1"
    assert variables["VLLM_NO_USAGE_STATS"] == "1"


def test_experts_are_balanced_with_one_more_on_each_rank() -> None:
    argv = launched("deepseek-v3", gpus=8).processes[0].argv
    balance = json.loads(option(argv, "--eplb-config") or "")
    assert balance["num_redundant_experts"] == 8
    assert (256 + 8) % 8 == 0
    assert (
        "--enable-eplb"
        not in launched("deepseek-v3", gpus=8, balance_experts=False).processes[0].argv
    )


def test_few_large_experts_are_not_copied_onto_every_rank() -> None:
    """Mixtral has eight experts: one more on each of eight ranks would double them."""
    argv = launched("mixtral-8x22b", gpus=8).processes[0].argv
    assert "--enable-expert-parallel" in argv
    assert "--enable-eplb" not in argv


def test_a_redundant_expert_costs_what_the_documentation_of_vllm_says() -> None:
    """About 2.4 GB per redundant expert and rank for DeepSeek-V3."""
    with_more = launched("deepseek-v3", gpus=8).memory.weights
    without = launched("deepseek-v3", gpus=8, balance_experts=False).memory.weights
    assert (with_more - without) * GIB / 1e9 == pytest.approx(2.4, rel=0.1)


def test_several_nodes_find_each_other_as_vllm_does_it() -> None:
    first, second = launched("deepseek-v3", gpus=16, nodes=2, head="10.0.0.1").processes
    for rank, process in enumerate((first, second)):
        assert option(process.argv, "--nnodes") == "2"
        assert option(process.argv, "--node-rank") == str(rank)
        assert option(process.argv, "--master-addr") == "10.0.0.1"
    assert "--headless" not in first.argv
    assert "--headless" in second.argv
    assert second.port is None


def test_several_nodes_on_ray_have_one_server() -> None:
    first, second = launched("deepseek-v3", gpus=16, nodes=2, executor="ray").processes
    assert first.before[0][:3] == ("ray", "start", "--head")
    assert option(first.argv, "--distributed-executor-backend") == "ray"
    assert option(first.argv, "--data-parallel-backend") == "ray"
    assert second.argv == ()
    assert "--address" in second.before[0]


def test_replicas_have_their_own_accelerators_and_ports_behind_the_router() -> None:
    found = launched("qwen3.6-35b-a3b", gpus=2, replicas=2)
    assert [option(one.argv, "--device-ids") for one in found.processes] == ["0,1", "2,3"]
    assert [one.port for one in found.processes] == [8000, 8001]
    assert found.router[0] == "vllm-router"
    assert {"http://127.0.0.1:8000", "http://127.0.0.1:8001"} <= set(found.router)


def test_the_cpu_build_gets_cores_memory_and_no_compiling() -> None:
    found = launched("smollm2-135m-moe4", cpu=True, cores="0-1", ram_bytes=24 * GIB)
    (process,) = found.processes
    assert dict(process.environment)["VLLM_CPU_OMP_THREADS_BIND"] == "0-1"
    assert "--enforce-eager" in process.argv
    assert option(process.argv, "--dtype") == "bfloat16"
    assert option(process.argv, "--kv-cache-memory-bytes") == "1024M"
    assert "--gpu-memory-utilization" not in process.argv


# ---- refused before starting ----


def test_too_little_memory_is_refused_with_the_sizes() -> None:
    with pytest.raises(TooLittleMemoryError) as caught:
        launched("deepseek-v3", gpus=8, gpu="h100")
    text = str(caught.value)
    for part in ("weights", "GiB usable", "reserve", "one request of 32,768 tokens", "at least 16"):
        assert part in text


@pytest.mark.parametrize(
    ("name", "gpu", "gpus", "dtype"),
    [
        # vram_minimum_gb of the recipes, one card: 84 in bf16 and 42 in fp8 for Qwen3.6-35B-A3B.
        ("qwen3.6-35b-a3b", "h100", 1, "bfloat16"),
        # 192 GB for Qwen3-Next in bf16, 96 in fp8; 257 and 128 for GLM-4.5V; 564 for 235B.
        ("qwen3-next-80b-a3b", "h200", 1, "bfloat16"),
        ("qwen3-next-80b-a3b", "h100", 1, "fp8"),
        ("glm-4.5v", "h200", 1, "bfloat16"),
        ("qwen3-235b-a22b", "h200", 2, "bfloat16"),
        ("deepseek-v3", "h200", 4, "fp8"),
        ("gpt-oss-120b", "rtx-4090", 1, "mxfp4"),
    ],
)
def test_what_the_recipes_call_too_small_is_refused(
    name: str, gpu: str, gpus: int, dtype: str
) -> None:
    with pytest.raises(TooLittleMemoryError):
        launched(name, gpu=gpu, gpus=gpus, dtype=dtype)


@pytest.mark.parametrize(
    ("name", "gpu", "gpus", "dtype"),
    [
        ("qwen3.6-35b-a3b", "h200", 1, "bfloat16"),
        ("qwen3.6-35b-a3b", "h100", 1, "fp8"),
        ("qwen3-next-80b-a3b", "h200", 2, "bfloat16"),
        ("qwen3-235b-a22b", "h200", 4, "bfloat16"),
        ("qwen3-30b-a3b", "a100", 1, "bfloat16"),
        ("gpt-oss-120b", "a100", 1, "mxfp4"),
        ("gpt-oss-20b", "rtx-4090", 1, "mxfp4"),
        ("deepseek-r1", "h200", 8, "fp8"),
        ("medgemma-4b", "rtx-4090", 1, "bfloat16"),
    ],
)
def test_what_the_recipes_serve_is_taken(name: str, gpu: str, gpus: int, dtype: str) -> None:
    assert launched(name, gpu=gpu, gpus=gpus, dtype=dtype).memory.fits


@pytest.mark.parametrize(
    ("name", "dtype", "of_80_gb", "of_141_gb"),
    [
        # Computed apart, with 92 % of the memory, 4 GiB each and about 60,000 tokens of cache.
        ("qwen3-30b-a3b", "bfloat16", 1, 1),
        ("qwen3-30b-a3b", "fp8", 1, 1),
        ("qwen3.6-35b-a3b", "bfloat16", 2, 1),
        ("qwen3.6-35b-a3b", "fp8", 1, 1),
        ("qwen3-235b-a22b", "bfloat16", 8, 4),
        ("qwen3-235b-a22b", "fp8", 4, 2),
        ("qwen3-next-80b-a3b", "bfloat16", 4, 2),
        ("qwen3-next-80b-a3b", "fp8", 2, 1),
        ("qwen3-next-80b-a3b", "nvfp4", 1, 1),
        ("gpt-oss-20b", "mxfp4", 1, 1),
        ("gpt-oss-120b", "mxfp4", 1, 1),
        ("deepseek-r1", "fp8", 16, 8),
        ("deepseek-r1", "nvfp4", 8, 4),
        ("glm-4.5v", "bfloat16", 4, 2),
        ("glm-4.5v", "fp8", 2, 1),
        ("mixtral-8x7b", "bfloat16", 2, 1),
        ("mixtral-8x22b", "bfloat16", 8, 4),
        ("mixtral-8x22b", "fp8", 4, 2),
        ("medgemma-27b", "bfloat16", 1, 1),
    ],
)
def test_least_accelerators(name: str, dtype: str, of_80_gb: int, of_141_gb: int) -> None:
    one = profile(name)
    weights = next(weights for weights in one.weights if weights.dtype == dtype)
    found = [least_accelerators(one, weights, accelerator(kind)) for kind in ("h100", "h200")]
    assert found == [of_80_gb, of_141_gb]


def test_a_machine_without_the_memory_serves_nothing_on_its_cpu() -> None:
    with pytest.raises(TooLittleMemoryError, match="memory of the machine"):
        launched("qwen3-30b-a3b", cpu=True, ram_bytes=24 * GIB)


def test_a_model_of_unknown_size_is_not_started_unless_forced() -> None:
    with pytest.raises(TooLittleMemoryError, match="not known whether it fits"):
        launched("deepseek-v4-flash", gpus=8)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("qwen3-30b-a3b", {"gpus": 3}, "powers of two"),
        ("qwen3-30b-a3b", {"gpus": 8, "nodes": 3}, "as many accelerators"),
        ("qwen3-30b-a3b", {"gpus": 16, "nodes": 1}, "--nodes 2"),
        ("qwen3-30b-a3b", {"dtype": "mxfp4"}, "no weights of this precision"),
        ("qwen3-30b-a3b", {"context_tokens": 500_000}, "above its 262,144 tokens"),
        ("qwen3.6-35b-a3b", {"context_tokens": 500_000}, "up to 1,010,000"),
        ("qwen3-30b-a3b", {"speculate": True}, "no draft layers"),
        ("gpt-oss-120b", {"gpus": 16, "nodes": 2, "balance_experts": True}, "cannot balance"),
        ("medgemma-27b", {"gpus": 2, "balance_experts": True}, "experts spread"),
        ("qwen3-4b", {"cpu": True, "gpus": 2, "ram_bytes": 64 * GIB}, "one machine"),
        ("qwen3-4b", {"extra": ("--api-key", "x")}, "everybody who lists processes"),
        ("qwen3-4b", {"extra": ("--api-key=x",)}, "everybody who lists processes"),
        (
            "smollm2-135m-moe4",
            {"cpu": True, "ram_bytes": 24 * GIB, "extra": ("--enable-lora",)},
            "adapters of a mixture",
        ),
        (
            "smollm2-135m-moe4",
            {"cpu": True, "ram_bytes": 24 * GIB, "replicas": 2, "cores": "0-1"},
            "cores of their own",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(name: str, given: dict[str, Any], says: str) -> None:
    with pytest.raises(OrderError) as caught:
        launched(name, **given)
    assert says in str(caught.value)
    assert caught.value.way_out


def test_blocks_of_a_quantised_model_must_divide_its_ranks() -> None:
    """The recipe of Qwen3-235B in fp8: without spread experts, 1,536 / 8 is no multiple of 128."""
    from serving.llm.launch.strategy import Layout, _divisible

    one = profile("qwen3-235b-a22b")
    fp8 = next(weights for weights in one.weights if weights.dtype == "fp8")
    _divisible(one, fp8, Layout(rule="", reason="", tensor=4))
    with pytest.raises(OrderError, match="blocks of 128"):
        _divisible(one, fp8, Layout(rule="", reason="", tensor=8))
