"""The file of the pool: what is refused, with the field."""

from pathlib import Path

import pytest

from agent.llm.pool.config import OTHERS, PoolFile, key_of, parsed_pool, read_pool
from knowledge.errors import InvalidValueError
from serving.commands.schema import json_schema
from tests.data_folder import ROOT

GOOD = """
schema: epicrisis/llm-pool/1
models:
  moe: {revision: "hub/moe@1"}
  small: {sha256: cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046}
backends:
  - {name: a, url: "http://127.0.0.1:8000/v1", model: moe, patient_data: allowed}
  - {name: cpu, local: true, model: small, priority: 9, at_once: 1, patient_data: allowed}
  - {name: next, url: "http://127.0.0.1:8001", model: moe, patient_data: not allowed,
     candidate: true}
tenants:
  north: {match: ["https://ehr.north.example.org/fhir"], weight: 2}
shadow: {backend: next, share: 0.1}
"""


def test_a_whole_file_is_read() -> None:
    file = parsed_pool(GOOD.encode(), "pool.yaml")
    assert [row.name for row in file.backends] == ["a", "cpu", "next"]
    assert file.approval.required
    assert file.tenant_of("https://ehr.north.example.org/fhir/") == "north"
    assert file.tenant_of("north") == "north"
    assert file.tenant_of("https://elsewhere.example.org") == OTHERS
    assert file.tenant_of("") == OTHERS
    assert file.tenant("north").weight == 2
    assert PoolFile.model_json_schema()["properties"]["schema"]["const"] == "epicrisis/llm-pool/1"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("priority: 9", "prioriti: 9", "prioriti"),
        ("priority: 9", "priority: 9, priority: 1", "key given twice: priority"),
        ("local: true,", "", "give either url, or local"),
        ("http://127.0.0.1:8000/v1", "ftp://a", "not an http address"),
        ("http://127.0.0.1:8000/v1", "http://u:p@a/v1", "carries more"),
        ("model: moe, patient_data: allowed", "model: other, patient_data: allowed", "not among"),
        ("patient_data: allowed}\n  - {name: cpu", "}\n  - {name: cpu", "patient_data"),
        ("name: cpu", "name: a", "is there twice"),
        ('{revision: "hub/moe@1"}', "{}", "give sha256 or revision"),
        ("backend: next", "backend: cpu", "no backend with candidate"),
        ("share: 0.1", "share: 1.1", "less than or equal to 1"),
        ("weight: 2", "weight: 0", "greater than 0"),
        ("llm-pool/1", "llm-pool/2", "epicrisis/llm-pool/1"),
        ("tenants:\n  north", f"tenants:\n  {OTHERS}", "reserved"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(before: str, after: str, said: str) -> None:
    assert before in GOOD
    with pytest.raises(InvalidValueError, match=said):
        parsed_pool(GOOD.replace(before, after, 1).encode(), "pool.yaml")


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"[]", b"", b"- 1", b"{" * 5000])
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValueError):
        parsed_pool(content, "pool.yaml")


def test_the_example_that_is_shipped_is_a_pool() -> None:
    file = read_pool(ROOT / "deploy" / "llm-pool.example.yaml")
    assert [row.priority for row in file.backends] == [1, 2, 9, 1]
    assert file.backends[2].local
    assert file.approval.required
    assert json_schema("llm-pool")["properties"].keys() >= {"models", "backends", "tenants"}


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="cannot be read"):
        read_pool(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_bytes(b" " * (1 << 21))
    with pytest.raises(InvalidValueError, match="larger than a MiB"):
        read_pool(tmp_path / "big.yaml")


def test_keys_are_in_files_of_their_own_and_never_shown(tmp_path: Path) -> None:
    key = tmp_path / "a.key"
    key.write_text("very-secret\n")
    row = parsed_pool(GOOD.encode(), "p").backends[0]
    assert key_of(row) is None
    found = key_of(row.model_copy(update={"api_key_file": key}))
    assert found is not None
    assert found.get_secret_value() == "very-secret"
    assert "secret" not in repr(found)
    key.write_text("VLLM_API_KEY=very-secret\n")  # as the launcher writes it
    launched = key_of(row.model_copy(update={"api_key_file": key}))
    assert launched == found
    for content in (b"", b"a\nb", b"\xff"):
        key.write_bytes(content)
        with pytest.raises(InvalidValueError) as refused:
            key_of(row.model_copy(update={"api_key_file": key}))
        assert "a\nb" not in str(refused.value)
