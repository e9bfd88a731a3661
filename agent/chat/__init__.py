"""Questions about one case, answered from its facts."""

from agent.chat.answer import ChatAnswer, answer

__all__ = ["ChatAnswer", "answer"]
