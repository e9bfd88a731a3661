"""Prompts of the project are those that the agent sends, in both languages."""

from pathlib import Path

import pytest

from agent.prompts import load_prompt
from knowledge.errors import UnreadableError
from knowledge.settings import Settings
from serving.llm.routing.prompts import EXAMPLES, project_prompts, read_prompts


def test_every_case_gives_the_agents_prompts_in_english_and_chinese(tmp_path: Path) -> None:
    found = project_prompts(Settings(data_dir=tmp_path))
    asked = {(case, language) for case, language, _ in (name.split("/") for name in found)}
    assert asked == {(case, language) for case in EXAMPLES for language in ("en", "zh")}
    purposes = {name.rpartition("-")[2] for name in found}
    assert {"plan", "coverage", "write"} <= purposes
    begins = load_prompt("plan", "en").text.split("$")[0].strip()[:40]
    plans = [m for name, m in found.items() if name.startswith("stemi/en") and "plan" in name]
    assert any(begins in message.content for message in plans[0])
    chinese = [m for name, m in found.items() if "/zh/" in name]
    assert all(any("\u4e00" <= c <= "\u9fff" for m in one for c in m.content) for one in chinese)


def test_prompts_of_a_file_are_read(tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"name": "a", "messages": [{"role": "user", "content": "x"}]}\n\n')
    (message,) = read_prompts(file)["a"]
    assert (message.role, message.content) == ("user", "x")


@pytest.mark.parametrize(
    "content", ["", "not JSON", '{"name": "a"}', '{"name": "a", "messages": [{"role": "x"}]}']
)
def test_another_file_is_refused_by_name(content: str, tmp_path: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text(content)
    with pytest.raises(UnreadableError, match=r"prompts\.jsonl"):
        read_prompts(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"none\.jsonl"):
        read_prompts(tmp_path / "none.jsonl")
