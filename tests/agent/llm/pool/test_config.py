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
        ("weight: 2", "weight: 0", r"tenants.north.weight: .* 0\.01"),
        ("weight: 2", "weight: .inf", r"tenants.north.weight: .*finite"),
        ("weight: 2", "weight: .nan", r"tenants.north.weight: .*finite"),
        ("weight: 2", "weight: 1.0e-320", r"tenants.north.weight: .* 0\.01"),
        ("weight: 2", "weight: 1000", r"tenants.north.weight: .* 100"),
        ("weight: 2", "at_once: true", r"tenants.north.at_once: .*integer"),
        ("weight: 2", "tokens_per_day: 1.5", r"tenants.north.tokens_per_day: .*integer"),
        ("at_once: 1,", "at_once: true,", r"backends.1.at_once: .*integer"),
        ("at_once: 1,", "at_once: 100000,", r"backends.1.at_once: .* 4096"),
        ("at_once: 1,", "answer_s: .inf,", r"backends.1.answer_s: .*finite"),
        ("at_once: 1,", "answer_s: 1.0e+9,", r"backends.1.answer_s: .* 86400"),
        ("local: true,", "local: 1,", r"backends.1.local"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1\\n:8000/v1", "backends.0: .*url: holds"),
        ("http://127.0.0.1:8000/v1", "http://llm host/v1", "backends.0: .*url: holds"),
        ("shadow:", "breaker: {open_s: .inf}\nshadow:", r"breaker.open_s: .*finite"),
        ("shadow:", "breaker: {rate: .nan}\nshadow:", r"breaker.rate: .*finite"),
        ("shadow:", "health: {every_s: 1.0e-9}\nshadow:", r"health.every_s: .* 0\.05"),
        ("shadow:", "queue: {emergency_s: .inf}\nshadow:", r"queue.emergency_s: .*finite"),
        ("shadow:", "queue: {emergency_reserve: 1.0}\nshadow:", r"emergency_reserve: .* 0\.9"),
        ("shadow:", "queue: {emergency_places: true}\nshadow:", r"emergency_places: .*integer"),
        ("shadow:", "queue: {emergency_places: -1}\nshadow:", r"emergency_places: .* 0"),
        ("shadow:", "queue: {attempts: true}\nshadow:", r"queue.attempts: .*integer"),
        ("llm-pool/1", "llm-pool/2", "epicrisis/llm-pool/1"),
        ("tenants:\n  north", f"tenants:\n  {OTHERS}", "reserved"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(before: str, after: str, said: str) -> None:
    assert before in GOOD
    with pytest.raises(InvalidValueError, match=said):
        parsed_pool(GOOD.replace(before, after, 1).encode(), "pool.yaml")


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ("https://ehr.north.example.org/fhir/", "is tenant north already"),
        ("HTTPS://EHR.north.example.org/fhir", "is tenant north already"),
        (" https://ehr.north.example.org/fhir", "is tenant north already"),
        ("north", "is tenant north already"),
        (OTHERS, f"is tenant {OTHERS} already"),
        ("/", "an entry is empty"),
    ],
    ids=["slash", "capitals", "blank", "name of another", "reserved", "nothing"],
)
def test_two_tenants_never_match_the_same(match: str, said: str) -> None:
    text = GOOD.replace("shadow:", f'  south: {{match: ["{match}"]}}\nshadow:')
    with pytest.raises(InvalidValueError, match=rf"tenants\.south\.match: .*{said}"):
        parsed_pool(text.encode(), "pool.yaml")


def test_one_hospital_is_found_however_its_address_is_written() -> None:
    text = GOOD.replace('fhir"]', 'fhir", "https://ehr.north.example.org/fhir/"]')
    file = parsed_pool(text.encode(), "pool.yaml")
    assert file.tenant_of("HTTPS://EHR.North.example.org/fhir//") == "north"
    assert file.tenant_of("https://ehr.north.example.org/FHIR") == OTHERS
    assert file.tenant_of("/") == OTHERS


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
