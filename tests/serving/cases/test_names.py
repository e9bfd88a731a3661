"""Names of uploaded files: hostile ones are refused, plain ones kept."""

import pytest

from knowledge.errors import InvalidValueError
from serving.cases.names import check_together, relative_name

HOSTILE = {
    "parent": "../chart.json",
    "parent inside": "ecg/../../chart.json",
    "parent at the end": "ecg/..",
    "here": "./chart.json",
    "absolute": "/etc/passwd",
    "empty": "",
    "spaces": "  ",
    "empty part": "ecg//a.dcm",
    "folder": "ecg/",
    "parent between spaces": "ecg/ .. /a.dcm",
    "nul": "chart.json\0.png",
    "line break": "chart\n.json",
    "terminal escape": "chart\x1b[2J.json",
    "right-to-left override": "chart\u202egnp.json",
    "zero width": "chart\u200b.json",
    "full-width dots": "\uff0e\uff0e/chart.json",
    "full-width slash": "..\uff0fchart.json",
    "one dot leader": "\u2024\u2024/chart.json",
    "backslash": "..\\chart.json",
    "full-width backslash": "..\uff3cchart.json",
    "drive": "C:chart.json",
    "full-width drive": "\uff23\uff1achart.json",
    "long": "a" * 241,
    "long part": "ecg/" + "\u00e4" * 101,
    "deep": "/".join("abcdefghi"),
    "lone surrogate": "chart\udc80.json",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="send a plain relative name"):
        relative_name(name)


@pytest.mark.parametrize(
    "name",
    ["chart.json", "ecg/12 Abl\u00e4ufe.dcm", ".DS_Store", "\u5fc3\u7535\u56fe.dcm", "a...b"],
)
def test_a_plain_name_is_kept(name: str) -> None:
    assert relative_name(name) == name


def test_a_name_in_separate_marks_is_the_same_name_as_in_one() -> None:
    assert relative_name("Abla\u0308ufe.dcm") == "Abl\u00e4ufe.dcm"


def test_a_message_shows_nothing_that_cannot_be_seen() -> None:
    with pytest.raises(InvalidValueError) as caught:
        relative_name("../\u202egnp\x1b[2J" + "a" * 500)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_a_file_cannot_be_the_folder_of_another() -> None:
    check_together(["ecg/a.dcm", "ecg/b.dcm", "chart.json"])
    with pytest.raises(InvalidValueError, match="also the name of a folder"):
        check_together(["ecg", "ecg/a.dcm"])
