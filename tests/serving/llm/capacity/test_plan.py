"""Whole plans: enough or not, what fits, what it costs, and several kinds of accelerators."""

import pytest

from serving.llm.capacity.accelerator import accelerator
from serving.llm.capacity.advice import helps
from serving.llm.capacity.cost import cost_of
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.plan import Ask, make_plan
from serving.llm.capacity.pool import Pool, pool_of
from serving.llm.capacity.slides import SlideTokens, slide_need
from serving.llm.capacity.span import Span
from serving.llm.capacity.words import plan_lines
from serving.llm.capacity.workload import Slides, Slo
from serving.llm.profiles.load import profile
from tests.serving.llm.capacity.models import SLO, machine, work


def ask(name: str = "qwen3-30b-a3b", weights: str | None = None, **changes: object) -> Ask:
    return Ask(model=numbers_of(profile(name), weights=weights), work=work(**changes), slo=SLO)


def pool(name: str, count: int | None, asked: Ask, price: float | None = None) -> Pool:
    return pool_of(
        accelerator(name), weights=asked.model.weights, count=count, price_per_hour=price
    )


@pytest.mark.parametrize(
    ("gpu", "too_few", "enough"), [("h100", 8, 16), ("h200", 4, 8), ("a100", 8, 16)]
)
def test_deepseek_in_8_bits_needs_as_many_as_its_size_says(
    gpu: str, too_few: int, enough: int
) -> None:
    """671 GB of 8-bit weights: 8 x 80 GB are 640 GB, and 4 x 141 GB are 564 GB."""
    asked = ask("deepseek-v3", "fp8")
    small = make_plan(asked, (pool(gpu, too_few, asked),))
    assert small.verdict == "does not fit"
    assert "GiB" in small.pools[0].reason
    assert make_plan(asked, (pool(gpu, enough, asked),)).pools[0].fits


def test_qwen3_30b_fits_one_accelerator_of_80_gb_and_none_of_24() -> None:
    asked = ask()
    plan = make_plan(asked, (pool("h100", 1, asked), pool("a10", 1, asked)))
    assert [one.fits for one in plan.pools] == [True, False]
    assert plan.pools[1].share == 0
    # 30.5 B x 2 bytes = 61.1 GB = 56.9 GiB; 24 GB x 0.92 - 2 to 5 GiB = 15.6 to 18.6 GiB
    assert "56.9 GiB" in plan.pools[1].reason
    assert "16 to 19 GiB" in plan.pools[1].reason


def test_without_a_number_the_fewest_are_planned() -> None:
    asked = ask(cases_per_hour=50_000)
    plan = make_plan(asked, (pool("h100", None, asked),))
    assert plan.verdict == "enough"
    assert plan.pools[0].needed is not None
    assert plan.pools[0].count == plan.pools[0].needed.high


def test_too_much_work_is_not_enough_with_the_reason() -> None:
    asked = ask(cases_per_hour=1e6)
    plan = make_plan(asked, (pool("h100", 1, asked),))
    assert plan.verdict == "not enough"
    assert "does not hold" in plan.reason


def test_between_the_ends_is_said_to_be_so() -> None:
    asked = ask(cases_per_hour=1000)
    most = make_plan(asked, (pool("h100", 1, asked),)).pools[0].cases_per_hour
    assert most is not None
    assert most.low < most.high
    between = ask(cases_per_hour=(most.low + most.high) / 2)
    plan = make_plan(between, (pool("h100", 1, between),))
    assert plan.verdict == "enough at the better end only"


def test_two_kinds_share_the_work_as_they_can() -> None:
    asked = ask(cases_per_hour=5000)
    plan = make_plan(asked, (pool("h200", 2, asked), pool("h100", 2, asked)))
    shares = [one.share for one in plan.pools]
    assert sum(shares) == pytest.approx(1)
    assert shares[0] > shares[1]


