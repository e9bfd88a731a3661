"""What people enter on the page of a case: read in one way, kept, and never silently replaced.

The patient came with a first troponin of 2.6 ng/L (Abbott) at 18:49 and no pain question answered;
NOW is 22:00 in Berlin. By ESC 2023 (0/1 h, Abbott Architect) a rise from 2.6 to 2.4 ng/L at 1 h
rules infarction out (below 5 ng/L, delta below 2), and 260 ng/L rules it in (at least 64 ng/L).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup

from tests.peers.running import RunningService
from tests.serving.web.test_pages import client, example, sent, words

RULED_OUT = "Infarction is ruled out"
RULES_IN = "rules in acute myocardial injury"
SECOND = {"unit": "ng/L", "status": "final", "collected_at": "2026-11-20T19:49"}


class Page:
    """The page of one case, as a person uses its forms."""

    def __init__(self, browser: httpx.Client) -> None:
        files = example("early_presenter")
        files["case.yaml"] = re.sub(rb"(?m)^at:.*\n", b"", files["case.yaml"])
        self.browser = browser
        self.path, self.now = sent(browser, files, "bed 3")

    def sample(self, value: str, **changed: str) -> httpx.Response:
        return self._post("samples", {**SECOND, "value": value, **changed})

    def answer(self, key: str, value: str, **more: str) -> httpx.Response:
        return self._post("answers", {"input": key, "value": value, **more})

    def upload(self, name: str, resource: dict[str, Any]) -> httpx.Response:
        files = [("files", (name, json.dumps(resource).encode()))]
        return self._seen(self.browser.post(f"{self.path}/files", files=files))

    def _post(self, what: str, data: dict[str, str]) -> httpx.Response:
        return self._seen(self.browser.post(f"{self.path}/{what}", data=data))

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code == 200:
            self.now = BeautifulSoup(answer.text, "html.parser")
        return answer

    @property
    def headline(self) -> str:
        return words(self.now.h1)

    def text(self, selector: str) -> str:
        return " ".join(words(one) for one in self.now.select(selector))


@pytest.fixture
def page(site: RunningService) -> Iterator[Page]:
    with client(site) as browser:
        yield Page(browser)


def test_a_number_of_two_readings_is_refused_and_changes_nothing(page: Page) -> None:
    for refused in (
        page.sample("1,200"),
        page.answer("d_dimer_feu", "1,200", unit="ng/mL{FEU}"),
        page.answer("creatinine", "1,050", unit="mg/dL"),
    ):
        assert refused.status_code == 422
        assert "can be read in two ways" in refused.text
    assert "write 1200 or 1.2" in page.sample("1,200").text
    again = BeautifulSoup(page.browser.get(page.path).text, "html.parser")
    assert words(again.select_one("#versions .count")) == "1"


def test_what_was_typed_stands_beside_what_was_read(page: Page) -> None:
    assert page.answer("d_dimer_feu", "0,41", unit="mg/L{FEU}").status_code == 200
    assert "0.41 mg/L{FEU}" in page.text(".answered")
    assert "typed as 0,41" in page.text(".answered")
    assert "printed as 0,41 mg/L{FEU}" in page.text("#inputs")
    assert page.sample("2,4").status_code == 200
    assert "typed as 2,4" in page.text(".answered")


def test_a_second_result_of_one_minute_contradicts_the_first(page: Page) -> None:
    page.sample("260")
    assert RULES_IN in page.headline
    page.sample("2.4")
    assert RULED_OUT not in page.headline
    changed = page.text("#changes")
    assert "2.4 ng/L; 260 ng/L" in changed
    assert "two results for one time lie on both sides of the limit" in changed
    entered = page.text(".answered")
    assert "260 ng/L" in entered
    assert "2.4 ng/L" in entered
    assert not page.now.select(".answered del")


def test_a_correction_names_what_it_corrects_and_the_earlier_one_stays(page: Page) -> None:
    page.sample("260")
    corrects = str(page.now.select("input[name=corrects]")[0]["value"])
    page.sample("2.4", corrects=corrects)
    assert RULED_OUT in page.headline
    struck = page.text(".answered del")
    assert "260 ng/L" in struck
    assert "local user" in struck
    row = next(r for r in page.now.select("#changes tr") if "cardiac troponin I" in words(r))
    assert words(row.select_one("del")) == "260 ng/L"
    assert words(row.select_one("ins")) == "2.4 ng/L"
    late = page.sample("3", corrects=corrects)
    assert late.status_code == 422
    assert "corrected meanwhile" in late.text
    assert page.sample("3", corrects="entered/troponin-none.json").status_code == 422


def test_a_cancelled_result_no_longer_rules_out_and_is_named(page: Page) -> None:
    # FHIR R4 ObservationStatus: cancelled, entered-in-error: not to be used
    page.upload("more.json", _observation("final"))
    assert RULED_OUT in page.headline
    page.upload("c.json", _observation("cancelled"))
    assert RULED_OUT not in page.headline
    row = next(r for r in page.now.select("#changes tr") if "cardiac troponin I" in words(r))
    assert words(row.select_one("del")) == "2.4 ng/L"
    assert words(row.select_one("ins")) == "not used any more"


@pytest.mark.parametrize("status", ["unknown", "registered"])
def test_a_result_whose_later_status_is_not_known_is_not_used(page: Page, status: str) -> None:
    page.upload("more.json", _observation("final"))
    page.upload("c.json", _observation(status))
    assert RULED_OUT not in page.headline
    assert "no version tells which is newer" in page.text("#changes")


def test_an_answer_does_not_make_another_patient_of_this_one(page: Page) -> None:
    assert "man" in page.text(".who-line")
    page.answer("sex", "female")
    page.answer("age_years", "80", unit="a")
    assert "woman" not in page.text(".who-line")
    assert "80 years" not in page.text(".who-line")
    conflicts = page.text("#conflicts")
    for said in ("female", "male", "80 a", "43 a", "correct the record"):
        assert said in conflicts
    assert "Age 43 years not assessed: sources disagree" in page.text("#changes")
    page.answer("age_years", "43", unit="a")
    page.answer("sex", "male")
    assert "man 43 years" in page.text(".who-line")
    assert not page.now.select("#conflicts .conflict")


def test_the_d_dimer_is_asked_in_units_that_are_taken(page: Page) -> None:
    asked = page.now.select("#ask-d_dimer_feu select[name=unit] option[value]")
    units = [str(option["value"]) for option in asked if option["value"]]
    assert units
    for unit in units:
        assert page.answer("d_dimer_feu", "1", unit=unit).status_code == 200, unit
    refused = page.answer("d_dimer_feu", "410", unit="ng/mL")
    assert refused.status_code == 422
    assert "(ng/mL)" not in refused.text
    assert "ng/mL{FEU} or" in refused.text


@pytest.mark.parametrize("value", ["2027-01-01T10:00", "2026-11-20T22:30"])
def test_an_onset_to_come_is_refused_by_page_and_api(page: Page, value: str) -> None:
    assert "lies in the future" in page.answer("onset", value).text
    case = page.path.rsplit("/", 1)[1]
    for given in (
        {"input": "onset", "value": value},  # in the case's own zone, which its file names
        {"input": "onset", "value": f"{value}:00+01:00"},
        {"input": "diaphoresis", "value": "no", "observed_at": value},
    ):
        refused = page.browser.post(f"/v1/cases/{case}/answers", json=given)
        assert refused.status_code == 422, given
        assert "lies in the future" in refused.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"collected_at": "1999-01-01T10:00"}, "more than 24 hours before"),
        ({"value": "9999999"}, "lies between 0 and 1000000"),
        ({"collected_at": "2026-11-20T22:30"}, "lies in the future"),
    ],
)
def test_a_sample_of_another_time_or_an_impossible_value_is_refused_with_the_limit(
    page: Page, changed: dict[str, str], said: str
) -> None:
    refused = page.sample(**{"value": "3", **changed})
    assert refused.status_code == 422
    assert said in refused.text


def test_an_answer_taken_back_stands_struck_out_beside_the_new_one(page: Page) -> None:
    for value in ("no", "yes", "no"):
        page.answer("pain_ongoing", value)
    given = next(
        one for one in page.now.select(".answered li") if "Ongoing or recurrent pain" in words(one)
    )
    assert words(given.select_one("b")) == "no"
    struck = [words(one) for one in given.select("del")]
    assert [one.split()[0] for one in struck] == ["yes", "no"]
    assert all("local user, 22:00" in one for one in struck)
    row = next(r for r in page.now.select("#changes tr") if "Ongoing" in words(r))
    assert words(row.select_one("del")) == "yes"
    assert words(row.select_one("ins")) == "no (stated by local user)"


def _observation(status: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o4",
        "status": status,
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "89579-7"}],
            "text": "High-sensitivity cardiac troponin I",
        },
        "subject": {"reference": "Patient/patient"},
        "effectiveDateTime": "2026-11-20T19:49:00+01:00",
        "valueQuantity": {
            "value": 2.4,
            "unit": "ng/L",
            "system": "http://unitsofmeasure.org",
            "code": "ng/L",
        },
    }
