"""The CPU build of vLLM for benchmarks: checkpoints of the packaged model, and a server of one.

It runs in the environment of ``make test-vllm``, which has versions of its own.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-vllm" / "bin" / "python"
NO_VLLM = "no environment with vLLM here (make .venv-vllm/.vllm)"
DENSE_MODEL, WIDER, MIXTURE = "smollm2-135m", "smollm2-360m-sizes", "smollm2-135m-moe4"
READY_S = 300.0
DENSE = """
import sys
from knowledge.settings import load_settings
from serving.llm.upcycle import extra
from serving.llm.upcycle.dense import packaged_dense
dense = packaged_dense(load_settings())
fields = dense.model.config.to_dict()
fields.pop("quantization_config", None)
wider = dict(hidden_size=960, intermediate_size=2560, num_hidden_layers=32,
             num_attention_heads=15, num_key_value_heads=5, head_dim=64)
classes = extra.transformers()
model = classes.LlamaForCausalLM(classes.LlamaConfig(**fields | (wider if sys.argv[2:] else {})))
if not sys.argv[2:]:
    model.load_state_dict(dense.model.state_dict())
model.to(extra.torch().bfloat16).save_pretrained(sys.argv[1])
dense.tokenizer.save_pretrained(sys.argv[1])
"""
"""A model that was read from a file of llama.cpp cannot be written as it is. The wider one has the
sizes of SmolLM2-360M and random weights: how long a step takes does not depend on their values."""


def checkpoint(python: Path, model: str, folder: Path) -> Path:
    """Return the checkpoint of a model, written by the environment of vLLM."""
    out = folder / model
    if model == MIXTURE:
        words = ["-m", "serving", "llm", "upcycle", "--form", "mixtral", "--experts", "4",
                 "--top-k", "2", "--out", str(out)]  # fmt: skip
    else:
        words = ["-c", DENSE, str(out), *(["wider"] if model == WIDER else [])]
    done = subprocess.run(  # noqa: S603
        [str(python), *words], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{model}: no checkpoint: {done.stderr[-600:]}")
    return out


@contextmanager
def served(
    python: Path, folder: Path, options: Sequence[str], threads: int, key: str = ""
) -> Iterator[str]:
    """Give the address of vLLM with one model, ready; it ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        str(python.with_name("vllm")), "serve", str(folder), "--host", "127.0.0.1",
        "--port", str(port), "--dtype", "bfloat16", "--enforce-eager",
        "--kv-cache-memory-bytes", "1G", *options,
    ]  # fmt: skip
    environment = {
        **os.environ,
        **({"VLLM_API_KEY": key} if key else {}),
        "PYTHONDONTWRITEBYTECODE": "",
        "OMP_WAIT_POLICY": "passive",
        "VLLM_CPU_OMP_THREADS_BIND": f"0-{threads - 1}",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
    }
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process)
            yield address
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit("vLLM ended before it answered")
        try:
            if httpx.get(f"{address}/health", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    raise SystemExit(f"vLLM did not answer within {READY_S:g} s")
