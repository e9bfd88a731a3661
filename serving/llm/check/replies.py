"""Whether a reply keeps to what was asked, is counted rightly, and comes back the same."""

import secrets
from typing import Any

from serving.llm.check.answer import Answer, count_of, quoted, thoughts_of
from serving.llm.check.faults import FaultError
from serving.llm.check.markup import thought_form, way_out
from serving.llm.check.row import Found, no, open_, yes
from serving.llm.check.subject import COUNT, Subject

_CUT = 5
_THINK_TOKENS = 256
_MARK = 8
"""Most characters of a stop sequence."""
_WORDS = 40
_TEMPLATE_TOKENS = 200
"""More than any chat template adds to one message of the user."""


async def limit(subject: Subject) -> Found:
    """Find out whether ``max_tokens`` is kept."""
    answer = await subject.probe.chat(subject.body(COUNT, max_tokens=_CUT))
    if not answer.ok:
        return no(answer.refusal)
    counted = count_of(answer.usage, "completion_tokens")
    said = answer.content + thoughts_of(answer)
    longest = 16 * _CUT
    if len(said) > longest or (counted or 0) > _CUT:
        return no(f"{_CUT} tokens were allowed, {len(said)} characters came ({counted} tokens)")
    if answer.finish != "length":
        return no(f"cut at {_CUT} tokens, yet it says that it ended with {answer.finish!r}")
    return yes(f"{quoted(said)}, ended with 'length'")


