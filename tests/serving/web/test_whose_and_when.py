"""Whose case a page is of, at which moment, and what a refused case does not say."""

import io
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pydicom
import pypdfium2  # type: ignore[import-untyped]
import pytest
from bs4 import BeautifulSoup

from knowledge.settings import Settings
from tests.data_folder import ROOT
from tests.peers.running import RunningService, running_service

EXAMPLES = ROOT / "serving" / "examples"
LATER = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
"""Two days after the moments that the bundled examples state."""
CLARA = "Muster, Clara"
"""As the example's chart writes it: family Muster, given Clara, EX-0002, born 1955-07-21."""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = LATER

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


def served(folder: Path, clock: Clock, **more: bool) -> Iterator[RunningService]:
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    settings = Settings(data_dir=folder, llm="none", port=port, **more)  # type: ignore[arg-type]
    with running_service(settings, bound, clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[RunningService]:
    yield from served(tmp_path_factory.mktemp("later"), clock)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[RunningService]:
    yield from served(tmp_path_factory.mktemp("private"), clock, show_identity=False)


def browser(site: RunningService) -> httpx.Client:
    return httpx.Client(
        base_url=site.url,
        headers={"Accept": "text/html", "Accept-Language": "en"},
        follow_redirects=True,
        timeout=60,
    )


def words(node: object) -> str:
    return " ".join(getattr(node, "get_text")(" ").split())  # noqa: B009


def soup(answer: httpx.Response) -> BeautifulSoup:
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def opened(client: httpx.Client, name: str) -> str:
    answer = client.post(f"/cases/examples/{name}")
    assert answer.status_code == 200, answer.text
    return answer.url.path


def pdf_pages(content: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content)]


def test_every_page_of_a_case_says_whose_it_is(later: RunningService) -> None:
    with browser(later) as client:
        path = opened(client, "nstemi")
        for page in (path, f"{path}/sign-off", "/worklist"):
            shown = [words(one) for one in soup(client.get(page)).select(".patient-line")]
            assert f"{CLARA} EX-0002 born 1955-07-21 female" in shown, page


def test_every_report_says_whose_it_is(later: RunningService) -> None:
    with browser(later) as client:
        path = f"/v1{opened(client, 'nstemi')}/report"
        pages = pdf_pages(client.get(path, params={"format": "pdf"}).content)
        others = [client.get(path, params={"format": form}).text for form in ("html", "md")]
        bundle = client.get(path, params={"format": "fhir"}).json()
    line = f"{CLARA}; EX-0002; born 1955-07-21; female"
    assert len(pages) > 1
    assert all(line in page for page in pages)
    assert all(f"Patient: {line}" in text for text in others)
    report = next(
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "DiagnosticReport"
    )
    assert report["subject"]["display"] == line


def test_the_name_is_neither_in_the_assessment_nor_in_the_audit_nor_in_a_log(
    later: RunningService, caplog: pytest.LogCaptureFixture
) -> None:
    with browser(later) as client, caplog.at_level("DEBUG"):
        case = opened(client, "nstemi").rpartition("/")[2]
        client.get("/worklist")
        client.get(f"/v1/cases/{case}/report", params={"format": "pdf"})
        audit = client.get("/v1/audit", params={"case": case})
    stored = later.services.cases.assessment(case)
    assert stored is not None
    for text in (json.dumps(stored.body), audit.text, caplog.text):
        assert "Muster" not in text


def test_a_screen_that_others_see_can_leave_it_out_and_a_report_does_not(
    private: RunningService,
) -> None:
    with browser(private) as client:
        path = opened(client, "nstemi")
        for page in (path, f"{path}/sign-off", "/worklist"):
            text = words(soup(client.get(page)))
            assert "Muster" not in text, page
            assert "identity is not shown" in text
        report = client.get(f"/v1{path}/report", params={"format": "pdf"}).content
    assert CLARA in pdf_pages(report)[0]


def test_a_case_of_another_moment_says_so_on_the_list_and_counts_nothing_down(
    later: RunningService,
) -> None:
    """The sample of the example was due on 2026-11-20 at 19:49, 38 hours before."""
    with browser(later) as client:
        case = opened(client, "early_presenter").rpartition("/")[2]
        row = soup(client.get("/worklist")).select_one(f"#case-{case} .work-due")
    said = words(row)
    assert said.startswith(
        "due 2026-11-20 19:49 Europe/Berlin "
        "at the moment this case states, 2026-11-20 19:05 Europe/Berlin"
    )
    assert "in 44 min" not in said
    assert row is not None
    assert row.select_one("[data-due]") is None


