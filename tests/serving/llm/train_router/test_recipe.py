"""Steps, rates and order of a training, by arithmetic shown here."""

import pytest

from serving.llm.train_router.examples import Example, batches
from serving.llm.train_router.recipe import Recipe

RECIPE = Recipe(traces=400, batch=10, rate=0.002)


def test_steps_are_batches_times_epochs() -> None:
    assert RECIPE.steps == 40
    assert Recipe(traces=401, batch=10, epochs=2).steps == 82


@pytest.mark.parametrize(
    ("step", "rate"),
    # 40 steps, 2 of them rise: 1/2 and 2/2 of 0.002; then (40 - step) / 38 of it.
    [(0, 0.001), (1, 0.002), (2, 0.002), (21, 0.001), (39, 0.002 / 38)],
)
def test_the_rate_rises_and_falls(step: int, rate: float) -> None:
    assert RECIPE.rate_at(step) == pytest.approx(rate)


def test_another_number_is_another_recipe() -> None:
    assert Recipe(seed=1).sha256 != Recipe(seed=2).sha256
    assert Recipe(seed=1).sha256 == Recipe(seed=1).sha256


def test_every_example_is_seen_once_an_epoch_in_an_order_that_the_seed_fixes() -> None:
    examples = [Example(ids=tuple(range(3 + n % 17)), start=1) for n in range(401)]
    recipe = Recipe(traces=401, batch=10, epochs=2)
    order = batches(examples, recipe)
    assert len(order) == recipe.steps
    seen = [place for step in order for place in step]
    assert sorted(seen) == sorted([*range(401), *range(401)])
    assert order == batches(examples, recipe)
    assert order != batches(examples, Recipe(traces=401, batch=10, epochs=2, seed=7))
