"""Prompts of a wanted length that share no beginning, so that no cache shortens them."""

import random
import secrets
from collections.abc import Sequence

from knowledge.errors import InvalidValueError
from serving.llm.check.answer import count_of
from serving.llm.check.faults import FaultError
from serving.llm.check.subject import Subject

_SYLLABLES = tuple(f"{first}{second}" for first in "bdklmnprstvwz" for second in "aeiou")
_TRIAL_WORDS = 100
_END = "Go on with more of such words."


def text_of(words: int, seed: str) -> str:
    """Return a prompt of invented words, different from its beginning on for every seed.

    Examples:
        >>> text_of(3, "a") == text_of(3, "a"), text_of(3, "a")[:4] == text_of(3, "b")[:4]
        (True, False)
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    made = ("".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(words))
    return f"{chance.randrange(1 << 48):012x} {' '.join(made)} {_END}"


async def fitted(subject: Subject, tokens: int) -> int:
    """Return how many words make a prompt of about so many tokens, its template included.

    Two calls with replies of one token: the server's own counts decide.

    Raises:
        InvalidValueError: The template alone is longer.
        FaultError: No answer, or one without counts.
    """
    few, many = [await _counted(subject, words) for words in (1, 1 + _TRIAL_WORDS)]
    per_word = (many - few) / _TRIAL_WORDS
    if per_word <= 0:
        raise FaultError("another form", "counts a hundred more words as no more tokens")
    words = round((tokens - few) / per_word) + 1
    if words < 1:
        raise InvalidValueError(
            f"--tokens-in {tokens}", f"the shortest prompt has {few} tokens here", "take more"
        )
    return words


def texts(count: int, words: int, *, run: str) -> Sequence[str]:
    """Return the prompts of one run, each once; runs of different names share none."""
    return [text_of(words, seed=f"{run}.{number}") for number in range(count)]


async def _counted(subject: Subject, words: int) -> int:
    asked = subject.body(text_of(words, seed=secrets.token_hex(8)), max_tokens=1)
    answer = await subject.probe.chat(asked)
    if not answer.ok:
        raise FaultError("another form", f"refused a short prompt: {answer.refusal}")
    found = count_of(answer.usage, "prompt_tokens")
    if not found:
        raise FaultError("another form", "does not say how many tokens a prompt has")
    return found