def test_kinds_without_numbers_are_alternatives() -> None:
    asked = ask(cases_per_hour=5000)
    plan = make_plan(asked, (pool("h200", None, asked), pool("h100", None, asked)))
    assert plan.alternatives
    assert [one.share for one in plan.pools] == [1, 1]
    assert plan.verdict == "enough"
    alone = make_plan(asked, (pool("h100", None, asked),))
    assert alone.pools[0] == plan.pools[1]


def test_an_impossible_objective_is_needed_by_no_number() -> None:
    asked = ask().model_copy(update={"slo": Slo(ttft_s=5, tpot_ms=0.01, source="test")})
    plan = make_plan(asked, (pool("h100", None, asked),))
    assert plan.verdict == "not enough"
    assert plan.pools[0].needed is None
    assert any("no number up to 1,000,000 meets" in line for line in plan_lines(plan, {}))


def test_cost_is_price_times_accelerators_over_cases() -> None:
    found = cost_of(3.0, 2, Span(low=100, high=600), work(cases_per_hour=50), 1.0)
    assert found.at_this_load == pytest.approx(3 * 2 / 50)
    assert found.when_full == Span(low=0.01, high=0.06)


def test_without_a_price_cost_is_not_assessed() -> None:
    found = cost_of(None, 2, Span(low=100, high=600), work(), 1.0)
    assert found.at_this_load is None
    assert found.when_full is None
    assert found.reason.startswith("not assessed")


def test_users_without_cases_have_no_cost_at_this_load() -> None:
    found = cost_of(3.0, 1, Span(low=100, high=600), work(cases_per_hour=0), 1.0)
    assert found.at_this_load is None
    assert "no cases" in found.reason


def test_what_helps_is_computed_and_does_help() -> None:
    asked = ask(cases_per_hour=1000)
    one = pool("h100", 1, asked)
    now = make_plan(asked, (one,)).pools[0].cases_per_hour
    assert now is not None
    found = helps(profile("qwen3-30b-a3b"), asked, one)
    assert found
    assert all(each.cases_per_hour.low > now.low for each in found)
    doubled = [each for each in found if each.change.startswith("twice")]
    assert doubled
    again = make_plan(asked, (pool("h100", 2, asked),)).pools[0].cases_per_hour
    assert doubled[0].cases_per_hour == again


def test_a_slide_takes_two_flops_a_parameter_and_token() -> None:
    end = machine(flops_per_s=4e14)
    one = Pool(name="x", label="x", count=1, worse=end, better=end, figures=())
    need = slide_need(Slides(per_hour=36, tokens=12.3e6, encoder_params=0.63e9), one)
    # ViT-H, 15.5 PFLOP at 400 TFLOP/s: 38.7 s; 36 an hour keep 0.39 busy
    assert need.seconds_per_slide.low == pytest.approx(38.7, abs=0.1)
    assert need.accelerators.high == pytest.approx(0.387, abs=0.001)


@pytest.mark.parametrize(
    ("patch", "tissue", "millions"), [(14, 1.0, 40.8), (16, 1.0, 31.25), (14, 0.3, 12.2)]
)
def test_patch_tokens_of_a_slide_by_hand(patch: int, tissue: float, millions: float) -> None:
    # 8e9 pixels / 224^2 = 159,439 tiles of 16 x 16 or 14 x 14 patches
    slide = SlideTokens(
        width_px=100_000, height_px=80_000, tile_px=224, patch_px=patch, tissue=tissue
    )
    assert slide.tokens / 1e6 == pytest.approx(millions, abs=0.05)


def test_the_text_names_every_assumption_and_says_that_nothing_was_measured() -> None:
    asked = ask()
    plan = make_plan(asked, (pool("h100", 1, asked),))
    text = "\n".join(plan_lines(plan, {}))
    for one in plan.assumptions:
        assert one.because in text
    assert "not a benchmark" in text
    assert "seen at glennklockwood" in text
