"""The record of hashes: believed only where it is exactly what was written."""

import os
from pathlib import Path

import orjson
import pytest

from knowledge.weights_cache import known_sha256

# FIPS 180-2, appendix B.1: SHA-256 of "abc"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(b"abc")
    return path


def stamp(file: Path) -> list[int]:
    return [file.stat().st_size, file.stat().st_mtime_ns]


def test_a_hash_of_the_same_size_and_time_is_not_read_again(file: Path, tmp_path: Path) -> None:
    record = tmp_path / ".hashed"
    known = "0" * 64
    record.write_bytes(orjson.dumps({str(file): [*stamp(file), known]}))
    assert known_sha256(file, record) == known


@pytest.mark.parametrize(
    "rest",
    [[], [None], [7], [""], ["abc"], ["g" * 64], ["0" * 65], ["0" * 64, "more"]],
    ids=["short", "null", "number", "empty", "no hash", "no hex", "too long", "too many"],
)
def test_an_entry_that_is_not_exact_is_hashed_again_and_mended(
    file: Path, tmp_path: Path, rest: list[object]
) -> None:
    record = tmp_path / ".hashed"
    record.write_bytes(orjson.dumps({str(file): [*stamp(file), *rest]}))
    assert known_sha256(file, record) == ABC
    assert orjson.loads(record.read_bytes()) == {str(file): [*stamp(file), ABC]}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b"7", b"[" * 100_000],
    ids=["empty", "cut", "null", "list", "bytes", "number", "deep"],
)
def test_a_record_that_is_damaged_is_hashed_again(
    file: Path, tmp_path: Path, content: bytes
) -> None:
    record = tmp_path / ".hashed"
    record.write_bytes(content)
    assert known_sha256(file, record) == ABC


@pytest.mark.parametrize("entry", [None, 3, "0" * 64, {}, [1.0, True, "0" * 64]])
def test_an_entry_of_another_kind_is_hashed_again(
    file: Path, tmp_path: Path, entry: object
) -> None:
    record = tmp_path / ".hashed"
    record.write_bytes(orjson.dumps({str(file): entry}))
    assert known_sha256(file, record) == ABC


def test_a_path_that_is_not_utf_8_is_hashed_and_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.bin")
    path.write_bytes(b"abc")
    assert known_sha256(path, tmp_path / ".hashed") == ABC
    assert not (tmp_path / ".hashed").exists()
