"""Whether a sentence says only what the facts it cites say."""

from agent.verify.verify import Checked, Failure, verify

__all__ = ["Checked", "Failure", "verify"]
