"""What one call is charged: as the server counts, as far as that can be true."""

import logging
from collections.abc import Iterator

import pytest

from agent.llm.charge import charged, most_of_prompt, tell
from agent.llm.seam import ToolSpec, Usage
from tests.agent.llm.asking import SCHEMA, asking

ASKED = asking("y" * 100, max_tokens=20)
MOST_PROMPT = 100 + 16  # a byte each, and what a template adds per message


@pytest.fixture(autouse=True)
def nobody_was_told_of() -> Iterator[None]:
    tell.cache_clear()
    yield
    tell.cache_clear()


@pytest.mark.parametrize(
    ("prompt", "reply", "tokens"),
    [
        (30, 7, 37),
        (0, 0, MOST_PROMPT + 5),
        (0, 7, MOST_PROMPT + 7),
        (2**62, 7, MOST_PROMPT + 7),
        (30, 2**62, 50),
        (2**70, 2**70, MOST_PROMPT + 20),
    ],
    ids=["as counted", "not said", "half said", "prompt a lie", "reply a lie", "both"],
)
def test_a_count_is_taken_as_far_as_it_can_be_true(prompt: int, reply: int, tokens: int) -> None:
    usage = Usage(prompt_tokens=prompt, completion_tokens=reply)
    assert charged(ASKED, usage, "hello") == tokens


def test_a_reply_that_is_not_counted_has_no_more_than_was_asked_for() -> None:
    assert charged(ASKED, Usage(), "z" * 1000) == MOST_PROMPT + 20


def test_tools_and_schema_are_part_of_the_prompt() -> None:
    tool = ToolSpec(name="x", description="d" * 500, parameters={"type": "object"})
    asked = ASKED.model_copy(update={"tools": (tool,)})
    assert most_of_prompt(asked) >= MOST_PROMPT + 500
    assert most_of_prompt(ASKED.model_copy(update={"json_schema": SCHEMA})) > MOST_PROMPT + 80


def test_it_is_told_once_of_each_server_and_without_words_of_the_patient(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = asking("John Doe", max_tokens=20)
    with caplog.at_level(logging.WARNING):
        charged(asked, Usage(prompt_tokens=900), "Mr Doe", server="moe-1")  # a template may be long
        assert not caplog.messages
        for server in ("moe-1", "moe-1", "site-2"):
            charged(asked, Usage(prompt_tokens=2**62), "Mr Doe", server=server)
    assert [message.split(" counts")[0] for message in caplog.messages] == [
        "backend moe-1",
        "backend site-2",
    ]
    assert "Doe" not in caplog.text
