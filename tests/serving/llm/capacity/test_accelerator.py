"""The table of accelerators, against data sheets, and both ends of the assumptions."""

import pytest

from serving.llm.capacity.accelerator import (
    Accelerators,
    UnknownAcceleratorError,
    accelerator,
    accelerators,
)
from serving.llm.capacity.assumed import assumptions


@pytest.mark.parametrize(
    ("name", "memory", "bandwidth", "bfloat16"),
    [
        ("A100", 80, 2039, 312),
        ("H100", 80, 3350, 989.4),
        ("h200", 141, 4800, 989.4),
        ("L40S", 48, 864, 362.05),
        ("a10", 24, 600, 125),
        ("4090", 24, 1008, 165.15),
        ("MI300X", 192, 5300, 1307.4),
    ],
)
def test_figures_are_those_of_the_data_sheet(
    name: str, memory: float, bandwidth: float, bfloat16: float
) -> None:
    one = accelerator(name)
    assert one.memory_gb.value == memory
    assert one.bandwidth_gb_s.value == bandwidth
    assert one.tflops["bfloat16"].value == bfloat16


def test_every_figure_has_a_known_source() -> None:
    table = accelerators()
    bad = table.model_dump()
    bad["accelerators"][0]["memory_gb"]["source"] = "nobody"
    with pytest.raises(ValueError, match="no source 'nobody'"):
        Accelerators.model_validate(bad)


def test_only_the_ascend_row_is_assumed() -> None:
    assert [one.name for one in accelerators().accelerators if one.assumed] == ["ascend-910b"]


def test_no_price_is_packaged() -> None:
    assert "price" not in str(accelerators().model_dump())


def test_8_bit_weights_are_unpacked_where_there_is_no_8_bit_arithmetic() -> None:
    assert accelerator("a100").arithmetic("fp8").value == 312
    assert accelerator("h100").arithmetic("fp8").value == 1978.9
    assert accelerator("h100").arithmetic("mxfp4").value == 989.4


def test_the_worse_end_is_worse_in_everything() -> None:
    for one in accelerators().accelerators:
        worse, better = one.ends("bfloat16")
        assert worse.bytes_per_s < better.bytes_per_s
        assert worse.flops_per_s < better.flops_per_s
        assert worse.usable_bytes < better.usable_bytes
        assert worse.overhead_s > better.overhead_s
        assert worse.step_overhead_s(16) > worse.step_overhead_s(8) > worse.step_overhead_s(1)


def test_usable_memory_is_what_vllm_takes_less_the_reserve() -> None:
    worse, _ = accelerator("h100").ends("bfloat16")
    # 80e9 x 0.92 - 5 GiB
    assert worse.usable_bytes == pytest.approx(80e9 * 0.92 - 5 * 2**30)


def test_an_unknown_one_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownAcceleratorError, match=r"did you mean .*h100"):
        accelerator("H1000")


def test_an_efficiency_is_never_one_number() -> None:
    known = assumptions()
    for key in ("bandwidth_efficiency", "compute_efficiency", "step_overhead_ms", "reserve_gib"):
        assumed = known.of(key)
        assert assumed.low < assumed.high
        assert assumed.because
