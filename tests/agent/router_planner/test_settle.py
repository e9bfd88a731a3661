"""The guards: an id that is not in the case never gets into a call, whatever the model writes."""

from hypothesis import given
from hypothesis import strategies as st

from agent.router_planner.compact import Reply
from agent.router_planner.evidence import RouterItem
from agent.router_planner.settle import settle
from tools.toolbox import discover

CASE = (
    RouterItem(id="lab-1", label="Sodium"),
    RouterItem(id="lab-2", label="Chloride"),
    RouterItem(id="lab-3", label="Bicarbonate"),
    RouterItem(id="ecg-1", label="12-lead ECG"),
    RouterItem(id="ecg-2", label="12-lead ECG"),
    RouterItem(id="fact-4", label="Age"),
)
ALL = tuple(discover())


def test_an_invented_id_is_refused_and_named() -> None:
    reply = Reply(calls={"anion_gap": ("lab-1", "lab-12345")})
    routed = settle(reply, "gap", CASE, ALL)
    assert routed.calls == ()
    assert routed.refused[0].reason == "not in the case: lab-12345"


def test_a_tool_that_was_not_offered_is_refused() -> None:
    routed = settle(Reply(calls={"centor": ("fact-4",)}), "centor", CASE, ["anion_gap"])
    assert (routed.calls, routed.refused[0].reason) == ((), "no such tool")


def test_an_id_of_the_request_that_is_not_in_the_case_is_never_replaced() -> None:
    routed = settle(Reply(calls={"ecg_analysis": ("ecg-1",)}), "read ECG-4 please", CASE, ALL)
    assert routed.calls == ()
    assert routed.ask[0].missing == ("ecg-4",)


def test_an_id_of_the_request_is_binding() -> None:
    routed = settle(Reply(calls={"ecg_analysis": ("ecg-1",)}), "只看ecg-2", CASE, ALL)
    assert routed.calls[0].evidence == ("ecg-2",)


def test_of_two_recordings_the_models_choice_is_kept() -> None:
    routed = settle(Reply(calls={"ecg_analysis": ("ecg-2",)}), "the second one", CASE, ALL)
    assert "ecg-2" in routed.calls[0].evidence
    assert "ecg-1" not in routed.calls[0].evidence


def test_what_a_tool_needs_is_asked_for() -> None:
    routed = settle(Reply(calls={"anion_gap": ("lab-1",)}), "gap", CASE[:2], ALL)
    assert routed.calls == ()
    assert routed.ask[0].missing == ("Bicarbonate",)


def test_ids_a_tool_does_not_read_are_left_out_and_the_rest_filled_in() -> None:
    routed = settle(Reply(calls={"anion_gap": ("lab-1", "ecg-1")}), "gap", CASE, ALL)
    assert routed.calls[0].evidence == ("lab-1", "lab-2", "lab-3")


def test_no_tool_beside_a_call_is_a_call() -> None:
    routed = settle(Reply(calls={"anion_gap": ("lab-1",)}, none=True), "gap", CASE, ALL)
    assert routed.calls
    assert not routed.none


_IDS = st.sampled_from([*(item.id for item in CASE), "lab-99", "ecg-7", "fact-1", "", "12345"])


@given(
    st.dictionaries(st.sampled_from([*ALL[:40], "nothing"]), st.lists(_IDS, max_size=5)),
    st.text(max_size=40),
)
def test_no_call_ever_holds_an_id_that_is_not_in_the_case(
    calls: dict[str, list[str]], request: str
) -> None:
    reply = Reply(calls={tool: tuple(ids) for tool, ids in calls.items()})
    routed = settle(reply, request, CASE, ALL)
    known = {item.id for item in CASE}
    assert all(set(call.evidence) <= known and call.evidence for call in routed.calls)
    assert all(call.tool in discover() for call in routed.calls)
