import hashlib
from pathlib import Path

import pytest

from knowledge.errors import UnavailableError
from serving.storage.files import FileStore


def test_the_same_bytes_are_kept_once_under_their_sha256(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    first = store.put(b"abc")
    # FIPS 180-2, appendix B.1: the digest of "abc".
    assert first == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.put(b"abc") == first
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert store.get(first) == b"abc"


def test_a_file_that_changed_on_the_disk_is_never_handed_out(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    name = store.put(b"troponin 12")
    store.path(name).write_bytes(b"troponin 120")
    with pytest.raises(UnavailableError, match="has changed on the disk"):
        store.get(name)


def test_a_file_that_is_gone_is_an_error_and_not_empty(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="is not in the file store"):
        FileStore(tmp_path).get(hashlib.sha256(b"gone").hexdigest())


@pytest.mark.parametrize("name", ["../../etc/passwd", "a" * 63, "A" * 64, ""])
def test_only_a_hash_is_an_address(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        FileStore(tmp_path).path(name)