def test_a_case_of_another_moment_can_be_assessed_as_of_now_and_stays_there(
    later: RunningService, clock: Clock
) -> None:
    with browser(later) as client:
        path = opened(client, "early_presenter")
        first = soup(client.get(path))
        assert words(first.select_one(".clock time b")) == "2026-11-20 19:49"
        again = soup(client.post(f"{path}/assess"))
        assert "Nothing: the assessment is the same" in words(again.select_one("#changes"))
        now = soup(client.post(f"{path}/assess", data={"as_of": "now"}))
        # 09:00 UTC is 10:00 in Berlin
        assert "2026-11-22 10:00" in words(now.select_one(".head-side"))
        assert now.select_one("button[name=as_of]") is None
        try:
            clock.now = LATER + timedelta(minutes=7)
            answer = {"input": "known_cad", "value": "unknown"}
            soup(client.post(f"{path}/answers", data=answer))
            stored = later.services.cases.assessment(path.rpartition("/")[2])
        finally:
            clock.now = LATER
    assert stored is not None
    assert stored.at == LATER + timedelta(minutes=7)


def test_every_place_gives_the_same_time_for_the_next_sample(later: RunningService) -> None:
    """First sample 13:30, observe zone after 1 h: the next is the third, 3 h after it, 16:30."""
    source = EXAMPLES / "nstemi"
    chart = json.loads((source / "chart.json").read_text())
    for entry in chart["entry"]:
        if entry["resource"].get("id") == "hs-ctnt-2":
            entry["resource"]["valueQuantity"]["value"] = 23
    files = {
        "chart.json": json.dumps(chart).encode(),
        "case.yaml": (source / "case.yaml").read_bytes(),
        "ecg.dcm": (source / "ecg.dcm").read_bytes(),
    }
    with browser(later) as client:
        page = sent(client, files, "observe")
        case = page[0].rpartition("/")[2]
        row = soup(client.get("/worklist")).select_one(f"#case-{case} .work-due")
    panel = page[1].select_one(".clock time")
    assert panel is not None
    assert panel["datetime"] == "2026-11-20T15:30:00+00:00"  # 16:30 in Berlin
    table = words(page[1].select_one("#timeline table"))
    assert "16:30 next sample due" in table
    assert "15:30" not in table
    assert "16:30" in words(page[1].select_one("#actions .due"))
    assert words(row).startswith("due 2026-11-20 16:30")
    # what another rule would do is said as that rule's
    assert "By ESC 0/2 h alone the next sample is due 15:30" in words(page[1])


def test_a_refused_case_does_not_look_like_one_in_which_nothing_is_missing(
    later: RunningService,
) -> None:
    source = EXAMPLES / "nstemi"
    other = pydicom.dcmread(source / "ecg.dcm")
    other.PatientID, other.PatientName = "ZZ-9", "Anders^Eva"
    other.PatientBirthDate = "19330303"
    held = io.BytesIO()
    other.save_as(held)
    files = {
        "chart.json": (source / "chart.json").read_bytes(),
        "ecg.dcm": held.getvalue(),
    }
    with browser(later) as client:
        path, page = sent(client, files, "mixed")
        text = words(page.select_one("main"))
        for lie in ("Nothing that the rules ask for is missing", "Missing 0", "To do 0"):
            assert lie not in text
        assert "not asked: refused" in text
        assert "--same-patient" not in text, "a page has no command line"
        assert page.select_one("#ecg") is None
        assert words(page.select_one(".patient-line")).endswith("whose record this is")
        ways = page.select(".refused-case form input[name=name]")
        assert {way["value"] for way in ways} == {"chart.json", "ecg.dcm"}
        after = soup(client.post(f"{path}/files/remove", data={"name": "ecg.dcm"}))
    assert after.select_one(".refused-case") is None
    assert CLARA in words(after.select_one(".patient-line"))


def test_all_that_a_case_shows_is_acknowledged_at_once(later: RunningService) -> None:
    source = EXAMPLES / "nstemi"
    chart = json.loads((source / "chart.json").read_text())
    for entry in chart["entry"]:
        if entry["resource"].get("id") == "potassium-4":
            entry["resource"]["valueQuantity"]["value"] = 6.6
    files = {name: (source / name).read_bytes() for name in ("case.yaml", "ecg.dcm")}
    files["chart.json"] = json.dumps(chart).encode()
    with browser(later) as client:
        case = sent(client, files, "two")[0].rpartition("/")[2]
        group = soup(client.get("/worklist")).select_one(f"#crit-case-{case}")
        assert group is not None
        assert len(group.select(".critical-row")) == 2
        form = group.select_one(".critical-head form")
        assert form is not None
        ids = [one["value"] for one in form.select("input[name=ids]")]
        after = soup(client.post(str(form["action"]), data={"ids": ids, "note": "told Dr X"}))
    assert after.select_one(f"#crit-case-{case}") is None


def sent(client: httpx.Client, files: dict[str, bytes], label: str) -> tuple[str, BeautifulSoup]:
    parts = [("files", (name, content)) for name, content in files.items()]
    answer = client.post("/cases", data={"label": label}, files=parts)
    return answer.url.path, soup(answer)
