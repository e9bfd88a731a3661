"""Descriptions of other makers to ours; what they lack has to be given, and is never guessed."""

from tools.models.importers.bring import KINDS, bring

__all__ = ["KINDS", "bring"]
