"""The workspace in a real browser: what a person sees, does with the keyboard, and waits for.

Pictures go to ``out/screens``. Skipped with the reason where there is no Chromium.
"""

import io
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pydicom
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright
from pydicom.uid import generate_uid

from knowledge.settings import Settings
from tests.data_folder import ROOT
from tests.peers.running import RunningService, running_service

SCREENS = ROOT / "out" / "screens"
CHROMIUM = Path("/usr/bin/chromium")
EXAMPLES = ROOT / "serving" / "examples"
WIDE = ViewportSize(width=1280, height=900)
NARROW = ViewportSize(width=420, height=900)


@dataclass
class Clock:
    """A clock that the test sets."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 20, 21, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        """Return the moment the test has chosen."""
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The clock of the service."""
    return Clock()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[RunningService]:
    """The running service, for the single local user."""
    bound = socket.create_server(("127.0.0.1", 0))
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("site"), llm="none", port=bound.getsockname()[1]
    )
    with running_service(settings, bound, clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no {CHROMIUM}")
    SCREENS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, and what it asked for and complained of."""

    page: Page
    base: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, name: str) -> str:
        """Open a bundled example and return its address."""
        self.page.goto(self.base)
        self.page.click(f"form[action='/cases/examples/{name}'] button")
        return self.ready()

    def ready(self) -> str:
        """Wait for everything the page loads by itself."""
        self.page.wait_for_selector("#ecg .ecg, #ecg .na")
        self.page.wait_for_load_state("networkidle")
        return self.page.url

    def picture(self, name: str, *, whole: bool = True) -> None:
        """Write a picture of the page."""
        self.page.screenshot(path=SCREENS / f"{name}.png", full_page=whole)

    def widths(self) -> tuple[int, int]:
        """Return the width of the content and that of the window."""
        return (
            self.page.evaluate("document.documentElement.scrollWidth"),
            self.page.evaluate("window.innerWidth"),
        )


@pytest.fixture
def watched(chromium: Browser, site: RunningService) -> Iterator[Watched]:
    """A page of its own that may ask for nothing outside and complain of nothing."""
    context = chromium.new_context(viewport=WIDE, locale="en-GB", timezone_id="Europe/Berlin")
    yield from _watched(context, site)


def _watched(context: BrowserContext, site: RunningService) -> Iterator[Watched]:
    context.set_default_timeout(60_000)
    page = context.new_page()
    watch = Watched(page=page, base=site.url)
    host = urlsplit(site.url).netloc
    page.on(
        "request",
        lambda r: (
            None
            if urlsplit(r.url).netloc == host or r.url.startswith("data:")
            else watch.outside.append(r.url)
        ),
    )
    page.on(
        "console",
        lambda m: watch.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda e: watch.complaints.append(str(e)))
    yield watch
    context.close()
    assert not watch.outside
    assert not [c for c in watch.complaints if "422" not in c]


def test_start_page(watched: Watched) -> None:
    watched.open("nstemi")
    watched.page.goto(watched.base)
    assert watched.page.locator(".case-list li").count() >= 1
    watched.picture("workspace-start")
    watched.page.set_viewport_size(NARROW)
    content, window = watched.widths()
    assert content <= window
    watched.picture("workspace-start-420")


@pytest.mark.parametrize("name", ["stemi", "nstemi", "early_presenter", "half_missing"])
def test_a_case_fits_a_wide_and_a_narrow_window(watched: Watched, name: str) -> None:
    watched.open(name)
    content, window = watched.widths()
    assert content <= window
    watched.picture(f"workspace-{name}")
    watched.page.set_viewport_size(NARROW)
    content, window = watched.widths()
    assert content <= window
    watched.picture(f"workspace-{name}-420")


def test_a_narrow_page_shows_all_twelve_leads_and_begins_the_timeline_where_now_is(
    watched: Watched,
) -> None:
    watched.page.set_viewport_size(NARROW)
    watched.open("early_presenter")
    papers = watched.page.locator(".ecg .paper-scroll").all()
    assert papers
    for paper in papers:
        hidden = paper.evaluate("node => node.scrollWidth - node.clientWidth")
        assert hidden <= 1, "size fit leaves leads outside"
    shown = watched.page.locator(".timeline-scroll")
    box = shown.bounding_box()
    assert box is not None
    for name in ("now", "due"):
        mark = watched.page.locator(f".timeline .name.{name}").bounding_box()
        assert mark is not None
        assert box["x"] <= mark["x"] <= box["x"] + box["width"], name
    assert watched.page.locator(".timeline-hint").is_visible()


def test_an_answer_changes_the_page_in_place_and_takes_the_focus_to_what_changed(
    watched: Watched,
) -> None:
    address = watched.open("half_missing")
    more = watched.page.locator("#missing details.more > summary")
    more.click()
    watched.page.locator("#ask-history_suspicion button[value='highly']").click()
    watched.page.wait_for_selector("#changes")
    watched.ready()
    assert watched.page.url == address
    assert watched.page.evaluate("document.activeElement.id") == "changes"
    heart = watched.page.locator(".risk.changed", has_text="HEART score")
    assert heart.locator(".range").inner_text() == "6\N{EN DASH}8 moderate or high"
    watched.picture("workspace-answered", whole=False)


def test_what_is_no_answer_is_told_beside_its_question(watched: Watched) -> None:
    watched.open("half_missing")
    form = watched.page.locator("#ask-systolic_bp")
    form.locator("input[name=value]").fill("9000")
    form.locator("select[name=unit]").select_option("mm[Hg]")
    form.get_by_role("button", name="Answer").click()
    watched.page.wait_for_selector("#problem-systolic_bp .problem")
    assert "value impossible" in watched.page.inner_text("#problem-systolic_bp")
    assert watched.page.locator("#changes").count() == 0


def test_calipers_measure_by_keyboard_and_by_mouse(watched: Watched) -> None:
    watched.open("nstemi")
    page = watched.page
    page.get_by_role("button", name="Calipers").click()
    first = page.locator(".tracing .caliper-handle").first
    first.focus()
    page.keyboard.press("ArrowLeft")
    before = _ms(page.inner_text(".caliper-reading"))
    for _ in range(5):
        page.keyboard.press("Shift+ArrowLeft")  # five times 40 ms
    assert _ms(page.inner_text(".caliper-reading")) - before == 200
    box = page.locator(".tracing").bounding_box()
    assert box is not None
    a_mm = box["width"] / 266  # the drawing is 266 mm wide
    x, y = box["x"] + 60 * a_mm, box["y"] + 20 * a_mm
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25 * a_mm, y - 10 * a_mm)
    page.mouse.up()
    said = page.inner_text(".caliper-reading")
    assert abs(_ms(said) - 1000) <= 12  # 25 mm are a second
    assert "+1.0" in said or "+0.99" in said  # 10 mm are a millivolt
    page.locator(".beats .beat").nth(3).focus()
    assert page.locator(".beats .beat").nth(3).locator(".value").first.is_visible()
    page.locator("#ecg").screenshot(path=SCREENS / "workspace-ecg-calipers.png")


def _ms(reading: str) -> int:
    return int(reading.split(": ")[1].split(" ms")[0])


def test_two_recordings_stand_side_by_side(watched: Watched, site: RunningService) -> None:
    earlier = pydicom.dcmread(EXAMPLES / "nstemi" / "ecg.dcm")
    earlier.AcquisitionDateTime = "20261120120500.000000+0100"
    uid = generate_uid(entropy_srcs=["an earlier recording"])
    earlier.SOPInstanceUID = earlier.file_meta.MediaStorageSOPInstanceUID = uid
    buffer = io.BytesIO()
    earlier.save_as(buffer)
    watched.page.goto(_sent(site, {**_example("nstemi"), "ecg-0.dcm": buffer.getvalue()}, "serial"))
    watched.ready()
    assert watched.page.locator(".serial .pairs figure").count() == 12
    watched.page.locator(".serial").screenshot(path=SCREENS / "workspace-ecg-serial.png")


def test_a_failed_file_and_a_disagreement_are_loud(watched: Watched, site: RunningService) -> None:
    files = _example("nstemi")
    files["broken.dcm"] = files["ecg.dcm"][:5000]
    kept = [x for x in files["case.yaml"].splitlines() if b"hypertension:" not in x]
    kept.insert(kept.index(b"facts:") + 1, b"  hypertension: no")  # the chart says yes
    files["case.yaml"] = b"\n".join(kept)
    watched.page.goto(_sent(site, files, "bed 7"))
    watched.ready()
    row = watched.page.locator("#files tr.failed")
    assert "broken.dcm" in row.inner_text()
    assert watched.page.locator(".head-side a.warn").count() == 2
    assert watched.page.locator("#conflicts .conflict dl > div").count() == 2
    watched.picture("workspace-failed-file")


def test_a_live_case_counts_down_and_turns_overdue(
    watched: Watched, site: RunningService, clock: Clock
) -> None:
    files = _example("early_presenter")
    lines = files["case.yaml"].decode().splitlines()
    files["case.yaml"] = "\n".join(x for x in lines if not x.startswith("at:")).encode()
    before = clock.now
    try:
        clock.now = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
        address = _sent(site, files, "bed 2")
        watched.page.goto(address)
        watched.ready()
        due = watched.page.locator(".head .clock time")
        assert due.inner_text().split()[0] == "19:49"
        assert "in 4" in due.inner_text()
        clock.now += timedelta(minutes=55)
        watched.page.goto(address)
        watched.ready()
        assert "overdue by 1" in watched.page.locator(".head .clock time").inner_text()
        assert "overdue" in (watched.page.locator(".head .clock").get_attribute("class") or "")
        assert watched.page.locator(".timeline .window.overdue").count() == 1
        watched.picture("workspace-overdue", whole=False)
    finally:
        clock.now = before


def test_the_agent_shows_its_steps_and_its_narrative(watched: Watched) -> None:
    watched.open("nstemi")
    watched.page.get_by_role("button", name="Run the agent").click()
    watched.page.wait_for_selector("#run .steps li")
    watched.page.wait_for_selector("#run .run-state.done", timeout=120_000)
    watched.page.wait_for_selector("article[data-version='2']")
    assert watched.page.locator("#run .steps li").count() > 5
    watched.ready()
    watched.page.locator("#run details > summary").scroll_into_view_if_needed()
    watched.page.locator("#agent").screenshot(path=SCREENS / "workspace-agent.png")


def test_chinese(watched: Watched) -> None:
    watched.page.goto(f"{watched.base}/language/zh")
    watched.open("early_presenter")
    assert watched.page.inner_text("#missing-title").startswith("缺失")
    assert watched.page.locator("html").get_attribute("lang") == "zh-Hans"
    assert watched.page.locator("h1").get_attribute("lang") == "en"
    watched.picture("workspace-zh")
    watched.page.set_viewport_size(NARROW)
    content, window = watched.widths()
    assert content <= window
    watched.picture("workspace-zh-420")


def test_contrast_of_what_is_read_is_at_least_aa(watched: Watched) -> None:
    watched.open("half_missing")
    poor = watched.page.evaluate(_CONTRAST)
    assert not poor


def test_every_control_has_a_name_and_every_id_is_one(watched: Watched) -> None:
    watched.open("half_missing")
    nameless = watched.page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input:not([type=hidden]), select')]
        .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not nameless
    twice = watched.page.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
        return ids.filter((id, i) => ids.indexOf(id) !== i); }"""
    )
    assert not twice
    landmarks = "header.top, main, footer, nav[aria-label]"
    assert watched.page.locator(landmarks).count() >= 4


def test_print_keeps_the_assessment_and_drops_the_controls(watched: Watched) -> None:
    watched.open("nstemi")
    watched.page.emulate_media(media="print")
    assert watched.page.locator("h1").is_visible()
    assert watched.page.locator(".research").is_visible()
    assert not watched.page.locator(".ask").first.is_visible()


def _example(name: str) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in (EXAMPLES / name).iterdir()}


def _sent(site: RunningService, files: dict[str, bytes], label: str) -> str:
    parts = [("files", (name, content)) for name, content in files.items()]
    answer = httpx.post(f"{site.url}/cases", data={"label": label}, files=parts, timeout=60)
    assert answer.status_code == 303, answer.text
    return f"{site.url}{answer.headers['location']}"


_CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const channel = v => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) =>
    .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const ground = e => {
    for (let at = e; at; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest('svg') || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    const a = light(parse(style.color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const px = parseFloat(style.fontSize);
    const large = px >= 24 || (px >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(poor)];
}"""
"""WCAG 2.2, 1.4.3: the ratio of every visible text to the ground it stands on."""
