"""The command line keeps its contracts: options, exit codes, clean standard output, schemas."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.agent.cases import EXAMPLES, change_case, change_chart, example, resources

FIELDS = [
    "schema", "case", "status", "problem", "risks", "findings", "differential",
    "recommendations", "missing", "conflicts", "citations", "narrative", "inputs", "provenance",
]  # fmt: skip
RISK_FIELDS = {
    "name", "category", "value", "range", "missing", "bands", "next_due", "evidence", "source",
}  # fmt: skip


def epicrisis(*arguments: str | Path, env: dict[str, str] | None = None) -> Any:
    """Run the command in a process of its own."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "serving", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "100", **(env or {})},
    )


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(epicrisis("schema", name).stdout)
    return found


def test_assess_json_is_clean_and_valid_against_the_published_schema() -> None:
    done = epicrisis("assess", EXAMPLES / "nstemi", "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    body = json.loads(done.stdout)
    published = schema("assessment")
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(body, published)
    assert set(FIELDS) <= set(body)
    assert body["schema"] == "epicrisis/assessment/1"
    assert set(published["$defs"]["Risk"]["properties"]) >= RISK_FIELDS


def test_not_assessable_is_a_result_and_exits_0(tmp_path: Path) -> None:
    (tmp_path / "patient.json").write_text(
        '{"resourceType": "Patient", "id": "1", "birthDate": "1960-01-01"}', "utf-8"
    )
    done = epicrisis("assess", tmp_path, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "not_assessable"


def test_two_patients_exit_3_and_name_files_and_fields_but_no_value(tmp_path: Path) -> None:
    case = example("nstemi", tmp_path)

    def other(chart: dict[str, Any]) -> None:
        patient = resources(chart, "Patient")[0]
        patient["name"] = [{"family": "Anderswo", "given": ["Xaver"]}]
        patient["identifier"][0]["value"] = "EX-9999"

    change_chart(case, other)
    done = epicrisis("assess", case, "--json")
    assert done.returncode == 3
    body = json.loads(done.stdout)
    assert body["status"] == "refused"
    assert body["risks"] == []
    assert {i["file"] for i in body["inputs"]} == {"case.yaml", "chart.json", "ecg.dcm"}
    assert all(i["sha256"] for i in body["inputs"])
    assert body["provenance"]["result_sha256"]
    text = done.stdout + done.stderr
    assert "chart.json" in text
    assert "ecg.dcm" in text
    assert "name" in text.lower()
    for value in ("Anderswo", "Xaver", "EX-9999", "Muster", "EX-0002"):
        assert value not in text
    assert epicrisis("assess", case).returncode == 3


def test_the_override_is_explicit_and_recorded(tmp_path: Path) -> None:
    case = example("nstemi", tmp_path)

    def other(chart: dict[str, Any]) -> None:
        resources(chart, "Patient")[0]["name"] = [{"family": "Geändert", "given": ["Clara"]}]

    change_chart(case, other)
    assert epicrisis("assess", case).returncode == 3
    done = epicrisis("assess", case, "--json", "--same-patient", "ecg.dcm")
    assert done.returncode == 0
    overrides = json.loads(done.stdout)["provenance"]["overrides"]
    assert any("ecg.dcm" in text and "--same-patient" in text for text in overrides)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="empty folder"),
        pytest.param({"a.json": b"{"}, id="truncated json"),
        pytest.param({"a.dcm": b"\x00" * 200}, id="zeros"),
    ],
)
def test_nothing_usable_exits_4(tmp_path: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    done = epicrisis("assess", tmp_path)
    assert done.returncode == 4


def test_a_path_that_does_not_exist_exits_4_with_the_reason() -> None:
    done = epicrisis("assess", "/nowhere/at-all")
    assert done.returncode == 4
    assert "at-all" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("time", ["yesterday", "2026-11-20", "2026-11-20T10:00:00"])
def test_a_moment_without_time_of_day_and_zone_is_refused(time: str) -> None:
    done = epicrisis("assess", EXAMPLES / "stemi", "--at", time)
    assert done.returncode == 4
    assert "+01:00" in done.stderr or "Z" in done.stderr


def test_at_moves_the_clock() -> None:
    done = epicrisis(
        "assess", EXAMPLES / "early_presenter", "--json", "--at", "2026-11-20T23:30:00+01:00"
    )
    texts = [r["text"] for r in json.loads(done.stdout)["recommendations"]]
    assert any("overdue" in text for text in texts)


def test_switched_off_device_functions_are_not_assessed_and_say_so() -> None:
    done = epicrisis(
        "assess", EXAMPLES / "stemi", "--json", env={"EPICRISIS_DEVICE_FUNCTIONS": "false"}
    )
    body = json.loads(done.stdout)
    assert body["status"] != "complete"
    stemi = [
        f for f in body["findings"]
        if f["concept"]["text"] == "ST-elevation criteria of myocardial infarction"
    ]  # fmt: skip
    assert stemi
    assert all(f["not_assessed"]["why"] == "switched-off" for f in stemi)
    assert "could not be assessed" in body["narrative"]["headline"]
    other = epicrisis("assess", EXAMPLES / "stemi", "--json", "--no-device-functions")
    assert json.loads(other.stdout)["findings"] == body["findings"]


def test_out_writes_report_and_pictures(tmp_path: Path) -> None:
    done = epicrisis("assess", EXAMPLES / "stemi", "--out", tmp_path / "report")
    assert done.returncode == 0
    written = {p.name for p in (tmp_path / "report").iterdir()}
    assert written == {
        "assessment.json", "report.md", "report.html", "timeline.svg", "ecg-1.svg", "ecg-1.png",
    }  # fmt: skip
    assert (tmp_path / "report" / "ecg-1.png").read_bytes().startswith(b"\x89PNG")


def test_demo_runs_every_example_and_says_where_the_report_is(tmp_path: Path) -> None:
    for name in ("stemi", "nstemi", "early_presenter", "half_missing"):
        done = epicrisis("demo", name, "--out", tmp_path)
        assert done.returncode == 0
        assert (tmp_path / name / "report.html").is_file()
        assert "report.html" in done.stdout
        assert "Research use only" in " ".join(done.stdout.split())
    assert epicrisis("demo", "nobody").returncode == 4


def test_data_check_passes_and_names_every_file() -> None:
    done = epicrisis("data", "check")
    assert done.returncode == 0, done.stderr
    for name in ("troponin_assays", "scores/heart", "ecg_criteria", "pathways/chest_pain"):
        assert name in done.stdout


def test_tool_list_show_and_run() -> None:
    listed = json.loads(epicrisis("tool", "list", "--json").stdout)
    tags = {row["name"]: row["regulatory"] for row in listed}
    assert tags["ecg_analysis"] == "device-function"
    assert tags["serial_troponin"] == tags["heart"] == "evidence-cds"
    shown = epicrisis("tool", "show", "ecg_analysis").stdout
    assert "Refuses" in shown
    assert "Accuracy" in shown
    done = epicrisis(
        "tool", "run", "wells_pe", "--set", "heart_rate=110 /min", "--set", "haemoptysis=yes",
        "--set", "prior_vte=yes", "--set", "dvt_signs=no", "--set", "pe_most_likely=no",
        "--set", "immobilisation_or_surgery=no", "--set", "malignancy_active=no",
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert result["value"] == 4.0  # 1.5 + 1 + 1.5, the worked vector
    assert result["category"] == "unlikely"
    again = json.loads(epicrisis("tool", "run", "heart", "--case", EXAMPLES / "nstemi").stdout)
    assert again["name"].startswith("HEART")


@pytest.mark.parametrize(
    "arguments",
    [
        ("tool", "show", "unheard-of"),
        ("tool", "run", "heart", "--set", "age_years"),
        ("tool", "run", "heart", "--set", "agee=60 a"),
        ("tool", "run", "serial_troponin"),
        ("schema", "unheard-of"),
    ],
)
def test_wrong_arguments_end_with_a_reason_and_exit_4(arguments: tuple[str, ...]) -> None:
    done = epicrisis(*arguments)
    assert done.returncode == 4, done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("epicrisis: ")


def test_an_impossible_age_is_not_assessed_and_makes_no_number() -> None:
    done = epicrisis("tool", "run", "heart", "--set", "age_years=300 a")
    result = json.loads(done.stdout)
    assert "value" not in result
    reasons = {m["input"]: m["reason"]["why"] for m in result["missing"]}
    assert reasons["age_years"] == "value-impossible"


@pytest.mark.parametrize("name", ["assessment", "case", "finding", "risk", "timeline", "heart"])
def test_every_schema_is_a_schema(name: str) -> None:
    body = schema(name)
    jsonschema.Draft202012Validator.check_schema(body.get("input", body))


def test_a_case_file_with_a_wrong_key_is_named_with_its_near_match(tmp_path: Path) -> None:
    case = example("stemi", tmp_path)
    change_case(case, "  diaphoresis: yes", "  diaphorsis: yes")
    done = epicrisis("assess", case, "--json")
    body = json.loads(done.stdout)
    text = json.dumps(body["inputs"]) + body["narrative"]["headline"]
    assert "diaphorsis" in text
    assert "diaphoresis" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EPICRISIS_MAX_FILES", "abc"),
        ("EPICRISIS_MAX_FILES", "-1"),
        ("EPICRISIS_DEVICE_FUNCTIONS", "maybe"),
        ("EPICRISIS_TIME_ZONE", "Nowhere"),
        ("EPICRISIS_SETTINGS_FILE", "/nowhere/settings.env"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    done = epicrisis("assess", EXAMPLES / "stemi", env={name: value})
    assert done.returncode == 4
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_report_that_cannot_be_written_is_an_error_before_anything_is_printed(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    done = epicrisis("assess", EXAMPLES / "stemi", "--json", "--out", tmp_path / "file" / "x")
    assert done.returncode == 4
    assert done.stdout == ""
    assert "--out" in done.stderr


def test_a_case_file_alone_is_nothing_usable(tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("schema: epicrisis/case/1\n", "utf-8")
    assert epicrisis("assess", tmp_path).returncode == 4


def test_terminal_escapes_and_direction_overrides_are_not_shown(tmp_path: Path) -> None:
    case = example("stemi", tmp_path)
    change_case(case, "case: example-stemi", 'case: "\\e[2JX\\e]0;pwn\\a\u202egnp"')
    done = epicrisis("assess", case, "--out", tmp_path / "out")
    assert done.returncode == 0
    texts = [done.stdout, *((tmp_path / "out" / f"report.{e}").read_text() for e in ("md", "html"))]
    for text in texts:
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text


def test_what_was_retracted_is_named_in_the_result(tmp_path: Path) -> None:
    case = example("nstemi", tmp_path)

    def retract(chart: dict[str, Any]) -> None:
        resources(chart, "Observation")[1]["status"] = "entered-in-error"

    change_chart(case, retract)
    body = json.loads(epicrisis("assess", case, "--json").stdout)
    said = " ".join(s["text"] for s in body["narrative"]["sentences"])
    assert "entered-in-error" in said
    assert "rule-in" not in [r["category"] for r in body["risks"]]
