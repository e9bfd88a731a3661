"""The record of switches: chained, and what may answer by it."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from agent.llm.pool.approval import (
    GENESIS,
    Approval,
    ApprovalFile,
    NotAssessed,
    Setup,
    newest,
    prompts_hash,
    unapproved,
)
from agent.prompts import prompt_names
from knowledge.errors import UnavailableError
from tests.agent.llm.pool.pools import pool_file

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PROMPTS = "a" * 64


def approval(model: str = "moe", *, revision: str = "r1", prompts: str = PROMPTS) -> Approval:
    return Approval(
        number=0,
        at=NOON,
        by="Dr. M",
        setup=Setup(model=model, revision=revision, prompts_sha256=prompts),
        report_sha256="b" * 64,
        figures=(),
        epicrisis="0.1.0",
    )


def reasons(*approvals: Approval, prompts: str = PROMPTS) -> dict[str, str]:
    file = pool_file({"name": "a"}, approval={"required": True})
    return dict(unapproved(file, approvals, prompts_sha256=prompts))


def test_the_chain_is_that_of_its_lines(tmp_path: Path) -> None:
    file = ApprovalFile(tmp_path / "new" / "approvals.jsonl")
    assert file.all() == ()
    first, second = file.add(approval()), file.add(approval(revision="r2"))
    assert file.all() == (first, second)
    assert (first.number, first.previous, first.replaces) == (1, "0" * 64, None)
    assert second.previous == first.sha256
    assert second.replaces == first.setup
    line = orjson.loads((tmp_path / "new" / "approvals.jsonl").read_bytes().splitlines()[0])
    said = line.pop("sha256")
    assert said == hashlib.sha256(orjson.dumps(line, option=orjson.OPT_SORT_KEYS)).hexdigest()


BEFORE = (  # as it was written before records had `not_assessed`
    b'{"number":1,"at":"2026-11-20T09:30:00Z","by":"Dr. M","setup":{"model":"moe","sha256":null,'
    b'"revision":"r1","server":"vllm 0.32.0","prompts_sha256":"%b","index_sha256":"%b"},'
    b'"replaces":null,"report_sha256":"%b","figures":[{"task":"grounding","system":"agent",'
    b'"metric":"right","share":0.75,"low":0.5,"high":0.9,"of":4.0}],"epicrisis":"0.9.0",'
    b'"previous":"%b",'
    b'"sha256":"caba3e30898d1108de202332f60f9c3b57800eef49e76d00e1b8adbea6790d94"}\n'
    % tuple(letter * 64 for letter in (b"a", b"b", b"c", b"0"))
)


def test_a_record_of_an_earlier_version_is_read_and_added_to(tmp_path: Path) -> None:
    path = tmp_path / "approvals.jsonl"
    path.write_bytes(BEFORE)
    file = ApprovalFile(path)
    (before,) = file.all()
    assert before.not_assessed == ()
    absent = (NotAssessed(task="chest_pain", cases=("c1", "c2")),)
    second = file.add(approval().model_copy(update={"not_assessed": absent}))
    assert file.all() == (before, second)
    path.write_bytes(path.read_bytes().replace(b'"c2"', b'"c3"'))
    with pytest.raises(UnavailableError, match="line 2"):
        file.all()


@pytest.mark.parametrize("change", ["changed", "taken out", "no record"])
def test_a_line_that_is_not_as_it_was_written_approves_nothing(tmp_path: Path, change: str) -> None:
    path = tmp_path / "approvals.jsonl"
    file = ApprovalFile(path)
    file.add(approval())
    file.add(approval(revision="r2"))
    lines = path.read_bytes().splitlines()
    match change:
        case "changed":
            lines[0] = lines[0].replace(b"Dr. M", b"Dr. N")
        case "taken out":
            del lines[0]
        case _:
            lines[1] = b"{}"
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(UnavailableError, match="line"):
        file.all()
    with pytest.raises(UnavailableError):
        file.add(approval())


def test_a_line_break_that_the_last_record_lacks_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "approvals.jsonl"
    file = ApprovalFile(path)
    first = file.add(approval())
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    second = file.add(approval(revision="r2"))
    assert file.all() == (first, second)


def test_a_record_that_was_written_in_part_is_not_added_to(tmp_path: Path) -> None:
    path = tmp_path / "approvals.jsonl"
    file = ApprovalFile(path)
    file.add(approval())
    file.add(approval(revision="r2"))
    torn = path.read_bytes()[:-40]
    path.write_bytes(torn)
    with pytest.raises(UnavailableError, match="line 2: is not a record"):
        file.add(approval(revision="r3"))
    assert path.read_bytes() == torn


def test_a_cut_at_the_end_is_not_found_by_the_file_but_changes_its_end(tmp_path: Path) -> None:
    path = tmp_path / "approvals.jsonl"
    file = ApprovalFile(path)
    assert file.end() == GENESIS
    first, second = file.add(approval()), file.add(approval(revision="r2"))
    assert file.end() == second.sha256
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert file.all() == (first,)
    assert file.end() == first.sha256


def test_writers_at_once_keep_every_record(tmp_path: Path) -> None:
    path = tmp_path / "approvals.jsonl"

    def add(number: int) -> None:
        ApprovalFile(path).add(approval(revision=f"r{number}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(24)))
    assert {one.setup.revision for one in ApprovalFile(path).all()} == {f"r{n}" for n in range(24)}


def test_a_record_is_synced_before_it_counts_and_taken_back_where_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "approvals.jsonl"
    file = ApprovalFile(path)
    file.add(approval())
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        assert path.read_bytes() != before
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UnavailableError, match="No space left"):
            file.add(approval(revision="r2"))
    assert path.read_bytes() == before


def test_nothing_is_kept_where_the_block_raises(tmp_path: Path) -> None:
    file = ApprovalFile(tmp_path / "approvals.jsonl")
    block = file.keeping(approval())
    assert block.__enter__().number == 1
    down = UnavailableError("audit", "is down")
    assert not block.__exit__(type(down), down, None)
    assert file.all() == ()


def test_a_model_answers_with_the_weights_and_prompts_it_was_evaluated_with() -> None:
    assert reasons(approval()) == {}
    assert "no evaluation of it is recorded" in reasons()["moe"]
    assert (
        "not approved with these weights, only with r2" in reasons(approval(revision="r2"))["moe"]
    )
    assert "prompts of this version" in reasons(approval(), prompts="c" * 64)["moe"]
    assert "no evaluation" in reasons(approval("other"))["moe"]


def test_the_newest_record_of_a_model_counts() -> None:
    records = (approval(), approval("other"), approval(revision="r2"))
    found = newest(records, "moe")
    assert found is not None
    assert found.revision == "r2"
    assert "only with r2" in reasons(*records)["moe"]


def test_a_site_may_do_without() -> None:
    file = pool_file({"name": "a"})
    assert unapproved(file, (), prompts_sha256=PROMPTS) == {}


def test_the_hash_of_the_prompts_is_of_every_file() -> None:
    from importlib.resources import files

    root = files("agent") / "prompts_data"
    lines = []
    for name in sorted(prompt_names()):
        content = root.joinpath(*f"{name}.md".split("/")).read_bytes()
        lines.append(f"{name} {hashlib.sha256(content).hexdigest()}")
    assert prompts_hash() == hashlib.sha256("\n".join(lines).encode()).hexdigest()
