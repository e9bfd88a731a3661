"""Figures of the validation kit against published values, other libraries and sums by hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, stats

from knowledge.errors import ContractError, InputError
from tools.models.calibration import (
    Isotonic,
    IsotonicPart,
    Platt,
    PlattPart,
    Temperature,
    probabilities_of,
    sigmoid,
    softmax,
)
from tools.models.measure.auroc import auroc
from tools.models.measure.calibrate import folds_of
from tools.models.measure.fit import fit, platt, rising
from tools.models.measure.froc import Lesion, Mark, Scan, froc
from tools.models.measure.operating_point import choose_threshold, operating_point, proportion
from tools.models.measure.reader_time import read_reader_time
from tools.models.measure.reliability import reliability


def hanley() -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """CT readings of Hanley and McNeil 1982 (doi 10.1148/radiology.143.1.7063747), table I."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    ratings = np.arange(1.0, 6.0)
    values = np.concatenate([np.repeat(ratings, normal), np.repeat(ratings, abnormal)])
    return np.repeat([False, True], [58, 51]), values


def test_auroc_and_its_interval_are_those_published_for_the_readings_of_hanley() -> None:
    # Stata Base Reference Manual, roctab, on these data: area 0.8932, standard error 0.0307,
    # 95 % interval 0.83295 to 0.95339 (DeLong).
    area = auroc(*hanley())
    assert area.value == pytest.approx(0.8932, abs=5e-5)
    assert area.se == pytest.approx(0.0307, abs=5e-5)
    assert area.ci == pytest.approx((0.83295, 0.95339), abs=5e-6)


def test_auroc_is_the_u_statistic_of_mann_and_whitney() -> None:
    draw = np.random.default_rng(5)
    truth = draw.random(300) < 0.3
    values = np.round(draw.normal(truth * 0.8), 1)  # many equal values
    u = stats.mannwhitneyu(values[truth], values[~truth]).statistic
    assert auroc(truth, values).value == pytest.approx(u / (truth.sum() * (~truth).sum()))


def test_too_few_cases_have_no_area() -> None:
    with pytest.raises(ContractError, match="1 cases with the label"):
        auroc(np.array([True, False, False]), np.array([0.9, 0.1, 0.2]))


def test_platt_is_the_likeliest_line_that_another_optimiser_finds() -> None:
    draw = np.random.default_rng(11)
    logits = draw.normal(size=400) * 3
    present = draw.random(400) < sigmoid(0.5 * logits - 1)
    plus, minus = present.sum(), (~present).sum()
    aim = np.where(present, (plus + 1) / (plus + 2), 1 / (minus + 2))  # Platt 1999

    def loss(line: NDArray[np.float64]) -> float:
        x = line[0] * logits + line[1]
        return float((np.logaddexp(0, x) - aim * x).mean())

    best = optimize.minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-9}).x
    assert platt(logits, present) == pytest.approx(tuple(best), abs=1e-4)


def test_cases_told_apart_completely_have_a_finite_slope() -> None:
    logits = np.array([-3.0] * 20 + [3.0] * 20)
    slope, intercept = platt(logits, logits > 0)
    # The line goes through Platt's drawn-in aims: 21/22 at 3 and 1/22 at -3.
    assert slope == pytest.approx(np.log(21) / 3, rel=1e-4)
    assert intercept == pytest.approx(0, abs=1e-4)


def test_temperature_is_the_one_another_optimiser_finds() -> None:
    draw = np.random.default_rng(3)
    logits = draw.normal(size=(500, 3)) * 4
    likely = softmax(logits / 2.5)
    chosen = (draw.random((500, 1)) > likely.cumsum(axis=1)).sum(axis=1)
    truth = np.eye(3)[np.minimum(chosen, 2)]
    found = fit(logits, truth, ("a", "b", "c"), "softmax", "temperature", fitted_on="t")
    assert isinstance(found, Temperature)

    def loss(t: float) -> float:
        return float(-np.log(softmax(logits / t)[truth > 0]).mean())

    best = optimize.minimize_scalar(loss, bounds=(0.1, 20), method="bounded").x
    assert found.temperature == pytest.approx(best, rel=1e-3)
    assert found.temperature == pytest.approx(2.5, rel=0.2)  # what the truth was drawn with


def test_isotonic_is_that_of_another_library() -> None:
    draw = np.random.default_rng(2)
    values = draw.normal(size=200) + np.linspace(0, 2, 200)
    np.testing.assert_allclose(rising(values), optimize.isotonic_regression(values).x)


