"""Mutated messages of real shape: a typed error or a listed reason; no crash, no silence."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from knowledge.clinical_time import parse_fhir
from knowledge.errors import InputError
from knowledge.evidence import FhirEvidence
from tests.data_folder import ROOT
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru
from tools.intake.fhir.chart import Chart, read_chart
from tools.intake.fhir.patient import patients
from tools.intake.hl7v2.reader import linked, parse

NOW = parse_fhir("2026-11-20T12:00:00Z", clock="test")
EXAMPLES = 400
# the first example loads every table, which a busy machine takes seconds for: one limit for all

SEEDS = (
    oru(obx("12"), obx("<^3", number=2, kind="SN"), "NTE|1||haemolysed"),
    oru(obx("12", status="C")) + oru(obx("", status="W"), control="M2"),
    message(
        msh("MDM^T02"),
        PID,
        "TXA|1|DS|TX|20261120||||||||D1|D0",
        "OBX|1|TX|1^n||a\\T\\b",
        "OBX|2|ED|1^p||^AP^PDF^Base64^QUFB",
    ),
    message(
        msh("ADT^A01"), PID, "PV1|1|E" + "|" * 17 + "V1", "DG1|1||R07.4^Pain^I10|||A", "AL1|1|DA|1"
    ),
    message(msh("OML^O21"), PID, "ORC|NW|P1", obr(status=""), "SPM|1|||BLD", obx("1", kind="CWE")),
    message(msh("ADT^A40"), PID, "MRG|1"),
)
REAL = sorted((ROOT.parent / "shared" / "data").glob("hl7v2-*/**/*.hl7"))
SPICES = (
    b"|", b"^", b"~", b"&", b"\\", b"\r", b"\n", b"\x0b", b"\x1c\r", b"\x00", b"\xff\xfe",
    b"MSH|^~\\&|", b"\rPID|1||9^^^X", b"\rOBX|1|NM|", b"\rOBR|", b'""', b"20269999", b"\xe5\xbc",
    b"-1e400", b"NaN", b"+9999", b"\\X41\\", b"\\.br\\",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message with some of its bytes, fields or segments changed."""
    seeds: list[bytes | Path] = [*SEEDS, *REAL]
    seed = draw(st.sampled_from(seeds))
    content = bytearray(seed.read_bytes()[:12_000] if isinstance(seed, Path) else seed)
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(content)))
        way = draw(st.sampled_from(("insert", "delete", "byte", "move", "cut", "double")))
        if way == "insert":
            content[at:at] = draw(st.sampled_from(SPICES))
        elif way == "delete":
            del content[at : at + draw(st.integers(1, 60))]
        elif way == "byte" and at < len(content):
            content[at] = draw(st.integers(0, 255))
        elif way == "cut":
            del content[at:]
        else:
            lines = bytes(content).split(b"\r")
            one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            if way == "move":
                lines[one], lines[other] = lines[other], lines[one]
            else:
                lines.insert(other, lines[one])
            content = bytearray(b"\r".join(lines))
    return bytes(content)


def read(content: bytes) -> tuple[Chart, list[str]] | None:
    """What a file says, or None where it is refused with a typed reason."""
    try:
        one = parse(content, "f.hl7")
    except InputError as error:
        refused: InputError | None = error
    else:
        refused = None
    if refused is not None:
        assert refused.reason
        assert refused.item == "f.hl7"
        return None
    files = linked([one], zone=None)
    problems: dict[str, list[str]] = {}
    patients(files, problems)
    chart = read_chart(files, at=NOW)
    return chart, [*chart.problems["f.hl7"], *problems["f.hl7"]]


@settings(
    max_examples=EXAMPLES,
    deadline=60_000,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(mutated())
@example(b"MSH|^~\\&|")
@example(SEEDS[0].replace(b"12|", b"1" * 400 + b"|"))
def test_no_mutation_crashes_the_reader_or_is_passed_over(content: bytes) -> None:
    said = read(content)
    if said is None:
        return
    chart, problems = said
    used = chart.facts or chart.documents or chart.retracted
    counted = chart.counts["f.hl7"] or chart.ignored["f.hl7"]
    assert used or counted or problems


@settings(max_examples=200, deadline=60_000, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["F", "P", "C", "W", "D", "X", "U", "Q", "", "N", "I", "O"]), max_size=6
    )
)
def test_every_result_of_a_message_is_used_retracted_or_told(statuses: list[str]) -> None:
    results = [
        obx(str(n), number=n, status=status, sub=str(n)) for n, status in enumerate(statuses, 1)
    ]
    said = read(message(msh(), PID, obr(), *results))
    assert said is not None
    chart, problems = said
    places = (e for f in chart.facts for e in f.finding.evidence if isinstance(e, FhirEvidence))
    made = {e.resource for e in places if e.resource.startswith("Observation/")}
    back = {r.resource for r in chart.retracted if r.resource.startswith("Observation/")}
    told = [p for p in problems if " OBX " in p and "is in no file here" not in p]  # retracted too
    assert len(made) + len(back) + len(told) == len(statuses)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seeds_themselves_are_read(seed: bytes) -> None:
    said = read(seed)
    assert said is not None
    assert sum(said[0].counts["f.hl7"].values()) > 0
