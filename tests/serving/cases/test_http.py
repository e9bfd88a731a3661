"""Cases over HTTP, on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from agent.assess import assess_paths
from knowledge.clinical_time import ClinicalTime
from knowledge.settings import Settings
from serving.access.principal import Principal, Role
from tests.agent.cases import EXAMPLES
from tests.serving.cases.fresh import NOW, Fresh, example, fresh, parts
from tests.serving.storage.databases import KINDS

CHART, ECG = "chart.json", "ecg.dcm"


@pytest.fixture(scope="module", params=KINDS)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("made"), request.param) as found:
        yield found


@pytest.fixture
def client(made: Fresh) -> TestClient:
    return made.client()


def posted(client: TestClient, files: list[tuple[str, bytes]], **fields: str) -> Any:
    return client.post("/v1/cases", data={"label": "bed 7", **fields}, files=parts(files))


def opened(client: TestClient, name: str = "nstemi") -> str:
    answer = posted(client, example(name))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def of_example(name: str, file: str) -> bytes:
    return (EXAMPLES / name / file).read_bytes()


def test_an_upload_is_assessed_at_once_as_on_the_command_line(client: TestClient) -> None:
    answer = posted(client, example())
    assert answer.status_code == 201
    case = answer.json()
    assert answer.headers["location"] == f"/v1/cases/{case['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert [file["name"] for file in case["files"]] == ["case.yaml", CHART, ECG]
    assert case["patient_known"] is True
    assert case["patient"] is None
    version = client.get(f"/v1/cases/{case['id']}/assessments/1").json()
    alone = assess_paths(
        [EXAMPLES / "nstemi"], at=None, now=ClinicalTime(at=NOW), settings=Settings()
    ).assessment
    assert version["result_sha256"] == alone.provenance.result_sha256
    assert version["headline"] == alone.narrative.headline
    assert version["assessment"]["risks"] == alone.to_json()["risks"]
    assert client.get(f"/v1/cases/{case['id']}/assessments/newest").json() == version


def test_nothing_new_gives_no_new_version(client: TestClient) -> None:
    case = opened(client)
    again = client.post(f"/v1/cases/{case}/assessments")
    assert (again.status_code, again.json()["version"]) == (200, 1)


def test_an_answer_is_kept_with_author_and_time_and_assessed_at_once(
    client: TestClient, made: Fresh
) -> None:
    case = opened(client)
    asked = client.get(f"/v1/cases/{case}/questions").json()["questions"]
    assert "distended_neck_veins" in {one["input"] for one in asked}
    answer = client.post(
        f"/v1/cases/{case}/answers", json={"input": "distended_neck_veins", "value": "no"}
    )
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.json()["why"] == "answer"
    found = [
        one
        for one in answer.json()["assessment"]["findings"]
        if one["concept"]["text"] == "Distended neck veins"
    ]
    assert [one["state"] for one in found] == ["absent"]
    record = found[0]["evidence"][0]["record"]
    assert record.startswith("answers.distended_neck_veins entered by Dr Anna at 2026-11-20T15:00")
    asked = client.get(f"/v1/cases/{case}/questions").json()["questions"]
    assert "distended_neck_veins" not in {one["input"] for one in asked}
    kept = client.get(f"/v1/cases/{case}/assessments/1").json()
    assert kept["version"] == 1
    listed = client.get(f"/v1/cases/{case}/assessments").json()["assessments"]
    assert [one["version"] for one in listed] == [2, 1]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"input": "no_such_input", "value": "yes"}, "not a clinical input"),
        ({"input": "heart_rate", "value": "-5 /min"}, "heart_rate"),
        ({"input": "heart_rate", "value": "many"}, "heart_rate"),
        ({"input": "ckd", "value": "yes", "observed_at": "2026-11-20T16:00:00Z"}, "future"),
        ({"input": "ckd", "value": "yes", "observed_at": "yesterday"}, "time"),
        ({"input": "ckd", "value": "yes", "by": "somebody else"}, "by"),
        ({"input": "ckd"}, "value"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_no_answer_is_refused_and_changes_nothing(
    client: TestClient, body: dict[str, Any], says: str
) -> None:
    case = opened(client)
    answer = client.post(f"/v1/cases/{case}/answers", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
    assert len(client.get(f"/v1/cases/{case}/assessments").json()["assessments"]) == 1


def test_files_of_two_patients_are_refused_and_the_case_stays(client: TestClient) -> None:
    files = dict(example("nstemi")) | {ECG: of_example("stemi", ECG)}
    answer = posted(client, list(files.items()))
    assert answer.status_code == 409, answer.text
    problem = answer.json()
    assert set(problem["files"]) >= {ECG}
    case = problem["case"]
    assert answer.headers["location"] == f"/v1/cases/{case}"
    kept = client.get(f"/v1/cases/{case}").json()
    assert (kept["assessment"]["status"], kept["patient_known"]) == ("refused", False)
    refused = client.get(f"/v1/cases/{case}/assessments/newest").json()["assessment"]
    assert "risks" not in refused or refused["risks"] == []
    assert client.post(f"/v1/cases/{case}/assessments").status_code == 409
    answer = client.delete(f"/v1/cases/{case}/files", params={"name": ECG})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.json()["status"] != "refused"


def test_a_file_of_another_patient_is_not_taken_and_nothing_is_lost(client: TestClient) -> None:
    case = opened(client)
    before = client.get(f"/v1/cases/{case}").json()
    other = [("other.json", of_example("stemi", CHART)), ("more.txt", b"a note")]
    answer = client.post(f"/v1/cases/{case}/files", files=parts(other))
    assert answer.status_code == 409
    assert "other.json" in answer.json()["files"]
    assert client.get(f"/v1/cases/{case}").json() == before


def test_a_case_cannot_become_another_patients_by_replacing_its_files(client: TestClient) -> None:
    case = opened(client)
    before = client.get(f"/v1/cases/{case}").json()
    answer = client.post(f"/v1/cases/{case}/files", files=parts(example("stemi")))
    assert answer.status_code == 409, answer.text
    assert answer.json()["files"] == ["case.yaml", CHART, ECG]
    assert client.get(f"/v1/cases/{case}").json() == before


def test_a_new_version_of_a_file_takes_its_place(client: TestClient) -> None:
    case = opened(client)
    stated = of_example("nstemi", "case.yaml").replace(b"  smoking_current: no\n", b"")
    answer = client.post(f"/v1/cases/{case}/files", files=parts([("case.yaml", stated)]))
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert answer.json()["why"] == "new file"
    assert len(client.get(f"/v1/cases/{case}").json()["files"]) == 3


@pytest.mark.parametrize("name", ["../chart.json", "/chart.json", "a\u202eb.json", "a" * 300])
def test_a_hostile_name_refuses_the_upload_and_keeps_what_was_accepted(
    client: TestClient, name: str
) -> None:
    case = opened(client)
    before = client.get(f"/v1/cases/{case}").json()
    sent = parts([("good.txt", b"good"), (name, b"{}")])
    answer = client.post(f"/v1/cases/{case}/files", files=sent)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get(f"/v1/cases/{case}").json() == before


def test_a_name_that_comes_twice_is_refused(client: TestClient) -> None:
    answer = posted(client, [(CHART, b"{}"), (CHART, b"[]")])
    assert answer.status_code == 422
    assert "twice" in answer.json()["detail"]


def test_an_unreadable_file_does_not_stop_the_rest(client: TestClient) -> None:
    answer = posted(client, [*example(), ("broken.json", b"{not json"), ("x.exe", b"MZ\x90\0")])
    assert answer.status_code == 201
    found = client.get(f"/v1/cases/{answer.json()['id']}/assessments/1").json()["assessment"]
    status = {one["file"]: one["status"] for one in found["inputs"]}
    assert status["chart.json"] == "read"
    assert {status["broken.json"], status["x.exe"]} <= {"failed", "ignored"}


def test_what_is_no_upload_is_said(client: TestClient) -> None:
    answer = client.post("/v1/cases", json={"label": "bed 7"})
    assert answer.status_code == 415
    answer = client.post("/v1/cases", data={"label": "x"}, files=[("other", ("a", b""))])
    assert answer.status_code == 422
    head = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/cases", content=b"--x\r\nnonsense", headers=head)
    assert answer.status_code == 422
    answer = client.post("/v1/cases", content=b"", headers=head)
    assert answer.status_code == 422
    assert posted(client, example(), time_zone="Mars/Olympus").status_code == 422
    assert posted(client, example(), label="x" * 200).status_code == 422


def test_what_is_not_there_is_404(client: TestClient) -> None:
    case = opened(client)
    for path in (
        "/v1/cases/case-unknown",
        "/v1/cases/%00",
        f"/v1/cases/{case}/assessments/99",
        f"/v1/cases/{case}/runs/job-unknown",
        f"/v1/cases/{case}/runs/%00/events",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
    assert client.get(f"/v1/cases/{case}/assessments/{10**30}").status_code == 422
    for name in ("none.txt", "nul\0"):
        answer = client.delete(f"/v1/cases/{case}/files", params={"name": name})
        assert answer.status_code in (404, 422), name


def test_a_token_of_one_patient_sees_that_patient_alone(client: TestClient, made: Fresh) -> None:
    case = opened(client)
    roles = frozenset({Role.CLINICIAN})
    bound = Principal(subject="app", name="App", roles=roles, patient="f|Patient/1", via="smart")
    mine = made.services.cases.create(
        label="bed 9", source="fhir", by="anna", patient="f|Patient/1"
    )
    before, made.who[0] = made.who[0], bound
    try:
        assert client.get(f"/v1/cases/{case}").status_code == 404
        listed = client.get("/v1/cases").json()["cases"]
        assert [one["id"] for one in listed] == [mine.id]
        assert listed[0]["patient"] == "f|Patient/1"
        assert posted(client, example()).status_code == 403
    finally:
        made.who[0] = before


def test_listeners_are_told_of_each_new_version_once(client: TestClient, made: Fresh) -> None:
    told: list[tuple[str, int, int | None]] = []

    def listen(case: Any, stored: Any, before: Any) -> None:
        told.append((case.id, stored.version, before and before.version))

    made.services.listeners.append(listen)
    try:
        case = opened(client)
        client.post(f"/v1/cases/{case}/answers", json={"input": "ckd", "value": "yes"})
        client.post(f"/v1/cases/{case}/assessments")
    finally:
        made.services.listeners.remove(listen)
    assert told == [(case, 1, None), (case, 2, 1)]


def test_a_time_zone_stated_for_the_case_is_used(client: TestClient) -> None:
    files = dict(example())
    stated = files["case.yaml"].replace(b"time_zone: Europe/Berlin\n", b"")
    answer = posted(client, [("case.yaml", stated), (CHART, files[CHART])], time_zone="Asia/Tokyo")
    assert answer.json()["time_zone"] == "Asia/Tokyo"
    found = client.get(f"/v1/cases/{answer.json()['id']}/assessments/1").json()["assessment"]
    assert found["time_zone"] == "Asia/Tokyo"


def test_limits_are_those_of_the_settings(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_files": 3, "max_file_mib": 1, "max_case_mib": 1}
    with fresh(tmp_path, **limits) as found:
        client = found.client()
        half = bytes(600 * 1024)
        assert posted(client, [(f"{n}.txt", b"x") for n in range(4)]).status_code == 413
        assert posted(client, [("big.txt", bytes(1024 * 1024 + 1))]).status_code == 413
        assert posted(client, [("a.txt", half), ("b.txt", half + b"b")]).status_code == 413
        assert posted(client, [("huge.txt", bytes(4 * 1024 * 1024))]).status_code == 413
        assert client.get("/v1/cases").json()["cases"] == []
        case = opened(client)
        answer = client.post(f"/v1/cases/{case}/files", files=parts([("one-more.txt", b"x")]))
        assert answer.status_code == 413
        assert "3 files" in answer.json()["detail"]


def test_a_body_without_its_length_is_cut_off_at_the_limit(tmp_path: Path) -> None:
    with fresh(tmp_path, max_case_mib=1) as found:
        read = 0

        def endless() -> Iterator[bytes]:
            nonlocal read
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
            while read < 64:
                read += 1
                yield bytes(1024 * 1024)

        head = {"content-type": "multipart/form-data; boundary=x"}
        answer = found.client().post("/v1/cases", content=endless(), headers=head)
        assert answer.status_code == 413, answer.text


def test_every_operation_publishes_its_errors(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path, operations in paths.items():
        if not path.startswith("/v1/cases"):
            continue
        for operation in operations.values():
            for status in ("401", "403", "404", "422", "503"):
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], (path, status)


def test_a_request_sent_again_with_its_key_is_one_case(client: TestClient) -> None:
    note = [("note.txt", b"chest pain")]
    key = {"Idempotency-Key": "request-0001"}

    def send(files: list[tuple[str, bytes]], headers: dict[str, str]) -> Any:
        label = {"label": "bed 9"}
        return client.post("/v1/cases", data=label, files=parts(files), headers=headers)

    first, again = send(note, key), send(note, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert len(client.get(f"/v1/cases/{first.json()['id']}/assessments").json()["assessments"]) == 1
    other = send([("note.txt", b"no chest pain")], key)
    assert other.status_code == 409
    assert "another request" in other.json()["reason"]
    assert send(note, {}).json()["id"] != first.json()["id"]
    assert send(note, {"Idempotency-Key": "short"}).status_code == 422


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_content_that_is_not_what_was_kept_is_said_when_the_case_is_assessed(
    made: Fresh, client: TestClient, harm: str
) -> None:
    case = posted(client, [("note.txt", f"chest pain, {harm}".encode())]).json()["id"]
    again = client.post(f"/v1/cases/{case}/assessments")
    assert again.status_code == 200, "nothing has changed"
    (file,) = made.services.cases.files(case)
    path = made.services.files.path(file.sha256)
    path.unlink() if harm == "gone" else path.write_bytes(b"no chest pain")
    answer = client.post(f"/v1/cases/{case}/assessments")
    assert answer.status_code == 503
    said = {"changed": "has changed on the disk", "gone": "is not in the file store"}
    assert said[harm] in answer.json()["reason"]
