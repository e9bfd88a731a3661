"""A tool is offered where its contract can hold, and named with the reason where it cannot."""

from pathlib import Path

from tests.agent.cases import change_case, example
from tests.agent.planning_cases import REQUIRED, Planned, planned


def names(p: Planned) -> set[str]:
    return {tool.name for tool in p.tools}


def reason(p: Planned, name: str) -> str:
    return next(tool.reason for tool in p.closed if tool.name == name)


def test_with_everything_in_the_record_every_required_tool_fits() -> None:
    for example_name in ("nstemi", "stemi", "early_presenter"):
        assert set(REQUIRED) <= names(planned(example_name))


def test_every_tool_is_either_offered_or_named_with_the_reason() -> None:
    p = planned("nstemi")
    assert names(p).isdisjoint(tool.name for tool in p.closed)
    assert all(tool.reason for tool in p.closed)
    assert {"perc"} == {tool.name for tool in p.closed}


def test_perc_needs_a_low_probability_first_and_says_what_unlocks_it() -> None:
    closed = next(tool for tool in planned("nstemi").closed if tool.name == "perc")
    assert closed.unlock == ("pe_gestalt_below_15",)
    assert "perc" in names(planned("early_presenter"))


def test_without_an_ecg_the_ecg_tool_is_not_offered(tmp_path: Path) -> None:
    folder = example("nstemi", tmp_path)
    (folder / "ecg.dcm").unlink()
    p = planned(folder)
    assert reason(p, "ecg_analysis") == "no ECG recording in the case"


def test_switched_off_device_functions_are_not_offered() -> None:
    assert "switched off" in reason(planned("nstemi", device_functions=False), "ecg_analysis")


def test_known_st_elevation_closes_the_rule_out_scores(tmp_path: Path) -> None:
    folder = example("nstemi", tmp_path)
    change_case(folder, "facts:\n", "facts:\n  stemi_criteria: yes\n")
    p = planned(folder)
    assert "heart" not in names(p)
    assert "reperfusion" in reason(p, "heart")


def test_a_tool_takes_only_ids_of_its_own_kinds() -> None:
    p = planned("nstemi")
    tools = {tool.name: tool for tool in p.tools}
    assert tools["ecg_analysis"].allowed == ("ecg-1",)
    assert tools["serial_troponin"].allowed == ("lab-1", "lab-2")
    assert all(set(tool.allowed) <= p.summary.ids for tool in p.tools)
    assert "lab-1" not in tools["add_rs"].allowed


def test_what_a_tool_waits_for_is_what_nobody_answered() -> None:
    tools = {tool.name: tool for tool in planned("half_missing").tools}
    assert {"onset", "troponin_assay"} <= set(tools["serial_troponin"].unmet)
    assert "stemi_criteria" not in tools["heart"].unmet  # the ECG tool answers it
