"""The page on capacity is that of the planner and of the record."""

import importlib.util
from typing import Literal

import pytest

from serving.llm.capacity.fit import predict
from serving.llm.capacity.fitted import recorded_cpu
from tests.data_folder import ROOT


def test_the_page_is_up_to_date() -> None:
    script = ROOT / "scripts" / "make_llm_capacity.py"
    spec = importlib.util.spec_from_file_location("capacity_page", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "llm_capacity.md").read_text(encoding="utf-8")
    assert written == module.page(), "run scripts/make_llm_capacity.py"


@pytest.mark.parametrize("engine", ["vllm", "llama.cpp"])
def test_the_recorded_errors_are_those_of_the_recorded_times(
    engine: Literal["vllm", "llama.cpp"],
) -> None:
    record = recorded_cpu(engine)
    assert {one.fitted_on.clock for one in record.fits} == {"wall"}
    for one in record.fits:
        assert one.checked_on is not None
        assert one.check is not None
        assert one.checked_on.model.id != one.fitted_on.model.id
        again = predict(one.checked_on, one.machine)
        assert again.mean_absolute == pytest.approx(one.check.mean_absolute)
        ours = {timing.batch for timing in one.fitted_on.timings if timing.kind == "reply"}
        theirs = {timing.batch for timing in one.checked_on.timings if timing.kind == "reply"}
        assert ours != theirs
