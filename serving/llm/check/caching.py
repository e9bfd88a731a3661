"""Whether a prompt that begins like an earlier one is read from the cache."""

import secrets

from serving.llm.check.answer import Streamed, cached_of, count_of
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import Subject

_WORDS = 150
_SHARE = 0.3
"""Of the prompt; vLLM counts in whole blocks, of 128 tokens on a CPU."""
_FASTER = 0.6


async def prefix(subject: Subject) -> Found:
    """Find out whether a shared beginning is read once, by the counts and by the time."""
    words = _WORDS if subject.context is None else min(_WORDS, subject.context // 10)
    shared = " ".join([secrets.token_hex(4), *(str(number) for number in range(words))])
    first = await _asked(subject, f"{shared} Say one.")
    second = await _asked(subject, f"{shared} Say two.")
    for answer in (first, second):
        if answer.error:
            return no(answer.error)
    before, after = first.first_ms or 0.0, second.first_ms or 0.0
    times = f"first token after {before:.0f} and {after:.0f} ms"
    prompt, cached = count_of(second.usage, "prompt_tokens"), cached_of(second.usage)
    if cached is None or prompt is None:
        told = "not counted (vLLM: --enable-prompt-tokens-details)"
        if before and after / before < _FASTER:
            return open_(f"{told}; by the time it seems so: {times}")
        return open_(f"{told}; {times}")
    if cached < _SHARE * prompt:
        told = f"{cached} of {prompt} tokens came from the cache; {times}"
        return no(told, "start vLLM with --enable-prefix-caching")
    return yes(f"{cached} of {prompt} tokens came from the cache; {times}")


async def _asked(subject: Subject, text: str) -> Streamed:
    body = subject.body(text, max_tokens=2, stream_options={"include_usage": True})
    return await subject.probe.stream(body)
