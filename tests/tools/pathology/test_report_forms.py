"""Histology and cytology forms: core elements, both languages, and what is not embedded."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from knowledge.plain_text import has_chinese
from knowledge.reading_form import reading_form, reading_form_ids
from knowledge.reference import Review
from knowledge.words import Words
from tests.tools.readings.made import reading
from tests.tools.readings.test_golden import FOLDER
from tools.readings.category import outcomes
from tools.readings.report import reading_report
from tools.readings.text import plain

FORMS = tuple(f for f in reading_form_ids() if f.startswith("pathology_"))
CORE = {
    *("procedure", "site", "block", "margin", "margin_distance", "lymphovascular"),
    *("nodes_examined", "nodes_positive", "extranodal"),
    *("treatment", "response", "pt", "pn", "pm", "ancillary"),
}
"""Fact sheet D9, elements of every resected tumour."""

ALSO = {
    "pathology_breast": {"laterality", "histology", "invasive_size", "focality", "perineural",
                         "dcis", "tubules", "er_percent", "pr_percent", "her2_membrane",
                         "ki67_percent"},
    "pathology_prostate": {"cores", "perineural", "extraprostatic", "seminal_vesicle"},
    "pathology_colon": {"histology", "size", "depth", "perineural", "deposits", "buds", "mlh1"},
    "pathology_stomach": {"histology", "size", "depth", "perineural", "her2_stain"},
    "pathology_lung": {"laterality", "histology", "total_size", "invasive_size", "stas", "pleura"},
    "pathology_kidney": {"laterality", "histology", "size", "nucleoli"},
    "pathology_soft_tissue": {"laterality", "histology", "size", "necrosis"},
    "pathology_net": {"size", "ki67", "mitoses"},
}  # fmt: skip


@pytest.mark.parametrize("form_id", sorted(ALSO))
def test_a_tumour_report_asks_the_core_elements(form_id: str) -> None:
    assert (CORE | ALSO[form_id]) <= set(reading_form(form_id).items)


def test_every_report_of_the_brief_is_there() -> None:
    asked = {"gastric_biopsy", "cervical_cytology", "thyroid_cytology", "pd_l1"}
    assert {f"pathology_{name}" for name in asked} | set(ALSO) <= set(FORMS)


@pytest.mark.parametrize("form_id", FORMS)
def test_stage_is_entered_and_no_stage_table_is_shipped(form_id: str) -> None:
    form = reading_form(form_id)
    assert all(form.items[i].kind == "text" for i in ("pt", "pn", "pm") if i in form.items)
    told = " ".join(c.label.en for t in form.tables for c in t.categories)
    assert not re.search(r"\bp?[TN][0-4][abc]?\b", told)


@pytest.mark.parametrize("form_id", FORMS)
def test_every_source_and_review_is_named(form_id: str) -> None:
    form = reading_form(form_id)
    for table in form.tables:
        for row in table.rows:
            assert row.source in form.sources
            assert "not reviewed by a clinician" in Review(tag=row.review).words


def _words(node: Any) -> Iterator[Words]:
    if isinstance(node, Words):
        yield node
    elif isinstance(node, BaseModel):
        yield from (w for name in type(node).model_fields for w in _words(getattr(node, name)))
    elif isinstance(node, Mapping):
        yield from (w for value in node.values() for w in _words(value))
    elif isinstance(node, tuple):
        yield from (w for value in node for w in _words(value))


@pytest.mark.parametrize("form_id", FORMS)
def test_every_text_of_a_form_is_in_both_languages(form_id: str) -> None:
    for words in _words(reading_form(form_id)):
        assert not has_chinese(words.en)
        assert has_chinese(words.zh) or not re.search(r"[a-z]{3}", words.zh), words.en


@pytest.mark.parametrize("form_id", FORMS)
def test_a_report_reads_in_english_and_in_chinese(form_id: str) -> None:
    cases: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{form_id}.yaml").read_text("utf-8"))
    made = reading(form_id, cases[0]["items"])
    english = plain(reading_report(made, language="en"))
    assert not has_chinese(english)
    assert "esearch use" in english
    assert "仅供研究使用" in plain(reading_report(made, language="zh"))


@pytest.mark.parametrize("form_id", FORMS)
def test_every_answer_left_out_alone_never_gives_another_category(form_id: str) -> None:
    """What was determined stays possible: missing is never normal (every fifth case)."""
    form = reading_form(form_id)
    cases = yaml.safe_load((FOLDER / f"{form_id}.yaml").read_text("utf-8"))
    for case in cases[::5]:
        whole = {
            (o.table, o.entry): o for o in outcomes(form, reading(form_id, case["items"]).items)
        }
        for left_out in case["items"]:
            rest = {k: v for k, v in case["items"].items() if k != left_out}
            for outcome in outcomes(form, reading(form_id, rest).items):
                before = whole.get((outcome.table, outcome.entry))
                if before is not None and before.category is not None and outcome.possible:
                    assert before.category in outcome.possible, (case["name"], left_out)
