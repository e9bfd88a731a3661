"""The capacity planner against measurement: fitted on one model, it predicts another.

Two models are served by the llama.cpp server on this machine, each at numbers of requests at once
of its own. FLOPs per second and the fixed time of a step are fitted on the first run, bytes per
second are measured apart; the second is predicted from them and compared, then the other way round.
The goal is a mean error of 15 %; what was reached is printed whatever it is. Both are done by the
clock on the wall and by the processor time of the server over its threads: on a machine that does
other work the second is about what the first would be without it.

    python bench/llm_capacity.py [--small FILE] [--large FILE] [--rounds N] [--quick]
        [--out FILE]

The small model is the packaged SmolLM2-135M (fetched if it is not here), the large one that of
``epicrisis llm pull``; both may be named. Without them nothing is measured, and the reason is
printed.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from agent.llm.local.gguf import required_gguf, weights_folder
from agent.llm.local.machine import machine, threads_for
from agent.llm.local.supervisor import require_engine
from knowledge.errors import UnavailableError
from knowledge.packaged_weights import fetch, weights
from knowledge.settings import load_settings
from serving.llm.capacity.fit import Run, Timing, fit, predict
from serving.llm.capacity.fitted import Fitted, Recorded
from serving.llm.capacity.gguf import numbers_of_gguf

GOAL = 0.15
SMALL = "smollm2-135m-instruct-q4_1"
CHUNK_TOKENS = 512  # llama.cpp's default of n_ubatch: the most prompt tokens of one step
PLANS: dict[str, dict[str, tuple[int, ...]]] = {
    "small": {"prompts": (32, 128, 256, 512, 1024), "batches": (1, 2, 4, 8), "long": (640,)},
    "large": {"prompts": (48, 192, 384, 768), "batches": (1, 3, 6), "long": (640,)},
}
QUICK: dict[str, dict[str, tuple[int, ...]]] = {
    "small": {"prompts": (32, 128, 512), "batches": (1, 2, 4), "long": ()},
    "large": {"prompts": (48, 192), "batches": (1, 3), "long": ()},
}
REPLY_TOKENS = 24
SHORT_PROMPT = 32
SLOT_TOKENS = 1280
TIMEOUT_S = 600


def serve(path: str, slots: int, threads: int) -> None:
    """Serve one model until standard input ends; print the address first."""
    from importlib import import_module

    xllamacpp = import_module("xllamacpp")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = slots * SLOT_TOKENS
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.ui = False
    params.verbosity = 0
    server = xllamacpp.Server(params)
    answers.write(server.listening_address + "\n")
    answers.close()
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


class Meter:
    """The processor time of a process, over a number of threads, in seconds."""

    def __init__(self, pid: int, threads: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")
        self._threads = threads

    def busy_s(self) -> float:
        """Return what it has used so far."""
        total = 0
        for task in self._tasks.iterdir():
            with suppress(OSError):
                total += int((task / "schedstat").read_text("ascii").split()[0])
        return total / 1e9 / self._threads


@contextmanager
def served(path: Path, *, slots: int, threads: int) -> Iterator[tuple[httpx.Client, Meter]]:
    """Give a client of a server of one model, and its meter."""
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, __file__, "--serve", str(path), str(slots), str(threads)]
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise SystemExit("the server did not start")
        once = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=address, timeout=TIMEOUT_S, limits=once) as client:
            yield client, Meter(process.pid, threads)
    finally:
        process.kill()
        process.wait()


def ask(client: httpx.Client, tokens: int, replies: int, seed: int) -> dict[str, Any]:
    """Return what the server answers to a prompt of random tokens that it has not seen."""
    draw = random.Random(seed)  # noqa: S311
    body = {
        "prompt": [draw.randrange(1000, 40000) for _ in range(tokens)],
        "n_predict": replies,
        "ignore_eos": True,
        "cache_prompt": False,
        "temperature": 0,
    }
    return dict(client.post("/completion", json=body).raise_for_status().json())


def prompt_time(client: httpx.Client, meter: Meter, tokens: int, seed: int) -> Timing:
    """Return the time of reading one prompt: the server's own, and its processor time."""
    before = meter.busy_s()
    timings = ask(client, tokens, 1, seed)["timings"]
    busy = meter.busy_s() - before
    if timings["prompt_n"] != tokens:
        raise SystemExit(f"the server read {timings['prompt_n']} of {tokens} tokens")
    return Timing(kind="prompt", tokens=tokens, seconds=timings["prompt_ms"] / 1000, busy_s=busy)


