"""Chat, evidence, sign-off, worklist and sidebar in a real browser; pictures for a person to see.

Pictures are written below ``out/screens``. Every page is watched: no request leaves this service,
no script fails, and nothing is refused by the content security policy.
"""

import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from knowledge.settings import Settings
from serving.access.principal import Principal, Role
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.sandbox.examples import load_into, make_case, read_example
from serving.sandbox.servers import FhirServer, SmartServer
from serving.signing.protocol import SignIn
from serving.signing.service import SignOffService
from tests.data_folder import ROOT
from tests.peers.running import RunningService, running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOW = datetime(2026, 11, 20, 13, 45, tzinfo=UTC)
"""Five minutes after the moment that the example with the infarction states."""

SHOTS = ROOT / "out" / "screens"
WIDE, NARROW = {"width": 1180, "height": 900}, {"width": 420, "height": 900}
LOCAL = Principal(
    subject="local", name="local user", roles=frozenset({Role.CLINICIAN}), via="local"
)


@dataclass
class Clock:
    """A clock that a test moves on."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Seen:
    """A page, and what went wrong on it."""

    page: "Page"
    host: str
    wrong: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on(
            "console",
            lambda m: self.wrong.append(m.text) if m.type == "error" else None,
        )
        self.page.on("request", lambda r: self._asked(r.url))

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != self.host and not url.startswith("data:"):
            self.outside.append(url)

    def shot(self, name: str, *, whole: bool = True) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        file = SHOTS / f"{name}.png"
        self.page.screenshot(path=file, full_page=whole)
        assert file.stat().st_size > 20_000, "an empty picture"

    def fits(self) -> None:
        """Assert that nothing sticks out of the page sideways."""
        wide, seen = self.page.evaluate(
            "() => [document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert wide <= seen, f"{wide} px in a window of {seen} px"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_api.sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=chromium, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[RunningService]:
    """Our service for the single local user."""
    bound = socket.create_server(("127.0.0.1", 0))
    folder = tmp_path_factory.mktemp("local")
    settings = Settings(data_dir=folder, llm="none", port=bound.getsockname()[1])
    with running_service(settings, bound, clock=clock) as service:
        yield service


def case_of(service: RunningService, name: str) -> Case:
    folder = ROOT / "serving" / "examples" / name
    found = [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
    return CaseService(service.services).open(found, label=name, principal=LOCAL)[0]


@pytest.fixture
def seen(browser: "Browser", local: RunningService) -> Iterator[Seen]:
    yield from _seen(browser, local.url)


def _seen(browser: "Browser", url: str) -> Iterator[Seen]:
    context = browser.new_context(viewport=WIDE, locale="en-GB")  # type: ignore[arg-type]
    found = Seen(context.new_page(), urlsplit(url).netloc)
    found.watch()
    yield found
    context.close()
    assert found.outside == []
    assert found.wrong == []


def ask(page: "Page", question: str) -> None:
    before = page.locator(".turn-answered").count()
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn-answered").nth(before).wait_for(timeout=60_000)


def test_chat_and_the_drawer_by_keyboard(local: RunningService, seen: Seen) -> None:
    case, page = case_of(local, "nstemi"), seen.page
    page.goto(f"{local.url}/cases/{case.id}/chat")
    ask(page, "How did the troponin change?")
    ask(page, "Are the neck veins distended?")
    ask(page, "Give aspirin 300 mg now")
    ask(page, "What was the potassium? <img src=https://evil.example/x.png>")
    seen.shot("chat")
    assert "24 ng/L, then 43 ng/L" in page.locator("#turn-1").inner_text()
    assert "Not in the record." in page.locator("#turn-2").inner_text()
    assert page.locator("#turn-2 .would-answer a").first.get_attribute("href") == (
        f"/cases/{case.id}#ask-distended_neck_veins"
    )
    assert "Nothing is ordered or carried out" in page.locator("#turn-3").inner_text()
    assert page.locator("#turn-4 img").count() == 0
    link = page.locator("#turn-1 a.evidence-fhir").first
    link.focus()
    page.keyboard.press("Enter")
    page.locator("#evidence-title").wait_for()
    assert "24" in page.locator("#evidence mark").all_inner_texts()
    seen.shot("evidence-field", whole=False)
    page.keyboard.press("Escape")
    assert page.locator("#evidence").inner_text() == ""
    assert link.evaluate("a => a === document.activeElement"), "focus returns to the link"
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    seen.fits()
    seen.shot("chat-420")


def test_the_lead_of_an_ecg_is_lifted_out(local: RunningService, seen: Seen) -> None:
    case, page = case_of(local, "nstemi"), seen.page
    page.goto(f"{local.url}/cases/{case.id}/chat")
    ask(page, "Is there ST depression?")
    page.locator("a.evidence-dicom:has-text('lead V3')").first.click()
    picture = page.locator("#evidence img")
    picture.wait_for()
    width = picture.evaluate("async i => { await i.decode(); return i.naturalWidth; }")
    assert width > 200
    assert "ST at J" in page.locator("#evidence").inner_text()
    seen.shot("evidence-lead", whole=False)


def test_sign_off_by_keyboard(local: RunningService, seen: Seen) -> None:
    case, page = case_of(local, "nstemi"), seen.page
    page.goto(f"{local.url}/cases/{case.id}/sign-off")
    progress = page.locator("#progress")
    total = int(re.findall(r"of (\d+)", progress.inner_text())[0])
    for number in (1, 2):
        page.keyboard.press("j")
        page.keyboard.press("a")
        page.locator(f"#progress:has-text('{number} of {total} decided')").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.keyboard.type("Not what I read")
    page.keyboard.press("Enter")
    page.locator(f"#progress:has-text('3 of {total} decided')").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("Control+A")
    page.keyboard.type("Troponin T 24, then 43 ng/L: rising.")
    page.keyboard.press("Tab")
    page.keyboard.type("Shorter")
    page.keyboard.press("Enter")
    page.locator(f"#progress:has-text('4 of {total} decided')").wait_for()
    seen.shot("sign-off-draft")
    waiting = page.locator(".because > p")
    assert waiting.count() > 0, "what says the same is to be decided by itself"
    assert page.get_by_role("button", name=re.compile("^Sign as")).count() == 0
    while left := waiting.count():
        page.get_by_role("button", name="It stands as computed").first.click()
        waiting.nth(left - 1).wait_for(state="detached")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("^Sign as")).click()
    page.locator(".report-head").wait_for()
    report = page.locator(".report").inner_text()
    assert "Troponin T 24, then 43 ng/L: rising." in report
    assert "Not what I read" in report
    seen.shot("sign-off-signed")
    services = local.services
    file = next(f for f in services.cases.files(case.id) if f.name == "chart.json")
    chart = services.cases.content(file).replace(b'"value": 43', b'"value": 25')
    CaseService(services).add_files(case, [("chart.json", chart)], principal=LOCAL)
    page.reload()
    assert page.locator(".flag-box h2").inner_text() == "The signed report no longer holds"
    seen.shot("sign-off-flagged")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    seen.fits()


def test_the_worklist_and_an_acknowledgement(
    local: RunningService, seen: Seen, clock: Clock
) -> None:
    page = seen.page
    made = {name: case_of(local, name) for name in ("stemi", "half_missing", "early_presenter")}
    local.services.cases.create(label="bed 12", source="upload", by="local")
    SignOffService(local.services).sign(
        made["early_presenter"], SignIn(version=1, accept_remaining=True), principal=LOCAL
    )
    clock.now = NOW + timedelta(minutes=23)
    try:
        page.goto(f"{local.url}/worklist?all=true")
        unknown = page.locator(".work-row.unknown", has_text="bed 12")
        assert "not assessed" in unknown.inner_text()
        assert unknown.locator(".na-mark").first.is_visible()
        seen.shot("worklist")
        rows = page.locator(".critical-row")
        before = rows.count()
        assert before > 0
        first = rows.first
        key = first.get_attribute("id")
        first.get_by_placeholder("whom you told").fill("told the senior")
        first.get_by_role("button", name="I know it").click()
        page.locator(f"#{key}").wait_for(state="detached")
        assert rows.count() == before - 1
        page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        seen.fits()
        seen.shot("worklist-420")
    finally:
        clock.now = NOW


@pytest.fixture(scope="module")
def service_settings(
    fhir_server: FhirServer, authorization_server: SmartServer
) -> Mapping[str, Any]:
    """The EHR that launches the sidebar."""
    return {
        "smart_issuers": {fhir_server.base: "epicrisis"},
        "outbound_private_hosts": (
            urlsplit(authorization_server.issuer).netloc,
            urlsplit(fhir_server.base).netloc,
        ),
    }


@pytest.fixture
def launch(
    fhir_server: FhirServer, authorization_server: SmartServer, epicrisis_service: RunningService
) -> Callable[[], str]:
    """Return the address by which the EHR launches the patient of an example."""
    example = read_example("nstemi")
    load_into(fhir_server, example)
    make_case(epicrisis_service.services, example, base=fhir_server.base)
    authorization_server.log_in_as("dr-1")

    def address() -> str:
        key = authorization_server.launch(patient=example.patient, encounter=example.encounter)
        return f"{epicrisis_service.url}/smart/launch?iss={fhir_server.base}&launch={key}"

    return address


def test_the_sidebar_of_a_launch(
    browser: "Browser",
    launch: Callable[[], str],
    epicrisis_service: RunningService,
) -> None:
    context = browser.new_context(viewport=NARROW, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(launch())
    assert urlsplit(page.url).path == "/sidebar"
    page.locator(".reading").wait_for(state="hidden", timeout=60_000)
    assert page.locator("h1").count() == 1
    assert page.locator(".patient-banner").inner_text().strip(), "the EHR shows no banner itself"
    assert "woman" in page.locator(".sidebar-head").inner_text()
    found = Seen(page, urlsplit(epicrisis_service.url).netloc)
    found.fits()
    found.shot("sidebar-420")
    missing = page.locator("#missing h2 .count")
    count = int(missing.inner_text())
    page.locator("#ask-distended_neck_veins").get_by_role("button", name="no", exact=True).click()
    page.locator(f"#missing h2 .count:text-is('{count - 1}')").wait_for()
    page.locator(".dismiss summary").click()
    page.get_by_label("I disagree with the evidence").check()
    page.get_by_role("button", name="Set aside").click()
    page.locator(".set-aside").wait_for()
    assert page.locator("#sidebar-headline").is_visible(), "the headline is never hidden"
    found.shot("sidebar-set-aside-420")
    assert wrong == []
    context.close()
