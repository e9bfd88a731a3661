"""Traces as token ids, and the order in which a training sees them: fixed by the seed."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from knowledge.model import Frozen
from serving.llm.train_router.recipe import Recipe
from serving.llm.train_router.traces import Trace

_USER, _ASSISTANT, _END = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"
_WINDOW = 32
"""Batches whose traces are sorted by length together: little padding, still a mixed order."""


class Example(Frozen):
    """One trace in tokens.

    Args:
        ids: Prompt, reply and end mark.
        start: Place of the reply's first token; only what comes from here is learnt.
    """

    ids: tuple[int, ...]
    start: int


def encoded(traces: Iterable[Trace], tokenizer: Any) -> Iterator[Example]:
    """Yield the examples, as the chat template of the exported model writes them.

    Args:
        traces: To encode.
        tokenizer: A ``tokenizers.Tokenizer``.
    """
    for trace in traces:
        head = tokenizer.encode(f"{_USER}{trace.prompt}{_ASSISTANT}", add_special_tokens=False).ids
        tail = tokenizer.encode(f"{trace.completion}{_END}", add_special_tokens=False).ids
        yield Example(ids=(*head, *tail), start=len(head))


def batches(examples: Sequence[Example], recipe: Recipe) -> tuple[tuple[int, ...], ...]:
    """Return the places of the examples of every step, in order."""
    chance = random.Random(recipe.seed)  # noqa: S311  order of examples, no secret
    steps: list[tuple[int, ...]] = []
    for _ in range(recipe.epochs):
        order = list(range(len(examples)))
        chance.shuffle(order)
        made: list[tuple[int, ...]] = []
        for begin in range(0, len(order), recipe.batch * _WINDOW):
            window = sorted(
                order[begin : begin + recipe.batch * _WINDOW], key=lambda i: len(examples[i].ids)
            )
            made += [
                tuple(window[i : i + recipe.batch]) for i in range(0, len(window), recipe.batch)
            ]
        chance.shuffle(made)
        steps += made
    return tuple(steps)
