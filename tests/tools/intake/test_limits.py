"""Hostile sizes, depths and names: a typed reason, in a time that grows with the size only."""

import gzip
import os
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from knowledge.errors import InputError, TooLargeError, UnreadableError
from knowledge.settings import Settings
from tests.tools.intake.samples import bundle, observation, patient, read, report, write
from tools.intake.case_file import read_case_file
from tools.intake.fhir.bundle import parse
from tools.intake.limits import gunzip

MIB = 2**20
HEAD = "schema: epicrisis/case/1\n"
CHART = orjson.dumps(bundle(patient(), observation()))


# ---- expansion


def test_what_gzip_files_expand_to_counts_for_the_case(tmp_path: Path) -> None:
    for index in range(3):
        write(tmp_path, f"{index}.json.gz", gzip.compress(bytes([48 + index]) * MIB))
    settings = Settings(max_case_mib=2, max_expansion=2000)
    with pytest.raises(TooLargeError, match="over 2 MiB together when unpacked"):
        read(tmp_path, settings=settings)
    assert len(read(tmp_path, settings=Settings(max_case_mib=3, max_expansion=2000)).inputs) == 3


def test_a_gzip_of_many_members_is_read_whole() -> None:
    members = b"".join(gzip.compress(bytes([i % 256]) * 100) for i in range(9_000))
    whole = gunzip(members + b"\x00" * 700, "a.gz", settings=Settings())
    assert whole == b"".join(bytes([i % 256]) * 100 for i in range(9_000))


def test_a_gzip_of_too_many_empty_members_is_refused_at_once() -> None:
    content = gzip.compress(b"") * 200_000  # 4 MB, of which each member was once copied
    begun = time.process_time()
    with pytest.raises(TooLargeError, match="over 10000 parts"):
        gunzip(content, "a.gz", settings=Settings())
    assert time.process_time() - begun < 5


def test_a_gzip_of_much_padding_is_read() -> None:
    content = gzip.compress(b"a") + b"\x00" * (3 * MIB) + gzip.compress(b"b")
    assert gunzip(content, "a.gz", settings=Settings()) == b"ab"


def test_a_file_that_is_too_large_to_be_read_does_not_stop_the_case(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", CHART)
    with (tmp_path / "video.mp4").open("wb") as video:
        video.truncate(600 * MIB)
    case = read(tmp_path)
    assert len(case.timeline.facts) == 1
    item = report(case, "video.mp4")
    assert item.status == "failed"
    assert (item.reason or "").startswith("over 64 MiB")


# ---- depth


@pytest.mark.parametrize("depth", [252, 253, 254, 300, 900])
def test_json_nested_deeper_than_can_be_written_fails_alone(tmp_path: Path, depth: int) -> None:
    write(tmp_path, "chart.json", CHART)
    inner = b"[" * depth + b"]" * depth
    write(tmp_path, "deep.json", b'{"resourceType":"Observation","extension":' + inner + b"}")
    case = read(tmp_path)
    assert len(case.timeline.facts) == 1
    reason = report(case, "deep.json").reason or ""
    assert ("nested too deep" in reason) == (depth > 253)


def test_a_line_nested_too_deep_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    deep = b'{"resourceType":"Observation","extension":' + b"[" * 400 + b"]" * 400 + b"}"
    lines = [orjson.dumps(patient()), deep, orjson.dumps(observation())]
    write(tmp_path, "all.ndjson", b"\n".join(lines))
    case = read(tmp_path)
    assert len(case.timeline.facts) == 1
    assert report(case, "all.ndjson").problems == ("line 2: nested too deep for FHIR",)


@pytest.mark.parametrize(
    "text", [b'{"resourceType":"Basic"}],[{}', b'{"resourceType":"Basic"},{}', b"]", b"[", b""]
)
def test_text_that_is_json_only_inside_a_list_is_not_json(text: bytes) -> None:
    with pytest.raises(UnreadableError, match="not JSON"):
        parse(text, "x.json")


# ---- names


@pytest.mark.parametrize(
    ("raw", "safe"),
    [(b"Befund M\xfcller.json", "Befund M\\udcfcller.json"), (b"\xff\xfe", "\\udcff\\udcfe")],
)
def test_a_name_that_is_no_utf8_is_shown_written_out(tmp_path: Path, raw: bytes, safe: str) -> None:
    (tmp_path / os.fsdecode(raw)).write_bytes(CHART)
    case = read(tmp_path)
    (item,) = case.inputs
    assert (item.file, item.status) == (safe, "read")
    assert item.model_dump_json().encode()
    assert len(case.timeline.facts) == 1


def test_two_names_that_are_shown_alike_are_both_listed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"a\xff.txt")).write_bytes(b"one")
    (tmp_path / "a\\udcff.txt").write_bytes(b"two")
    assert sorted(i.file for i in read(tmp_path).inputs) == ["a\\udcff.txt", "a\\udcff.txt (2)"]


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000 + "b"], ids=["name", "path"])
def test_a_path_too_long_for_the_system_is_refused(name: str) -> None:
    with pytest.raises(UnreadableError, match="File name too long") as caught:
        read(Path(name))
    assert len(str(caught.value)) < 200


