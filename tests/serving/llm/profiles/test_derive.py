"""Sizes computed from configuration fields, against what makers, hubs and measurements say."""

import pytest

from serving.llm.profiles.derive import (
    KvCache,
    Parameters,
    kv_cache,
    parameters,
    weight_bytes,
)
from serving.llm.profiles.load import profile, profiles
from serving.llm.profiles.model import ModelProfile
from serving.llm.profiles.sourced import NotKnown

KNOWN = [one for one in profiles().values() if not one.not_known]
COUNTED = [one for one in KNOWN if one.counted is not None]


def _parameters(one: ModelProfile) -> Parameters:
    found = parameters(one)
    assert isinstance(found, Parameters)
    return found


def _cache(name: str, element_bytes: float = 2) -> KvCache:
    found = kv_cache(profile(name), element_bytes)
    assert isinstance(found, KvCache)
    return found


def test_nearly_every_profile_can_be_recomputed() -> None:
    assert len(KNOWN) >= 18


@pytest.mark.parametrize("one", KNOWN, ids=lambda one: one.id)
def test_total_parameters_are_those_the_maker_states(one: ModelProfile) -> None:
    allowed = one.stated.total_tolerance_percent / 100
    assert _parameters(one).total == pytest.approx(one.stated.total, rel=allowed)


@pytest.mark.parametrize("one", KNOWN, ids=lambda one: one.id)
def test_active_parameters_are_those_the_maker_states(one: ModelProfile) -> None:
    allowed = one.stated.active_tolerance_percent / 100
    counted = _parameters(one).active_as(one.stated.active_counts)
    assert counted == pytest.approx(one.stated.active, rel=allowed)


@pytest.mark.parametrize("one", COUNTED, ids=lambda one: one.id)
def test_the_count_is_that_of_the_published_checkpoint_to_the_last_element(
    one: ModelProfile,
) -> None:
    found, counted = _parameters(one), one.counted
    assert counted is not None
    elements = found.text + counted.scales
    elements += found.vision if counted.with_vision else 0
    elements += found.draft if counted.with_draft else 0
    assert elements == counted.elements


def test_enough_checkpoints_are_counted_to_mean_something() -> None:
    assert len(COUNTED) >= 15


@pytest.mark.parametrize(
    ("name", "elements_fp8", "elements_bfloat16"),
    [
        # Element counts of the hub: the FP8 form holds one scale per block of 128 x 128 weights.
        ("qwen3-30b-a3b", 30_533_947_392, 30_532_122_624),
        ("qwen3-235b-a22b", 235_107_904_512, 235_093_634_560),
    ],
)
def test_the_quantised_part_is_what_the_published_fp8_form_scales(
    name: str, elements_fp8: int, elements_bfloat16: int
) -> None:
    assert (elements_fp8 - elements_bfloat16) * 128 * 128 == _parameters(profile(name)).linear


def test_the_quantised_part_of_deepseek_is_the_hubs_count_of_eight_bit_elements() -> None:
    """680,571,043,840 elements of type F8 in the checkpoint, the draft layer among them."""
    found = _parameters(profile("deepseek-v3"))
    draft_attention = 7168 * 1536 + 1536 * 128 * 192 + 7168 * 576 + 512 * 128 * 256 + 16384 * 7168
    draft_experts = (256 + 1) * 3 * 7168 * 2048
    assert found.linear + draft_attention + draft_experts == 680_571_043_840


def test_gpt_oss_weighs_what_its_files_weigh() -> None:
    """65,248,815,744 bytes of tensors in the published files of gpt-oss-120b."""
    one = profile("gpt-oss-120b")
    assert weight_bytes(one, one.weights[0]) == pytest.approx(65_248_815_744, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "kib_per_token", "mib_per_sequence"),
    [
        # 2 (key and value) x layers x key-value heads x head size x 2 bytes
        ("qwen3-30b-a3b", 2 * 48 * 4 * 128 * 2 / 1024, 0),
        ("qwen3-235b-a22b", 2 * 94 * 4 * 128 * 2 / 1024, 0),
        ("glm-4.5v", 2 * 46 * 8 * 128 * 2 / 1024, 0),
        ("mixtral-8x7b", 128, 0),
        # every second layer slides over 128 tokens
        ("gpt-oss-120b", 2 * 18 * 8 * 64 * 2 / 1024, 2 * 18 * 8 * 64 * 2 * 128 / 2**20),
        # 62 layers, each sixth of them full: 10 full, 52 over 1,024 tokens
        ("medgemma-27b", 2 * 10 * 16 * 128 * 2 / 1024, 2 * 52 * 16 * 128 * 2 * 1024 / 2**20),
        ("medgemma-4b", 20, 116),
        # one latent vector of 512 + 64 per layer, whatever the heads
        ("deepseek-r1", 61 * 576 * 2 / 1024, 0),
    ],
)
def test_keys_and_values_of_a_token(
    name: str, kib_per_token: float, mib_per_sequence: float
) -> None:
    cache = _cache(name)
    assert cache.bytes_per_token / 1024 == pytest.approx(kib_per_token)
    assert cache.bytes_per_sequence / 2**20 == pytest.approx(mib_per_sequence)


def test_a_gated_delta_layer_keeps_one_state_however_long_the_text_is() -> None:
    """30 of 40 layers: 32 x 128 x 128 numbers of 4 bytes, and three inputs of 8,192 numbers."""
    cache = _cache("qwen3.6-35b-a3b")
    assert cache.layers == {"linear": 30, "full": 10}
    assert cache.state_bytes == 30 * (32 * 128 * 128 * 4 + 8192 * 3 * 2)
    assert cache.of(1000) - cache.of(0) == pytest.approx(1000 * 2 * 10 * 2 * 256 * 2)


def test_vllm_held_as_many_tokens_in_a_gibibyte_as_computed() -> None:
    """Measured with vLLM 0.32 on a CPU: 46,592 tokens in 1 GiB, in blocks of 128 tokens."""
    held = int(2**30 / _cache("smollm2-135m").bytes_per_token / 128) * 128
    assert held == 46_592


def test_eight_bit_keys_and_values_take_half() -> None:
    assert _cache("qwen3-30b-a3b", 1).bytes_per_token * 2 == _cache("qwen3-30b-a3b").bytes_per_token


def test_a_window_is_not_filled_by_a_short_text() -> None:
    cache = _cache("gpt-oss-20b")
    assert cache.of(10) == pytest.approx(2 * 10 * cache.bytes_per_token)
    assert cache.of(1000) == pytest.approx(1000 * cache.bytes_per_token + cache.bytes_per_sequence)


def test_the_upcycled_model_adds_three_copies_of_each_feedforward_part() -> None:
    dense, mixture = _parameters(profile("smollm2-135m")), _parameters(profile("smollm2-135m-moe4"))
    assert mixture.total - dense.total == 30 * (3 * 3 * 576 * 1536 + 4 * 576)


def test_experts_that_are_not_chosen_are_resident_all_the_same() -> None:
    found = _parameters(profile("deepseek-v3"))
    assert found.active_share == pytest.approx(0.056, abs=0.0005)
    one = profile("deepseek-v3")
    resident = weight_bytes(one, one.weights[0])
    assert isinstance(resident, float)
    assert resident > found.total


def test_what_is_not_known_is_said_and_never_guessed() -> None:
    one = profile("deepseek-v4-flash")
    for found in (parameters(one), kv_cache(one), weight_bytes(one, one.weights[0])):
        assert isinstance(found, NotKnown)
        assert "not read" in found.reason
