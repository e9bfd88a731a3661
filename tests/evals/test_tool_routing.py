"""The judge of tool_routing, its cases, and a run with a scripted router."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.llm.choice import Choice
from agent.llm.fake import FakeLLM
from agent.llm.seam import LLM
from agent.router_planner.evidence import RouterItem, lacking, matches, reads
from agent.router_planner.weights import NoRouterError
from evals.discovery import task
from evals.runner import Plan, run_task
from evals.scoring import System
from evals.tasks.tool_routing import systems
from evals.tasks.tool_routing.judge import Answer, Expected, Wanted, expected_of, judge
from evals.tasks.tool_routing.phrases import PhraseIndex, by_phrase
from knowledge.settings import Settings
from tools.toolbox import discover

GAP = Wanted(tool=("anion_gap",), must=("lab-1", "lab-2"), may=("lab-1", "lab-2", "lab-3"))
BMI = Wanted(tool=("body_mass_index", "body_surface_area"), may=("vital-1",))


@pytest.mark.parametrize(
    ("answer", "expected", "tool", "ids"),
    [
        (Answer(calls={"anion_gap": ("lab-1", "lab-2")}), (GAP,), True, True),
        (Answer(calls={"anion_gap": ("lab-1",)}), (GAP,), True, False),
        (Answer(calls={"anion_gap": ("lab-1", "lab-2", "ecg-1")}), (GAP,), True, False),
        (Answer(calls={"delta_ratio": ("lab-1", "lab-2")}), (GAP,), False, False),
        (Answer(calls={"anion_gap": ("lab-1", "lab-2"), "heart": ("x",)}), (GAP,), False, False),
        (
            Answer(calls={"body_surface_area": ("vital-1",), "anion_gap": ("lab-1", "lab-2")}),
            (GAP, BMI),
            True,
            True,
        ),
        (Answer(calls={"anion_gap": ("lab-1", "lab-2")}), (GAP, BMI), False, False),
        (Answer(none=True), (GAP,), False, False),
    ],
)
def test_calls(answer: Answer, expected: tuple[Wanted, ...], tool: bool, ids: bool) -> None:
    verdict = judge(answer, Expected(calls=expected))
    assert (verdict.tool, verdict.ids, verdict.right) == (tool, ids, ids)
    assert verdict.needless is (not answer.calls)


@pytest.mark.parametrize(
    ("answer", "expected", "right", "harmless"),
    [
        (Answer(none=True), Expected(refusal="no_tool"), True, True),
        (Answer(asks=True), Expected(refusal="no_tool"), False, True),
        (Answer(calls={"heart": ("lab-1",)}), Expected(refusal="no_tool"), False, False),
        (
            Answer(asks=True, about=("heart",)),
            Expected(refusal="ask_user", tools=("heart",)),
            True,
            True,
        ),
        (
            Answer(asks=True, about=("edacs",)),
            Expected(refusal="ask_user", tools=("heart",)),
            False,
            True,
        ),
        (Answer(asks=True), Expected(refusal="ask_user"), True, True),
        (Answer(), Expected(refusal="ask_user"), False, True),
    ],
)
def test_refusals(answer: Answer, expected: Expected, right: bool, harmless: bool) -> None:
    verdict = judge(answer, expected)
    assert (verdict.refused, verdict.harmless) == (right, harmless)


CASES = task("tool_routing").cases()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_case_names_tools_and_items_that_exist(case: object) -> None:
    found = case  # each line of the file
    given, expected = found.given, expected_of(found.expected)  # type: ignore[attr-defined]
    ids = [item["id"] for item in given["items"]]
    assert len(set(ids)) == len(ids)
    for call in expected.calls:
        assert set(call.tool) <= set(discover())
        assert set(call.must) <= set(call.may) <= set(ids)
        assert call.may
    assert set(expected.tools) <= set(discover())
    assert bool(expected.calls) is (expected.refusal is None)


@pytest.mark.parametrize(
    "case",
    [c for c in CASES if "single" in c.tags and "named-id" not in c.tags],
    ids=lambda c: c.id,
)
def test_what_was_written_by_hand_is_what_the_cards_say(case: object) -> None:
    """Two independent readings of the cards: a person's and the code's."""
    given, expected = case.given, expected_of(case.expected)  # type: ignore[attr-defined]
    items = [RouterItem(**item) for item in given["items"]]
    (call,) = expected.calls
    tool = call.tool[0]
    takes = {i.id for i in items if any(matches(word, i) for word in reads(tool).words)}
    assert takes == set(call.may)
    assert lacking(tool, items) == ()


def run(
    replies: dict[str, list[object]] | None, system: System, folder: Path, limit: int
) -> object:
    @asynccontextmanager
    async def scripted(settings: Settings) -> AsyncIterator[LLM]:
        if replies is None:
            raise NoRouterError("weights of the router", "are not here", "train one")
        yield FakeLLM(lambda request: replies["route"])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(systems, "router_llm", scripted)
        return asyncio.run(
            run_task(
                task("tool_routing"),
                Choice(llm=None, reason="none"),
                Settings(data_dir=folder),
                Plan(systems=(system,), limit=limit),
            )
        )


def test_a_router_that_says_no_to_everything_is_right_where_nothing_is_meant(
    tmp_path: Path,
) -> None:
    result = run({"route": ["no_tool"]}, "router", tmp_path, 139)
    wanted = sum(case.expected.get("refusal") == "no_tool" for case in CASES)
    assert result.share("router", "right").hits == wanted  # type: ignore[attr-defined]
    assert result.share("router", "tool").hits == 0  # type: ignore[attr-defined]
    assert result.share("router", "needless").share == 1.0  # type: ignore[attr-defined]


def test_without_weights_every_trial_fails_and_says_so(tmp_path: Path) -> None:
    result = run(None, "router", tmp_path, 4)
    assert all("not here" in trial.failure for trial in result.trials)  # type: ignore[attr-defined]
    assert result.share("router", "right").share == 0.0  # type: ignore[attr-defined]


def test_words_alone_need_no_weights(tmp_path: Path) -> None:
    result = run(None, "nearest-words", tmp_path, 10)
    assert not any(trial.failure for trial in result.trials)  # type: ignore[attr-defined]


def test_the_nearest_phrase_is_for_what_it_was_written_for() -> None:
    index = PhraseIndex(None)
    assert index.nearest("unmeasured anions on this chemistry panel")[0] == "anion_gap"
    assert index.nearest("用钠氯碳酸氢根算AG")[0] == "anion_gap"
    assert index.nearest("zzzz qqqq") == ()
    reply, near = by_phrase(index, "who are you?", ())
    assert (reply.none, reply.calls) == (True, {})
    assert "no_tool" not in near
