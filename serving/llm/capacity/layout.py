"""How one model is laid over several accelerators."""

from collections.abc import Iterator

from pydantic import PositiveInt

from knowledge.model import Frozen
from serving.llm.capacity.numbers import ModelNumbers

_MOST_EXPERT_RANKS = 64


class Layout(Frozen):
    """Copies of the model, each over a group of accelerators.

    Args:
        replicas: Independent copies behind a router.
        tensor: Accelerators that share every matrix (``--tensor-parallel-size``).
        data: Attention copies that share the experts (``--data-parallel-size`` with
            ``--enable-expert-parallel``); 1 for none.
    """

    replicas: PositiveInt = 1
    tensor: PositiveInt = 1
    data: PositiveInt = 1

    @property
    def group(self) -> int:
        """Accelerators of one copy."""
        return self.tensor * self.data

    @property
    def accelerators(self) -> int:
        """Accelerators in all."""
        return self.replicas * self.group

    @property
    def words(self) -> str:
        """As a person reads it."""
        one = f"tensor parallel {self.tensor}"
        if self.data > 1:
            one += f", data parallel {self.data} with experts over {self.group}"
        return f"{self.replicas} x ({one})"


def groups(model: ModelNumbers, per_node: int, most: int) -> Iterator[Layout]:
    """Yield every shape of one copy that is considered, smallest first.

    Tensor parallelism stays within a node; data parallelism with shared experts may cross nodes.
    Both are powers of two, as key-value heads and expert counts divide. Pipeline parallelism is not
    considered.

    Args:
        model: A dense model has no experts to share.
        per_node: Accelerators of a node.
        most: Accelerators there are.
    """
    tensor = 1
    while tensor <= min(per_node, most):
        yield Layout(tensor=tensor)
        data = 2
        while model.experts and tensor * data <= min(_MOST_EXPERT_RANKS, model.experts, most):
            yield Layout(tensor=tensor, data=data)
            data *= 2
        tensor *= 2
