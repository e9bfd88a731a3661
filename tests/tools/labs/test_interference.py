"""What can falsify a result: present, absent or not known; direction; nothing is corrected."""

from collections.abc import Mapping

import pytest

from knowledge.analytes import analytes
from knowledge.biological_variation import biological_variation
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.delta_checks import delta_checks
from knowledge.errors import ReferenceDataError
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, State, Why
from knowledge.interference import Interferences, _check, interferences
from knowledge.quantity import Interval, Quantity
from knowledge.rules import Answer
from tools.labs.interference import InterferenceFinding, answers_from, interference_on

exact = Interval.exact
ROCHE, ARCHITECT = "roche-elecsys-hs-ctnt", "abbott-architect-hs-ctni"


def found(
    analyte: str, key: str, answers: Mapping[str, Answer], assay: str | None = None
) -> InterferenceFinding:
    """Return one interference on one analyte."""
    all_found = interference_on(analyte, answers, troponin_assay=assay)
    return next(f for f in all_found if f.interference == key)


# rows of the interference table of the sheet: analyte, interference, what is known, direction
PRESENT: tuple[tuple[str, str, dict[str, Answer], str], ...] = (
    ("potassium", "haemolysis", {"free_haemoglobin_g_l": exact(2)}, "raises"),
    ("ldh", "haemolysis", {"haemolysis_stated": True}, "raises"),
    ("ast", "haemolysis", {"haemolysis_stated": True}, "raises"),
    ("magnesium", "haemolysis", {"haemolysis_stated": True}, "raises"),
    ("phosphate", "haemolysis", {"haemolysis_stated": True}, "raises"),
    ("iron", "haemolysis", {"haemolysis_stated": True}, "raises"),
    ("nse", "haemolysis", {"haemolysis_stated": True}, "raises"),
    ("bilirubin_direct", "haemolysis", {"haemolysis_stated": True}, "lowers"),
    ("insulin", "haemolysis", {"haemolysis_stated": True}, "lowers"),
    ("haptoglobin", "haemolysis", {"haemolysis_stated": True}, "lowers"),
    ("mchc", "lipaemia", {"lipaemia_stated": True}, "raises"),
    ("haemoglobin", "lipaemia", {"triglycerides_mg_dl": exact(900)}, "raises"),
    ("ldl_cholesterol", "lipaemia", {"triglycerides_mg_dl": exact(450)}, "either"),
    (
        "sodium",
        "pseudohyponatraemia",
        {"triglycerides_mg_dl": exact(2000), "sodium_method": "indirect"},
        "lowers",
    ),
    (
        "sodium",
        "pseudohyponatraemia",
        {"total_protein_g_dl": exact(11), "sodium_method": "indirect"},
        "lowers",
    ),
    ("creatinine", "icterus", {"icterus_stated": True, "creatinine_method": "jaffe"}, "lowers"),
    ("uric_acid", "icterus", {"bilirubin_total_mg_dl": exact(20)}, "lowers"),
    (
        "creatinine",
        "jaffe_chromogens",
        {"ketones_or_cefoxitin": True, "creatinine_method": "jaffe"},
        "raises",
    ),
    (
        "creatinine",
        "enzymatic_creatinine_drugs",
        {"dobutamine_or_acetylcysteine": True, "creatinine_method": "enzymatic"},
        "lowers",
    ),
    (
        "tsh",
        "biotin",
        {
            "biotin_mg_per_day": exact(10),
            "hours_since_biotin": exact(4),
            "biotin_streptavidin_assay": True,
        },
        "lowers",
    ),
    (
        "free_t4",
        "biotin",
        {
            "biotin_mg_per_day": exact(100),
            "hours_since_biotin": exact(48),
            "biotin_streptavidin_assay": True,
        },
        "raises",
    ),
    ("potassium", "edta_contamination", {"edta_pattern": True}, "raises"),
    ("calcium", "edta_contamination", {"edta_pattern": True}, "lowers"),
    ("alp", "edta_contamination", {"edta_pattern": True}, "lowers"),
    ("aptt", "citrate_ratio", {"haematocrit_percent": exact(60)}, "raises"),
    ("pt", "citrate_ratio", {"citrate_tube_underfilled": True}, "raises"),
    ("platelets", "platelet_clumping", {"platelet_clumps": True}, "lowers"),
    ("rbc", "cold_agglutinin", {"cold_agglutinin": True}, "lowers"),
    ("mchc", "cold_agglutinin", {"cold_agglutinin": True}, "raises"),
    (
        "potassium",
        "pseudohyperkalaemia_cells",
        {"platelets_10_9_l": exact(900), "specimen": "serum"},
        "raises",
    ),
    (
        "potassium",
        "reverse_pseudohyperkalaemia",
        {"wbc_10_9_l": exact(120), "specimen": "plasma"},
        "raises",
    ),
    ("potassium", "fist_clenching", {"fist_clenched": True}, "raises"),
    ("lactate", "delayed_separation", {"minutes_to_separation": exact(30)}, "raises"),
    ("glucose", "delayed_separation", {"minutes_to_separation": exact(120)}, "lowers"),
    ("creatinine", "creatinine_secretion_drugs", {"creatinine_raising_drug": True}, "raises"),
    ("egfr", "creatinine_secretion_drugs", {"creatinine_raising_drug": True}, "lowers"),
    ("free_t4", "heparin_free_t4", {"heparin_given": True}, "raises"),
    ("tsh", "non_thyroidal_illness", {"non_thyroidal_illness": "acute"}, "lowers"),
    ("tsh", "non_thyroidal_illness", {"non_thyroidal_illness": "recovering"}, "raises"),
    ("hcg", "heterophile_antibody", {"dilution_not_linear": True}, "either"),
    ("ck", "macro_enzyme", {"peg_precipitates": True}, "raises"),
    ("sodium", "drip_arm", {"drip_arm": True}, "either"),
)


