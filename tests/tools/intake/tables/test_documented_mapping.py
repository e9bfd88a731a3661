"""The mapping files that the documentation and the module show are valid."""

import re

import pytest

from knowledge.errors import UnreadableError
from tests.data_folder import ROOT
from tools.intake.tables import mapping as module
from tools.intake.tables.mapping import read_mapping


def test_the_documented_examples_are_valid() -> None:
    page = (ROOT / "docs" / "laboratory_tables.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert read_mapping(example.encode(), "docs").tests["Kalium"].analyte == "potassium"
    shown = (module.__doc__ or "").partition("::\n")[2]
    assert read_mapping(shown.encode(), "module").columns.value.column == "VALUE"


@pytest.mark.parametrize("deep", [9, 20_000])
@pytest.mark.parametrize("sign", ["[", "{a: "])
def test_a_mapping_that_is_nested_deeply_is_refused_before_it_is_read(deep: int, sign: str) -> None:
    """PyYAML's time for nested lists grows with the square of their depth: 20,000 take minutes."""
    with pytest.raises(UnreadableError, match="YAML nested too deep"):
        read_mapping(("files: " + sign * deep).encode(), "mapping.yaml")
