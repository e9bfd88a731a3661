"""Three published claims, examined: arithmetic by hand, verdicts, and claims of one's own."""

from pathlib import Path

import pytest

from knowledge.errors import InvalidValueError, ReferenceDataError
from serving.llm.capacity.claim import FleetClaim, claim, claim_names
from serving.llm.capacity.examination import Examination, examination_lines
from serving.llm.capacity.examine import examine
from serving.llm.capacity.span import Span
from serving.llm.capacity.tables import packaged


def examined(name: str) -> Examination:
    return examine(claim(name))


def reason(found: Examination, start: str) -> str:
    return next(one for one in found.reasons if one.startswith(start))


def results(found: Examination, heading: str) -> dict[str, str]:
    block = next(one for one in found.blocks if one.heading.startswith(heading))
    return {line.what: line.result for line in block.lines}


def test_three_claims_are_packaged() -> None:
    assert claim_names() == ("active-share", "sixteen-accelerators", "slide-tokens")


def test_about_6_percent_holds_of_some_models_and_not_of_others() -> None:
    found = examined("active-share")
    shares = results(found, "Active share")
    # 37 of 671 B, 12.9 of 46.7 B, as their makers state
    assert shares["DeepSeek-V3"] == "5.6%"
    assert shares["Mixtral-8x7B"] == "27.6%"
    assert shares["MedGemma-27B"] == "dense"
    assert found.verdict == "holds in part"


def test_a_small_share_cuts_compute_and_one_stream_but_neither_memory_nor_batches() -> None:
    found = examined("active-share")
    assert "cut; 5.5%" in reason(found, "compute of a token")
    assert "cut; 5.6%" in reason(found, "bandwidth of a single stream")
    assert "not cut" in reason(found, "resident weights")
    assert "not cut" in reason(found, "batch decoding")
    # 1 - (31/32)^64 = 86.9 % of the experts
    saved = results(found, "What it saves")
    assert saved["weights read in a step, 64 at once"] == "87.2%"
    assert saved["resident weights"] == "100 %"


def test_a_share_that_no_model_has_does_not_hold() -> None:
    one = claim("active-share").model_copy(update={"share": 0.001, "within": 0.0001})
    assert examine(one).verdict == "does not hold"


def test_slide_tokens_are_those_of_an_encoder() -> None:
    found = examined("slide-tokens")
    counted = results(found, "Patch tokens")
    # 8e9 / 224^2 x 256 = 40.8 M; patch 16: 31.2 M; 30 % tissue: 12.2 and 9.4 M; biopsy 6.1 M
    assert counted == {
        "resection, whole field, patch 14": "40.8 M",
        "resection, whole field, patch 16": "31.2 M",
        "resection, tissue only, patch 14": "12.2 M",
        "resection, tissue only, patch 16": "9.4 M",
        "biopsy, tissue only, patch 14": "6.1 M",
    }
    assert found.verdict == "holds under conditions"
    assert "does not hold" in reason(found, "as tokens of a language model")


def fleet(**changes: object) -> FleetClaim:
    one = claim("sixteen-accelerators")
    assert isinstance(one, FleetClaim)
    return one.model_copy(update=changes)


def test_sixteen_accelerators_hold_under_conditions_that_are_stated() -> None:
    found = examined("sixteen-accelerators")
    assert found.verdict == "holds under conditions"
    assert "runs a site and day" in found.reasons[0]
    assert any("the claim says nothing" in one.because for one in found.assumed)
    # 671 GB of 8-bit weights are spread: 627 GiB
    assert any("627 GiB" in line.how for line in found.blocks[0].lines)


def test_the_verdict_on_a_fleet_follows_from_the_runs_a_site_needs() -> None:
    assert examine(fleet(runs_per_site_per_day=Span(low=1, high=2))).verdict == "holds"
    many = Span(low=1e6, high=2e6)
    assert examine(fleet(runs_per_site_per_day=many)).verdict == "does not hold"


def test_too_few_accelerators_do_not_even_hold_the_weights() -> None:
    found = examine(fleet(accelerators=8))
    # 8 x 64 GB = 512 GB for 671 GB
    assert found.verdict == "does not hold"
    assert "does not fit" in found.reasons[0]


def test_the_text_has_arithmetic_verdict_and_assumptions() -> None:
    for name in claim_names():
        found = examined(name)
        text = "\n".join(examination_lines(found))
        assert f"Verdict: {found.verdict}" in text
        for one in found.assumed:
            assert one.because in text


def test_a_claim_of_ones_own_is_examined(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        """
kind: slide_tokens
id: own
title: One field has a million tokens
claim: A field of 2000 x 2000 pixels has a million tokens.
source: a test
tokens: {low: 0.9e+6, high: 1.1e+6}
encoder_params: 0.3e+9
encoder: ViT-L
accelerator: h100
context_model: qwen3-30b-a3b
slides: [{label: field, width_px: 2000, height_px: 2000, tile_px: 224, patch_px: 14}]
assumed: []
"""
    )
    found = examine(claim(str(file)))
    # 4e6 / 224^2 x 256 = 20,408
    assert found.verdict == "does not hold"
    assert "0.0 M" in str(found.blocks[0].lines[0].result)


def test_an_unknown_claim_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="slide-tokens"):
        claim("nonsense")


def test_a_file_that_is_no_claim_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("kind: fleet\nid: x\n")
    with pytest.raises(ReferenceDataError, match=r"x\.yaml"):
        claim(str(file))


def test_a_claim_with_half_a_run_is_refused(tmp_path: Path) -> None:
    whole = packaged("claims/sixteen-accelerators.yaml").decode()
    broken = whole.replace("tokens_out: 1200, ", "")
    file = tmp_path / "half.yaml"
    file.write_text(broken)
    with pytest.raises(ReferenceDataError, match="give calls"):
        claim(str(file))
