"""The synonym table joins names of one concept, within and across the two languages."""

import pytest
from pydantic import ValidationError

from knowledge.retrieval.terms import Term, TermTable, Thesaurus, search_terms, thesaurus


@pytest.mark.parametrize(
    ("one", "other", "concept"),
    [
        ("troponin", "肌钙蛋白", "troponin"),
        ("cTn", "Troponins", "troponin"),
        ("STEMI", "ST段抬高型心肌梗死", "stemi"),
        ("ST-segment elevation myocardial infarction", "ST-elevation MI", "mi"),
        ("heart attack", "心梗", "mi"),
        ("pulmonary embolism", "肺栓塞", "pe"),
        ("主动脉夹层", "aortic dissections", "aortic_dissection"),
        ("oesophageal rupture", "esophageal perforation", "oesophageal_rupture"),
        ("thrombolysis", "溶栓", "fibrinolysis"),
        ("D-二聚体", "d dimer", "d_dimer"),
    ],
)
def test_two_names_of_one_concept_are_found_by_each_other(
    one: str, other: str, concept: str
) -> None:
    assert concept in thesaurus().concepts(one)
    assert concept in thesaurus().concepts(other)


def test_the_longest_name_counts_and_its_broader_concepts_come_after_it() -> None:
    found = thesaurus().concepts("high-sensitivity cardiac troponin")
    assert found == ("hs_troponin", "troponin")


def test_non_st_elevation_infarction_is_not_taken_for_st_elevation_infarction() -> None:
    for text in ("non-ST-elevation myocardial infarction", "非ST段抬高型心肌梗死", "NSTEMI"):
        found = thesaurus().concepts(text)
        assert "nstemi" in found
        assert "stemi" not in found, text


@pytest.mark.parametrize(
    ("query", "english"),
    [
        ("肺栓塞患者溶栓", "pulmonary embolism fibrinolysis"),
        ("hs-cTnT 和 心电图", "high-sensitivity troponin T electrocardiogram"),
        ("今天天气很好", ""),
    ],
)
def test_a_chinese_query_becomes_the_english_terms_it_names(query: str, english: str) -> None:
    assert thesaurus().in_english(query) == english


def test_every_name_of_the_table_finds_its_own_concept() -> None:
    for key, term in search_terms().terms.rows.items():
        for name in (*term.en, *term.zh):
            assert key in thesaurus().concepts(name), name


def _table(**rows: Term) -> TermTable:
    head = {"title": "t", "version": "1", "licence": "x", "sources": {"s": {"title": "s"}}}
    terms = {"source": "s", "review": "R95", "rows": {k: r.model_dump() for k, r in rows.items()}}
    return TermTable.model_validate({**head, "terms": terms})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": Term(en=("PE",)), "b": Term(en=("pe",))}, "is a name of a and of b"),
        ({"a": Term(en=("AS",))}, "common English word"),
        ({"a": Term(en=("x",), broader=("y",))}, "is no row"),
        ({"a": Term(en=(), zh=("肌钙",))}, "no English name"),
        ({"a": Term(en=("--",))}, "nothing to compare"),
    ],
)
def test_a_row_that_would_mislead_is_refused(rows: dict[str, Term], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        _table(**rows)


def test_a_name_within_another_word_is_not_a_name() -> None:
    found = Thesaurus({"tn": Term(en=("tn",))})
    assert found.concepts("TN") == ("tn",)
    assert found.concepts("fitness") == ()