async def stops(subject: Subject) -> Found:
    """Find out whether a stop sequence ends the reply before it."""
    before = subject.plain.content if subject.plain else ""
    words = before[len(before) // 3 :].split()[1:]  # the first may be cut
    mark = next((word[:_MARK] for word in words if not before.startswith(word[:_MARK])), "")
    if not mark:
        return open_("the short reply has no word to stop at")
    answer = await subject.probe.chat(subject.body(COUNT, stop=[mark]))
    if not answer.ok:
        return no(answer.refusal)
    if mark in answer.content:
        return no(f"asked to stop at {quoted(mark)}, it said {quoted(answer.content)}")
    if answer.finish != "stop":
        return no(f"ended with {answer.finish!r}, not at the stop sequence")
    return yes(f"stopped at {quoted(mark)}: {quoted(answer.content)}")


async def repeatable(subject: Subject) -> Found:
    """Find out whether greedy replies are the same, and sampled ones of one seed."""
    first = await subject.probe.chat(subject.body(COUNT))
    second = await subject.probe.chat(subject.body(COUNT))
    told = "Tell of a walk by the sea."
    sampled = [
        await subject.probe.chat(subject.body(told, temperature=1.0, seed=seed))
        for seed in (7, 7, 8)
    ]
    if bad := next((a for a in (first, second, *sampled) if not a.ok), None):
        return no(bad.refusal)
    if first.content != second.content:
        return no(
            f"temperature 0 twice: {quoted(first.content, 30)}, then {quoted(second.content, 30)}",
            "replies depend on what else is in the batch; a recorded run replays all the same",
        )
    one, again, other = (answer.content for answer in sampled)
    if first.content == one:
        return no("two questions that have nothing in common have one reply: it is a recorded one")
    if one != again:
        return no("temperature 0 is the same twice, but one seed gave two replies", "")
    differ = "another seed another reply" if other != one else "another seed the same reply"
    return yes(f"temperature 0 the same twice, one seed the same twice, {differ}")


async def logprobs(subject: Subject) -> Found:
    """Find out whether the probabilities of the tokens are told."""
    body = subject.body(COUNT, max_tokens=_CUT, logprobs=True, top_logprobs=2)
    answer = await subject.probe.chat(body)
    if not answer.ok:
        return no(answer.refusal)
    match answer.data:
        case {"choices": [{"logprobs": {"content": [*tokens]}}, *_]} if tokens:
            values = [t.get("logprob") for t in tokens if isinstance(t, dict)]
            said = "".join(str(t.get("token", "")) for t in tokens if isinstance(t, dict))
            if "".join(answer.content.split()) not in "".join(said.split()):
                return no(f"they are of other words than the reply: {quoted(said)}")
            if all(isinstance(v, int | float) and v <= 0 for v in values):
                return yes(f"{len(tokens)} tokens, the first {values[0]:.3f}")
            return no("values that are no logarithms of probabilities")
    return no("accepted, and nothing told")


async def usage(subject: Subject) -> Found:
    """Find out whether the token counts are true: against its own tokenizer, else for sense."""
    text = f"{COUNT} Then say {secrets.token_hex(4)}."
    long = f"{text} " + " ".join(str(number) for number in range(_WORDS))
    short_answer = await subject.probe.chat(subject.body(text, max_tokens=16))
    long_answer = await subject.probe.chat(subject.body(long, max_tokens=16))
    for answer in (short_answer, long_answer):
        if not answer.ok:
            return no(answer.refusal)
    if problem := _nonsense(short_answer, text) or _nonsense(long_answer, long):
        return no(problem, "budgets and costs that rest on these counts are wrong")
    more = _prompt(long_answer) - _prompt(short_answer)
    if more < _WORDS:
        return no(f"{_WORDS} more words, and {more} more prompt tokens")
    return await _against_tokenizer(subject, long, long_answer)


async def thoughts(subject: Subject) -> Found:
    """Find out whether thoughts stand apart from the reply."""
    body = subject.body("What is 17 + 25? Answer with the number.", max_tokens=_THINK_TOKENS)
    answer = await subject.probe.chat(body)
    if not answer.ok:
        return no(answer.refusal)
    wanted = subject.reasoning_parser
    if form := thought_form(answer.content):
        told = way_out(form, "--reasoning-parser", wanted)
        return no(f"thoughts stand in the reply: {form.name}", told)
    thought = thoughts_of(answer)
    if thought and not answer.content.strip():
        if answer.finish == "length":
            return open_(f"still thinking after {_THINK_TOKENS} tokens: {quoted(thought, 30)}")
        fits = f"--reasoning-parser {wanted}" if wanted else "no --reasoning-parser"
        return no(
            f"the whole reply stands among the thoughts: {quoted(thought, 30)}",
            f"the parser does not fit: start vLLM with {fits}",
        )
    if thought:
        return yes(f"thought {quoted(thought, 30)}, replied {quoted(answer.content, 30)}")
    if wanted is not None:
        return open_(f"it did not think aloud, though its profile says {wanted}")
    return open_(f"it does not think aloud: {quoted(answer.content, 30)}")


def _prompt(answer: Answer) -> int:
    return count_of(answer.usage, "prompt_tokens") or 0


def _nonsense(answer: Answer, text: str) -> str:
    """Return what cannot be true of the counts; empty where everything can."""
    prompt = count_of(answer.usage, "prompt_tokens")
    reply = count_of(answer.usage, "completion_tokens")
    total = count_of(answer.usage, "total_tokens")
    said = answer.content + thoughts_of(answer)
    if prompt is None or reply is None:
        return "it does not say how many tokens a call took"
    if total is not None and total != prompt + reply:
        return f"total_tokens {total} is not {prompt} + {reply}"
    if said and not 0 < reply <= 16:
        return f"{quoted(said, 30)} counted as {reply} tokens; 1 to 16 were allowed"
    least = len(text.split()) // 2
    most = len(text.encode()) + _TEMPLATE_TOKENS
    if not least <= prompt <= most:
        return f"a prompt of {len(text.split())} words counted as {prompt} tokens"
    return ""


async def _against_tokenizer(subject: Subject, text: str, answer: Answer) -> Found:
    stated = _prompt(answer)
    try:
        counted = await prompt_tokens(subject, text)
    except FaultError as error:
        return open_(f"the counts make sense, but its tokenizer {error.reason}")
    if counted is None:
        return yes(f"{stated} prompt tokens; plausible only, since it has no tokenizer to ask")
    if counted != stated:
        return no(f"{stated} prompt tokens stated, its own tokenizer counts {counted}")
    return yes(f"{stated} prompt tokens stated and counted by its own tokenizer")


async def prompt_tokens(subject: Subject, text: str) -> int | None:
    """Return the tokens of one user's message in its template by the server's own tokenizer.

    Returns:
        None where the server has no tokenizer to ask.

    Raises:
        FaultError: It has, and did not answer.
    """
    messages = [{"role": "user", "content": text}]
    if subject.probe.where.root is None or subject.kind == "other":
        return None
    if subject.kind == "vllm":
        asked: dict[str, Any] = {"model": subject.model, "messages": messages}
        answer = await subject.probe.post_root("/tokenize", asked)
        return count_of(answer.data, "count") if isinstance(answer.data, dict) else None
    made = await subject.probe.post_root("/apply-template", {"messages": messages})
    prompt = made.data.get("prompt") if isinstance(made.data, dict) else None
    if not isinstance(prompt, str):
        return None
    asked = {"content": prompt, "add_special": True, "parse_special": True}
    answer = await subject.probe.post_root("/tokenize", asked)
    tokens = answer.data.get("tokens") if isinstance(answer.data, dict) else None
    return len(tokens) if isinstance(tokens, list) and tokens else None