def arrivals(
    client: httpx.Client, meter: Meter, tokens: int, seed: int, seen: list[tuple[float, float]]
) -> None:
    """Note when each token of one streamed reply arrives, and the processor time by then."""
    draw = random.Random(seed)  # noqa: S311
    body = {
        "prompt": [draw.randrange(1000, 40000) for _ in range(tokens)],
        "n_predict": REPLY_TOKENS,
        "ignore_eos": True,
        "cache_prompt": False,
        "temperature": 0,
        "stream": True,
    }
    with client.stream("POST", "/completion", json=body) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if line.startswith("data: ") and not json.loads(line[6:]).get("stop"):
                seen.append((time.perf_counter(), meter.busy_s()))


def step_time(
    client: httpx.Client, meter: Meter, batch: int, tokens: int, seed: int
) -> Timing | None:
    """Return the time of one step of `batch` replies at once.

    Taken while all of them are written: from the last first token to the first last one. None where
    that is too short.
    """
    seen: list[list[tuple[float, float]]] = [[] for _ in range(batch)]
    threads = [
        threading.Thread(target=arrivals, args=(client, meter, tokens, seed * 100 + i, one))
        for i, one in enumerate(seen)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begin, end = max(one[0] for one in seen), min(one[-1] for one in seen)
    steps = [sum(begin < when <= end for when in one) for one in seen]
    if min(steps) < REPLY_TOKENS // 4:
        return None
    number = statistics.mean(steps)
    return Timing(
        kind="reply",
        batch=batch,
        tokens=tokens + REPLY_TOKENS / 2,
        seconds=(end[0] - begin[0]) / number,
        busy_s=(end[1] - begin[1]) / number,
    )


def measure(path: Path, plan: dict[str, tuple[int, ...]], rounds: int, threads: int) -> Run:
    """Return the fastest of some rounds for every prompt and number of replies.

    Other work of the machine only ever makes a round slower.
    """
    wanted = [("prompt", 1, tokens) for tokens in plan["prompts"]]
    wanted += [("reply", batch, SHORT_PROMPT) for batch in plan["batches"]]
    wanted += [("reply", plan["batches"][1], tokens) for tokens in plan["long"]]
    found: dict[tuple[str, int, int], list[Timing]] = {key: [] for key in wanted}
    load = [os.getloadavg()[0]]
    with served(path, slots=max(plan["batches"]), threads=threads) as (client, meter):
        ask(client, SHORT_PROMPT, 8, seed=0)
        for number in range(1, rounds + 1):
            for kind, batch, tokens in wanted:
                seed = number * 10_000 + tokens * 10 + batch
                if kind == "prompt":
                    one: Timing | None = prompt_time(client, meter, tokens, seed)
                else:
                    one = step_time(client, meter, batch, tokens, seed)
                if one is not None:
                    found[kind, batch, tokens].append(one)
                    print(f"{path.stem} {one.model_dump_json()}", file=sys.stderr, flush=True)
    load.append(os.getloadavg()[0])
    missing = [key for key, times in found.items() if not times]
    if missing:
        raise SystemExit(f"{path.name}: nothing measured for {missing}")
    fastest = [
        one.model_copy(update={"busy_s": min(t.busy_s for t in times if t.busy_s)})
        for times in found.values()
        for one in [min(times, key=lambda timing: timing.seconds)]
    ]
    return Run(
        model=numbers_of_gguf(path),
        timings=tuple(fastest),
        engine=f"llama.cpp (xllamacpp {version('xllamacpp')})",
        threads=threads,
        load=tuple(round(one, 2) for one in load),
    )


def memory_rate() -> float:
    """Return the bytes a second that the processors read: the best of some matrix-vector products.

    A matrix of 1 GiB, larger than any cache, so that reading it is the work.
    """
    import numpy as np

    matrix, vector = np.ones((1 << 14, 1 << 14), np.float32), np.ones(1 << 14, np.float32)
    best = 0.0
    for _ in range(8):
        begun = time.perf_counter()
        matrix @ vector
        best = max(best, matrix.nbytes / (time.perf_counter() - begun))
    return best


def fitted(
    first: Run,
    second: Run,
    label: str,
    *,
    bytes_per_s: float,
    chunk_tokens: int = CHUNK_TOKENS,
) -> Fitted:
    """Return the machine fitted on the first run and checked on the second."""
    usable = machine().free_bytes or 0
    found = fit(first, usable_bytes=usable, chunk_tokens=chunk_tokens, bytes_per_s=bytes_per_s)
    return Fitted(
        label=label,
        measured_on=datetime.now(UTC).date().isoformat(),
        fitted_on=first,
        machine=found,
        fitted_error=predict(first, found).mean_absolute,
        checked_on=second,
        check=predict(second, found),
    )


def told(one: Fitted) -> Iterator[str]:
    """Yield a fit and its check in words."""
    m, check = one.machine, one.check
    run = one.fitted_on
    yield f"fitted on {run.model.id} ({run.clock} time), mean error there {one.fitted_error:.1%}:"
    yield (
        f"  {m.bytes_per_s / 1e9:.2f} GB/s, {m.flops_per_s / 1e9:.1f} GFLOP/s, "
        f"{m.overhead_s * 1e3:.2f} ms a step"
    )
    if check is None or one.checked_on is None:
        return
    yield f"predicted for {one.checked_on.model.id}:"
    for row in check.rows:
        t, guess = row.timing, row.predicted_s
        yield (
            f"  {t.kind:6s} batch {t.batch} tokens {t.tokens:6.0f}: "
            f"measured {t.seconds * 1e3:9.1f} ms, predicted {guess * 1e3:9.1f} ms, {row.error:+.1%}"
        )
    prompts, replies = check.mean_of("prompt"), check.mean_of("reply")
    reached = "reached" if check.mean_absolute <= GOAL else "NOT reached"
    yield (
        f"  mean error {check.mean_absolute:.1%} (prompts {prompts:.1%}, replies {replies:.1%}), "
        f"largest {check.largest:.1%}; goal {GOAL:.0%} {reached}"
    )


def finish(label: str, fits: tuple[Fitted, ...], out: Path | None) -> None:
    """Print the fits, and write their record where one is wanted."""
    for one in fits:
        print("\n".join(told(one)))
    if out is not None:
        record = Recorded(title=f"Capacity fits of {label}", goal=GOAL, fits=fits)
        out.write_text(record.model_dump_json(indent=1) + "\n", "utf-8")


def small_gguf() -> Path:
    """Return the packaged small model, fetching it if it is not here."""
    one = weights(SMALL)
    folder = fetch(one, cache=weights_folder(load_settings()))
    return folder / one.files[0].name


def large_gguf() -> Path:
    """Return the model that the product runs locally."""
    return required_gguf(load_settings()).path


def main() -> None:
    """Measure, fit, predict, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--small", type=Path)
    options.add_argument("--large", type=Path)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--quick", action="store_true", help="fewer points")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    try:
        require_engine()
        little, large = chosen.small or small_gguf(), chosen.large or large_gguf()
    except UnavailableError as error:
        print(f"not measured: {error}")
        return
    threads = threads_for(machine(), wanted=None)
    label = f"{platform.machine()} CPU, {threads} threads, {platform.system()}"
    plans = QUICK if chosen.quick else PLANS
    rate = memory_rate()
    small = measure(little, plans["small"], chosen.rounds, threads)
    other = measure(large, plans["large"], chosen.rounds, threads)
    busy = small.on_processor(), other.on_processor()
    pairs = ((small, other), (other, small), busy, busy[::-1])
    fits = tuple(fitted(first, second, label, bytes_per_s=rate) for first, second in pairs)
    print(f"{label}; load before and after: {small.load} {other.load}")
    finish(label, fits, chosen.out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
