import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from agent.assess import assess_paths
from agent.assessment import RESEARCH_USE
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from tests.serving.mcp.served import ROOT, over_stdio
from tools.intake.folder import read_case
from tools.toolbox import discover

EXAMPLES = ROOT / "serving" / "examples"
AT = "2026-11-20T12:00:00+01:00"
WITH_CASES = ("--case-root", str(EXAMPLES))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def called(data: Path, name: str, arguments: dict[str, Any], *options: str) -> Any:
    """The whole result of one call, over a server of its own."""

    async def talk(client: Client) -> Any:
        return await client.call_tool(name, arguments)

    return over_stdio(talk, *options, data=data)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool_is_listed_with_its_signature_card_and_as_read_only(
    data: Path, mode: str
) -> None:
    async def talk(client: Client) -> Any:
        return (await client.list_tools()).tools

    listed = {tool.name: tool for tool in over_stdio(talk, data=data, mode=mode)}
    assert set(listed) == {*discover(), "assess_case", "search_guidelines", "show_passage"}
    for name, tool in discover().items():
        schema = listed[name].input_schema
        own = tool.input_schema()
        assert {k: v for k, v in schema["properties"].items() if k != "case"} == own["properties"]
        assert schema["additionalProperties"] is False
        assert tool.card.needs[0] in listed[name].description
        assert "research use only" in listed[name].description
    for tool in listed.values():
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False


def test_a_tool_gives_what_it_gives_without_the_protocol(data: Path) -> None:
    result = called(data, "heart", {})
    assert not result.is_error
    direct = discover()["heart"]().model_dump(mode="json", exclude_none=True)
    assert result.structured_content == {"result": direct, "notice": RESEARCH_USE}
    assert json.loads(result.content[0].text) == result.structured_content


def test_a_case_is_assessed_to_the_same_result(data: Path) -> None:
    result = called(data, "assess_case", {"path": "nstemi", "at": AT}, *WITH_CASES)
    moment = parse_fhir(AT, clock="test")
    direct = assess_paths([EXAMPLES / "nstemi"], at=moment, now=moment, settings=Settings())
    found = result.structured_content["result"]
    assert found["provenance"]["result_sha256"] == direct.assessment.provenance.result_sha256
    assert found["findings"] == direct.assessment.to_json()["findings"]
    assert found["notice"] == RESEARCH_USE


def test_an_ecg_is_analysed_by_its_id_in_a_case(data: Path) -> None:
    case = read_case([EXAMPLES / "stemi"], at=None, settings=Settings())
    recording = next(iter(case.recordings.values()))
    arguments: dict[str, Any] = {"case": "stemi", "recording": recording.id}
    schema = discover()["ecg_analysis"].input_schema()
    answers = _answers("stemi")
    arguments |= {name: answers[name] for name in schema["required"] if name in answers}
    result = called(data, "ecg_analysis", arguments, *WITH_CASES)
    assert not result.is_error, result.content
    assert result.structured_content["result"]


@pytest.mark.parametrize(
    ("name", "arguments", "item", "reason"),
    [
        pytest.param("heart", {"nonsense": 1}, "heart: nonsense", "no such argument", id="unknown"),
        pytest.param("heart", {"age_years": "old"}, "heart: age_years", "", id="wrong type"),
        pytest.param("serial_troponin", {}, "serial_troponin: samples", "required", id="missing"),
        pytest.param(
            "assess_case", {"path": "nowhere"}, "nowhere", "not below a folder", id="no such case"
        ),
        pytest.param(
            "assess_case", {"path": "nstemi", "at": "soon"}, "--at", "", id="no such time"
        ),
        pytest.param(
            "ecg_analysis",
            {"case": "nstemi", "recording": "0", "age_years": {}, "sex": {}},
            "ecg_analysis: age_years.concept",
            "required",
            id="incomplete finding",
        ),
        pytest.param(
            "search_guidelines", {"query": ""}, "search_guidelines: query", "", id="query"
        ),
        pytest.param(
            "search_guidelines", {"query": "a", "k": 1000}, "search_guidelines: k", "", id="k"
        ),
        pytest.param("show_passage", {"id": "card:none"}, "", "", id="no such passage"),
    ],
)
def test_what_is_refused_is_an_error_with_item_reason_and_way_out(
    data: Path, name: str, arguments: dict[str, Any], item: str, reason: str
) -> None:
    result = called(data, name, arguments, *WITH_CASES)
    assert result.is_error
    error = result.structured_content["error"]
    assert "result" not in result.structured_content
    assert error["item"].startswith(item)
    assert reason in error["reason"]
    assert error["reason"]
    assert error["kind"].endswith("Error")
    assert result.structured_content["notice"] == RESEARCH_USE