@pytest.mark.parametrize(
    ("analyte", "key", "answers", "direction"),
    PRESENT,
    ids=[f"{case[0]}-{case[1]}-{n}" for n, case in enumerate(PRESENT)],
)
def test_a_known_interference_is_present_with_direction_and_consequence(
    analyte: str, key: str, answers: dict[str, Answer], direction: str
) -> None:
    result = found(analyte, key, answers)
    assert result.state is State.PRESENT
    assert result.direction == direction
    assert result.consequence
    assert result.source
    assert not result.would_tell


def test_every_interference_of_the_table_is_tested() -> None:
    assert {case[1] for case in PRESENT} == set(interferences().interferences)


@pytest.mark.parametrize("key", sorted(interferences().interferences))
def test_silence_is_never_absence_and_names_what_would_tell(key: str) -> None:
    row = interferences().interferences[key]
    for analyte in {a for effect in row.effects for a in effect.analytes}:
        result = found(analyte, key, {})
        assert result.state is State.NOT_ASSESSED
        assert result.would_tell
        assert result.not_assessed is not None
        assert result.not_assessed.why is Why.MISSING


def test_a_haemolysed_troponin_t_of_an_assay_that_falls_supports_no_rule_out() -> None:
    result = found("hs_ctnt", "haemolysis", {"haemolysis_stated": True}, ROCHE)
    assert result.state is State.PRESENT
    assert result.direction == "lowers"
    assert "no rule-out" in result.consequence
    printed = found("hs_ctnt", "haemolysis", {"haemolysis_stated": True}, "Elecsys Troponin T hs")
    assert printed.state is State.PRESENT


@pytest.mark.parametrize(
    ("free_haemoglobin", "state"), [(0.7, State.ABSENT), (1.0, State.PRESENT), (3.0, State.PRESENT)]
)
def test_troponin_t_falls_from_1_g_l_of_free_haemoglobin(
    free_haemoglobin: float, state: State
) -> None:
    answers = {"free_haemoglobin_g_l": exact(free_haemoglobin)}
    assert found("hs_ctnt", "haemolysis", answers, ROCHE).state is state


def test_a_stable_assay_is_of_no_concern_up_to_5_g_l() -> None:
    for level, state in ((3.0, State.ABSENT), (6.0, State.PRESENT)):
        answers = {"free_haemoglobin_g_l": exact(level)}
        assert found("hs_ctni", "haemolysis", answers, ARCHITECT).state is state


def test_an_assay_that_is_not_named_leaves_it_open() -> None:
    result = found("hs_ctni", "haemolysis", {"haemolysis_stated": True})
    assert result.state is State.NOT_ASSESSED
    assert "the troponin assay" in result.would_tell


def test_a_haemolysis_index_under_the_level_is_absent_and_a_contradiction_is_not_known() -> None:
    assert found("potassium", "haemolysis", {"free_haemoglobin_g_l": exact(0.1)}).state is (
        State.ABSENT
    )
    result = found(
        "potassium",
        "haemolysis",
        {"free_haemoglobin_g_l": exact(0.1), "haemolysis_stated": True},
    )
    assert result.not_assessed is not None
    assert result.not_assessed.why is Why.CONFLICTING


