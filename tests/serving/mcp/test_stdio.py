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
from knowledge.finding import Finding
from knowledge.settings import Settings
from tests.serving.mcp.served import ROOT, over_stdio
from tools.chart.answers import resolve
from tools.intake.folder import read_case
from tools.toolbox import discover

EXAMPLES = ROOT / "serving" / "examples"
AT = "2026-11-20T12:00:00+01:00"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site") / "data"


@pytest.fixture(scope="module")
def answers(data: Path) -> dict[str, Any]:
    """What one client was told in one session, by the name of what it did."""
    case = read_case([EXAMPLES / "stemi"], at=None, settings=Settings())
    recording = next(iter(case.recordings.values()))
    ecg = {"case": "stemi", "recording": recording.id, **_patient("stemi")}
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        **{key: (name, arguments) for key, name, arguments, *_ in REFUSED},
        "heart": ("heart", {}),
        "case": ("assess_case", {"path": "nstemi", "at": AT}),
        "ecg": ("ecg_analysis", ecg),
        "no hit": ("search_guidelines", {"query": "troponin", "published_from": "2199-01-01"}),
        "search": ("search_guidelines", {"query": "troponin", "k": 3}),
    }

    async def talk(client: Client) -> dict[str, Any]:
        told: dict[str, Any] = {"tools": (await client.list_tools()).tools}
        for key, (name, arguments) in calls.items():
            told[key] = await client.call_tool(name, arguments)
        first = told["search"].structured_content["result"]["hits"][0]["passage"]
        told["show"] = await client.call_tool("show_passage", {"id": first["id"]})
        try:
            await client.call_tool("prescribe", {})
        except MCPError as error:
            told["unknown tool"] = error
        return told

    return over_stdio(talk, "--case-root", str(EXAMPLES), data=data)


REFUSED: tuple[tuple[str, str, dict[str, Any], str, str], ...] = (
    ("unknown argument", "heart", {"nonsense": 1}, "heart: nonsense", "no such argument"),
    ("wrong type", "heart", {"age_years": "old"}, "heart: age_years", "an object"),
    ("missing argument", "serial_troponin", {}, "serial_troponin: samples", "required"),
    ("no such case", "assess_case", {"path": "nowhere"}, "nowhere", "not below a folder"),
    ("no such time", "assess_case", {"path": "nstemi", "at": "soon"}, "time", "not a"),
    (
        "incomplete finding",
        "ecg_analysis",
        {"case": "nstemi", "recording": "0", "age_years": {}, "sex": {}},
        "ecg_analysis: age_years.concept",
        "required",
    ),
    ("no query", "search_guidelines", {"query": ""}, "search_guidelines: query", "at least 1"),
    ("k", "search_guidelines", {"query": "a", "k": 99}, "search_guidelines: k", "less than"),
    ("no such passage", "show_passage", {"id": "card:none"}, "passage", "none"),
)


def _check_listing(tools: Any) -> None:
    listed = {tool.name: tool for tool in tools}
    assert set(listed) == {*discover(), "assess_case", "search_guidelines", "show_passage"}
    for name, tool in discover().items():
        schema, own = listed[name].input_schema, tool.input_schema()
        assert {k: v for k, v in schema["properties"].items() if k != "case"} == own["properties"]
        assert schema["additionalProperties"] is False
        assert tool.card.needs[0] in listed[name].description
        assert "research use only" in listed[name].description
    for tool in listed.values():
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.destructive_hint is False


def test_every_tool_is_listed_with_its_signature_card_and_as_read_only(
    answers: dict[str, Any],
) -> None:
    _check_listing(answers["tools"])


def test_a_client_of_the_older_protocol_sees_and_calls_the_same(
    data: Path, answers: dict[str, Any]
) -> None:
    async def talk(client: Client) -> Any:
        return (await client.list_tools()).tools, await client.call_tool("heart", {})

    tools, result = over_stdio(talk, data=data, mode="legacy")
    _check_listing(tools)
    assert result.structured_content == answers["heart"].structured_content


def test_a_tool_gives_what_it_gives_without_the_protocol(answers: dict[str, Any]) -> None:
    result = answers["heart"]
    assert not result.is_error
    direct = discover()["heart"]().model_dump(mode="json", exclude_none=True)
    assert result.structured_content == {"result": direct, "notice": RESEARCH_USE}
    assert json.loads(result.content[0].text) == result.structured_content


def test_a_case_is_assessed_to_the_same_result(answers: dict[str, Any]) -> None:
    moment = parse_fhir(AT, clock="test")
    direct = assess_paths([EXAMPLES / "nstemi"], at=moment, now=moment, settings=Settings())
    found = answers["case"].structured_content["result"]
    assert found["provenance"]["result_sha256"] == direct.assessment.provenance.result_sha256
    assert found["findings"] == direct.assessment.to_json()["findings"]
    assert found["notice"] == RESEARCH_USE


def test_an_ecg_is_analysed_by_its_id_in_a_case(answers: dict[str, Any]) -> None:
    case = read_case([EXAMPLES / "stemi"], at=None, settings=Settings())
    recording = next(iter(case.recordings.values()))
    given = {name: Finding.model_validate(value) for name, value in _patient("stemi").items()}
    direct = discover()["ecg_analysis"](recording, **given)
    result = answers["ecg"]
    assert not result.is_error, result.content
    assert result.structured_content["result"] == direct.model_dump(mode="json", exclude_none=True)


@pytest.mark.parametrize(
    ("key", "item", "reason"),
    [pytest.param(key, item, reason, id=key) for key, _, _, item, reason in REFUSED],
)
def test_what_is_refused_is_an_error_with_item_reason_and_way_out(
    answers: dict[str, Any], key: str, item: str, reason: str
) -> None:
    result = answers[key]
    assert result.is_error
    assert set(result.structured_content) == {"error", "notice"}
    error = result.structured_content["error"]
    assert error["item"].startswith(item)
    assert reason in error["reason"]
    assert error["way_out"]
    assert error["kind"] in ("InvalidValueError", "ContractError")


def test_an_unknown_tool_is_a_protocol_error(answers: dict[str, Any]) -> None:
    assert "there is no tool 'prescribe'" in answers["unknown tool"].message


def test_guidelines_are_searched_and_shown_with_their_source(answers: dict[str, Any]) -> None:
    hits = answers["search"].structured_content["result"]["hits"]
    assert len(hits) == 3
    assert hits[0]["passage"]["citation"]["label"]
    assert hits[0]["passage"]["citation"]["review"]
    assert answers["show"].structured_content["result"] == hits[0]["passage"]


def test_no_hit_is_said_and_not_taken_as_no_recommendation(answers: dict[str, Any]) -> None:
    found = answers["no hit"].structured_content["result"]
    assert found["hits"] == []
    assert "not evidence that no recommendation exists" in found["said"][0]


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
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT)  # noqa: S603
    assert done.returncode == 0


def _patient(example: str) -> dict[str, Any]:
    """What the ECG tool is told of the patient."""
    case = read_case([EXAMPLES / example], at=None, settings=Settings())
    assert case.at is not None
    findings = resolve(case.timeline, at=case.at).findings
    return {name: findings[name].to_json() for name in ("age_years", "sex")}