def test_an_unknown_tool_is_a_protocol_error(data: Path) -> None:
    async def talk(client: Client) -> Any:
        return await client.call_tool("prescribe", {})

    with pytest.raises(BaseException, match="no tool") as refused:
        over_stdio(talk, data=data)
    assert _is_protocol_error(refused.value)


def test_without_a_folder_of_cases_no_path_is_read(data: Path) -> None:
    result = called(data, "assess_case", {"path": str(EXAMPLES / "nstemi")})
    assert result.is_error
    assert "no folder of cases is open" in result.structured_content["error"]["reason"]


def test_guidelines_are_searched_and_shown_with_their_source(data: Path) -> None:
    async def talk(client: Client) -> Any:
        found = await client.call_tool("search_guidelines", {"query": "troponin", "k": 3})
        first = found.structured_content["result"]["hits"][0]["passage"]
        shown = await client.call_tool("show_passage", {"id": first["id"]})
        return found, first, shown

    found, first, shown = over_stdio(talk, data=data)
    assert len(found.structured_content["result"]["hits"]) == 3
    assert first["citation"]["label"]
    assert first["citation"]["review"]
    assert shown.structured_content["result"] == first


def test_no_hit_is_said_and_not_taken_as_no_recommendation(data: Path) -> None:
    arguments = {"query": "troponin", "published_from": "2199-01-01"}
    result = called(data, "search_guidelines", arguments)
    assert result.structured_content["result"]["hits"] == []
    assert "not evidence that no recommendation exists" in str(result.structured_content)


def test_standard_output_carries_the_protocol_only() -> None:
    program = """
import os, sys
from serving.mcp.offer import Offer
from serving.mcp.server import serve_stdio
def run(arguments):
    print("stray"); os.write(1, b"stray bytes\\n"); os.system("echo stray child")
    return {"done": True}
serve_stdio([Offer(name="noisy", title="n", description="d", input_schema={"type": "object"},
                   output_schema={"type": "object"}, run=run)])
"""
    info = {"name": "test", "version": "1"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info}
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "noisy"}},
    ]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(json.dumps(m) + "\n" for m in messages).encode())
    process.stdin.flush()
    lines = [process.stdout.readline(), process.stdout.readline()]
    rest, errors = process.communicate(timeout=30)
    replies = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert [reply["id"] for reply in replies] == [1, 2]
    assert replies[1]["result"]["structuredContent"]["result"] == {"done": True}
    assert b"stray" in errors


def test_the_command_line_does_not_import_the_protocol_at_its_start() -> None:
    program = (
        "import sys, typer; import serving.commands.mcp as c; c.register(typer.Typer()); "
        "sys.exit(any(m == 'mcp' or m.startswith(('mcp.', 'uvicorn', 'starlette')) "
        "for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0  # noqa: S603


def _answers(example: str) -> dict[str, Any]:
    from tools.chart.answers import resolve

    case = read_case([EXAMPLES / example], at=None, settings=Settings())
    assert case.at is not None
    findings = resolve(case.timeline, at=case.at).findings
    return {name: found.to_json() for name, found in findings.items()}


def _is_protocol_error(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_protocol_error(inner) for inner in error.exceptions)
    return isinstance(error, MCPError)
