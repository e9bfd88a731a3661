"""The pages over HTTP without any script: forms that post and redirect, and what they then say."""

import re
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from babel.messages import Catalog, pofile
from babel.messages.extract import extract_from_dir
from bs4 import BeautifulSoup

from tests.data_folder import ROOT
from tests.peers.running import RunningService

WEB = ROOT / "serving" / "web"
EXAMPLES = ROOT / "serving" / "examples"


def client(site: RunningService, *, language: str = "en") -> httpx.Client:
    return httpx.Client(
        base_url=site.url,
        headers={"Accept": "text/html", "Accept-Language": language},
        follow_redirects=True,
        timeout=60,
    )


def opened(browser: httpx.Client, name: str) -> tuple[str, BeautifulSoup]:
    answer = browser.post(f"/cases/examples/{name}")
    assert answer.status_code == 200, answer.text
    return answer.url.path, BeautifulSoup(answer.text, "html.parser")


def sent(browser: httpx.Client, files: dict[str, bytes], label: str) -> tuple[str, BeautifulSoup]:
    parts = [("files", (name, content)) for name, content in files.items()]
    answer = browser.post("/cases", data={"label": label}, files=parts)
    assert answer.status_code == 200, answer.text
    return answer.url.path, BeautifulSoup(answer.text, "html.parser")


def example(name: str) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in (EXAMPLES / name).iterdir()}


def words(node: object) -> str:
    return " ".join(getattr(node, "get_text")(" ").split())  # noqa: B009


class TestEveryPage:
    @pytest.mark.parametrize("path", ["/", "/cases/none"])
    def test_it_says_research_use_and_trusts_nothing_from_elsewhere(
        self, site: RunningService, path: str
    ) -> None:
        with client(site) as browser:
            answer = browser.get(path)
        page = BeautifulSoup(answer.text, "html.parser")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "Research use only" in words(page.select_one(".research"))
        assert not page.select("[style], style, script:not([src])")
        outside = [t for t in page.select("[src], link[href]") if _address(t).startswith("http")]
        assert not outside

    def test_what_is_not_there_is_a_page_for_a_person_and_a_problem_for_a_program(
        self, site: RunningService
    ) -> None:
        with client(site) as browser:
            page = browser.get("/cases/none")
            program = browser.get("/cases/none", headers={"Accept": "application/json"})
        assert page.status_code == program.status_code == 404
        assert "There is nothing here" in page.text
        assert program.headers["content-type"].startswith("application/problem+json")


class TestCasePage:
    def test_what_is_known_and_what_is_not_look_different(self, site: RunningService) -> None:
        with client(site) as browser:
            _, page = opened(browser, "half_missing")
        esc = _risk(page, "ESC 0/1 h")
        assert esc.select_one(".na .na-mark") is not None
        assert "assay not named" in words(esc.summary)
        heart = _risk(page, "HEART score")
        assert words(heart.select_one(".risk-result .range")) == "4\N{EN DASH}8 moderate or high"
        assert heart.select_one(".settled") is None
        assert len(page.select(".verdicts > li.none")) == 6

    def test_the_arithmetic_the_source_and_the_review_state_are_there(
        self, site: RunningService
    ) -> None:
        with client(site) as browser:
            _, page = opened(browser, "nstemi")
        heart = _risk(page, "HEART score")
        points = [int(words(cell)) for cell in heart.select("table.sum tr td.n")]
        assert sum(points[:-1]) == points[-1] == 8
        said = words(heart)
        assert "Backus" in said
        assert "not reviewed by a clinician" in said
        assert "not verbatim" in words(page.select_one("#actions"))

    def test_an_answer_is_assessed_at_once_and_says_what_changed(
        self, site: RunningService
    ) -> None:
        with client(site) as browser:
            path, page = opened(browser, "half_missing")
            assert page.select_one("#ask-history_suspicion") is not None
            form = {"input": "history_suspicion", "value": "highly"}
            after = browser.post(f"{path}/answers", data=form)
        page = BeautifulSoup(after.text, "html.parser")
        assert after.url.path == path
        assert "Suspicion by history" in words(page.select_one("#changes"))
        assert page.select_one("#missing > form#ask-history_suspicion") is None
        given = words(page.select_one(".answered"))
        assert "highly suspicious" in given
        assert "local user" in given
        # 4 to 8 points before; a highly suspicious history gives 2 of the 0 to 2 that were open
        heart = _risk(page, "HEART score")
        assert "changed" in heart["class"]
        assert words(heart.select_one(".range")) == "6\N{EN DASH}8 moderate or high"

    def test_what_is_no_answer_is_told_and_changes_nothing(self, site: RunningService) -> None:
        with client(site) as browser:
            path, _ = opened(browser, "half_missing")
            answer = browser.post(
                f"{path}/answers", data={"input": "systolic_bp", "value": "9000", "unit": "mm[Hg]"}
            )
            page = BeautifulSoup(browser.get(path).text, "html.parser")
        assert answer.status_code == 422
        assert "value impossible" in answer.text
        assert words(page.select_one("#versions .count")) == "1"

    def test_a_file_that_cannot_be_read_is_loud(self, site: RunningService) -> None:
        with client(site) as browser:
            files = {**example("nstemi"), "ecg2.dcm": example("nstemi")["ecg.dcm"][:4000]}
            _, page = sent(browser, files, "bed 7")
        row = next(r for r in page.select("#files tr") if "ecg2.dcm" in words(r))
        assert "failed" in row["class"]
        assert "failed" in words(row.select_one(".file-status"))
        assert row.select_one(".file-reason") is not None
        assert page.select_one(".head-side a[href='#files'].warn") is not None

    def test_two_patients_are_refused_in_the_headline(self, site: RunningService) -> None:
        with client(site) as browser:
            files = {**example("nstemi"), "other.json": example("stemi")["chart.json"]}
            _, page = sent(browser, files, "two of them")
        assert "not of one patient" in words(page.h1)
        assert "refused" in words(page.select_one(".marks"))
        assert not page.select(".risk .settled")

    def test_sources_that_disagree_stand_side_by_side(self, site: RunningService) -> None:
        case = example("nstemi")
        case["case.yaml"] = case["case.yaml"].replace(
            b"facts:\n", b"facts:\n  hypertension: no\n", 1
        )
        text = case["case.yaml"].decode()
        lines = [x for i, x in enumerate(text.splitlines()) if not _again(text, i, "hypertension")]
        case["case.yaml"] = "\n".join(lines).encode()
        with client(site) as browser:
            _, page = sent(browser, case, "disagreement")
        conflict = page.select_one("#conflicts .conflict")
        assert conflict is not None
        assert len(conflict.select("dl > div")) == 2

    def test_a_troponin_result_entered_by_hand_counts_as_a_sample(
        self, site: RunningService
    ) -> None:
        with client(site) as browser:
            path, _ = opened(browser, "early_presenter")
            after = browser.post(
                f"{path}/samples",
                data={"value": "3,1", "collected_at": "2026-11-20T19:00", "status": "final"},
            )
        page = BeautifulSoup(after.text, "html.parser")
        assert after.status_code == 200, after.text
        assert "3.1 ng/L" in words(page.select_one("#timeline table"))
        assert "entered/troponin-20261120T1900-" in words(page.select_one("#files"))

    def test_an_earlier_version_says_so_and_takes_no_answers(self, site: RunningService) -> None:
        with client(site) as browser:
            path, _ = opened(browser, "half_missing")
            browser.post(f"{path}/answers", data={"input": "pain_ongoing", "value": "yes"})
            page = BeautifulSoup(browser.get(f"{path}?version=1").text, "html.parser")
        assert "an earlier version" in words(page.select_one(".marks"))
        assert page.select_one("#missing form") is None
        assert words(page.select_one("#versions li[aria-current] .version-number")) == "1"

    def test_the_ecg_names_its_points_and_its_error(self, site: RunningService) -> None:
        with client(site) as browser:
            path, _ = opened(browser, "nstemi")
            page = BeautifulSoup(browser.get(f"{path}/ecg").text, "html.parser")
        beats = page.select(".beats .beat")
        assert len(beats) == 12
        assert all("J " in b["aria-label"] and " mV" in b["aria-label"] for b in beats)
        assert {g["data-lead"] for g in page.select(".tracing g[data-lead]")} >= {"I", "aVR", "V6"}
        assert "mean absolute error 6.2 ms (LUDB, n = 86)" in words(page)
        assert "25 mm/s" in words(page.select_one(".calibration"))


