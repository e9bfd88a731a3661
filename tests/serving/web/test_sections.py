"""Imaging and the patient's own devices on the page of a case, in English and Chinese."""

import orjson

from tests.peers.running import RunningService
from tests.serving.web.test_pages import client, sent, words
from tests.tools.intake.samples import bundle, observation, patient
from tests.tools.intake.test_images import film
from tests.tools.intake.wearable_files import export_xml, pressures, week

LINES = b"schema: epicrisis/case/1\nattach: [{file: e.xml, patient: same}]\n"


def _files() -> dict[str, bytes]:
    return {
        "chart.json": orjson.dumps(bundle(patient(), observation())),
        "film.dcm": film(),
        "e.xml": export_xml(pressures(week(180, 110))),
        "case.yaml": LINES,
    }


def test_the_page_shows_the_study_and_the_devices_apart(site: RunningService) -> None:
    with client(site) as browser:
        _, page = sent(browser, _files(), "with a film")
    imaging = words(page.select_one("#imaging"))
    assert "Imaging and slides" in imaging
    assert "radiograph (digital), chest, PA" in imaging
    assert "not assessed: no validated model configured" in imaging
    own = words(page.select_one("#wearable"))
    assert "180/110 mmHg" in own
    assert "No value here is an input of a score" in own
    assert page.select("#imaging a.ref"), "each study leads to its file"


def test_the_page_says_it_in_chinese(site: RunningService) -> None:
    with client(site, language="zh") as browser:
        _, page = sent(browser, _files(), "mit Bild")
    imaging = words(page.select_one("#imaging"))
    assert "影像与切片" in imaging
    assert "未评估: 未配置经验证的模型" in imaging
    assert "患者自己的设备" in words(page.select_one("#wearable"))
