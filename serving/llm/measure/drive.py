"""So many requests in flight at once, until all prompts are answered."""

import asyncio
import time
from collections.abc import Callable, Sequence

from serving.llm.check.faults import FaultError
from serving.llm.check.subject import Subject
from serving.llm.measure.sample import Sample, sample_of

Done = Callable[[], None]


async def driven(
    subject: Subject, prompts: Sequence[str], *, concurrency: int, tokens_out: int, done: Done
) -> tuple[list[Sample], float]:
    """Return one sample for each prompt, failures included, and the seconds of the whole.

    A closed loop: the next prompt is sent when an answer is complete or has failed.

    Args:
        subject: The server.
        prompts: Each sent once.
        concurrency: Requests in flight.
        tokens_out: Tokens of each reply.
        done: Called after each.
    """
    left, samples = list(reversed(prompts)), list[Sample]()
    start = time.perf_counter()

    async def worker() -> None:
        while left:
            prompt = left.pop()
            samples.append(await _one(subject, prompt, tokens_out, start))
            done()

    await asyncio.gather(*(worker() for _ in range(min(concurrency, len(prompts)))))
    return samples, time.perf_counter() - start


async def _one(subject: Subject, prompt: str, tokens_out: int, start: float) -> Sample:
    more: dict[str, object] = {"stream_options": {"include_usage": True}}
    if subject.kind != "other":
        more["ignore_eos"] = True  # replies of one length; both servers have it
    start_s = time.perf_counter() - start
    body = subject.body(prompt, max_tokens=tokens_out, **more)
    try:
        return sample_of(await subject.probe.stream(body), start_s=start_s)
    except FaultError as fault:
        return Sample(start_s=start_s, error=fault.reason)
