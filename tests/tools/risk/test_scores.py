"""One tool for each score file, with a schema made from the score's clinical inputs."""

from importlib import import_module

import pytest

from knowledge.scores import score, score_ids
from tests.tools.risk.given import given
from tools.risk.score import evaluate, inputs_of
from tools.risk.scores import score_tools
from tools.toolbox import discover

VALIDATOR = import_module("jsonschema").Draft202012Validator
TOOLS = {tool.name: tool for tool in score_tools()}


def test_every_score_is_found_as_a_tool() -> None:
    found = discover()
    assert set(score_ids()) <= set(found)


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_schema_lists_each_clinical_input_with_its_question(name: str) -> None:
    schema = TOOLS[name].input_schema()
    VALIDATOR.check_schema(schema)
    assert tuple(schema["properties"]) == inputs_of(name)
    assert all("?" in p["description"] for p in schema["properties"].values())
    assert "required" not in schema
    VALIDATOR.check_schema(TOOLS[name].output_schema())


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_card_says_needs_refusals_limits_and_sources(name: str) -> None:
    tool = TOOLS[name]
    assert tool.card.regulatory == "evidence-cds"
    assert tool.version == score(name).version
    assert tool.summary == score(name).purpose
    assert tool.card.needs
    assert tool.card.refuses
    assert tool.card.limits
    assert tool.card.sources


def test_tool_call_equals_evaluation() -> None:
    findings = given(age_years=70, known_cad=True)
    assert TOOLS["heart"](**findings, diabetes=None) == evaluate("heart", findings)


def test_d_dimer_argument_says_its_unit_and_that_it_is_feu() -> None:
    described = TOOLS["years"].input_schema()["properties"]["d_dimer_feu"]["description"]
    assert "fibrinogen-equivalent" in described
    assert "ng/mL" in described
