"""What readers release of a case's images becomes part of its assessment, once, with who signed."""

from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.clinical_inputs import catalogue
from serving.cases.service import CaseService
from tests.serving.cases.fresh import Fresh, fresh
from tests.serving.reading.test_reading import ANNA, BEN, CLARA, DAN, SAID, Desk

_LABEL = catalogue().get("imaging_pneumothorax").label


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    with fresh(tmp_path_factory.mktemp("into_the_case")) as found:
        yield found


@pytest.fixture
def desk(made: Fresh) -> Desk:
    return Desk(made)


def said(pneumothorax: str) -> dict[str, Any]:
    """Return what a reader states of a standing patient's film."""
    return {
        "projection": {"state": "present", "choices": ["pa"], "said": SAID},
        "pneumothorax": {"state": pneumothorax, "said": SAID},
    }


def released(desk: Desk, pneumothorax: str, *, of: str = "", first: Any, second: Any) -> Any:
    for who in (first, second):
        desk.done("start", {"form": "chest_film"}, by=who, of=of)
        desk.done("content", {"changes": said(pneumothorax)}, by=who, of=of)
        desk.done("sign", by=who, of=of)
    return desk.done("release", by=second, of=of)


def newest(desk: Desk) -> Any:
    stored = desk.made.services.cases.assessment(desk.case)
    assert stored is not None
    return stored


def standings(desk: Desk) -> dict[str, str]:
    return {one["signed_by"]: one["standing"] for one in newest(desk).body.get("readings", ())}


def test_a_release_makes_a_version_and_the_same_content_no_second(desk: Desk) -> None:
    before = newest(desk)
    done = released(desk, "present", first=ANNA, second=BEN)
    after = newest(desk)
    assert after.version == before.version + 1
    assert standings(desk) == {"Dr Ben": "signed"}
    (listed,) = after.body["readings"]
    assert listed["study"] == after.body["imaging"][0]["id"]
    entry = next(i for i in after.body["inputs"] if i["file"] == f"released reading {done['id']}")
    assert entry["status"] == "read"
    case = desk.made.services.cases.find(desk.case)
    assert case is not None
    CaseService(desk.made.services).assess(case, principal=ANNA, why="asked for")
    assert newest(desk).version == after.version


def test_what_is_signed_and_not_released_is_not_in_the_case(desk: Desk) -> None:
    before = newest(desk)
    desk.done("start", {"form": "chest_film"}, by=ANNA)
    desk.done("content", {"changes": said("present")}, by=ANNA)
    desk.done("sign", by=ANNA)
    assert newest(desk).version == before.version
    assert "readings" not in newest(desk).body


def test_a_correction_takes_the_place_of_the_release(desk: Desk) -> None:
    released(desk, "present", first=ANNA, second=BEN)
    again = desk.done("corrections", {"words": "Side exchanged."}, by=ANNA)
    released(desk, "absent", of=again["id"], first=CLARA, second=DAN)
    stored = newest(desk)
    assert stored.why == "correction"
    assert standings(desk) == {"Dr Ben": "superseded", "Dr Dan": "signed"}
    assert not [c for c in stored.body["conflicts"] if c.get("input") == "imaging_pneumothorax"]
