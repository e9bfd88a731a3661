"""Results of two days, a sample from a drip arm, a potassium that is old, and numbers with names.

Made-up charts; every expected value follows from the text above it.
"""

from knowledge.quantity import Interval
from knowledge.timeline import Category, Fact
from serving.report.render import _environment
from tests.tools.labs.patterns.golden import chart
from tests.tools.labs.patterns.golden import result as lab
from tools.labs.contamination import Levels, contamination_patterns
from tools.labs.indices.compute import compute
from tools.labs.patterns.fact import number_words
from tools.labs.patterns.judge import judge_patterns
from tools.labs.patterns.reflex import reflex_suggestions


def test_sodium_and_glucose_of_two_days_are_not_put_together() -> None:
    # corrected by the glucose of the day before, a sodium of 148 would read 162.8
    apart = compute(
        "corrected_sodium_katz",
        {"sodium_mmol_l": lab("sodium", 148, -2), "glucose_mg_dl": lab("glucose", 1025, -26)},
    )
    assert apart.value is None
    assert apart.not_assessed is not None
    assert "within 1 h" in apart.not_assessed.detail + str(apart.missing)


def test_calcium_is_corrected_by_the_albumin_of_the_same_day_with_both_times() -> None:
    inputs = {"calcium_mg_dl": lab("calcium", 8.0, -2), "albumin_g_dl": lab("albumin", 2.0, -8)}
    found = compute("corrected_calcium", inputs)
    assert found.value is not None
    assert any("Not collected at one time" in caveat for caveat in found.caveats)


def test_one_diluted_sample_is_suspected_and_ketoacidosis_is_not() -> None:
    diluted: Levels = {
        "glucose": "high",
        "sodium": "low",
        "chloride": "low",
        "potassium": "low",
        "creatinine": "low",
        "haemoglobin": "low",
        "total_protein": "low",
    }
    every = contamination_patterns({}, diluted)
    (drip,) = [p for p in every if p.pattern == "drip_arm_dextrose"]
    assert (drip.support, drip.suspected) == ("not assessed", True)
    # ketoacidosis: glucose and creatinine high, sodium and chloride low
    ill: Levels = {"glucose": "high", "sodium": "low", "chloride": "low", "creatinine": "high"}
    assert not any(p.suspected for p in contamination_patterns({}, ill))


def test_an_old_potassium_is_called_old_and_no_repeat_is_asked_for_a_normal_one() -> None:
    # the pattern reads potassium of the last 48 h
    old = chart((Fact(category=Category.LABORATORY, finding=lab("potassium", 4.0, -60)),), {})
    verdicts = judge_patterns(old)
    (found,) = [one for one in verdicts if one.id == "hyperkalaemia"]
    assert "Potassium (older than 48 h)" in found.statement.en
    assert not any(s.id == "repeat_haemolysed_potassium" for s in reflex_suggestions(old, verdicts))


def test_a_number_has_its_name_and_four_digits() -> None:
    words = number_words(Interval.exact(0.956811), "1")
    assert words.en == "0.9568"
    assert number_words(Interval.exact(71), "a").en == "71 years"


def test_a_list_of_markdown_keeps_its_lines() -> None:
    text = "{% for x in xs %}\n- {{ x }}{% if x %} ({{ x }}){% endif +%}\n{% endfor %}\n"
    assert _environment("md").from_string(text).render(xs=["a", "b"]) == "- a (a)\n- b (b)\n"
    env = _environment("md")
    source = env.loader.get_source(env, "report.md.j2")[0]  # type: ignore[union-attr]
    assert "({{ d.not_assessed.detail|md }}){% endif +%}\n" in source
