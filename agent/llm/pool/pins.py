"""Which model answers which conversation, and what was said when that had to change."""

from collections import OrderedDict
from dataclasses import dataclass

_MOST = 4096
"""Conversations remembered; the one not asked for longest is forgotten. Who keeps a conversation
itself names its model again (`Caller.pinned`)."""


@dataclass(kw_only=True)
class Pin:
    """The model of one conversation.

    Args:
        model: Its name.
        answered: Whether it has answered in this conversation.
        notice: What must be said with its answers.
    """

    model: str
    answered: bool = False
    notice: str = ""


class Pins:
    """The models of the conversations that go on."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Pin] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, conversation: str, *, known: str = "") -> Pin | None:
        """Return the pin of a conversation; None where it has none.

        Args:
            conversation: Its id; empty for a single call, which has none.
            known: Model that has answered it before, as its keeper says.
        """
        if not conversation:
            return None
        found = self._kept.get(conversation)
        if found is None and known:
            return self.set(conversation, Pin(model=known, answered=True))
        if found is not None:
            self._kept.move_to_end(conversation)
        return found

    def set(self, conversation: str, pin: Pin) -> Pin:
        """Keep which model answers a conversation."""
        if conversation:
            self._kept[conversation] = pin
            self._kept.move_to_end(conversation)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return pin
