"""The most that accelerators do, and the fewest that are enough; more never do less."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.llm.capacity.layout import groups
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.sizing import best, fewest, layouts, most_held, whole_work
from serving.llm.capacity.workload import Slo
from tests.serving.llm.capacity.models import (
    MACHINES,
    MODELS,
    SLO,
    dense,
    machine,
    mixture,
    work,
)


def cases(
    model: ModelNumbers, one: Effective, count: int, slo: Slo = SLO, **changes: object
) -> float:
    found = best(model, one, count, work(**changes), slo)
    return found.cases_per_hour if found else 0.0


def test_shapes_stay_within_a_node_and_only_experts_cross_it() -> None:
    shapes = list(groups(mixture(), 4, 64))
    assert max(one.tensor for one in shapes) == 4
    assert max(one.group for one in shapes) > 4
    assert all(one.data == 1 for one in groups(dense(), 4, 64))


def test_contexts_are_divided_only_where_keys_and_values_would_be_copied() -> None:
    assert {one.context for one in groups(dense(kv_shards=8), 8, 8)} == {1}
    divided = [one for one in groups(dense(kv_shards=2), 8, 8) if one.context > 1]
    assert [(one.tensor, one.context) for one in divided] == [(4, 2), (8, 4)]


def test_spare_accelerators_stay_idle() -> None:
    assert {one.accelerators for one in layouts(dense(), machine(), 7)} == {7, 6, 4}


def test_a_model_larger_than_one_accelerator_is_spread() -> None:
    found = best(mixture(), machine(usable_bytes=20e9), 4, work(), SLO)
    assert found is not None
    assert found.layout.group >= 2


def test_the_fewest_are_enough_and_one_less_is_not() -> None:
    asked = work(cases_per_hour=30_000)
    found = fewest(dense(), machine(), asked, SLO)
    assert found is not None
    assert whole_work(dense(), found, machine(), asked, SLO).holds
    for less in layouts(dense(), machine(), found.accelerators - 1):
        assert not whole_work(dense(), less, machine(), asked, SLO).holds


def test_more_copies_do_as_many_times_the_cases() -> None:
    one, four = (best(dense(), machine(), count, work(users=0), SLO) for count in (8, 32))
    assert one is not None
    assert four is not None
    assert four.layout.replicas == 4 * one.layout.replicas
    assert four.cases_per_hour == pytest.approx(4 * one.cases_per_hour, rel=2e-3)


def test_the_most_of_several_copies_hold_and_more_do_not() -> None:
    found = best(dense(), machine(), 24, work(users=30), SLO)
    assert found is not None
    for factor, holds in ((0.99, True), (1.01, False)):
        asked = work(users=30, cases_per_hour=found.cases_per_hour * factor)
        assert whole_work(dense(), found.layout, machine(), asked, SLO).holds is holds


def test_work_of_more_than_4096_accelerators_is_sized() -> None:
    asked = work(users=0, cases_per_hour=1e9)
    found = fewest(dense(), machine(), asked, SLO)
    assert found is not None
    assert found.accelerators > 4096
    assert whole_work(dense(), found, machine(), asked, SLO).holds


def test_where_the_search_ends_first_no_limit_is_told() -> None:
    endless = machine(bytes_per_s=1e30, flops_per_s=1e30, usable_bytes=1e18)
    found = best(dense(), endless, 1, work(users=0), SLO)
    assert found is not None
    assert found.limit is None


def test_what_no_number_does_is_none() -> None:
    assert fewest(dense(), machine(), work(), Slo(ttft_s=5, tpot_ms=1e-3, source="test")) is None


def test_the_limit_of_the_most_is_told() -> None:
    found = best(dense(), machine(), 1, work(), Slo(ttft_s=5, tpot_ms=5, source="test"))
    assert found is not None
    assert found.limit == "time from token to token"


@settings(max_examples=40, deadline=None)
@given(MODELS, MACHINES, st.integers(1, 20), st.integers(0, 20), st.floats(100, 1e5))
def test_more_accelerators_never_hold_fewer_requests(
    model: ModelNumbers, one: Effective, count: int, more: int, tokens: float
) -> None:
    assert most_held(model, one, count + more, tokens=tokens) >= most_held(
        model, one, count, tokens=tokens
    )


@settings(max_examples=20, deadline=None)
@given(MODELS, MACHINES, st.integers(1, 12), st.integers(1, 12))
def test_more_accelerators_never_do_fewer_cases(
    model: ModelNumbers, one: Effective, count: int, more: int
) -> None:
    assert cases(model, one, count + more) >= cases(model, one, count) * (1 - 2e-3)


@settings(max_examples=20, deadline=None)
@given(MODELS, MACHINES, st.floats(1, 10))
def test_looser_objectives_never_do_fewer_cases(
    model: ModelNumbers, one: Effective, looser: float
) -> None:
    loose = Slo(ttft_s=SLO.ttft_s * looser, tpot_ms=SLO.tpot_ms * looser, source="test")
    assert cases(model, one, 2, loose) >= cases(model, one, 2) * (1 - 2e-3)


@settings(max_examples=20, deadline=None)
@given(MODELS, MACHINES, st.integers(0, 30), st.integers(0, 30))
def test_more_users_never_leave_room_for_more_cases(
    model: ModelNumbers, one: Effective, users: int, more: int
) -> None:
    few, many = (cases(model, one, 2, users=number) for number in (users, users + more))
    assert many <= few * (1 + 2e-3)


@settings(max_examples=20, deadline=None)
@given(MODELS, MACHINES, st.floats(0, 0.5), st.floats(0, 0.4))
def test_a_better_cache_never_does_fewer_cases(
    model: ModelNumbers, one: Effective, hit: float, more: float
) -> None:
    assert cases(model, one, 2, cache_hit=hit + more) >= cases(model, one, 2, cache_hit=hit) * (
        1 - 2e-3
    )


@settings(max_examples=20, deadline=None)
@given(MODELS, MACHINES, st.floats(1, 5000), st.floats(1, 5))
def test_more_work_never_needs_fewer(
    model: ModelNumbers, one: Effective, hourly: float, more: float
) -> None:
    one_of = fewest(model, one, work(cases_per_hour=hourly), SLO)
    other = fewest(model, one, work(cases_per_hour=hourly * more), SLO)
    if one_of is None:
        assert other is None
    elif other is not None:
        assert other.accelerators >= one_of.accelerators