def test_a_path_that_is_no_utf8_is_refused_in_words_that_can_be_written() -> None:
    with pytest.raises(UnreadableError) as caught:
        read(Path(os.fsdecode(b"no\xff")))
    assert str(caught.value).encode().startswith(b"no\\udcff")


# ---- the case file


def long(part: str, count: int) -> str:
    if part in ("facts", "answers"):
        return f"{part}: {{{', '.join(f'pain_onset_k{i}: 1' for i in range(count))}}}\n"
    if part == "results":
        return "results:\n" + "- {analyte: hs_ctnt, value: 1 ng/L}\n" * count
    return "attach:\n" + "- {file: a.dcm, patient: same}\n" * count


LONG = [("facts", 501), ("answers", 501), ("results", 501), ("attach", 2001), ("facts", 40_000)]


@pytest.mark.parametrize(("part", "count"), LONG, ids=[f"{p} {c}" for p, c in LONG])
def test_a_case_file_of_too_many_entries_is_refused(part: str, count: int) -> None:
    begun = time.process_time()
    with pytest.raises(TooLargeError, match="entries"):
        read_case_file((HEAD + long(part, count)).encode(), "case.yaml")
    assert time.process_time() - begun < 20


def test_near_names_are_offered_for_the_first_unknown_ones_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        "case.yaml",
        HEAD + "facts:\n" + "".join(f"  heart_rat{i}: 1\n" for i in range(500)),
    )
    problems = report(read(tmp_path), "case.yaml").problems
    assert len(problems) == 500
    assert ["did you mean" in text for text in problems] == [True] * 5 + [False] * 495


# ---- what is told of the case file


TOLD: list[tuple[str, str]] = [
    ("facts: {heart_rate: 9999 /min}\n", "heart_rate: value impossible"),
    ("answers: {age_years: 300}\n", "age_years: value impossible"),
    ("facts: {systolic_bp: 120 apples}\n", "systolic_bp: unit not recognised"),
    ("results: [{analyte: hs_ctnt, value: -3 ng/L}]\n", "results[0].hs_ctnt: "),
]


@pytest.mark.parametrize(("body", "told"), TOLD, ids=[t[1] for t in TOLD])
def test_a_stated_value_that_is_not_used_is_told_beside_the_case_file(
    tmp_path: Path, body: str, told: str
) -> None:
    rate = observation(80.0, "/min", "8867-4", id="hr")
    write(tmp_path, "chart.json", bundle(patient(), rate))
    write(tmp_path, "case.yaml", HEAD + body)
    (problem,) = report(read(tmp_path), "case.yaml").problems
    assert problem.startswith(told)


def test_an_answer_that_says_unknown_is_no_problem(tmp_path: Path) -> None:
    write(tmp_path, "case.yaml", HEAD + "facts: {heart_rate: unknown}\n")
    assert report(read(tmp_path), "case.yaml").problems == ()


@pytest.mark.parametrize("name", ["x" * 300, "no\x00thing", os.fsdecode(b"\xff")])
def test_an_override_with_a_name_that_is_no_path_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, "chart.json", CHART)
    with pytest.raises(InputError, match="names no single file") as caught:
        read(tmp_path, same_patient=[name])
    assert str(caught.value).encode()


def test_a_comparator_that_is_not_known_keeps_what_was_printed() -> None:
    from tests.tools.intake.samples import only_fact

    quantity: dict[str, Any] = {"value": 12, "unit": "ng/L", "comparator": "~"}
    finding = only_fact(observation(valueQuantity=quantity)).finding
    assert finding.not_assessed is not None
    assert finding.not_assessed.detail == "the comparator is not one of <, <=, >=, >"
    assert finding.reported == "~ 12 ng/L"
