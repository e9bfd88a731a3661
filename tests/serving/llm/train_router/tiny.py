"""A tiny mixture with chance weights, and a training of it that prints every step; for tests."""

import random
import sys
from pathlib import Path
from typing import Any

from serving.llm.train_router.examples import Example
from serving.llm.train_router.extra import package
from serving.llm.train_router.recipe import Recipe
from serving.llm.train_router.tuning import Progress, tune

RECIPE = Recipe(traces=48, batch=4, rank=2, experts=3, rate=0.01)


def tiny_model(folder: Path) -> Path:
    """Write the checkpoint of a mixture of some ten thousand weights."""
    torch, transformers = package("torch"), package("transformers")
    torch.manual_seed(3)
    config = transformers.MixtralConfig(
        vocab_size=64, hidden_size=32, intermediate_size=16, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, num_local_experts=3, num_experts_per_tok=2,
        max_position_embeddings=64, tie_word_embeddings=True,
    )  # fmt: skip
    model: Any = transformers.MixtralForCausalLM(config)
    model.save_pretrained(folder)
    return folder


def examples() -> tuple[Example, ...]:
    """Return examples of a rule that can be learnt: the reply repeats the first token."""
    chance = random.Random(9)  # noqa: S311  test data
    made = []
    for _ in range(RECIPE.traces):
        head = [chance.randrange(3, 64) for _ in range(chance.randint(3, 9))]
        made.append(Example(ids=(*head, head[0], head[0], 2), start=len(head)))
    return tuple(made)


def main(model: str, out: str) -> None:
    """Train, or go on, and print every step."""

    def tell(progress: Progress) -> None:
        sys.stdout.write(f"{progress.step}\n")
        sys.stdout.flush()

    tune(RECIPE, examples(), Path(model), Path(out), resume=True, tell=tell, save_s=0.0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
