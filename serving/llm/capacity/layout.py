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
        context: Tensor ranks among which copies of keys and values are divided by context
            (``--decode-context-parallel-size``); 1 for none.
    """

    replicas: PositiveInt = 1
    tensor: PositiveInt = 1
    data: PositiveInt = 1
    context: PositiveInt = 1

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
        if self.context > 1:
            one += f", contexts divided by {self.context}"
        return f"{self.replicas} x ({one})"


def groups(model: ModelNumbers, per_node: int, most: int) -> Iterator[Layout]:
    """Yield every shape of one copy that is considered, smallest first.

    Tensor parallelism stays within a node; data parallelism with shared experts may cross nodes.
    Both are powers of two, as key-value heads and expert counts divide. Pipeline parallelism is not
    considered. Where keys and values would be
    copied over tensor ranks, dividing contexts among them is considered as well.

    Args:
        model: A dense model has no experts to share.
        per_node: Accelerators of a node.
        most: Accelerators there are.
    """
    tensor = 1
    while tensor <= min(per_node, most):
        for context in sorted({1, max(1, tensor // model.kv_shards)}):
            yield Layout(tensor=tensor, context=context)
            data = 2
            while model.experts and tensor * data <= min(_MOST_EXPERT_RANKS, model.experts, most):
                yield Layout(tensor=tensor, data=data, context=context)
                data *= 2
        tensor *= 2
