"""Imaging orders: appropriate, less appropriate, or not to be judged; never by what is unknown."""

from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.imaging_orders import imaging_orders, plain_name
from knowledge.rules import Answer
from serving.cds.order_appropriateness import judge, orders_in, recognised
from tests.serving.cds.hooks import (
    MOMENTS,
    Clock,
    Hooks,
    example,
    hooks,
    imaging,
    order,
    workspace,
)

CTPA, AORTA, CCTA, FILM = (
    "ct_pulmonary_angiography",
    "ct_angiography_aorta",
    "ct_coronary_angiography",
    "chest_film",
)
AGAINST, SUPPORTED, OPEN = "argued against", "supported", "not assessed"


def rec(*applied: str) -> dict[str, Answer]:
    """Return answers where these recommendations apply and no others."""
    names = (
        "wells_likely pe_d_dimer pe_d_dimer_due rule_in_embolism_likely unstable pregnant "
        "add_rs_high add_rs_d_dimer aortic_d_dimer_positive stemi_with_dissection "
        "ischaemia_with_dissection aortic_diagnosed stemi_reperfusion omi_equivalent multivessel "
        "nste_very_high_risk nstemi_early_invasive rule_out_not_low tension"
    )
    return {f"recommendation.{name}": name in applied for name in names.split()}


# ESC 2019: Wells likely -> CTPA without D-dimer; unlikely -> D-dimer first; excluded by a rule
# -> no CT. ADvISED 2018: ADD-RS >= 2 -> CT whatever the D-dimer; ADD-RS 1 -> D-dimer; ADD-RS <= 1
# with a negative D-dimer -> argues against.
TABLE: list[tuple[str, str, dict[str, Answer], str]] = [
    ("Wells likely", CTPA, rec("wells_likely"), "appropriate"),
    ("D-dimer above its limit", CTPA, rec("pe_d_dimer"), "appropriate"),
    ("D-dimer not yet taken", CTPA, rec("pe_d_dimer_due"), "less appropriate"),
    (
        "a rule argues against embolism",
        CTPA,
        rec() | {"verdict.pulmonary_embolism": AGAINST},
        "less appropriate",
    ),
    (
        "a rule argues against, but unstable",
        CTPA,
        rec("unstable") | {"verdict.pulmonary_embolism": AGAINST},
        "cannot be judged",
    ),
    (
        "a rule argues against, but pregnant",
        CTPA,
        rec("pregnant") | {"verdict.pulmonary_embolism": AGAINST},
        "cannot be judged",
    ),
    (
        "a rule argues against, stability not known",
        CTPA,
        {"verdict.pulmonary_embolism": AGAINST},
        "cannot be judged",
    ),
    ("open", CTPA, rec() | {"verdict.pulmonary_embolism": OPEN}, "cannot be judged"),
    ("nothing known", CTPA, {}, "cannot be judged"),
    ("unstable and nothing else", CTPA, rec("unstable"), "cannot be judged"),
    ("ADD-RS 2 or more", AORTA, rec("add_rs_high"), "appropriate"),
    ("ADD-RS 1, D-dimer positive", AORTA, rec("aortic_d_dimer_positive"), "appropriate"),
    ("ADD-RS 1, no D-dimer", AORTA, rec("add_rs_d_dimer"), "less appropriate"),
    (
        "ADD-RS at most 1, D-dimer negative",
        AORTA,
        rec() | {"verdict.aortic_dissection": AGAINST},
        "less appropriate",
    ),
    ("ST elevation with features", AORTA, rec("stemi_with_dissection"), "appropriate"),
    (
        "ADD-RS low alone rules nothing out",
        AORTA,
        rec() | {"risk.add_rs": "low"},
        "cannot be judged",
    ),
    (
        "ADD-RS not determined",
        AORTA,
        rec() | {"risk.add_rs": frozenset({"low", "high"})},
        "cannot be judged",
    ),
    (
        "for and against at once",
        AORTA,
        rec("aortic_diagnosed") | {"verdict.aortic_dissection": AGAINST},
        "cannot be judged",
    ),
    ("ST elevation", CCTA, rec("stemi_reperfusion"), "less appropriate"),
    ("rule-in", CCTA, rec("nstemi_early_invasive"), "less appropriate"),
    ("ruled out, not low risk", CCTA, rec("rule_out_not_low"), "appropriate"),
    ("open", CCTA, rec(), "cannot be judged"),
    ("tension pneumothorax", FILM, rec("tension"), "less appropriate"),
    ("acute chest pain", FILM, rec() | {"input.chest_pain": True}, "appropriate"),
    ("no complaint known", FILM, rec(), "cannot be judged"),
]


