"""Every report has a summary; lists and numbers read as people write them."""

import pytest

from tests.tools.readings.made import NOON, READER, reading
from tools.readings.model import Said, Stated
from tools.readings.report import reading_report
from tools.readings.sentences import listed, with_unit
from tools.readings.text import plain
from tools.readings.versions import edited


def test_left_main_disease_has_a_summary_though_modifiers_are_open() -> None:
    """CAD-RADS 2.0: left main of 50 % or more is 4B."""
    made = reading(
        "coronary_cad_rads", {"lm": "moderate", "lad": "mild", "lcx": "none", "rca": "none"}
    )
    assert reading_report(made).summary[0] == "CAD-RADS 4B"
    assert "Summary: CAD-RADS 4B; not determined: Plaque burden, " in plain(reading_report(made))


def test_a_form_without_categories_in_short_names_what_is_present() -> None:
    made = reading("chest_film", {"effusion": "present", "pneumothorax": "absent"})
    shown = reading_report(made).summary
    assert shown[0] == "Present: Pleural effusion"
    assert "items not looked at" in shown[1]
    none = reading_report(reading("chest_film", {"pneumothorax": "absent"})).summary
    assert none[0] == "nothing present of what was looked at"
    assert reading_report(made, language="zh").summary[0] == "阳性所见：胸腔积液"  # noqa: RUF001


def test_names_with_commas_are_told_apart() -> None:
    shown = plain(reading_report(reading("stroke_aspects", {"caudate": "absent"})))
    assert "Internal capsule, IC; Insula, I; Anterior cortex, M1;" in shown
    assert listed(["heart", "aorta"], "en") == "heart, aorta"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(12.345, "12.3 mm"), (30.04, "30.04 mm"), (0.25, "0.25 mm"), (12, "12 mm"), (5.96, "5.96 mm")],
)
def test_millimetres_are_rounded_never_onto_a_limit(number: float, shown: str) -> None:
    assert with_unit(number, "mm") == shown


def test_one_item_is_not_items_and_a_size_is_rounded() -> None:
    made = reading("chest_film")
    by = Said(by="reader", who="Dr Two", at=NOON)
    size = Stated(state="present", side="left", size_mm=12.345, said=READER)  # type: ignore[arg-type]
    shown = plain(reading_report(edited(made, {"effusion": size}, by=by)))
    assert "1 item stated for the first time" in shown
    assert "There is a pleural effusion (left, 12.3 mm)" in shown


def test_two_reasons_of_one_category_are_joined() -> None:
    """Either projection: 0.62 is above 0.50 (PA) and above 0.55 (AP)."""
    made = reading("chest_film", {"ctr": "0.62 1"})
    line = next(c for c in reading_report(made).categories if c.label.startswith("Heart size"))
    assert line.determined
    assert line.because == "Ratio above 0.50 on a PA film. Or: Ratio above 0.55 on an AP film."
