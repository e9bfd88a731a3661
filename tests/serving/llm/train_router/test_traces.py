"""Training traces: the same for a seed, true to the cards, apart from what judges them."""

import re

import jsonschema
import orjson
import pytest

from agent.router_planner.compact import MAX_ITEMS, reply_schema
from agent.router_planner.evidence import lacking
from evals.discovery import task
from serving.llm.train_router.traces import SHARES, Trace, traces
from tools.toolbox import discover

SEED = 20261123
SOME = traces(1500, seed=SEED)
_STOPS = re.compile(r"[\W_]+")


def test_equal_seeds_give_equal_traces_and_others_do_not() -> None:
    assert traces(60, seed=SEED) == SOME[:60]
    assert traces(60, seed=SEED + 1) != SOME[:60]


def test_no_prompt_occurs_twice() -> None:
    assert len({trace.prompt for trace in SOME}) == len(SOME)


def test_every_kind_and_both_languages_are_written() -> None:
    assert {trace.kind for trace in SOME} == set(SHARES)
    assert sum(SHARES.values()) == pytest.approx(1.0)
    chinese = sum(trace.language == "zh" for trace in SOME) / len(SOME)
    assert 0.35 < chinese < 0.55


def test_every_tool_is_taught() -> None:
    named = {word for trace in SOME for line in trace.reply for word in line.split()}
    assert set(discover()) - named == set()


@pytest.mark.parametrize("trace", SOME[:300], ids=lambda t: t.kind)
def test_the_right_reply_is_one_the_schema_lets_through(trace: Trace) -> None:
    """So every id of a reply is in its case: the schema has no other."""
    schema = reply_schema(tuple(discover()), [item.id for item in trace.items])
    jsonschema.validate(orjson.loads(trace.completion), schema)
    assert len(trace.items) <= MAX_ITEMS


def test_a_call_is_taught_only_where_the_case_has_what_the_tool_needs() -> None:
    for trace in SOME:
        for line in trace.reply:
            tool = line.split()[0]
            if tool in discover():
                assert lacking(tool, trace.items) == (), trace


def test_what_is_missing_is_asked_for() -> None:
    missing = [trace for trace in SOME if trace.kind == "missing"]
    assert missing
    assert all(trace.reply[0].startswith("ask_user ") for trace in missing)


def test_a_foreign_id_is_never_in_the_case() -> None:
    for trace in SOME:
        if trace.kind == "foreign id":
            named = re.findall(r"[a-z]+-\d+", trace.request)
            assert named
            assert not set(named) & {item.id for item in trace.items}


def test_no_request_that_judges_the_router_is_among_those_that_train_it() -> None:
    """Compared without case, space and stops, over as many traces as are trained on."""
    apart = {_plain(case.given["request"]) for case in task("tool_routing").cases()}
    trained = {_plain(trace.request) for trace in traces(6000, seed=SEED)}
    assert apart & trained == set()


def _plain(text: str) -> str:
    return _STOPS.sub("", text.casefold())