def test_isotonic_of_scores_with_equal_ones_is_that_of_another_library() -> None:
    draw = np.random.default_rng(9)
    logits = np.round(draw.normal(size=(400, 1)), 1)
    truth = (draw.random((400, 1)) < sigmoid(logits)).astype(float)
    found = fit(logits, truth, ("a",), "sigmoid", "isotonic", fitted_on="t")
    assert isinstance(found, Isotonic)
    scores = sigmoid(logits[:, 0])
    single, first, count = np.unique(scores, return_index=True, return_counts=True)
    means = [truth[scores == s, 0].mean() for s in single]
    expected = optimize.isotonic_regression(means, weights=count).x
    np.testing.assert_allclose(found.parts[0].probabilities, expected, atol=1e-12)
    assert len(first) == len(found.parts[0].scores)


def test_calibrations_are_applied_as_written() -> None:
    raw = np.array([[2.0], [-2.0]])
    cooled = probabilities_of(
        raw, "sigmoid", ("a",), Temperature(method="temperature", temperature=2, fitted_on="t", n=9)
    )
    assert cooled is not None
    assert cooled[:, 0] == pytest.approx([0.7310586, 0.2689414])  # sigmoid(1), sigmoid(-1)
    line = Platt(
        method="platt", fitted_on="t", n=9, parts=(PlattPart(label="a", slope=0.5, intercept=1),)
    )
    straight = probabilities_of(raw, "sigmoid", ("a",), line)
    assert straight is not None
    assert straight[:, 0] == pytest.approx([0.8807971, 0.5])  # sigmoid(2), sigmoid(0)
    curve = Isotonic(
        method="isotonic", fitted_on="t", n=9,
        parts=(IsotonicPart(label="a", scores=(0.2, 0.8), probabilities=(0.1, 0.3)),),
    )  # fmt: skip
    steps = probabilities_of(np.array([[0.5], [0.9], [0.0]]), "none", ("a",), curve)
    assert steps is not None
    assert steps[:, 0] == pytest.approx([0.2, 0.3, 0.1])


@pytest.mark.parametrize(
    ("method", "least"), [("temperature", 10), ("platt", 10), ("isotonic", 50)]
)
def test_too_few_cases_fit_nothing(method: str, least: int) -> None:
    truth = np.zeros((200, 1))
    truth[: least - 1] = 1
    with pytest.raises(ContractError, match=f"{least - 1} cases with it"):
        fit(np.zeros((200, 1)), truth, ("a",), "sigmoid", method, fitted_on="t")  # type: ignore[arg-type]


def test_an_unknown_truth_is_no_absence() -> None:
    truth = np.full((40, 1), np.nan)
    truth[:9], truth[9:30] = 1, 0
    with pytest.raises(ContractError, match="9 cases with it and 21 without"):
        fit(np.zeros((40, 1)), truth, ("a",), "sigmoid", "platt", fitted_on="t")


TRUTH = np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 1], bool)
VALUES = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


@pytest.mark.parametrize(
    ("fix", "target", "expected"),
    [
        # Values with the label: 0.3 0.5 0.6 0.8 0.9.
        ("sensitivity", 1.0, 0.3),
        ("sensitivity", 0.8, 0.5),
        ("sensitivity", 0.61, 0.5),
        ("sensitivity", 0.2, 0.9),
        # NPV below each: 0.3 3/3, 0.4 3/4, 0.5 4/5, 0.6 4/6, 0.8 5/8.
        ("npv", 1.0, 0.3),
        ("npv", 0.8, 0.5),
        ("npv", 0.65, 0.6),
    ],
)
def test_the_threshold_is_the_highest_that_reaches_the_aim(
    fix: str, target: float, expected: float
) -> None:
    assert choose_threshold(TRUTH, VALUES, fix=fix, target=target) == expected  # type: ignore[arg-type]


def test_an_aim_that_no_threshold_reaches_is_refused() -> None:
    with pytest.raises(ContractError, match=r"no threshold reaches 0\.9"):
        choose_threshold(
            np.array([1, 0, 1, 0], bool), np.array([0.1, 0.2, 0.3, 0.4]), fix="npv", target=0.9
        )
    with pytest.raises(ContractError, match="no case with the label"):
        choose_threshold(np.zeros(3, bool), np.arange(3.0), fix="sensitivity", target=0.9)


