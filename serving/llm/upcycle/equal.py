"""Whether a mixture gives the outputs of the dense model that it was made of."""

from collections.abc import Sequence
from typing import Any

from serving.llm.upcycle.plan import Dtype
from serving.llm.upcycle.record import Difference

PROMPTS = (
    "Chest pain for two hours, troponin T 5 ng/L, then 57 ng/L after one hour. The next step is",
    "患者胸痛两小时，肌钙蛋白升高。下一步检查是",  # noqa: RUF001 - Chinese punctuation
    '<|im_start|>user\nCall a tool.<|im_end|>\n<|im_start|>assistant\n{"name": "get_ecg"}',
    "PR 164 ms, QRS 92 ms, QTc 431 ms; 0.12 mV; 1, 2, 3, 5, 8, 13, 21,",
)
TOLERANCE: dict[Dtype, float] = {"float32": 1e-3, "bfloat16": 1.0}
"""Most absolute difference of a logit; logits of the model are up to some tens. In float32 the two
sum in another order; bfloat16 has 8 bits, and 30 layers each round once more in the mixture."""


def difference(
    dense: Any, mixture: Any, tokenizer: Any, *, top_k: int, dtype: Dtype, torch: Any
) -> Difference:
    """Return how far the outputs of two models in memory are apart.

    Args:
        dense: The dense model.
        mixture: The mixture; `top_k` of its experts work on each token of this check.
        tokenizer: Of both.
        top_k: Experts of each token.
        dtype: Of both models.
        torch: The package.
    """
    set_top_k(mixture, top_k)
    largest, tokens, same = 0.0, 0, 0
    with torch.no_grad():
        for prompt in PROMPTS:
            ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
            one, other = dense(input_ids=ids).logits.float(), mixture(input_ids=ids).logits.float()
            largest = max(largest, float((one - other).abs().max()))
            tokens += int(ids.shape[1])
            same += int((one.argmax(-1) == other.argmax(-1)).sum())
    return Difference(
        dtype=dtype,
        top_k=top_k,
        tokens=tokens,
        largest=largest,
        tolerance=TOLERANCE[dtype],
        same_first=same,
    )


def set_top_k(mixture: Any, top_k: int) -> None:
    """Let `top_k` experts work on each token."""
    mixture.config.num_experts_per_tok = top_k
    for router in routers(mixture):
        router.top_k = top_k


def routers(mixture: Any) -> Sequence[Any]:
    """Return the routers of a mixture by layer: ``(logits, weights, experts)`` of tokens each."""
    return [module for name, module in mixture.named_modules() if name.endswith(".mlp.gate")]
