"""What a tool reads and cannot do without, against cards read by a person."""

import pytest

from agent.router_planner.evidence import RouterItem, lacking, readable, reads
from tools.toolbox import discover


def items(*rows: str) -> tuple[RouterItem, ...]:
    return tuple(RouterItem(id=i, label=label) for i, _, label in (r.partition(" ") for r in rows))


FULL_GAP = items("lab-1 Sodium", "lab-4 Chloride", "lab-9 Bicarbonate", "lab-2 Urine sodium")


def test_an_index_needs_every_input_and_reads_no_other_sodium() -> None:
    assert lacking("anion_gap", FULL_GAP) == ()
    assert [i.id for i in readable("anion_gap", FULL_GAP)] == ["lab-1", "lab-4", "lab-9"]
    assert lacking("anion_gap", FULL_GAP[1:]) == ("Sodium",)


@pytest.mark.parametrize(
    ("tool", "case", "missing"),
    [
        ("heart", items("fact-3 Age"), False),
        ("heart", items("lab-1 Sodium"), True),
        ("ecg_analysis", items("ecg-2 12-lead ECG"), False),
        ("ecg_analysis", items("lab-1 Troponin T", "fact-1 Age"), True),
        ("serial_troponin", items("lab-1 High-sensitivity troponin T"), False),
        ("ct_agatston", items("ct-1 CT series", "mask-1 mask of the aorta"), True),
        ("ct_agatston", items("ct-1 CT series", "mask-1 mask of the coronaries"), False),
        ("ct_nodule_growth", items("nodule-1 measured nodule"), True),
        ("ct_nodule_growth", items("nodule-1 measured nodule", "nodule-2 measured nodule"), False),
        ("lactate_clearance", items("lab-1 Lactate dehydrogenase"), True),
        ("natriuretic_peptide", items("lab-1 NT-proBNP"), False),
    ],
)
def test_what_a_tool_cannot_do_without(
    tool: str, case: tuple[RouterItem, ...], missing: bool
) -> None:
    assert bool(lacking(tool, case)) is missing


def test_every_tool_reads_something() -> None:
    """A tool that read nothing could neither be called nor asked about."""
    assert [name for name in discover() if not reads(name).words] == []


def test_no_tool_no_evidence() -> None:
    assert reads("not_a_tool").words == ()
