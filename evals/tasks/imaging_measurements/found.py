"""What the measurements of one case gave."""

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Found:
    """Differences from the truth, and what was refused; filled as a case is measured.

    Args:
        differences: By quantity, measured less true.
        asked: Things that were to be measured.
        refused: Why some were not.
        types: Whether each stated type of a nodule is right.
    """

    differences: dict[str, list[float]] = field(default_factory=dict)
    asked: int = 0
    refused: list[str] = field(default_factory=list)
    types: list[bool] = field(default_factory=list)

    def add(self, quantity: str, difference: float, *, asked: bool = True) -> None:
        """Note one difference.

        Args:
            quantity: Its id.
            difference: Measured less true.
            asked: False for a further figure of a thing that was counted already.
        """
        self.differences.setdefault(quantity, []).append(float(difference))
        self.asked += asked

    def refuse(self, reason: str) -> None:
        """Note that a thing was not measured."""
        self.asked += 1
        self.refused.append(reason)
