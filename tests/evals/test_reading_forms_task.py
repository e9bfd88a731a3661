"""The evaluation of forms sees a category that is wrong with less, and a number that is made up."""

import pytest

from evals.phantoms.readings import reading
from evals.tasks.reading_forms import numbers
from evals.tasks.reading_forms.left_out import left_out, wrong_after
from evals.tasks.reading_forms.numbers import number_checks
from knowledge.reading_form import reading_form
from tools.readings.category import outcomes
from tools.readings.outcome import Outcome
from tools.readings.report import reading_report

NODULE = {
    "composition": "solid",
    "echogenicity": "hypo",
    "shape": "wider",
    "margin": "smooth",
    "foci": "none-comet",
    "largest_diameter": "15 mm",
}
FORM = reading_form("thyroid_tirads")
MADE = reading("thyroid_tirads", {"nodules": {"n1": NODULE}})
BEFORE = {(one.table, one.entry): one for one in outcomes(FORM, MADE.items)}


def test_each_item_is_left_out_once() -> None:
    paths = [path for path, _ in left_out(MADE.items)]
    assert paths == ["nodules", *(f"nodules/n1/{part}" for part in NODULE)]


def test_the_true_category_stays_possible_whatever_is_left_out() -> None:
    for path, items in left_out(MADE.items):
        assert wrong_after(BEFORE, outcomes(FORM, items)) == [], path


def test_another_single_category_and_a_list_said_to_be_empty_are_wrong() -> None:
    lower = Outcome(table="tirads", entry="n1", possible=("TR1",), missing=("nodules/n1/foci",))
    assert wrong_after(BEFORE, (lower,)) == ["tirads/n1: TR1 without TR4"]
    none = Outcome(table="tirads", entry="n1", no_entries=True)
    assert "no entries" in wrong_after(BEFORE, (none,))[-1]
    wide = Outcome(table="tirads", entry="n1", possible=("TR2", "TR4", "TR5"))
    assert wrong_after(BEFORE, (wide,)) == []


def test_the_numbers_of_a_report_are_those_of_the_form() -> None:
    checks = list(number_checks(FORM, MADE))
    assert len(checks) > 4
    assert [text for right, text in checks if not right] == []


def test_a_number_that_is_made_up_or_lost_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(made: object, **more: object) -> object:
        report = reading_report(MADE, **more)  # type: ignore[arg-type]
        text = report.model_dump_json().replace("15 mm", "51 mm")
        return type(report).model_validate_json(text)

    monkeypatch.setattr(numbers, "reading_report", other)
    wrong = [text for right, text in number_checks(FORM, MADE) if not right]
    assert any("51 is said and was not stated" in text for text in wrong)
    assert any("is 15 and is not said" in text for text in wrong)
