"""Prompts are whole: every place filled, both languages alike."""

import hashlib
from pathlib import Path

import pytest

import agent.prompts
from agent.prompts import Prompt, load_prompt, prompt_names
from knowledge.errors import ReferenceDataError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "prompts_data" / "en").mkdir(parents=True)
    monkeypatch.setattr(agent.prompts, "files", lambda package: tmp_path)
    load_prompt.cache_clear()
    return tmp_path / "prompts_data" / "en"


def test_the_id_names_file_language_and_content(folder: Path) -> None:
    content = b'Answer {"a": 1} about $case. 5 $$'
    (folder / "plan.md").write_bytes(content)
    prompt = load_prompt("plan", "en")
    expected = hashlib.sha256(content).hexdigest()
    assert prompt.sha256 == expected
    assert prompt.id == f"plan.en@{expected[:12]}"
    assert prompt.render(case="$other") == 'Answer {"a": 1} about $other. 5 $'


@pytest.mark.parametrize("values", [{}, {"case": "a", "cards": "b"}])
def test_places_and_values_must_match(folder: Path, values: dict[str, str]) -> None:
    (folder / "plan.md").write_text("About $case.")
    with pytest.raises(ReferenceDataError, match=r"case|cards"):
        load_prompt("plan", "en").render(**values)


@pytest.mark.parametrize("content", [b"costs 5 $", b"\xff\xfe"])
def test_a_broken_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / "plan.md").write_bytes(content)
    with pytest.raises(ReferenceDataError):
        load_prompt("plan", "en")


@pytest.mark.parametrize(
    ("name", "language"), [("plan", "fr"), ("none", "en"), ("../en/plan", "en"), ("plan", "..")]
)
def test_an_unknown_prompt_is_refused(folder: Path, name: str, language: str) -> None:
    (folder / "plan.md").write_text("x")
    with pytest.raises(ReferenceDataError, match="no such prompt"):
        load_prompt(name, language)


def test_every_packaged_prompt_is_there_in_both_languages_with_the_same_places() -> None:
    load_prompt.cache_clear()
    names = {name.partition("/")[2] for name in prompt_names()}
    assert names
    for name in names:
        found: list[Prompt] = [load_prompt(name, language) for language in ("en", "zh")]
        assert found[0].places == found[1].places, name
