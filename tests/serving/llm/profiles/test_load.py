"""Reading profiles: what is refused, and how a model is found."""

from importlib.resources import files

import pytest

from knowledge.errors import ReferenceDataError
from serving.llm.launch.options import known_options
from serving.llm.profiles.load import UnknownModelError, parse, profile, profiles

REQUIRED = {
    "qwen3-30b-a3b", "qwen3-vl-30b-a3b", "qwen3.6-35b-a3b", "qwen3-next-80b-a3b",
    "qwen3-235b-a22b", "gpt-oss-20b", "gpt-oss-120b", "deepseek-v3", "deepseek-r1", "glm-4.5-air",
    "glm-4.5v", "mixtral-8x7b", "mixtral-8x22b", "medgemma-27b", "medgemma-4b",
    "qwen2.5-coder-1.5b", "qwen3-4b", "smollm2-135m", "smollm2-135m-moe4",
}  # fmt: skip


def _raw(name: str = "qwen3-30b-a3b") -> str:
    return files("serving.llm.profiles").joinpath("data", f"{name}.yaml").read_text()


def test_every_model_that_was_asked_for_is_there() -> None:
    assert profiles().keys() >= REQUIRED


@pytest.mark.parametrize("one", profiles().values(), ids=lambda one: one.id)
def test_parsers_are_registered_in_vllm(one: object) -> None:
    habits = profile(str(getattr(one, "id", ""))).habits
    assert habits.tool_parser is None or habits.tool_parser in known_options().tool_parsers
    assert (
        habits.reasoning_parser is None
        or habits.reasoning_parser in known_options().reasoning_parsers
    )


@pytest.mark.parametrize("one", profiles().values(), ids=lambda one: one.id)
def test_a_licence_that_restricts_clinical_use_says_how(one: object) -> None:
    licence = profile(str(getattr(one, "id", ""))).licence
    assert licence.sure
    assert (licence.clinical_use == "restricted") == ("Clinical Use" in licence.terms)


def test_medgemma_is_marked_as_restricted_for_clinical_use() -> None:
    for name in ("medgemma-4b", "medgemma-27b"):
        assert profile(name).licence.clinical_use == "restricted"


@pytest.mark.parametrize(
    "name", ["Qwen3-30B-A3B", "qwen/qwen3-30b-a3b-instruct-2507", " QWEN3-30b-a3b "]
)
def test_a_model_is_found_by_id_name_and_repository(name: str) -> None:
    assert profile(name).id == "qwen3-30b-a3b"


def test_an_unknown_model_is_refused_with_near_matches() -> None:
    with pytest.raises(UnknownModelError, match=r"did you mean .*gpt-oss-120b"):
        profile("gpt-oss-120")


def test_a_model_like_none_is_refused_with_the_way_to_the_list() -> None:
    with pytest.raises(UnknownModelError, match="epicrisis llm profiles"):
        profile("zzzzzzzzzzzz")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("heads: 32", "heads: thirty", "attention.full.heads"),
        ("heads: 32,", "", "attention.full.heads"),
        ("pattern: [full]", "pattern: [linear]", "its sizes are missing"),
        ("source: megatron", "source: hearsay", "no source 'hearsay'"),
        ("id: qwen3-30b-a3b", "id: qwen3", "not the name of the file"),
        ("vision: false", "vision: true", "vision_tower"),
        ("vision: false", "vision: false\nvisible: false", "visible"),
        ("review: S", "review: X", "review"),
        ("native_tokens: 262144", "native_tokens: 0", "context.native_tokens"),
        ("id: qwen3-30b-a3b", "id: qwen3-30b-a3b\nid: twice", "key given twice"),
    ],
)
def test_a_damaged_file_is_refused_and_named(old: str, new: str, says: str) -> None:
    text = _raw()
    assert old in text
    with pytest.raises(ReferenceDataError, match=r"qwen3-30b-a3b\.yaml") as caught:
        parse("qwen3-30b-a3b.yaml", text.replace(old, new, 1).encode())
    assert says in str(caught.value)


def test_a_group_may_be_absent_only_with_a_reason() -> None:
    text = _raw("deepseek-v4-flash").replace("  shape: The configuration file was not read.\n", "")
    with pytest.raises(ReferenceDataError, match="shape: either its fields or a reason"):
        parse("deepseek-v4-flash.yaml", text.encode())
