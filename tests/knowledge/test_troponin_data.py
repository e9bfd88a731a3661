"""The troponin tables hold what is printed, say where it is from, and what is not there."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from knowledge.clinical_inputs import catalogue
from knowledge.reference import Review, raw, unsourced_numbers
from knowledge.troponin import EscSet, assays, pathways
from knowledge.troponin_rules import LimitSet

FILES = ("troponin_assays", "troponin_pathways")
# assay: very low, low, no 1 h change, high, 1 h change (ESC 2020 table; 2023 supplement for EXL)
ESC_0_1H = {
    "roche-elecsys-hs-ctnt": (5, 12, 3, 52, 5),
    "abbott-architect-hs-ctni": (4, 5, 2, 64, 6),
    "abbott-alinity-hs-ctni": (4, 5, 2, 64, 6),
    "siemens-centaur-hs-ctni": (3, 6, 3, 120, 12),
    "siemens-atellica-hs-ctni": (3, 6, 3, 120, 12),
    "beckman-access-hs-ctni": (4, 5, 4, 50, 15),
    "singulex-clarity-hs-ctni": (1, 2, 1, 30, 6),
    "ortho-vitros-hs-ctni": (1, 2, 1, 40, 4),
    "pathfast-hs-ctni": (3, 4, 3, 90, 20),
    "quidel-triagetrue-hs-ctni": (4, 5, 3, 60, 8),
    "siemens-dimension-exl-hs-ctni": (9, 9, 5, 160, 100),
}
ESC_0_2H: dict[str, tuple[float | None, ...]] = {
    "roche-elecsys-hs-ctnt": (5, 14, 4, 52, 10),
    "abbott-architect-hs-ctni": (4, 6, 2, 64, 15),
    "abbott-alinity-hs-ctni": (4, 6, 2, 64, 15),
    "siemens-centaur-hs-ctni": (3, 8, 7, 120, 20),
    "beckman-access-hs-ctni": (4, 5, 5, 50, 20),
    "singulex-clarity-hs-ctni": (1, None, None, 30, None),
    "ortho-vitros-hs-ctni": (1, None, None, 40, None),
    "pathfast-hs-ctni": (3, None, None, 90, None),
    "quidel-triagetrue-hs-ctni": (4, None, None, 60, None),
    "siemens-dimension-exl-hs-ctni": (9, None, None, 160, None),
}
# 99th percentile: overall, female, male, as a table of package inserts prints them
PERCENTILE_99 = {
    "roche-elecsys-hs-ctnt": (14, 9, 16.8),
    "roche-elecsys-hs-ctnt-gen5-us": (19, 14, 22),
    "abbott-architect-hs-ctni": (26.2, 15.6, 34.2),
    "abbott-alinity-hs-ctni": (26.2, 15.6, 34.2),
    "beckman-access-hs-ctni": (17.5, 11.6, 19.8),
    "siemens-atellica-hs-ctni": (45.2, 34.1, 53.5),
    "siemens-centaur-hs-ctni": (46.5, 37.0, 57.3),
    "siemens-dimension-exl-hs-ctni": (60.4, 51.4, 76.2),
    "siemens-dimension-vista-hs-ctni": (58.9, 53.7, 78.5),
    "ortho-vitros-hs-ctni": (11, 9, 12),
    "pathfast-hs-ctni": (27.9, 20.3, 29.7),
    "quidel-triagetrue-hs-ctni": (20.5, 14.4, 25.7),
    "singulex-clarity-hs-ctni": (8.7, 8.8, 9.2),
    "siemens-atellica-vtli-hs-ctni": (22.9, 18.5, 27.1),
    "abbott-istat-hs-ctni": (21, 13, 28),
}
TABLES: list[tuple[LimitSet, dict[str, Any]]] = [("esc_0_1h", ESC_0_1H), ("esc_0_2h", ESC_0_2H)]


@pytest.mark.parametrize(("name", "table"), TABLES, ids=["0/1h", "0/2h"])
def test_every_esc_limit_is_as_printed_and_no_other_assay_has_any(
    name: LimitSet, table: dict[str, Any]
) -> None:
    us = "roche-elecsys-hs-ctnt-gen5-us"
    for key in assays().assays:
        found = assays().limits(key, name)
        if key == us:
            assert found is not None
            assert found.very_low is None
            continue
        assert (found is not None) == (key in table), key
        if found is not None:
            change = found.change or (None, None, None)
            assert (found.very_low, change[0], change[1], found.high, change[2]) == table[key], key


def test_every_99th_percentile_is_as_printed() -> None:
    for key, assay in assays().assays.items():
        limit = assay.percentile_99
        cells = (limit.overall, limit.female, limit.male)
        if not assay.high_sensitivity:
            assert cells == (None, None, None)
        else:
            assert tuple(cell and cell.value for cell in cells) == PERCENTILE_99[key]


def test_the_assays_are_the_choices_of_the_clinical_input() -> None:
    choices = catalogue().get("troponin_assay").choices
    assert {key: assay.label for key, assay in assays().assays.items()} == dict(choices)


@pytest.mark.parametrize("name", FILES)
def test_every_number_has_a_source_that_exists_and_a_review_state(name: str) -> None:
    data = raw(name)
    assert list(unsourced_numbers(data)) == []
    rows = list(_sourced(data))
    assert rows
    for row in rows:
        assert row["source"] in data["sources"], row
        Review(tag=row["review"])


def _sourced(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "source" in node and "review" in node:
            yield node
        for value in node.values():
            yield from _sourced(value)


def test_the_guidelines_are_named_with_their_doi() -> None:
    for table in (assays(), pathways()):
        assert table.sources["esc-nsteacs-2020"].doi == "10.1093/eurheartj/ehaa575"
        assert table.sources["esc-acs-2023"].doi == "10.1093/eurheartj/ehad191"


def test_what_is_uncertain_is_marked_as_such() -> None:
    exl = assays().assays["siemens-dimension-exl-hs-ctni"].esc_0_1h
    architect = assays().assays["abbott-architect-hs-ctni"].esc_0_1h
    elecsys = assays().assays["roche-elecsys-hs-ctnt"].esc_0_1h
    marks = [row is not None and Review(tag=row.review).needs_clinician for row in (exl, architect)]
    assert marks == [True, True]
    assert elecsys is not None
    assert not Review(tag=elecsys.review).needs_clinician


def test_no_name_stands_for_two_assays_and_each_finds_its_own() -> None:
    for key, assay in assays().assays.items():
        for name in (key, assay.label, *assay.names):
            assert assays().named(name.upper()) == key
    assert assays().named("Roche Elecsys") is None
    assert assays().named(None) is None


def test_windows_are_the_printed_minutes() -> None:
    found = {k: (a.window.first, a.window.last) for k, a in pathways().algorithms.items()}
    assert found["troponin_esc_0_1h"] == (50, 70)
    assert found["troponin_esc_0_2h"] == (110, 130)
    assert found["troponin_esc_0_3h"] == (150, 210)


def test_every_category_has_its_words_and_every_caveat_can_be_shown() -> None:
    words = {"basis": "B", "possible": "P", "conditions": "C", "name": "N", "values": "V"}
    assert all("B" in text.format(**words) for text in pathways().statements.values())
    names = ("names", "name", "longer", "why", "value_text", "limit", "opens", "closes", "span")
    fill = dict.fromkeys((*names, "many", "values"), "x")
    for caveat in pathways().caveats.values():
        assert "{" not in caveat.show(early=180, grace=140, **fill)


@pytest.mark.parametrize(
    "row",
    [
        {"very_low": 5, "high": 52},
        {"available": False, "note": "none", "high": 52},
        {"available": False},
        {"very_low": 5, "high": 52, "serial": False},
        {"same_as": "roche-elecsys-hs-ctnt"},
    ],
    ids=["half", "both", "no-reason", "serial-without-reason", "same-as-without-reason"],
)
def test_a_set_that_is_not_complete_must_say_so(row: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EscSet.model_validate({**row, "source": "x", "review": "R90"})


def test_the_highest_rule_in_limit_is_that_of_the_table_for_each_protein() -> None:
    found = {key: assays().highest_rule_in((key,))[0] for key in ("hs_ctnt", "hs_ctni")}
    assert found == {"hs_ctnt": 52, "hs_ctni": 160}
    row = "assays.siemens-dimension-exl-hs-ctni.esc_0_1h"
    assert assays().highest_rule_in(()) == (160, row)


@pytest.mark.parametrize(
    ("assay", "change", "low_0_2h"),
    [
        ("abbott-architect-hs-ctni", 6, 6),
        ("abbott-alinity-hs-ctni", 6, 6),
        ("roche-elecsys-hs-ctnt", 5, 14),
        ("ortho-vitros-hs-ctni", 4, 2),
        ("abbott-istat-hs-ctni", None, None),
    ],
)
def test_the_veto_of_a_later_sample_uses_the_1_h_change_and_the_own_low_limit(
    assay: str, change: float | None, low_0_2h: float | None
) -> None:
    veto = pathways().rule_out_veto
    assert assays().rule_in_change(assay, veto.change_of) == change
    assert assays().low(assay, "esc_0_2h", veto.change_of) == low_0_2h
