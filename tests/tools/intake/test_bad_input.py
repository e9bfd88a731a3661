"""Bad input: a listed reason for the file, and the rest of the case still works."""

import gzip
import os
import socket
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.errors import TooLargeError
from knowledge.settings import Settings
from tests.tools.intake.samples import bundle, observation, patient, read, report, write

CHART = orjson.dumps(bundle(patient(), observation()))


def zipped(flag: int = 0) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", b"0" * 50_000_000)
    content = bytearray(made.getvalue())
    content[6] |= flag
    return bytes(content)


def scrambled(size: int = 5000) -> bytes:
    """Bytes without structure, as of an encrypted file; the same on every run."""
    return b"".join(
        zlib.crc32(bytes([i % 256, i // 256])).to_bytes(4, "little") for i in range(size // 4)
    )


CONTENTS: list[tuple[str, bytes, str, str]] = [
    ("cut.json", CHART[: len(CHART) // 2], "failed", "not JSON"),
    ("corrupted.json", CHART[:200] + b"\x00\x01\x02" + CHART[203:], "failed", "corrupted"),
    ("latin1.json", CHART.replace(b"Muster", "Müster".encode("latin-1")), "failed", "not JSON"),
    ("encrypted.json", scrambled(), "failed", "corrupted, encrypted or mislabelled"),
    ("encrypted.bin", scrambled(), "ignored", "not recognised"),
    ("mislabelled.dcm", b"just words", "failed", "named like DICOM"),
    ("deep.json", b'{"a":' * 3000 + b"1" + b"}" * 3000, "failed", "not JSON"),
    ("infinite.json", CHART.replace(b"12.0", b"1e400"), "failed", "not JSON"),
    ("nan.json", CHART.replace(b"12.0", b"NaN"), "failed", "not JSON"),
    ("empty.json", b"", "failed", "empty"),
    ("blank.json", b" \n ", "failed", "empty"),
    ("zeros.dcm", b"\x00" * 4000, "failed", "empty"),
    ("other.json", b'{"hello": 1}', "ignored", "not a FHIR resource"),
    ("half16.json", b"\xff\xfe" + '{"a":1}'.encode("utf-16-le")[:-1], "failed", "UTF-16"),
    ("bomb.zip", zipped(), "ignored", "a ZIP archive, not opened"),
    ("locked.zip", zipped(0x1), "ignored", "an encrypted ZIP archive"),
    ("bomb.json.gz", gzip.compress(b"0" * 80_000_000), "failed", "expands beyond the limits"),
    ("cut.json.gz", gzip.compress(CHART)[:-20], "failed", "truncated gzip"),
    ("bad.json.gz", gzip.compress(CHART)[:30] + b"\xff" * 60, "failed", "gzip"),
    ("twice.gz", gzip.compress(gzip.compress(CHART)), "ignored", "gzip in gzip"),
    ("letter.pdf", b"%PDF-1.7 ...", "failed", "damaged PDF"),
    ("film.png", b"\x89PNG\r\n\x1a\n", "failed", "damaged picture"),
    ("lab.hl7", b"MSH|^~\\&|LAB|...", "ignored", "messages of type"),
    ("fhir.xml", b'<Patient xmlns="http://hl7.org/fhir"/>', "ignored", "export it as JSON"),
    ("aecg.xml", b'<?xml version="1.0"?><AnnotatedECG/>', "failed", "aECG"),
    ("note.txt", b"Chest pain since the morning.", "ignored", "attach"),
    ("cut.dcm", b"\x00" * 128 + b"DICM" + b"\x02\x00", "failed", ""),
    ("cut.hea", b"rec 8 500 5000\nrec.dat 16 1000/mV\n", "failed", ""),
    ("cut.xml", b'<?xml version="1.0"?><restingecgdata>', "failed", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "status", "reason"), CONTENTS, ids=[c[0] for c in CONTENTS]
)
def test_a_bad_file_is_listed_with_the_reason_and_the_rest_is_read(
    tmp_path: Path, name: str, content: bytes, status: str, reason: str
) -> None:
    write(tmp_path, "chart.json", CHART)
    write(tmp_path, name, content)
    case = read(tmp_path)
    item = report(case, name)
    assert item.status == status
    assert item.reason
    assert reason in item.reason
    assert len(case.timeline.facts) == 1
    assert report(case, "chart.json").status == "read"
    assert str(tmp_path) not in item.reason


def test_json_under_another_name_is_read_by_its_content(tmp_path: Path) -> None:
    write(tmp_path, "ecg.dcm", CHART)
    case = read(tmp_path)
    item = report(case, "ecg.dcm")
    assert (item.status, item.kind) == ("read", "FHIR JSON")
    assert "named like DICOM" in item.problems[0]
    assert len(case.timeline.facts) == 1


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xef\xbb\xbf" + CHART,
        CHART.decode().encode("utf-16"),
        b"\xfe\xff" + CHART.decode().encode("utf-16-be"),
        gzip.compress(CHART),
        gzip.compress(CHART[:100]) + gzip.compress(CHART[100:]),
        b"\n\n  " + CHART,
    ],
    ids=["BOM", "UTF-16 LE", "UTF-16 BE", "gzip", "gzip in two members", "leading space"],
)
def test_a_chart_in_another_wrapping_is_read(tmp_path: Path, encoded: bytes) -> None:
    write(tmp_path, "chart", encoded)
    assert len(read(tmp_path).timeline.facts) == 1


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", CHART)
    write(tmp_path, "huge.json", CHART + b" " * 2**20)
    case = read(tmp_path, settings=Settings(max_file_mib=1))
    assert report(case, "huge.json").reason == (
        "over 1 MiB (give the part needed, or raise EPICRISIS_MAX_FILE_MIB)"
    )
    assert len(case.timeline.facts) == 1


def test_a_case_that_is_too_large_is_refused(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path, name, name.encode() * 2**20)
    with pytest.raises(TooLargeError, match="over 2 MiB together"):
        read(tmp_path, settings=Settings(max_case_mib=2))


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for index in range(12):
        write(tmp_path, f"{index}.txt", str(index))
    with pytest.raises(TooLargeError, match="more than 10 files"):
        read(tmp_path, settings=Settings(max_files=10))


def _loop(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    return folder / "loop"


def _self(folder: Path) -> Path:
    (folder / "self").symlink_to(folder / "self")
    return folder / "self"


def _outside(folder: Path) -> Path:
    outside = write(folder.parent / "elsewhere", "secret.json", CHART)
    (folder / "outside.json").symlink_to(outside)
    return folder / "outside.json"


def _inside(folder: Path) -> Path:
    (folder / "again.json").symlink_to(folder / "chart.json")
    return folder / "again.json"


def _broken(folder: Path) -> Path:
    (folder / "broken.json").symlink_to(folder / "nothing.json")
    return folder / "broken.json"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.json")
    return folder / "pipe.json"


def _socket(folder: Path) -> Path:
    here = Path.cwd()
    os.chdir(folder)  # the path of a socket may have 107 characters only
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("sock")
    finally:
        os.chdir(here)
    return folder / "sock"


def _hidden(folder: Path) -> Path:
    return write(folder, ".hidden.json", CHART)


SPECIAL: list[tuple[Callable[[Path], Path], str, str]] = [
    (_loop, "ignored", "a link"),
    (_self, "failed", "in a circle"),
    (_outside, "failed", "leads outside the case"),
    (_inside, "ignored", "its target is read by its own name"),
    (_broken, "failed", "leads nowhere"),
    (_pipe, "ignored", "a pipe"),
    (_socket, "ignored", "a pipe, socket or device"),
    (_hidden, "ignored", "hidden"),
]


@pytest.mark.parametrize(
    ("make", "status", "reason"), SPECIAL, ids=[s[0].__name__.strip("_") for s in SPECIAL]
)
def test_links_and_special_files_are_listed_and_not_followed(
    tmp_path: Path, make: Callable[[Path], Path], status: str, reason: str
) -> None:
    folder = tmp_path / "case"
    write(folder, "chart.json", CHART)
    name = make(folder).name
    case = read(folder)
    item = report(case, name)
    assert item.status == status
    assert reason in (item.reason or "")
    assert len(case.timeline.facts) == 1


def test_a_link_given_by_the_caller_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "real", "chart.json", CHART)
    (tmp_path / "case").symlink_to(tmp_path / "real", target_is_directory=True)
    assert len(read(tmp_path / "case").timeline.facts) == 1


def test_a_file_that_may_not_be_read_is_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "chart.json", CHART)
    locked = write(tmp_path, "locked.json", CHART + b" ")
    really = os.open

    def as_another_user(path: Any, flags: int, *rest: int) -> int:
        if Path(path) == locked:  # root may read everything, so permissions alone do not show it
            raise PermissionError(13, "Permission denied")
        return really(path, flags, *rest)

    monkeypatch.setattr(os, "open", as_another_user)
    case = read(tmp_path)
    item = report(case, "locked.json")
    assert (item.status, item.reason) == ("failed", "cannot be opened: Permission denied")
    assert len(case.timeline.facts) == 1


def test_a_folder_nested_too_deep_is_listed(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", CHART)
    write(tmp_path, "/".join("d" * 30) + "/x.json", CHART + b" ")
    case = read(tmp_path)
    assert any(item.reason == "folders nested too deep" for item in case.inputs)
    assert len(case.timeline.facts) == 1


def test_the_same_content_twice_is_a_duplicate(tmp_path: Path) -> None:
    write(tmp_path, "a.json", CHART)
    write(tmp_path, "b.json", CHART)
    case = read(tmp_path)
    item = report(case, "b.json")
    assert (item.status, item.reason) == ("ignored", "same content as a.json")
    assert len(case.timeline.facts) == 1


def test_an_empty_folder_is_a_case_without_files(tmp_path: Path) -> None:
    case = read(tmp_path)
    assert (case.inputs, case.timeline.facts) == ((), ())


@pytest.mark.parametrize("value", [-3, 1e9, "12"], ids=["negative", "enormous", "text"])
def test_an_impossible_result_in_a_file_leaves_the_others(tmp_path: Path, value: Any) -> None:
    other = observation(4.1, "mmol/L", "2823-3", id="k")
    write(tmp_path, "chart.json", bundle(patient(), observation(value), other))
    case = read(tmp_path)
    states = [f.finding.state.value for f in case.timeline.facts]
    assert sorted(states) == ["not_assessed", "present"]