def test_the_shares_at_a_threshold_are_counted() -> None:
    point = operating_point(TRUTH, VALUES >= 0.5)
    assert (point.sensitivity.count, point.sensitivity.of) == (4, 5)
    assert (point.specificity.count, point.specificity.of) == (4, 5)
    assert (point.ppv.count, point.ppv.of) == (4, 6 - 1)
    assert (point.npv.count, point.npv.of) == (4, 5)
    assert point.prevalence.value == 0.5


def test_nothing_to_count_is_not_known_rather_than_zero_or_one() -> None:
    assert proportion(0, 0).value is None
    assert operating_point(np.ones(3, bool), np.ones(3, bool)).specificity.value is None


def test_reliability_is_summed_by_hand() -> None:
    likely = np.array([0.1, 0.1, 0.1, 0.1, 0.9, 0.9])
    truth = np.array([False, False, False, True, True, True])
    found = reliability(truth, likely)
    # Bins 0.1: observed 1/4, distance 0.15, weight 4/6; 0.9: observed 1, distance 0.1, weight 2/6.
    assert found.expected_error == pytest.approx(0.15 * 4 / 6 + 0.1 * 2 / 6)
    assert found.brier == pytest.approx((3 * 0.01 + 0.81 + 2 * 0.01) / 6)
    assert [b.observed.of for b in found.bins] == [4, 2]


def test_cases_twice_of_each_patient_make_nobody_surer() -> None:
    truth, values = hanley()
    patients = [f"p{i}" for i in range(len(truth))]
    once = auroc(truth, values)
    naive = auroc(np.tile(truth, 2), np.tile(values, 2))
    twice = auroc(np.tile(truth, 2), np.tile(values, 2), patients * 2)
    assert once.ci
    assert naive.ci
    assert twice.ci
    width = once.ci[1] - once.ci[0]
    # Twice as many cases would narrow the interval by the root of 2; they are the same patients.
    assert naive.ci[1] - naive.ci[0] == pytest.approx(width / 2**0.5, rel=0.02)
    assert twice.ci[1] - twice.ci[0] == pytest.approx(width, rel=0.1)
    assert twice.value == pytest.approx(once.value)
    called = values >= 4
    alone = operating_point(truth, called).sensitivity.ci
    both = operating_point(np.tile(truth, 2), np.tile(called, 2), patients * 2).sensitivity.ci
    assert alone is not None
    assert both is not None
    assert both[1] - both[0] == pytest.approx(alone[1] - alone[0], rel=0.15)


def test_told_apart_completely_is_no_certainty() -> None:
    truth = np.array([True] * 5 + [False] * 20)
    area = auroc(truth, truth * 1.0)
    assert area.ci is not None
    assert (area.value, area.ci[1]) == (1.0, 1.0)
    assert area.ci[0] == pytest.approx(5 / (5 + 1.959964**2))  # Wilson for 5 of 5
    owners = [f"p{i // 5}" for i in range(25)]
    point = operating_point(truth, truth, owners)
    assert point.specificity.ci is not None
    assert point.specificity.ci[0] == pytest.approx(4 / (4 + 1.959964**2))  # 4 patients


def test_scores_that_are_all_alike_are_no_certainty() -> None:
    truth = np.array([True] * 30 + [False] * 30)
    area = auroc(truth, np.full(60, 0.4))
    assert (area.value, area.se) == (0.5, 0.0)
    # Wilson for 15 of 30: 0.5 -/+ z / (2 sqrt(n + z^2))
    half = 1.959964 / (2 * np.sqrt(30 + 1.959964**2))
    assert area.ci == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)


APART = np.array([True] * 40 + [False] * 40)


@pytest.mark.parametrize(
    ("owners", "fewest"),
    [
        (["a"] * 80, 1),
        (["a"] * 40 + ["b"] * 40, 1),  # one patient with the label, another without
        ([f"p{i % 4}" for i in range(80)], 4),
        ([f"p{i}" for i in range(40)] + ["b"] * 40, 1),
    ],
    ids=["one-patient", "one-of-each", "four-patients", "one-without"],
)
def test_many_cases_of_few_patients_have_an_area_without_an_interval(
    owners: list[str], fewest: int
) -> None:
    area = auroc(APART, APART * 1.0, owners)
    assert (area.value, area.ci, area.fewest_patients) == (1.0, None, fewest)
    assert area.interval == f"no interval: {fewest} of 5 patients with, or without, it"


