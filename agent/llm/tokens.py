"""How many tokens a text can have at most, where no server can count them."""

from collections.abc import Iterable

from agent.llm.seam import Message

_PER_MESSAGE = 16
"""Most tokens a chat template adds per message; those of Qwen, Llama and Mistral add 4 to 8."""


def upper_estimate(text: str) -> int:
    """Return an upper estimate of the tokens of a text: its UTF-8 bytes.

    A byte-level vocabulary cannot make more tokens than bytes. English has about four times fewer,
    so this is used only where the server cannot count.

    Examples:
        >>> upper_estimate("troponin"), upper_estimate("肌钙蛋白")
        (8, 12)
    """
    return len(text.encode("utf-8", "surrogatepass"))


def upper_estimate_of_prompt(messages: Iterable[Message]) -> int:
    """Return an upper estimate of the tokens of a prompt, its chat template included."""
    return sum(upper_estimate(message.content) + _PER_MESSAGE for message in messages)
