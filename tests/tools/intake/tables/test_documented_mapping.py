"""The mapping files that the documentation and the module show are valid."""

import re

from tests.data_folder import ROOT
from tools.intake.tables import mapping as module
from tools.intake.tables.mapping import read_mapping


def test_the_documented_examples_are_valid() -> None:
    page = (ROOT / "docs" / "laboratory_tables.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert read_mapping(example.encode(), "docs").tests["Kalium"].analyte == "potassium"
    shown = (module.__doc__ or "").partition("::\n")[2]
    assert read_mapping(shown.encode(), "module").columns.value.column == "VALUE"
