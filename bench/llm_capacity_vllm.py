"""The capacity planner against vLLM: fitted on one model, it predicts others.

The CPU build of vLLM serves in bfloat16: the packaged SmolLM2-135M, a dense model of the sizes of
SmolLM2-360M, and the first as a mixture of four experts of which a token passes two, each at
numbers of requests at once of its own. Bytes per second are measured apart; FLOPs per second and
the fixed time of a step are fitted on one run, and others are predicted from them and the sizes of
the profile. Times are those a client sees, and mean something on an otherwise idle machine only.
The goal is a mean error of 15 %; what was reached is printed whatever it is.

    python bench/llm_capacity_vllm.py [--python FILE] [--rounds N] [--out FILE]

vLLM runs in the environment of ``make test-vllm`` (``.venv-vllm``); without it nothing is measured,
and the reason is printed.
"""

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
from llm_capacity import REPLY_TOKENS, TIMEOUT_S, finish, fitted, memory_rate
from vllm_cpu import DENSE_MODEL, MIXTURE, NO_VLLM, PYTHON, WIDER, checkpoint, served

from agent.llm.local.machine import machine, threads_for
from serving.llm.capacity.fit import Run, Timing
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.profiles.load import profile

CHUNK_TOKENS = 2048
"""Most prompt tokens of one step, as the server is told."""
PLANS: dict[str, dict[str, tuple[int, ...]]] = {
    DENSE_MODEL: {"prompts": (32, 128, 256, 512, 1024), "batches": (1, 2, 4, 8, 16)},
    WIDER: {"prompts": (48, 192, 384, 768), "batches": (1, 3, 6, 12)},
    MIXTURE: {"prompts": (48, 192, 384, 768), "batches": (1, 3, 6, 12)},
}
LONG = 640
"""Tokens that each of `LONG_BATCH` replies has before it in one further point."""
LONG_BATCH = 4
SHORT_PROMPT = 32


def _body(model: str, tokens: int, replies: int, seed: int) -> dict[str, object]:
    draw = random.Random(seed)  # noqa: S311
    return {
        "model": model,
        "prompt": [draw.randrange(1000, 40000) for _ in range(tokens)],
        "max_tokens": replies,
        "ignore_eos": True,
        "temperature": 0,
    }


def prompt_time(client: httpx.Client, model: str, tokens: int, seed: int) -> Timing:
    """Return the time of reading one prompt and saying one token."""
    begun = time.perf_counter()
    answer = client.post("/v1/completions", json=_body(model, tokens, 1, seed)).raise_for_status()
    seconds = time.perf_counter() - begun
    read = answer.json()["usage"]["prompt_tokens"]
    if read != tokens:
        raise SystemExit(f"the server read {read} of {tokens} tokens")
    return Timing(kind="prompt", tokens=tokens, seconds=seconds)


def step_time(client: httpx.Client, model: str, batch: int, tokens: int, seed: int) -> Timing:
    """Return the time of one step of `batch` replies, while all of them are written."""
    seen: list[list[float]] = [[] for _ in range(batch)]

    def arrivals(number: int) -> None:
        body = _body(model, tokens, 2 * REPLY_TOKENS, seed * 100 + number)
        with client.stream("POST", "/v1/completions", json={**body, "stream": True}) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    seen[number].append(time.perf_counter())

    threads = [threading.Thread(target=arrivals, args=(number,)) for number in range(batch)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begin, end = max(one[0] for one in seen), min(one[-1] for one in seen)
    steps = statistics.mean(sum(begin < when <= end for when in one) for one in seen)
    if steps < REPLY_TOKENS // 2:
        raise SystemExit(f"only {steps:.0f} steps of {batch} replies at once")
    return Timing(
        kind="reply", batch=batch, tokens=tokens + REPLY_TOKENS, seconds=(end - begin) / steps
    )


def numbers(model: str) -> ModelNumbers:
    """Return the sizes of a model, from its profile."""
    if model != WIDER:
        return numbers_of(profile(model), weights="bfloat16")
    one = profile(DENSE_MODEL)
    if one.shape is None or one.attention is None or one.feedforward is None:
        raise AssertionError("the profile knows its sizes")
    full = one.attention.full.model_copy(update={"heads": 15, "kv_heads": 5, "head_dim": 64})
    wider = one.model_copy(
        update={
            "id": WIDER,
            "name": "SmolLM2-360M, random weights",
            "shape": one.shape.model_copy(update={"layers": 32, "hidden": 960}),
            "attention": one.attention.model_copy(update={"full": full}),
            "feedforward": one.feedforward.model_copy(update={"dense_intermediate": 2560}),
        }
    )
    return numbers_of(wider, weights="bfloat16")


def measure(python: Path, model: str, folder: Path, rounds: int, threads: int) -> Run:
    """Return the fastest of some rounds for every prompt and number of replies."""
    plan = PLANS[model]
    wanted = [("prompt", 1, tokens) for tokens in plan["prompts"]]
    wanted += [("reply", batch, SHORT_PROMPT) for batch in plan["batches"]]
    wanted += [("reply", LONG_BATCH, LONG)]
    found: dict[tuple[str, int, int], list[Timing]] = {key: [] for key in wanted}
    load = [os.getloadavg()[0]]
    path = checkpoint(python, model, folder)
    options = ["--max-num-batched-tokens", str(CHUNK_TOKENS), "--no-enable-prefix-caching"]
    options += ["--max-num-seqs", str(max(plan["batches"])), "--max-model-len", "2048"]
    with (
        served(python, path, options, threads) as address,
        httpx.Client(base_url=address, timeout=TIMEOUT_S, trust_env=False) as client,
    ):
        for tokens in plan["prompts"]:  # every shape once before it counts
            prompt_time(client, str(path), tokens, seed=tokens)
        for number in range(1, rounds + 1):
            for kind, batch, tokens in wanted:
                seed = number * 10_000 + tokens * 10 + batch
                if kind == "prompt":
                    one = prompt_time(client, str(path), tokens, seed)
                else:
                    one = step_time(client, str(path), batch, tokens, seed)
                found[kind, batch, tokens].append(one)
                print(f"{model} {one.model_dump_json()}", file=sys.stderr, flush=True)
    load.append(os.getloadavg()[0])
    return Run(
        model=numbers(model),
        timings=tuple(min(times, key=lambda one: one.seconds) for times in found.values()),
        engine="vLLM, CPU build",
        threads=threads,
        load=tuple(round(one, 2) for one in load),
    )


def main() -> None:
    """Measure, fit, predict, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--python", type=Path, default=PYTHON)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    if not chosen.python.with_name("vllm").is_file():
        print(f"not measured: {NO_VLLM}")
        return
    threads = threads_for(machine(), wanted=None)
    label = f"{platform.machine()} CPU, {threads} threads, {platform.system()}, vLLM"
    rate = memory_rate()
    with tempfile.TemporaryDirectory() as folder:
        dense, wider, mixture = (
            measure(chosen.python, model, Path(folder), chosen.rounds, threads) for model in PLANS
        )
    pairs = ((dense, wider), (wider, dense), (dense, mixture))
    fits = tuple(
        fitted(one, other, label, bytes_per_s=rate, chunk_tokens=CHUNK_TOKENS)
        for one, other in pairs
    )
    print(f"{label}; load: {dense.load} {wider.load} {mixture.load}")
    finish(label, fits, chosen.out)


if __name__ == "__main__":
    main()
