"""A critical result names its source as people know it, never by a path of our own files."""

from pathlib import Path

import pytest

from serving.worklist.critical import critical
from tests.serving.signing.test_statements import assessed


@pytest.mark.parametrize("example", ["stemi", "nstemi"])
def test_the_source_of_a_critical_result_is_a_title(example: str, tmp_path: Path) -> None:
    assessment = assessed(example, tmp_path)
    found = critical(assessment)
    assert found
    titles = {citation.label for citation in assessment.citations}
    for one in found:
        assert "#" not in one.citation
        assert "pathways/" not in one.citation
        assert one.citation in titles or one.kind != "immediate"