def test_told_apart_in_every_case_is_as_sure_as_the_number_of_patients_allows() -> None:
    owners = [f"p{i // 4}" for i in range(80)]  # 10 patients with the label and 10 without
    area = auroc(APART, APART * 1.0, owners)
    assert area.ci == pytest.approx((10 / (10 + 1.959964**2), 1.0))  # Wilson for 10 of 10
    backward = auroc(APART, 1.0 - APART, owners)
    assert backward.ci == pytest.approx((0.0, 1.959964**2 / (10 + 1.959964**2)))


def test_a_share_of_one_patient_is_no_surer_than_one_case() -> None:
    hits = np.array([True] * 30 + [False] * 10)
    point = operating_point(np.ones(40, bool), hits, ["a"] * 40)
    # Wilson 1927 for 0.75 of one case, by hand: (0.75 + z2 / 2 -+ z sqrt(0.1875 + z2 / 4)) /
    # (1 + z2), z2 = 3.841459.
    assert point.sensitivity.value == 0.75
    assert point.sensitivity.ci == pytest.approx((0.11791, 0.98537), abs=5e-6)
    bins = reliability(hits, np.full(40, 0.7), ["a"] * 40).bins
    assert bins[0].observed.ci == point.sensitivity.ci


def test_froc_counts_lesions_and_false_marks_per_scan() -> None:
    box, far = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)
    scans = [
        Scan(
            lesions=(Lesion(corners=box, size_mm=5.0), Lesion(corners=far, size_mm=20.0)),
            marks=(
                Mark(corners=(0.0, 0.0, 10.0, 8.0), value=0.9),  # hits the first by 0.8
                Mark(corners=(0.0, 0.0, 10.0, 9.0), value=0.3),  # again: neither hit nor false
                Mark(corners=(50.0, 58.0, 60.0, 68.0), value=0.4),  # 2/18 of the union: hits
            ),
        ),
        Scan(lesions=(), marks=(Mark(corners=box, value=0.6), Mark(corners=far, value=0.2))),
    ]
    found = froc(scans)
    at = {p.false_positives: p for p in found.points}
    # At most 0.125 x 2 = 0.25 false marks: only above 0.6, so the first lesion. At most one from
    # 0.5 per scan on: down to 0.4, both.
    assert (at[0.125].sensitivity.count, at[0.125].threshold) == (1, 0.9)
    assert (at[0.5].sensitivity.count, at[0.5].threshold) == (2, 0.4)
    assert found.mean_sensitivity == pytest.approx((0.5 * 2 + 1.0 * 5) / 7)
    assert [(g.name, g.points[0].sensitivity.count) for g in found.by_size] == [
        ("4 to below 6 mm", 1), ("from 15 mm", 0),
    ]  # fmt: skip


def test_froc_without_a_lesion_is_refused() -> None:
    with pytest.raises(ContractError, match="no lesion"):
        froc([Scan(lesions=(), marks=())])


def test_cases_of_one_patient_are_never_on_both_sides() -> None:
    patients = tuple(f"p{i // 3}" for i in range(60))
    present = np.array([i // 3 % 2 == 0 for i in range(60)])
    fold = folds_of(patients, present)
    by_patient = {
        p: {int(f) for q, f in zip(patients, fold, strict=True) if q == p} for p in patients
    }
    assert all(len(folds) == 1 for folds in by_patient.values())
    assert all(len({p for p, f in by_patient.items() if f == {k}}) >= 2 for k in range(5))
    back = folds_of(patients[::-1], present[::-1])
    assert (back[::-1] == fold).all()


def readings(folder: Path, rows: list[str]) -> Path:
    file = folder / "readers.csv"
    file.write_text("\n".join(["case,reader,with_model,seconds", *rows]), "utf-8")
    return file


def test_reader_time_is_the_median_of_pairs(tmp_path: Path) -> None:
    rows = [f"c{i},r{i % 2},{aided},{60 + i - 10 * aided}" for i in range(6) for aided in (0, 1)]
    found = read_reader_time(readings(tmp_path, [*rows, "c9,r0,1,33"]))
    assert (found.pairs, found.readers, found.unpaired) == (6, 2, 1)
    assert found.saved_s == 10
    assert found.ci == (10, 10)
    assert found.without_s == 62.5


@pytest.mark.parametrize(
    "rows",
    [[], ["c1,r1,0,5"], ["c1,r1,2,5"], ["c1,r1,0,-5"], ["c1,,0,5"], ["c1,r1,0,5", "c1,r1,0,6"]],
)
def test_readings_that_cannot_be_are_refused(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(InputError):
        read_reader_time(readings(tmp_path, rows))