@pytest.mark.parametrize(
    ("key", "answers", "verdict"),
    [row[1:] for row in TABLE],
    ids=[f"{row[1]}: {row[0]}" for row in TABLE],
)
def test_what_the_sources_say(key: str, answers: dict[str, Answer], verdict: str) -> None:
    judged = judge(key, answers)
    assert judged.verdict == verdict
    assert bool(judged.reasons) or verdict == "cannot be judged"


@pytest.mark.parametrize("key", list(imaging_orders().orders))
def test_nothing_known_is_never_a_judgement(key: str) -> None:
    assert judge(key, {}).verdict == "cannot be judged"


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (imaging("CT pulmonary angiogram"), CTPA),
        (imaging("CTPA"), CTPA),
        (imaging("CT-Angiography of the AORTA"), AORTA),
        (imaging("CCTA"), CCTA),
        (imaging("X-ray chest"), FILM),
        (imaging("CT of the head"), None),
        (imaging("Not a CTPA"), None),
        (imaging("CTPA", status="revoked"), None),
        (imaging("CTPA", doNotPerform=True), None),
        (imaging("CTPA", resourceType="Appointment"), None),
        (imaging("", code={"coding": [{"system": "http://loinc.org", "code": "79077-4"}]}), CTPA),
        (imaging("", code={"coding": [{"system": "urn:x", "code": "79077-4"}]}), None),
        (imaging("", code={"coding": [{"display": "CT pulmonary angiography"}]}), CTPA),
        (imaging("", code={"coding": "x"}), None),
        (imaging("", code="x"), None),
        (imaging("", code={"text": ["x"]}), None),
    ],
    ids=str,
)
def test_which_orders_are_looked_at(made: dict[str, Any], kind: str | None) -> None:
    assert recognised([made]) == ((kind,) if kind else ())


def test_only_what_was_selected_counts() -> None:
    bundle = {"entry": [{"resource": imaging("CTPA", key=key)} for key in ("a", "b")]}
    assert [o["id"] for o in orders_in(bundle, ["ServiceRequest/b"])] == ["b"]
    assert [o["id"] for o in orders_in(bundle, None)] == ["a", "b"]


def test_names_are_compared_without_case_and_punctuation() -> None:
    assert plain_name("CT Chest (PE protocol)") == "ct chest pe protocol"


@pytest.fixture(scope="module")
def nstemi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    with hooks(tmp_path_factory.mktemp("orders"), clock=Clock(MOMENTS["nstemi"])) as client:
        workspace(client, "nstemi")
        yield client


@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
@pytest.mark.parametrize(
    ("text", "verdict", "indicator", "source"),
    [
        ("CTPA", "less appropriate", "warning", "ESC Guidelines for acute pulmonary embolism"),
        ("CTA aorta", "less appropriate", "warning", "ADvISED"),
        ("CCTA", "less appropriate", "warning", "ESC Guidelines for the management of acute"),
        ("Chest x-ray", "appropriate", "info", "ACR Appropriateness Criteria"),
    ],
)
def test_an_order_gets_a_card_with_its_source(
    nstemi: Hooks, hook: str, text: str, verdict: str, indicator: str, source: str
) -> None:
    body = order(example("nstemi"), imaging(text), hook=hook)
    body["context"]["userId"] = f"Practitioner/{hook}-{text.replace(' ', '-')}"
    (card,) = nstemi.cards(f"chest-pain-{hook}", body)
    assert f": {verdict}." in card["summary"]
    assert card["indicator"] == indicator
    assert card["source"]["topic"]["code"] == "imaging-order"
    assert f"Epicrisis summary of {source}" in card["detail"]
    assert "not verbatim" in card["detail"]


def test_an_order_that_cannot_be_judged_says_what_is_missing(nstemi: Hooks) -> None:
    body = order(example("nstemi"), imaging("Lung perfusion scan"))
    body["context"]["patientId"] = "patient"
    (card,) = nstemi.cards("chest-pain-order-sign", body)
    assert ": less appropriate." in card["summary"]


def test_other_orders_get_no_card(nstemi: Hooks) -> None:
    drug = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "draft",
        "subject": {"reference": "Patient/patient"},
    }
    assert nstemi.cards("chest-pain-order-sign", order({}, drug)) == []


def test_the_critical_card_comes_with_the_order_too(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("critical")
    with hooks(folder, clock=Clock(MOMENTS["stemi"])) as client:
        workspace(client, "stemi")
        cards = client.cards("chest-pain-order-sign", order(example("stemi"), imaging("CCTA")))
        assert [c["indicator"] for c in cards] == ["critical", "warning"]


def test_from_data_that_are_not_whole_nothing_is_judged(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("gaps")
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x"}]}
    with hooks(folder, clock=Clock(MOMENTS["nstemi"])) as client:
        workspace(client, "nstemi")
        sent = example("nstemi") | {"procedures": failed}
        (card,) = client.cards("chest-pain-order-sign", order(sent, imaging("CTPA")))
        assert ": cannot be judged." in card["summary"]
        assert "procedures" in card["summary"]
