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
TOLERANCE = 1e-3
"""Most absolute difference of a logit in float32, where the two only sum in another order; logits
of the model are up to some tens."""
ROUNDINGS = 2.0
"""In bfloat16 a mixture may be as many times as far from the dense model in float32 as the dense
model in bfloat16 is. Seen with SmolLM2: 1.0 (Mixtral form), 0.9 to 1.6 (Qwen form, which sums a
shared expert and a routed one, so rounds once more in each layer)."""


def outputs(model: Any, tokenizer: Any, torch: Any) -> Any:
    """Return the logits of every position of the check's prompts: a tensor (positions, words).

    Args:
        model: A model in memory.
        tokenizer: Its tokenizer.
        torch: The package.
    """
    with torch.no_grad():
        every = (tokenizer(prompt, return_tensors="pt")["input_ids"] for prompt in PROMPTS)
        return torch.cat([model(input_ids=ids).logits[0].float() for ids in every])


def difference(
    dense: Any, mixture: Any, *, top_k: int, dtype: Dtype, tolerance: float
) -> Difference:
    """Return how far the outputs of a mixture are from those of the dense model in float32.

    Args:
        dense: `outputs` of the dense model in float32.
        mixture: `outputs` of the mixture.
        top_k: Experts of each token.
        dtype: Of the mixture.
        tolerance: Most absolute difference of a logit that is allowed.
    """
    return Difference(
        dtype=dtype,
        top_k=top_k,
        tokens=int(dense.shape[0]),
        largest=float((dense - mixture).abs().max()),
        tolerance=tolerance,
        same_first=int((dense.argmax(-1) == mixture.argmax(-1)).sum()),
    )


def set_top_k(mixture: Any, top_k: int) -> None:
    """Let `top_k` experts work on each token."""
    mixture.config.num_experts_per_tok = top_k
    for router in routers(mixture):
        router.top_k = top_k


def routers(mixture: Any) -> Sequence[Any]:
    """Return the routers of a mixture by layer: ``(logits, weights, experts)`` of tokens each."""
    return [module for name, module in mixture.named_modules() if name.endswith(".mlp.gate")]