class TestLanguage:
    def test_the_choice_is_kept_and_goes_nowhere_else(self, site: RunningService) -> None:
        with client(site) as browser:
            answer = browser.get("/language/zh?next=//example.org/")
            assert answer.url.path == "/"
            assert answer.url.host == "127.0.0.1"
            assert "病例" in browser.get("/").text

    def test_every_word_of_the_pages_has_its_translation(self) -> None:
        catalogue = _catalogue()
        methods = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
        found = extract_from_dir(
            str(ROOT / "serving"),
            method_map=methods,
            options_map={"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}},
            keywords={"_": None, "say": None, "gettext": None, "ngettext": (1, 2)},
        )
        wanted = {m[2] if isinstance(m[2], str) else m[2][0] for m in found if m[2]}
        lacking = sorted(w for w in wanted if w not in catalogue or not catalogue[w].string)
        assert not lacking

    def test_no_translation_drops_what_is_filled_in(self) -> None:
        catalogue = _catalogue()
        for message in catalogue:
            if not message.id:
                continue
            source = message.id[1] if isinstance(message.id, tuple) else message.id
            made = message.string[0] if isinstance(message.string, tuple) else message.string
            assert _holes(str(source)) == _holes(str(made)), source


def _catalogue() -> Catalog:
    return pofile.read_po(BytesIO((WEB / "locale" / "zh" / "messages.po").read_bytes()))


def _holes(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|%0?\d*[sd]", text))


def _again(text: str, index: int, key: str) -> bool:
    """Return whether a line gives a fact that an earlier line has given."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
    return index != first and lines[index].strip().startswith(f"{key}:")


def _risk(page: BeautifulSoup, name: str) -> BeautifulSoup:
    found = next(
        r for r in page.select("details.risk") if words(r.select_one(".risk-name")) == name
    )
    assert isinstance(found, BeautifulSoup) or found.name == "details"
    return found  # type: ignore[return-value]


def _address(tag: object) -> str:
    get = getattr(tag, "get")  # noqa: B009
    return str(get("src") or get("href") or "")


def test_the_styles_and_scripts_name_nothing_outside() -> None:
    for file in (WEB / "static").iterdir():
        if file.suffix in (".css", ".js") and not file.name.endswith(".min.js"):
            text = _without_namespaces(file)
            assert "http" not in text, file.name
            assert "@import" not in text, file.name


def _without_namespaces(file: Path) -> str:
    return file.read_text().replace("http://www.w3.org/2000/svg", "")
