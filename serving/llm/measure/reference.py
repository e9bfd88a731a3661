"""The same measurement by vLLM's own benchmark, which is the reference where vLLM is installed."""

import shlex

from serving.llm.measure.bench import Load
from serving.llm.measure.figures import Target


def reference_command(root: str, model: str, load: Load, target: Target, concurrency: int) -> str:
    """Return the ``vllm bench serve`` command that measures the same.

    The key is taken from the environment by it (``OPENAI_API_KEY``), never from its arguments. Its
    prompts are random tokens, about as many as ours; temperature 0 must be asked for in vLLM 0.32.

    Args:
        root: Address without ``/v1``.
        model: Name in requests.
        load: What is sent.
        target: What counts as good.
        concurrency: Of one run.
    """
    words = [
        *("vllm", "bench", "serve", "--backend", "openai-chat"),
        *("--endpoint", "/v1/chat/completions", "--base-url", root, "--model", model),
        *("--tokenizer", "PATH_OF_THE_MODEL", "--dataset-name", "random"),
        *("--random-input-len", str(load.tokens_in)),
        *("--random-output-len", str(load.tokens_out)),
        *("--num-prompts", str(load.prompts), "--max-concurrency", str(concurrency)),
        *("--ignore-eos", "--temperature", "0"),
        *("--percentile-metrics", "ttft,tpot,itl,e2el", "--metric-percentiles", "50,95,99"),
    ]
    goals = (
        ("ttft", target.first_ms),
        ("tpot", target.per_token_ms),
        ("e2el", target.whole_ms),
    )
    asked = [f"{name}:{value:g}" for name, value in goals if value is not None]
    return shlex.join([*words, *(["--goodput", *asked] if asked else [])])
