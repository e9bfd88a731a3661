"""Changed files of every kind beside a good chart; ten thousand of them with ``make fuzz``."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import InvalidValueError
from tests.fuzzing import front_door
from tests.fuzzing.front_door import Input, Outcome, made, tried
from tests.fuzzing.seeds import KINDS, seeds
from tests.tools.intake.samples import read, report, write
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles

EACH = 6


@pytest.mark.parametrize("kind", KINDS)
def test_no_changed_file_crashes_loses_or_hides_anything(kind: str) -> None:
    broken = {
        str(one): outcome.violations
        for one in (made(kind, number) for number in range(EACH))
        if (outcome := tried(one)).violations
    }
    assert not broken


@pytest.mark.parametrize("kind", KINDS)
def test_the_files_are_read_before_they_are_changed(kind: str) -> None:
    outcomes = [_unchanged(kind, at) for at, s in enumerate(seeds(kind)) if s.origin == "made"]
    assert {outcome.status for outcome in outcomes} <= {"read", "refused"}
    assert any(outcome.status == "read" for outcome in outcomes)
    assert not [outcome.violations for outcome in outcomes if outcome.violations]


def _unchanged(kind: str, at: int) -> Outcome:
    seed = seeds(kind)[at]
    return tried(
        Input(
            kind=kind,
            number=0,
            seed=seed,
            content=seed.content,
            changes=(),
            chart="a-chart.json",
            stated=True,
        )
    )


def test_the_same_number_gives_the_same_input() -> None:
    assert all(made(kind, 7) == made(kind, 7) for kind in KINDS)
    assert made("hl7v2", 7) != made("hl7v2", 8)


def _raises(_case: CaseFiles) -> CaseFiles:
    raise KeyError("x")


def _refuses(_case: CaseFiles) -> CaseFiles:
    raise InvalidValueError("x", "y")


def _loses_facts(case: CaseFiles) -> CaseFiles:
    return _with(case, timeline=case.timeline.model_copy(update={"facts": ()}))


def _says_nothing(case: CaseFiles) -> CaseFiles:
    silent: dict[str, Any] = {"counts": {}, "problems": (), "ignored": {}}
    return _with(case, inputs=tuple(item.model_copy(update=silent) for item in case.inputs))


def _forgets_a_file(case: CaseFiles) -> CaseFiles:
    return _with(case, inputs=case.inputs[:-1])


def _with(case: CaseFiles, **changes: Any) -> CaseFiles:
    return replace(case, **changes)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_raises, "raised"),
        (_refuses, "the whole case is refused"),
        (_loses_facts, "is lost or changed"),
        (_says_nothing, "with no counts and no problems"),
        (_forgets_a_file, "is listed 0 times"),
    ],
)
def test_a_front_door_that_breaks_a_rule_is_noticed(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[[CaseFiles], CaseFiles], words: str
) -> None:
    assert not _unchanged("hl7v2", 0).violations  # and what a good chart says is known
    monkeypatch.setattr(front_door, "read_case", lambda *a, **k: broken(read_case(*a, **k)))
    assert any(words in violation for violation in _unchanged("hl7v2", 0).violations)


@pytest.mark.parametrize("kind", ["dicom-image", "dicom-ecg"])
def test_a_dicom_number_of_five_bytes_is_a_damaged_file(tmp_path: Path, kind: str) -> None:
    """The group length (0002,0000) is a UL, four bytes (PS3.5 6.2, PS3.10 7.1)."""
    sound = seeds(kind)[0].content
    group = b"\x02\x00\x00\x00UL"
    assert sound[132:140] == group + b"\x04\x00"
    write(tmp_path, "a.dcm", sound[:132] + group + b"\x05\x00" + sound[140:])
    told = report(read(tmp_path), "a.dcm")
    assert told.status == "failed"
    assert "damaged DICOM" in (told.reason or "")


def test_a_case_file_that_states_nothing_says_so(tmp_path: Path) -> None:
    write(tmp_path, "case.yaml", "schema: epicrisis/case/1\nproblem: acute chest pain\n")
    assert report(read(tmp_path), "case.yaml").reason == "no fact, answer or result in it"
