"""Every decision of the serial algorithms against tables written by hand from the rules."""

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.tools.labs.troponin_cases import TNI, TNT, UNKNOWN, answers, risk, run, sample

ASSAYS = {
    "T": (TNT, "hs_ctnt"),
    "gen5": ("roche-elecsys-hs-ctnt-gen5-us", "hs_ctnt"),
    "I": (TNI, "hs_ctni"),
    "alinity": ("abbott-alinity-hs-ctni", "hs_ctni"),
    "centaur": ("siemens-centaur-hs-ctni", "hs_ctni"),
    "atellica": ("siemens-atellica-hs-ctni", "hs_ctni"),
    "access": ("beckman-access-hs-ctni", "hs_ctni"),
    "vitros": ("ortho-vitros-hs-ctni", "hs_ctni"),
    "pathfast": ("pathfast-hs-ctni", "hs_ctni"),
    "triagetrue": ("quidel-triagetrue-hs-ctni", "hs_ctni"),
    "clarity": ("singulex-clarity-hs-ctni", "hs_ctni"),
    "exl": ("siemens-dimension-exl-hs-ctni", "hs_ctni"),
    "vista": ("siemens-dimension-vista-hs-ctni", "hs_ctni"),
    "vtli": ("siemens-atellica-vtli-hs-ctni", "hs_ctni"),
    "istat": ("abbott-istat-hs-ctni", "hs_ctni"),
    "conventional-i": ("conventional-ctni", "ctni"),
    "conventional-t": ("conventional-ctnt", "ctnt"),
}
MINUTES = {"0/1h": (60, "ESC 0/1 h"), "0/2h": (120, "ESC 0/2 h")}


def _rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / "troponin_decisions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _id(row: dict[str, str]) -> str:
    return "-".join(row[k] for k in ("algorithm", "assay", "t0", "t1", "onset_h"))


@pytest.mark.parametrize("row", _rows(), ids=_id)
def test_esc_0_1h_and_0_2h_follow_the_decision_table(row: dict[str, str]) -> None:
    assay, analyte = ASSAYS[row["assay"]]
    minutes, name = MINUTES[row["algorithm"]]
    samples = [sample(0, row["t0"], analyte=analyte)]
    if row["t1"]:
        samples.append(sample(minutes, row["t1"], analyte=analyte))
    onset: Any = UNKNOWN if row["onset_h"] == "unknown" else float(row["onset_h"])
    found = risk(run(*samples, assay=assay, onset_h=onset, now=minutes if row["t1"] else 5), name)
    expected = set(row["expected"].split("|"))
    assert answers(found) == expected, row["because"]
    assert found.category == (expected.pop() if len(expected) == 1 else "not determined")
    assert (found.value, found.range) == (None, None)


# Limit of Elecsys: 14 ng/L; half of it 7; five times 70.
ESC_0_3H = [
    ("far-above", 70.1, None, {}, {"rule-in"}),
    ("five-times-is-not-above", 70, None, {}, {"need second sample"}),
    ("low-and-long", 10, None, {"onset_h": 7}, {"rule-out"}),
    ("low-and-exactly-6-h", 10, None, {"onset_h": 6}, {"need second sample"}),
    ("low-and-unknown-onset", 10, None, {"onset_h": UNKNOWN}, {"need second sample"}),
    ("above-and-long", 14.1, None, {"onset_h": 7}, {"need second sample"}),
    ("both-low", 10, 14, {}, {"rule-out"}),
    ("both-at-the-limit", 14, 14, {}, {"rule-out"}),
    ("crosses-by-7.1", 10, 17.1, {}, {"rule-in"}),
    ("crosses-by-7", 10, 17, {}, {"observe"}),
    ("both-low-but-moves-7.5", 6, 13.5, {}, {"observe"}),
    ("both-low-but-moves-7-which-rules-in-at-1-h", 6, 13, {}, {"observe"}),
    ("both-low-and-moves-4.9", 6, 10.9, {}, {"rule-out"}),
    ("both-above-20-percent", 20, 24, {}, {"observe"}),
    ("both-above-more-than-20-percent", 20, 24.1, {}, {"rule-in"}),
    ("both-above-falling-more", 20, 15.9, {}, {"rule-in"}),
    ("falls-below-the-limit", 20, 13, {}, {"observe"}),
    ("grace-140", 10, 10, {"grace_points": 140.0}, {"observe"}),
    ("grace-139", 10, 10, {"grace_points": 139.0}, {"rule-out"}),
    ("grace-unknown", 10, 10, {"grace_points": UNKNOWN}, {"rule-out", "observe"}),
    ("pain", 10, 10, {"pain_ongoing": True}, {"observe"}),
    ("pain-unknown", 10, 10, {"pain_ongoing": UNKNOWN}, {"rule-out", "observe"}),
    ("censored-on-both-sides", "<20", None, {"onset_h": 7}, {"rule-out", "need second sample"}),
]


