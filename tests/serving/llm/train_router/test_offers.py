"""What is offered in the prompt of a trace: the right tools always, and not always first."""

from collections import Counter

import pytest

from agent.router_planner.compact import LACKS, MOST_NAMES
from agent.router_planner.evidence import lacking
from agent.router_planner.shortlist import TAKEN, TAKEN_OF_A_CASE, ToolIndex
from serving.llm.train_router.offers import with_offers
from serving.llm.train_router.traces import Trace, traces
from tools.toolbox import discover


@pytest.fixture(scope="module")
def made() -> tuple[Trace, ...]:
    return with_offers(traces(400, seed=3), ToolIndex(None, requests=False), seed=3)


def test_every_tool_of_the_reply_is_offered_once(made: tuple[Trace, ...]) -> None:
    known = set(discover())
    for trace in made:
        assert set(trace.needed) <= set(trace.offered) <= known
        assert len(set(trace.offered)) == len(trace.offered)
        if len(trace.offered) <= MOST_NAMES:
            shown = trace.prompt.rpartition("\n")[2].split(" ")
            assert [name.removesuffix(LACKS) for name in shown] == list(trace.offered)
            marked = [name for name in trace.offered if lacking(name, trace.items)]
            assert [name[:-1] for name in shown if name.endswith(LACKS)] == marked


def test_lists_are_as_long_as_where_the_router_is_used(made: tuple[Trace, ...]) -> None:
    for trace in made:
        if len(trace.offered) == len(discover()):  # nothing is near: all may be named
            continue
        most = TAKEN_OF_A_CASE if trace.kind == "plan" else max(TAKEN, len(trace.needed) + 2)
        assert len(trace.offered) <= most


def test_the_first_place_is_a_hint_and_not_the_answer(made: tuple[Trace, ...]) -> None:
    """Seven in ten keep the order of retrieval; of the rest a sixth has it first by chance."""
    one = [trace for trace in made if len(trace.needed) == 1 and len(trace.offered) == TAKEN]
    places = Counter(trace.offered.index(trace.needed[0]) for trace in one)
    assert 0.45 < places[0] / len(one) < 0.72
    assert min(places[place] for place in range(TAKEN)) > 0


def test_a_request_for_no_tool_is_offered_the_nearest_ones_too(made: tuple[Trace, ...]) -> None:
    assert all(trace.offered for trace in made if not trace.needed)


def test_equal_seeds_give_equal_lists() -> None:
    found, index = traces(40, seed=9), ToolIndex(None, requests=False)
    assert with_offers(found, index, seed=1) == with_offers(found, index, seed=1)
    assert with_offers(found, index, seed=1) != with_offers(found, index, seed=2)
