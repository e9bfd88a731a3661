"""The markers of a whole chart: each of which there is a sample, and no other."""

from knowledge.timeline import Category, Fact
from tests.tools.labs.markers.samples import d_dimer, sample
from tests.tools.labs.patterns.golden import chart
from tools.labs.markers.of_chart import marker_reports


def facts(*findings: object) -> tuple[Fact, ...]:
    return tuple(
        Fact.model_validate({"category": Category.LABORATORY, "finding": one}) for one in findings
    )


def test_every_marker_of_the_chart_is_reported_with_what_the_chart_answers() -> None:
    held = chart(
        facts(
            sample("ck_mb", 12.0, -1, limit="<5 ng/mL"),
            sample("ck", 300, -1),
            sample("nt_probnp", 1000),
            d_dimer(700, "ng/mL FEU", limit="<500 ng/mL FEU"),
            sample("lactate", 6.0, -3),
            sample("lactate", 3.0, -1),
            sample("procalcitonin", 0.6),
        ),
        {"atrial_fibrillation_known": False},
        age=78,
    )
    by_id = {report.marker: report for report in marker_reports(held, onset="acute")}
    assert list(by_id) == ["ck_mb", "nt_probnp", "d_dimer", "lactate", "procalcitonin"]
    assert by_id["ck_mb"].holds("from_the_heart") is True  # 12 / 300 = 4 %
    assert by_id["nt_probnp"].holds("grey_acute") is True  # 78 years: 300 to 1800
    assert by_id["d_dimer"].holds("below_age_adjusted") is True  # 700 < 780
    assert by_id["lactate"].holds("cleared_20_2h") is True  # 50 % in 2 h
    assert by_id["procalcitonin"].holds("sepsis_likely") is True
    assert by_id["procalcitonin"].holds("bacterial_likely") is None  # the setting is not known


def test_a_chart_without_markers_has_no_report() -> None:
    assert marker_reports(chart(facts(sample("ck", 300)), {})) == ()


def test_a_marker_that_cannot_be_read_is_reported_as_not_assessed() -> None:
    (report,) = marker_reports(chart(facts(d_dimer(700, "ng/mL", limit=None)), {}))
    assert report.not_assessed is not None
    assert report.set_aside