def test_an_index_known_only_within_bounds_across_the_level_is_not_known() -> None:
    answers: dict[str, Answer] = {"free_haemoglobin_g_l": Interval(low=0, high=1)}
    assert found("potassium", "haemolysis", answers).state is State.NOT_ASSESSED


@pytest.mark.parametrize(
    ("dose", "hours", "state"),
    [
        (1, 1, State.ABSENT),
        (5, 7, State.PRESENT),
        (10, 8, State.ABSENT),
        (100, 48, State.PRESENT),
        (100, 72, State.ABSENT),
        (300, None, State.NOT_ASSESSED),
    ],
)
def test_the_washout_of_biotin_depends_on_the_dose(
    dose: float, hours: float | None, state: State
) -> None:
    answers: dict[str, Answer] = {
        "biotin_mg_per_day": exact(dose),
        "biotin_streptavidin_assay": True,
    }
    if hours is not None:
        answers["hours_since_biotin"] = exact(hours)
    assert found("tsh", "biotin", answers).state is state


def test_an_assay_without_biotin_is_not_affected() -> None:
    answers: dict[str, Answer] = {
        "biotin_mg_per_day": exact(100),
        "hours_since_biotin": exact(1),
        "biotin_streptavidin_assay": False,
    }
    assert found("tsh", "biotin", answers).state is State.ABSENT


def test_plasma_and_direct_electrodes_are_spared() -> None:
    cells: dict[str, Answer] = {"platelets_10_9_l": exact(900), "specimen": "plasma"}
    assert found("potassium", "pseudohyperkalaemia_cells", cells).state is State.ABSENT
    fat: dict[str, Answer] = {"triglycerides_mg_dl": exact(3000), "sodium_method": "direct"}
    assert found("sodium", "pseudohyponatraemia", fat).state is State.ABSENT


def test_present_ones_come_first_and_nothing_is_corrected() -> None:
    results = interference_on("potassium", {"fist_clenched": True})
    assert results[0].interference == "fist_clenching"
    numbers = {"value", "corrected", "quantity", "corrected_value"}
    assert not numbers & set(InterferenceFinding.model_fields)


def test_an_analyte_that_no_row_names_has_no_interference_listed() -> None:
    assert interference_on("unheard_of", {}) == ()


def _finding(analyte: str, value: float, unit: str, *flags: str) -> Finding:
    return Finding(
        concept=Concept(text=analyte, codings=(Coding(system=ANALYTE, code=analyte),)),
        state=State.PRESENT,
        value=Quantity(value=value, unit=unit),
        flags=flags,
        evidence=(RecordEvidence(file="a", record="b"),),
    )


def test_results_and_flags_of_the_specimen_answer_signals() -> None:
    answers = answers_from(
        [
            _finding("platelets", 900, "10*9/L"),
            _finding("potassium", 6.4, "mmol/L", "haemolysed"),
        ]
    )
    assert answers == {"platelets_10_9_l": exact(900), "haemolysis_stated": True}
    assert "haemolysis_stated" not in answers_from([_finding("potassium", 6.4, "mmol/L")])


def test_a_row_that_asks_an_unknown_signal_is_refused() -> None:
    data = interferences().model_dump(by_alias=True)
    data["signals"].pop("fist_clenched")
    broken = Interferences.model_validate(data)
    row = broken.interferences["fist_clenching"]
    with pytest.raises(ReferenceDataError, match="no signal"):
        _check(broken, "fist_clenching", row.present_when)


def test_the_keys_of_the_tables_are_those_of_the_analyte_table() -> None:
    named = {
        a for row in interferences().interferences.values() for e in row.effects for a in e.analytes
    }
    named |= set(biological_variation().rows) | set(biological_variation().none)
    named |= set(delta_checks().rows) | set(delta_checks().none)
    named |= {a for row in delta_checks().patterns.values() for a in row.analytes}
    named |= {s.analyte for s in interferences().signals.values() if s.analyte}
    assert not named - set(analytes().analytes)


def test_every_signal_is_asked_by_some_row() -> None:
    rows = interferences().interferences.values()
    asked = {i for row in rows for condition in row.conditions() for i in condition.inputs()}
    assert asked == set(interferences().signals)
