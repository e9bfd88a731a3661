"""Whether the merged checkpoint says what model and adapter say together, and who chose what.

Compared in the words of the replies: the next token at every place of replies that were not
trained on, by both, from weights in the type they are served in.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.model import Frozen
from serving.llm.train_router.examples import Example
from serving.llm.train_router.extra import package
from serving.llm.train_router.specialise import Counts
from serving.llm.train_router.tuning import load_sparse, require_training

SAME, APART = 0.98, 0.05
"""Least share of equal next tokens, and largest mean distance of log-probabilities, nats. Rounding
the merged weights to bfloat16 (8 bits, a relative step of 2**-8) moves close calls."""


class Check(Frozen):
    """What a comparison of merged and unmerged found.

    Args:
        places: Compared places.
        same: Of them, those with the same next token.
        apart: Mean absolute difference of the log-probability of the right token, nats.
        right_merged, right_adapter: Places at which each names the token of the right reply.
    """

    places: int
    same: int
    apart: float
    right_merged: int
    right_adapter: int

    @property
    def good(self) -> bool:
        """Whether the merged checkpoint may be exported."""
        return self.same >= SAME * self.places and self.apart <= APART


def compare(merged: Path, sparse: Path, adapter: Path, examples: Sequence[Example]) -> Check:
    """Return how far a merged checkpoint is from its model with the adapter beside it.

    Args:
        merged: Checkpoint with the adapter in its weights.
        sparse: Checkpoint before training.
        adapter: Folder of the adapter.
        examples: Traces that were not trained on.

    Raises:
        MissingExtraError: A package is missing.
    """
    require_training()
    torch, peft = package("torch"), package("peft")
    one = _said(load_sparse(merged, dtype=torch.bfloat16).eval(), examples)
    base = load_sparse(sparse, dtype=torch.bfloat16)
    other = _said(peft.PeftModel.from_pretrained(base, adapter).eval().get_base_model(), examples)
    return Check(
        places=len(one[0]),
        same=int((one[0] == other[0]).sum()),
        apart=float(np.abs(one[1] - other[1]).mean()),
        right_merged=int((one[0] == one[2]).sum()),
        right_adapter=int((other[0] == one[2]).sum()),
    )


def choices(checkpoint: Path, examples: Sequence[Example]) -> Counts:
    """Return how often each expert was chosen, ``(examples, layers, experts)``.

    Only tokens of the request and the case are counted, and the places where the reply is written;
    the frame of the chat is the same everywhere.

    Raises:
        MissingExtraError: A package is missing.
    """
    require_training()
    torch = package("torch")
    model = load_sparse(checkpoint, dtype=torch.bfloat16).eval()
    picked: list[Any] = []
    for module in model.modules():
        if type(module).__name__ == "MixtralTopKRouter":
            module.register_forward_hook(lambda _m, _i, out: picked.append(out[2]))
    counts = np.zeros(
        (len(examples), model.config.num_hidden_layers, model.config.num_local_experts)
    )
    with torch.inference_mode():
        for row, example in enumerate(examples):
            picked.clear()
            model.model(input_ids=torch.tensor([example.ids]), use_cache=False)
            for layer, chosen in enumerate(picked):
                inner = chosen[_FRAME:].reshape(-1)
                counts[row, layer] = torch.bincount(inner, minlength=counts.shape[2]).numpy()
    return counts


_FRAME = 3
"""Tokens of ``<|im_start|>user`` and the line's end."""


def _said(model: Any, examples: Sequence[Example]) -> tuple[Any, Any, Any]:
    """Return, for every place of the replies: next token, log-probability of the right one, it."""
    torch = package("torch")
    firsts: list[Any] = []
    chances: list[Any] = []
    rights: list[Any] = []
    with torch.inference_mode():
        for example in examples:
            ids = torch.tensor([example.ids])
            hidden = model.model(input_ids=ids, use_cache=False)[0]
            logits = model.lm_head(hidden[0, example.start - 1 : -1]).float()
            right = ids[0, example.start :]
            logs = logits.log_softmax(-1)
            firsts.append(logits.argmax(-1).numpy())
            chances.append(logs[torch.arange(len(right)), right].numpy())
            rights.append(right.numpy())
    return np.concatenate(firsts), np.concatenate(chances), np.concatenate(rights)