@pytest.mark.parametrize(
    ("t0", "t3", "given", "expected"), [r[1:] for r in ESC_0_3H], ids=[r[0] for r in ESC_0_3H]
)
def test_esc_0_3h_follows_the_rule(
    t0: Any, t3: Any, given: dict[str, Any], expected: set[str]
) -> None:
    samples = [sample(0, t0)] + ([sample(180, t3)] if t3 is not None else [])
    result = run(*samples, now=180 if t3 is not None else 5, **{"grace_points": 100.0, **given})
    assert answers(risk(result, "ESC 0/3 h")) == expected


OBSERVE_ZONE = [
    ("change-3", 10, 14, 13, "rule-out"),
    ("change-4", 10, 14, 14, "observe"),
    ("change-5", 10, 14, 15, "observe"),
    ("change-6", 10, 14, 16, "rule-in"),
    ("below-15", 13, 13, 14.9, "rule-out"),
    ("at-15", 13, 13, 15, "observe"),
    ("fall-of-6", 13, 13, 7, "rule-in"),
    ("raised-and-flat", 30, 31, 33, "observe"),
    ("no-third", 10, 14, None, "need second sample"),
]


@pytest.mark.parametrize(
    ("t0", "t1", "t3", "expected"), [r[1:] for r in OBSERVE_ZONE], ids=[r[0] for r in OBSERVE_ZONE]
)
def test_observe_zone_follows_the_rule(t0: float, t1: float, t3: Any, expected: str) -> None:
    samples = [sample(0, t0), sample(60, t1)] + ([sample(180, t3)] if t3 is not None else [])
    found = run(*samples, now=180 if t3 is not None else 70)
    assert risk(found, "ESC 0/1 h").category == "observe"
    assert risk(found, "ESC observe zone (0/3 h)").category == expected


# Architect: single sample below 5; 99th percentile 34.2 for men, 15.6 for women.
HIGH_STEACS = [
    ("low-and-late", TNI, "male", 4, 4, None, {"rule-out"}),
    ("low-but-3-h", TNI, "male", 3, 4, None, {"need second sample"}),
    ("low-but-unknown", TNI, "male", UNKNOWN, 4, None, {"need second sample"}),
    ("at-5", TNI, "male", 4, 5, None, {"need second sample"}),
    ("flat", TNI, "male", 4, 10, 12.9, {"rule-out"}),
    ("change-3", TNI, "male", 4, 10, 13, {"observe"}),
    ("at-the-limit-man", TNI, "male", 4, 34.2, 34.2, {"rule-out"}),
    ("above-the-limit-man", TNI, "male", 4, 34.2, 34.3, {"rule-in"}),
    ("at-the-limit-woman", TNI, "female", 4, 15, 15.6, {"rule-out"}),
    ("above-the-limit-woman", TNI, "female", 4, 15, 15.7, {"rule-in"}),
    ("sex-unknown", TNI, UNKNOWN, 4, 15, 15.7, {"rule-out", "rule-in"}),
    ("sex-does-not-matter", TNI, UNKNOWN, 4, 10, 12, {"rule-out"}),
    ("us-elecsys-below-6", "roche-elecsys-hs-ctnt-gen5-us", "male", 4, "<6", None, {"rule-out"}),
    ("other-assay", "ortho-vitros-hs-ctni", "male", 4, 2, None, {"not assessed"}),
]


@pytest.mark.parametrize(
    ("assay", "sex", "onset", "t0", "t3", "expected"),
    [r[1:] for r in HIGH_STEACS],
    ids=[r[0] for r in HIGH_STEACS],
)
def test_high_steacs_follows_the_pathway(
    assay: str, sex: str, onset: Any, t0: Any, t3: Any, expected: set[str]
) -> None:
    analyte = "hs_ctnt" if "ctnt" in assay else "hs_ctni"
    samples = [sample(0, t0, analyte=analyte)]
    samples += [sample(180, t3, analyte=analyte)] if t3 is not None else []
    result = run(*samples, assay=assay, sex=sex, onset_h=onset, now=180 if t3 is not None else 5)
    found = risk(result, "High-STEACS")
    assert answers(found) == expected
    assert ("sex" in {m.input for m in found.missing}) == (len(expected) > 1)
