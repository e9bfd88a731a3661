"""``epicrisis llm profiles`` and ``llm launch``: what is printed, written, refused and run."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from knowledge.errors import EpicrisisError
from serving.commands.llm import register
from serving.llm.launch.machine import named
from serving.llm.profiles.load import profiles
from tests.serving.llm.launch.test_process import free_port, program
from tests.serving.llm.launch.test_weights import CONFIG

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "data"))


def run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["llm", *arguments])


def launch(*arguments: str) -> Result:
    return run("launch", *arguments)


def command(printed: str) -> list[str]:
    """Return the words of the first `vllm serve` that was printed."""
    line = next(line for line in printed.splitlines() if line.strip().startswith("vllm serve"))
    return shlex.split(line)


# ---- profiles ----


def test_the_table_names_every_model_on_a_line_of_its_own() -> None:
    lines = run("profiles").stdout.splitlines()
    for name in profiles():
        assert sum(line.split()[:1] == [name] for line in lines) == 1


def test_one_profile_is_shown_with_the_source_of_each_group() -> None:
    text = run("profiles", "deepseek-v3").stdout
    assert "671,026,419,200 in all" in text
    assert "(5.6%)" in text
    assert "68.6 KiB a token" in text
    for group in ("shape", "attention", "feedforward", "stated", "licence", "weights fp8"):
        assert f"  {group}: " in text
    assert "MIT" in text


def test_what_is_not_known_of_a_model_is_said() -> None:
    text = run("profiles", "deepseek-v4-flash").stdout
    assert "computed: not known" in text


def test_a_restricted_licence_is_seen_in_the_table() -> None:
    lines = run("profiles").stdout.splitlines()
    assert any(line.startswith("medgemma-27b") and "restricted" in line for line in lines)


def test_profiles_as_json_carry_fields_sources_and_what_was_computed() -> None:
    found = orjson.loads(run("profiles", "gpt-oss-120b", "--json").stdout)
    assert found["computed"]["parameters"] == 116_829_156_672
    assert found["computed"]["weights_bytes"]["mxfp4"] == 65_248_815_744
    assert set(found["attention"]["source"].split(", ")) <= set(found["sources"])
    assert len(orjson.loads(run("profiles", "--json").stdout)) == len(profiles())


# ---- dry run ----


@pytest.mark.parametrize(
    ("name", "gpus", "nodes", "words"),
    [
        ("qwen3.6-35b-a3b", 1, 1, "--tool-call-parser qwen3_coder --reasoning-parser qwen3"),
        ("qwen3.6-35b-a3b", 2, 1, "--tensor-parallel-size 2 --enable-expert-parallel"),
        ("qwen3.6-35b-a3b", 8, 1, "--tensor-parallel-size 2 --data-parallel-size 4"),
        ("qwen3.6-35b-a3b", 16, 2, "--nnodes 2 --node-rank 0 --master-addr node-0"),
        ("gpt-oss-120b", 1, 1, "--tool-call-parser openai --reasoning-parser openai_gptoss"),
        ("gpt-oss-120b", 2, 1, "--tensor-parallel-size 2"),
        ("gpt-oss-120b", 8, 1, "--tensor-parallel-size 8"),
        ("gpt-oss-120b", 16, 2, "--tensor-parallel-size 8 --data-parallel-size 2"),
        ("deepseek-v3", 8, 1, "--data-parallel-size 8 --enable-expert-parallel --enable-eplb"),
        ("deepseek-v3", 16, 2, "--data-parallel-size 16 --enable-expert-parallel --enable-eplb"),
        ("qwen3-30b-a3b", 1, 1, "--tool-call-parser hermes"),
        ("qwen3-30b-a3b", 2, 1, "--tensor-parallel-size 2 --enable-expert-parallel"),
        ("qwen3-30b-a3b", 8, 1, "--tensor-parallel-size 4 --data-parallel-size 2"),
        ("qwen3-30b-a3b", 16, 2, "--tensor-parallel-size 4 --data-parallel-size 4"),
    ],
)
def test_a_dry_run_prints_what_would_run(name: str, gpus: int, nodes: int, words: str) -> None:
    done = launch(name, "--gpu", "h200", "--gpus", str(gpus), "--nodes", str(nodes), "--dry-run")
    assert done.exit_code == 0, done.exception
    printed = command(done.stdout)
    assert words in shlex.join(printed)
    assert "GiB usable, weights" in done.stdout
    assert "A request of an emergency" in done.stdout


@pytest.mark.parametrize("gpus", [1, 2])
def test_a_dry_run_of_what_does_not_fit_is_refused_with_the_sizes(gpus: int) -> None:
    done = launch("deepseek-v3", "--gpu", "h200", "--gpus", str(gpus), "--dry-run")
    assert isinstance(done.exception, EpicrisisError)
    assert "at least 8 of these" in str(done.exception)


def test_a_dry_run_as_json_says_everything() -> None:
    done = launch(
        "qwen3.6-35b-a3b", "--gpu", "h100", "--replicas", "2", "--as", "compose", "--dry-run",
        "--json",
    )  # fmt: skip
    found = orjson.loads(done.stdout)
    assert found["fits"] is True
    assert found["memory"]["weights"] == pytest.approx(34.1, abs=0.1)
    assert len(found["processes"]) == 2
    assert found["router"][0] == "vllm-router"
    assert set(found["files"]) == {"compose.yaml", "Containerfile.router"}
    assert {one["option"].split()[0] for one in found["choices"]} >= {"--scheduling-policy"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("nope", "--gpu", "h100"), "no profile"),
        (("qwen3-30b-a3b", "--gpu", "h900"), "--gpu h900"),
        (("qwen3-30b-a3b", "--gpu", "h100", "--as", "swarm"), "--as"),
        (("qwen3-30b-a3b", "--gpu", "h100", "--executor", "slurm"), "--executor"),
        (("qwen3-30b-a3b", "--gpu", "h100", "--quantization", "int3"), "--quantization"),
        (("qwen3-30b-a3b", "--gpu", "h100", "--kv", "int1"), "--kv"),
    ],
)
def test_what_is_not_known_is_refused(given: tuple[str, ...], says: str) -> None:
    done = launch(*given, "--dry-run")
    assert isinstance(done.exception, EpicrisisError)
    assert says in str(done.exception)


def test_without_an_accelerator_its_kind_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = launch("qwen3-30b-a3b", "--dry-run")
    assert isinstance(done.exception, EpicrisisError)
    assert "--gpu h100" in str(done.exception)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("NVIDIA H100 80GB HBM3, 81559", "h100"),
        ("NVIDIA H200, 143771", "h200"),
        ("NVIDIA A100-SXM4-40GB, 40960", "a100-40"),
        ("NVIDIA A100-SXM4-80GB, 81920", "a100-80"),
        ("NVIDIA L40S, 46068", "l40s"),
        ("NVIDIA GeForce RTX 4090, 24564", "rtx-4090"),
        ("Tesla T4, 15360", None),
        ("[Unknown Error]", None),
    ],
)
def test_accelerators_are_known_by_what_nvidia_smi_says(line: str, name: str | None) -> None:
    assert named(line) == name


# ---- writing ----


def test_a_manifest_is_written_without_any_key(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = launch("qwen3.6-35b-a3b", "--gpu", "h100", "--as", "kubernetes", "--out", str(out))
    assert done.exit_code == 0, done.exception
    text = (out / "kubernetes.yaml").read_text()
    kinds = [one["kind"] for one in yaml.safe_load_all(text)]
    assert kinds == ["Deployment", "Service", "NetworkPolicy"]
    assert not (tmp_path / "data" / "llm.env").exists()


# ---- running ----


def test_weights_that_are_not_there_stop_it_before_anything_starts(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    done = launch("smollm2-135m-moe4", "--cpu", "--ram", "8", "--weights", str(missing))
    assert done.exit_code == 5
    assert not (tmp_path / "data" / "llm.env").exists()


def test_a_wrong_hash_stops_it_before_anything_starts(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    (folder / "SHA256SUMS").write_text("0" * 64 + "  model.safetensors\n")
    done = launch("smollm2-135m-moe4", "--cpu", "--ram", "8", "--weights", str(folder), "--verify")
    assert isinstance(done.exception, EpicrisisError)
    assert "the manifest says" in str(done.exception)
    assert not (tmp_path / "data" / "llm.env").exists()


@pytest.mark.parametrize("form", ["systemd", "compose", "kubernetes"])
def test_files_are_not_written_for_weights_that_were_to_be_verified_and_are_not(
    tmp_path: Path, form: str
) -> None:
    words = ("smollm2-135m-moe4", "--cpu", "--ram", "8", "--as", form, "--out", str(tmp_path / "o"))
    away = launch(*words, "--weights", str(tmp_path / "nothing"), "--verify")
    assert away.exit_code == 5
    assert "no such folder" in away.stderr
    assert not (tmp_path / "o").exists()
    dry = launch(*words, "--weights", str(tmp_path / "nothing"), "--verify", "--dry-run")
    assert dry.exit_code == 0
    assert "a dry run reads no weights" in dry.stderr


def test_a_server_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    port = free_port()
    path = program(tmp_path)
    words = [
        sys.executable, "-m", "serving", "llm", "launch", "smollm2-135m-moe4", "--cpu",
        "--ram", "8", "--weights", str(_weights(tmp_path)), "--port", str(port), "--wait", "40",
    ]  # fmt: skip
    environment = os.environ | {"PATH": f"{path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(  # noqa: S603
        words,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "Interrupt to stop" in line:
                break
        server.send_signal(signal.SIGINT)
        rest, errors = server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
    text = "".join(lines) + rest
    assert server.returncode == 0, errors
    assert f"server 0 at http://127.0.0.1:{port}/v1" in text
    key = (tmp_path / "data" / "llm.env").read_text().partition("=")[2].strip()
    assert key
    assert key not in text + errors
    assert "ended in order" in (tmp_path / "data" / "llm-logs" / "server-0.log").read_text()


def _weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_bytes(orjson.dumps(CONFIG))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def _documented() -> list[str]:
    page = (ROOT / "docs" / "serving_language_models.md").read_text()
    return [line for line in page.splitlines() if line.startswith("epicrisis llm launch ")]


def test_the_page_shows_commands() -> None:
    assert len(_documented()) >= 5


@pytest.mark.parametrize("line", _documented())
def test_every_command_of_the_page_works_as_a_dry_run(line: str) -> None:
    words = [word for word in shlex.split(line)[3:] if word != "--dry-run"]
    done = launch(*words, "--dry-run")
    assert done.exit_code == 0, done.exception
