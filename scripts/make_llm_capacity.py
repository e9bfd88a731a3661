"""Write docs/llm_capacity.md: three published claims examined, and what the planner predicted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from serving.llm.capacity.claim import claim, claim_names
from serving.llm.capacity.examination import examination_lines
from serving.llm.capacity.examine import examine
from serving.llm.capacity.fitted import Fitted, recorded_cpu
from serving.llm.capacity.machine import Effective

TARGET = Path(__file__).resolve().parent.parent / "docs" / "llm_capacity.md"
HEAD = """# What serving a language model takes

Written by `scripts/make_llm_capacity.py`; a test checks that it is up to date.

`epicrisis llm plan --profile ID --gpu NAME --users N --cases-per-hour N` plans memory, speed,
accelerators and cost; `--claim NAME|FILE` examines a published claim. Where an efficiency is
assumed every figure is a range. No figure of an accelerator was measured here: plans are
rooflines.

## How it is computed

- *Weights* are resident whole: every expert, whatever share of them a token passes. What is not a
  routed expert is divided among tensor ranks and copied for each data rank; experts are divided
  over all ranks of a copy.
- *Keys and values* are divided among at most as many ranks as there are key-value heads; a latent
  vector is kept by every rank, unless contexts are divided among them
  (`--decode-context-parallel-size`). Windows and linear states are counted per request.
- *A step of a reply* takes the longer of reading memory and arithmetic, and a fixed time. Of E
  experts of which a token passes k a batch of B reads 1-(1-k/E)^B; that is the upper end, since
  uneven routing reads fewer.
- *A prompt* takes two FLOPs a parameter and new token (the output head once), attention to all
  tokens before, and at least one reading of the weights a chunk.
- *Requests in service* follow Little's law with the step that they make longer themselves; the
  time for prompts slows replies; waiting for the first token is that of a queue with random
  arrivals.
- An embedding that is only looked up is resident and neither read nor multiplied.

Tests hold it against figures of others: vLLM's own count of tokens for 1 GiB of SmolLM2 (46,592),
the 70,272 bytes of DeepSeek-V3, makers' counts of parameters, and the speeds of DeepSeek's report
on its inference service (both ends of the assumptions enclose them, for prompts and for replies).

Not computed: pipeline parallelism, speculative decoding, separate prefill, the network between
nodes beyond a fixed time, the quality that a lower precision costs.
"""
CLAIMS = """
## Three published claims

"""
MEASURED = """
## Checked by measurement

`python bench/llm_capacity_vllm.py` serves three models by the CPU build of vLLM in bfloat16: the
packaged SmolLM2-135M, a dense model of the sizes of SmolLM2-360M (random weights: how long a step
takes does not depend on them), and the first as a mixture of four experts. Bytes a second are
measured apart, by a product of a matrix larger than any cache with a vector. FLOPs a second and the
fixed time of a step are fitted on the run of one; the runs of the others, at other numbers of
requests at once, are predicted from these three numbers and from the profile. The record is
`serving/llm/capacity/data/cpu_fit.json`: the fastest of three rounds on two cores that did nothing
else.

"""
LIMITS = """
What limits it: the arithmetic rate is one number a machine, and is not one. Wide matrices are
multiplied faster than narrow ones, experts slower than dense layers of the same size, and formats
of weights differ most. Below `python bench/llm_capacity.py`, the same two cores and llama.cpp, with
two models of which one is in Q4_1 and one in Q4_K_M (bytes a second fitted as well; the record is
`serving/llm/capacity/data/cpu_fit_llama_cpp.json`): the FLOPs a second that fit the one do not fit
the other. So a plan is to be fitted on the engine and the format that it is for.

"""
_NO_MEMORY = 1e14
"""Bytes a second beyond any machine: what a fit ends at where memory limits nothing."""


def page() -> str:
    """Return the page as Markdown."""
    return (
        HEAD
        + CLAIMS
        + "\n".join(_claims())
        + MEASURED
        + _measured("vllm")
        + LIMITS
        + _measured("llama.cpp")
    )


def _claims() -> Iterator[str]:
    for name in claim_names():
        yield f"### `epicrisis llm plan --claim {name}`"
        yield ""
        yield "```text"
        yield from (line.rstrip() for line in examination_lines(examine(claim(name))))
        yield "```"
        yield ""


def _measured(engine: Literal["vllm", "llama.cpp"]) -> str:
    record = recorded_cpu(engine)
    return "\n".join(line for one in record.fits for line in _fit(one, record.goal)) + "\n"


def _fit(one: Fitted, goal: float) -> Iterator[str]:
    machine, run = one.machine, one.fitted_on
    yield (
        f"**Fitted on {run.model.id}, {run.clock} time**, {one.label}, {run.engine}, "
        f"{one.measured_on}:"
    )
    yield (
        f"{_bandwidth(machine)}, {machine.flops_per_s / 1e9:.0f} GFLOP/s, "
        f"{machine.overhead_s * 1e3:.1f} ms a step; mean error on that run {one.fitted_error:.0%}; "
        f"load of the machine before and after {run.load}."
    )
    yield ""
    if one.check is None or one.checked_on is None:
        return
    yield f"Predicted for {one.checked_on.model.id} (load {one.checked_on.load}):"
    yield ""
    yield "| | at once | tokens | measured ms | predicted ms | error |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in one.check.rows:
        timing = row.timing
        yield (
            f"| {timing.kind} | {timing.batch} | {timing.tokens:.0f} | {timing.seconds * 1e3:.1f} "
            f"| {row.predicted_s * 1e3:.1f} | {row.error:+.0%} |"
        )
    yield ""
    met = "met" if one.check.mean_absolute <= goal else "**not met**"
    yield (
        f"Mean error {one.check.mean_absolute:.0%} (prompts {one.check.mean_of('prompt'):.0%}, "
        f"replies {one.check.mean_of('reply'):.0%}), largest {one.check.largest:.0%}; "
        f"the goal of {goal:.0%} is {met}."
    )
    yield ""


def _bandwidth(machine: Effective) -> str:
    """Return bytes a second; a run whose steps never waited for memory does not tell them."""
    if machine.bytes_per_s > _NO_MEMORY:
        return "bytes a second not identifiable (no step of this run waited for memory)"
    return f"{machine.bytes_per_s / 1e9:.1f} GB/s"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
