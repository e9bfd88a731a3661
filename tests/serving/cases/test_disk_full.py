"""A full disk: a clear answer, and nothing that was accepted is lost."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.errors import UnavailableError
from serving.storage.files import FileStore
from tests.serving.cases.fresh import example, fresh, parts

ROOT = Path(__file__).parents[3]
MIB = 1024 * 1024


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    made = subprocess.run(  # noqa: S603 - fixed arguments
        ["/usr/bin/mount", *options], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["/usr/bin/umount", str(folder)], check=True)  # noqa: S603


def fill(hog: Path) -> None:
    with hog.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_an_upload_that_does_not_fit_is_refused_and_the_rest_stays(
    tiny: Path, tmp_path: Path
) -> None:
    with fresh(tmp_path, data_dir=tiny, max_file_mib=16) as made:
        client = made.client()
        opened = client.post("/v1/cases", data={"label": "bed 7"}, files=parts(example()))
        assert opened.status_code == 201, opened.text
        case = opened.json()["id"]
        before = client.get(f"/v1/cases/{case}").json()
        big = parts([("small.txt", b"fits"), ("big.bin", bytes(8 * MIB))])
        answer = client.post(f"/v1/cases/{case}/files", files=big)
        assert answer.status_code == 503, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "No space left" in answer.json()["reason"]
        assert client.get(f"/v1/cases/{case}").json() == before
        assert client.post(f"/v1/cases/{case}/assessments").status_code == 200
        assert not [path for path in tiny.rglob("tmp*") if path.is_file()]


def test_a_database_without_room_says_so_and_keeps_what_it_had(tiny: Path, tmp_path: Path) -> None:
    with fresh(tiny, data_dir=tmp_path / "data") as made:
        client = made.client()
        opened = client.post("/v1/cases", data={"label": "bed 7"}, files=parts(example()))
        assert opened.status_code == 201, opened.text
        case = opened.json()["id"]
        hog = tiny / "hog"
        with pytest.raises(OSError, match="No space"):
            fill(hog)
        made.clock.later(minutes=10)
        answer = client.post(f"/v1/cases/{case}/answers", json={"input": "ckd", "value": "yes"})
        assert answer.status_code == 503, answer.text
        assert "database" in answer.json()["item"]
        hog.unlink()
        answer = client.post(f"/v1/cases/{case}/answers", json={"input": "ckd", "value": "yes"})
        assert (answer.status_code, answer.json()["version"]) == (200, 2)


def test_a_limit_on_file_size_is_said_as_a_full_disk_is(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from knowledge.errors import UnavailableError\n"
        "from serving.storage.files import FileStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "store = FileStore(Path(sys.argv[1]))\n"
        "kept = store.put(b'small')\n"
        "try:\n"
        "    store.put(bytes(8192))\n"
        "except UnavailableError as error:\n"
        "    sys.stdout.write(f'{kept} {error.reason}')\n"
    )
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    kept, _, reason = done.stdout.partition(" ")
    assert reason == "cannot be written: File too large"
    assert FileStore(tmp_path).get(kept) == b"small"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_a_content_changed_on_the_disk_is_never_read_as_what_was_sent(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    kept = store.put(b"troponin 5 ng/L")
    path = store.path(kept)
    path.write_bytes(b"troponin 9 ng/L")
    with pytest.raises(UnavailableError, match="has changed on the disk"):
        store.get(kept)
