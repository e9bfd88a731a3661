"""LOINC codes of the data files end in the check digit that LOINC's own rule gives (mod 10)."""

import re
from importlib.resources import files

_CODE = re.compile(r"(?<![\w.\-/])\d{3,5}-\d(?![\w\-/])")
_OTHER = re.compile(r"doi|http|pages?:|\btitle:")


def check_digit(number: str) -> int:
    """Return the last digit of a code: mod 10, every second digit doubled from the right."""
    doubled = (int(d) * (2 - place % 2) for place, d in enumerate(reversed(number)))
    return -sum(value // 10 + value % 10 for value in doubled) % 10


def test_the_rule_gives_known_codes() -> None:
    # Hs troponin T, creatinine, heart rate, oxygen flow: codes in the FHIR and US Core examples.
    for code in ("67151-1", "2160-0", "8867-4", "3151-8"):
        assert check_digit(code[:-2]) == int(code[-1])


def test_every_code_of_the_data_files_has_its_check_digit() -> None:
    wrong, seen = [], 0
    for file in sorted(files("knowledge").joinpath("data").iterdir(), key=str):
        if not file.name.endswith(".yaml"):
            continue
        for line in file.read_text("utf-8").splitlines():
            for code in [] if _OTHER.search(line) else _CODE.findall(line):
                seen += 1
                if check_digit(code[:-2]) != int(code[-1]):
                    wrong.append(f"{file.name}: {code}")
    assert not wrong
    assert seen > 80
