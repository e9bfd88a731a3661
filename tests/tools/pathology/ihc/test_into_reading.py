"""A measured share in the histology report."""

import pytest

from knowledge.errors import ContractError
from knowledge.finding import State
from knowledge.reading_form import reading_form
from tests.tools.pathology.ihc.phantoms import Look, drawn, field_of, whole
from tests.tools.pathology.ihc.test_counts import calibration, measured
from tests.tools.readings.made import NOON, reading
from tools.pathology.ihc.into_reading import ITEMS, with_ihc
from tools.pathology.ihc.measure import ihc_nuclear_share
from tools.readings.category import outcomes
from tools.readings.check import faults
from tools.readings.outcome import outcome_of

MADE = drawn(Look(side_um=200, grades=(0.4, 0.2, 0.2, 0.2)), seed=7)


def test_a_measured_share_is_stated_by_the_measurement_and_unconfirmed() -> None:
    found = measured(MADE)
    before = reading("pathology_breast", {"controls": "adequate"})
    after = with_ihc(before, found, at=NOON, same_patient=True)
    assert found.share is not None
    stated = after.items["er_percent"]
    assert (stated.number, stated.unit) == (found.share.percent, "%")
    assert stated.said is not None
    assert stated.said.by == "measurement"
    assert list(faults(after)) == []
    er = outcome_of(outcomes(reading_form("pathology_breast"), after.items), "er")
    assert er.category == "er-positive"
    assert er.unconfirmed == ("er_percent",)


def test_ki67_brings_the_number_of_nuclei() -> None:
    after = with_ihc(
        reading("pathology_net", {}), measured(MADE, "ki67"), at=NOON, same_patient=True
    )
    assert after.items["ki67_cells"].number == pytest.approx(len(MADE.nuclei), rel=0.03)


def test_without_a_calibration_the_item_is_not_assessed_with_the_reason() -> None:
    found = ihc_nuclear_share((field_of(MADE),), regions=(whole(MADE),), marker="er")
    after = with_ihc(reading("pathology_breast", {}), found, at=NOON, same_patient=True)
    stated = after.items["er_percent"]
    assert stated.state is State.NOT_ASSESSED
    assert stated.not_assessed is not None
    assert "no calibration" in stated.not_assessed.detail
    er = outcome_of(outcomes(reading_form("pathology_breast"), after.items), "er")
    assert er.category is None


def test_a_form_that_does_not_ask_it_and_fields_of_nobody_are_refused() -> None:
    found = measured(MADE)
    with pytest.raises(ContractError, match="does not ask ER"):
        with_ihc(reading("pathology_net", {}), found, at=NOON, same_patient=True)
    with pytest.raises(ContractError, match="whose they are"):
        with_ihc(reading("pathology_breast", {}), found, at=NOON, same_patient=False)


def test_every_item_that_is_filled_is_a_number_of_its_form() -> None:
    assert calibration().marker == "er"
    for form, markers in ITEMS.items():
        for items in markers.values():
            assert all(reading_form(form).items[i].is_number for i in items if i)
