"""A person states that pictures without identity are of the patient of a case."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from serving.services import Services
from tests.serving.access.made import Clock, browsing, services
from tests.serving.images.test_images import opened, slice_of
from tests.tools.imaging.view.made import image, ramp


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    found = services(tmp_path_factory.mktemp("stated"), Clock())
    yield found
    found.images.close()
    found.database.close()


@pytest.fixture(scope="module")
def client(made: Services) -> Iterator[TestClient]:
    with browsing(made) as browser:
        yield browser


def stack() -> list[tuple[str, bytes]]:
    return [(f"{n}.dcm", slice_of(float(n), value=n)) for n in range(1, 6)]


def offered(page: str) -> str:
    return page.split('name="files" value="', 1)[1].split('"', 1)[0]


def nameless(content: bytes) -> bytes:
    import io

    import pydicom

    ds = pydicom.dcmread(io.BytesIO(content))
    ds.PatientID, ds.PatientName, ds.PatientBirthDate = "", "", ""
    written = io.BytesIO()
    ds.save_as(written)
    return written.getvalue()


def test_files_without_identity_are_told_in_one_line_and_shown_once_stated(
    made: Services, client: TestClient
) -> None:
    case = opened(made, *((name, nameless(content)) for name, content in stack()))
    page = client.get(f"/cases/{case}/images").text
    assert "files received: 5; picture files not shown: 5" in page
    assert page.count("it says nothing of who it is of") == 1
    ids = offered(page)
    assert len(ids.split()) == 5
    base = f"/cases/{case}/images/same-patient"
    assert client.post(base, data={"files": ids, "reason": " "}).status_code == 422
    assert client.post(base, data={"files": "0" * 16, "reason": "I sent it"}).status_code == 422
    answer = client.post(base, data={"files": ids, "reason": "exported from our PACS for her"})
    assert answer.status_code in (200, 303)
    page = client.get(f"/cases/{case}/images").text
    assert "5 pictures" in page
    assert "same-patient" not in page
    names = [one.name for one in made.cases.files(case)]
    kept = next(one for one in made.cases.files(case) if one.name.endswith("case.yaml"))
    written = made.files.get(kept.sha256).decode()
    assert "exported from our PACS for her" in written
    assert len(names) == 6


def test_a_statement_holds_for_one_content_only(made: Services, client: TestClient) -> None:
    case = opened(made, *((name, nameless(content)) for name, content in stack()))
    ids = offered(client.get(f"/cases/{case}/images").text)
    client.post(
        f"/cases/{case}/images/same-patient", data={"files": ids, "reason": "exported for her"}
    )
    other = nameless(image(ramp() + 99))
    assert client.post(f"/v1/cases/{case}/files", files=[("files", ("3.dcm", other))]).is_success
    page = client.get(f"/cases/{case}/images").text
    assert "picture files not shown: 1" in page
    client.post(
        f"/cases/{case}/images/same-patient",
        data={"files": offered(page), "reason": "sent again for her"},
    )
    assert "same-patient" not in client.get(f"/cases/{case}/images").text


def test_where_the_case_has_a_case_file_it_is_said_there(
    made: Services, client: TestClient
) -> None:
    own = b"schema: epicrisis/case/1\npatient: {family: Frei, birth_date: 1960-01-01}\n"
    case = opened(made, ("1.dcm", nameless(slice_of(1.0))), ("case.yaml", own))
    ids = offered(client.get(f"/cases/{case}/images").text)
    answer = client.post(
        f"/cases/{case}/images/same-patient", data={"files": ids, "reason": "exported for her"}
    )
    assert answer.status_code == 422
    assert "case file of its own" in answer.text


def test_a_stack_opens_in_its_middle(made: Services, client: TestClient) -> None:
    case = opened(made, *stack())
    page = client.get(f"/cases/{case}/images").text
    link = page.split(f'href="/cases/{case}/images/', 1)[1].split('"', 1)[0]
    middle = next(one for one in made.cases.files(case) if one.name == "3.dcm")
    assert link == middle.sha256[:16]
