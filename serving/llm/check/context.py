"""Whether the length of the context is stated, kept, and refused in words that can be read."""

from agent.llm.dialect import too_long
from serving.llm.check.answer import count_of
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import Subject

_ENGLISH, _CHINESE = 2983, 5648
"""Tokens of this product's longest call, a note of 6000 characters with its rules (2343, 5008) and
its reply (640), counted by the tokenizer of Qwen2.5."""
_MOST_SENT = 300_000
_BEYOND = 64


async def stated(subject: Subject) -> Found:
    """Find out how long a prompt and its reply may be together."""
    if subject.context is None:
        return open_("not stated: neither max_model_len of the model nor n_ctx of llama.cpp")
    told = f"{subject.context} tokens"
    if subject.profile is not None:
        told += f" (the model: {subject.profile.context.native_tokens})"
    if subject.context < _CHINESE:
        which = "Chinese notes" if subject.context >= _ENGLISH else "notes"
        return no(f"{told}: the longest {which} do not fit", f"serve it with {_CHINESE} or more")
    return yes(told)


async def refused(subject: Subject) -> Found:
    """Find out whether a prompt that does not fit is refused as such."""
    if subject.context is None:
        return open_("its length is not stated")
    if subject.context > _MOST_SENT:
        return open_(f"{subject.context} tokens: too long a prompt to send for a check")
    words = " ".join(str(number % 10) for number in range(subject.context + _BEYOND))
    answer = await subject.probe.chat(subject.body(words, max_tokens=1))
    if answer.ok:
        counted = count_of(answer.usage, "prompt_tokens")
        return no(
            f"{subject.context + _BEYOND} numbers were taken ({counted} tokens counted): cut "
            "without a word, or the stated length is not true",
            "do not rely on long prompts here",
        )
    if answer.status >= 500:
        return no(f"answered with {answer.refusal}, not with a refusal of the request")
    if not too_long(answer.data):
        return no(f"refused, but not in words that say why: {answer.refusal}")
    return yes(answer.refusal)
