"""A model is asked only within its contract; its numbers carry what they are made of."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from knowledge.errors import ContractError, InvalidValueError
from knowledge.finding import Why
from tests.tools.models.builders import (
    classifier,
    contract,
    f32,
    film,
    graph,
    image_input,
    output,
    write_model,
)
from tools.models.loaded import LoadedModel, load_model
from tools.models.run import ask, ask_or_say_why
from tools.models.sample import GreyWindow

SIGMOID = {
    "method": "platt",
    "parts": [{"label": "opacity", "slope": 2.0, "intercept": -1.0}],
    "fitted_on": "a table in this test",
    "n": 100,
}


def loaded(folder: Path, **changes: Any) -> LoadedModel:
    return load_model(classifier(folder, **changes))


def test_a_score_is_worked_out_and_is_no_probability_without_a_calibration(tmp_path: Path) -> None:
    # Left half 255, right half 0: mean 0.5 after the range, logit 0, sigmoid 0.5.
    found = ask(loaded(tmp_path), film()).result
    (said,) = found.scores
    assert said.score == pytest.approx(0.5)
    assert said.probability is None
    assert said.threshold is None
    assert said.verdict == "no-threshold"
    assert found.model.calibration == "none"


def test_a_calibrated_probability_is_compared_with_the_threshold(tmp_path: Path) -> None:
    described = output(
        calibration=SIGMOID, thresholds=[{"label": "opacity", "value": 0.4, "basis": "test"}]
    )
    found = ask(loaded(tmp_path, outputs=[described]), film(510 / 2)).result
    (said,) = found.scores
    # logit 0, so the line gives -1: 1 / (1 + e) = 0.2689 < 0.4.
    assert said.probability == pytest.approx(1 / (1 + math.e))
    assert said.verdict == "below"
    assert found.model.calibration == "model.json"


def test_within_the_abstain_band_nothing_is_decided(tmp_path: Path) -> None:
    described = output(
        thresholds=[{"label": "opacity", "value": 0.5, "basis": "test"}], abstain_band=[0.4, 0.6]
    )
    model = loaded(tmp_path, outputs=[described])
    assert ask(model, film()).result.scores[0].verdict == "undecided"
    bright = replace(film(), pixels=np.full((16, 16), 255.0) - np.eye(16))
    assert ask(model, bright).result.scores[0].verdict == "at-or-above"


def test_temperature_with_softmax_adds_up_to_one(tmp_path: Path) -> None:
    described = output(
        labels=("a", "b"),
        activation="softmax",
        calibration={"method": "temperature", "temperature": 2.0, "fitted_on": "t", "n": 9},
    )
    model = loaded(tmp_path, labels=2, outputs=[described])
    bright = replace(film(), pixels=np.full((16, 16), 255.0) - np.eye(16))
    a, b = ask(model, bright).result.scores
    # The mean is 1 - 16/255/256; the logits are 4 and 8 times (mean - 0.5), halved by T = 2.
    half = 1 - 16 / 255 / 256 - 0.5
    assert b.probability == pytest.approx(1 / (1 + math.exp(-(8 - 4) * half / 2)), abs=1e-6)
    assert a.probability is not None
    assert b.probability is not None
    assert a.probability + b.probability == pytest.approx(1)


def test_a_result_says_which_model_which_input_and_what_was_done(tmp_path: Path) -> None:
    model = loaded(tmp_path)
    found = ask(model, film()).result
    assert found.model.onnx_sha256 == model.contract.onnx_sha256
    assert found.inputs[0].sop_instance_uid == "1.2.3"
    assert [step.name for step in found.preparation] == ["fit", "normalise"]
    assert "Research use" in found.notice
    assert found.model.status == "demonstration"


OUT_OF_SPEC: dict[str, tuple[dict[str, Any], str]] = {
    "modality": ({"modality": "CT"}, "modality: CT; it takes DX, CR"),
    "modality not known": ({"modality": ""}, "modality: not known"),
    "lateral": ({"view": "LL"}, "views: LL; it takes PA"),
    "view not known": ({"view": ""}, "views: not known"),
    "child": ({"age_years": 5.0}, "age_years: 5; it takes 18 to 120"),
    "age not known": ({"age_years": None}, "age_years: not known"),
    "colour": ({"photometric": "RGB"}, "photometric: RGB; it takes MONOCHROME2"),
    "palette": ({"photometric": "PALETTE COLOR"}, "photometric: PALETTE COLOR"),
    "blank": ({"pixels": np.full((16, 16), 7.0)}, "nothing is on it"),
    "NaN among the pixels": ({"pixels": np.full((16, 16), np.nan)}, "NaN"),
    "inverted without a known range": (
        {"photometric": "MONOCHROME1", "value_range": None}, "cannot be inverted"
    ),
    "volume": ({"kind": "volume3d", "pixels": np.zeros((3, 4, 4))}, "kind: a volume3d"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUT_OF_SPEC)
def test_out_of_spec_gives_no_score_but_the_reason(tmp_path: Path, name: str) -> None:
    changes, said = OUT_OF_SPEC[name]
    model = loaded(tmp_path)
    with pytest.raises(ContractError) as raised:
        ask(model, film(**changes))
    assert said in raised.value.reason
    found = ask_or_say_why(model, film(**changes)).result
    assert found.applicability == "out-of-spec"
    assert found.scores == ()
    assert found.not_assessed is not None
    assert found.not_assessed.why is Why.OUTSIDE_CONTRACT
    assert said in found.not_assessed.detail


def test_every_reason_is_named_at_once(tmp_path: Path) -> None:
    found = ask_or_say_why(loaded(tmp_path), film(modality="MR", view="", age_years=3.0)).result
    assert [reason.field for reason in found.reasons] == ["modality", "views", "age_years"]


SPACED: dict[str, Any] = {"spacing_mm": [0.2, 0.2], "spacing_tolerance": 0.5}


@pytest.mark.parametrize("spacing", [None, (0.0, 0.0), (0.31, 0.2), (0.2, 0.13), (0.2,)])
def test_spacing_that_is_unknown_zero_or_too_different_is_refused(
    tmp_path: Path, spacing: tuple[float, ...] | None
) -> None:
    model = loaded(tmp_path, inputs=[image_input(**SPACED)])
    with pytest.raises(ContractError, match="spacing_mm"):
        ask(model, film(spacing_mm=spacing))


def test_spacing_within_the_tolerance_is_resampled(tmp_path: Path) -> None:
    model = loaded(tmp_path, inputs=[image_input(**SPACED, resample=True)])
    found = ask(model, film(spacing_mm=(0.3, 0.134))).result
    step = next(step for step in found.preparation if step.name == "resample")
    assert step.detail == "0.3 x 0.134 mm to 0.2 x 0.2 mm, linear"


def test_monochrome1_and_its_inverse_give_one_score(tmp_path: Path) -> None:
    model = loaded(tmp_path)
    plain = film(200.0)
    inverse = film(photometric="MONOCHROME1", pixels=255.0 - plain.pixels)
    first, second = (ask(model, one).result for one in (plain, inverse))
    assert first.scores[0].score == pytest.approx(second.scores[0].score)
    assert "invert" in [step.name for step in second.preparation]


def test_the_window_of_the_file_is_taken_and_one_it_does_not_have_is_refused(
    tmp_path: Path,
) -> None:
    described = image_input(window={"kind": "file", "choice": 1}, normalise={"kind": "none"})
    model = loaded(tmp_path, inputs=[described])
    windows = (GreyWindow(centre=10, width=5), GreyWindow(centre=100, width=200))
    found = ask(model, film(200.0, windows=windows)).result
    # PS3.3 C.11.2.1.2.1: y = (200 - 99.5) / 199 + 0.5 > 1, and (0 - 99.5) / 199 + 0.5 = 0.
    assert found.scores[0].score == pytest.approx(0.5)
    with pytest.raises(ContractError, match="window: the file names 1"):
        ask(model, film(windows=windows[:1]))


def test_an_inverted_film_is_refused_where_the_window_is_fixed(tmp_path: Path) -> None:
    described = image_input(
        window={"kind": "fixed", "centre": 40, "width": 400}, normalise={"kind": "none"}
    )
    model = loaded(tmp_path, inputs=[described])
    with pytest.raises(ContractError, match="fixed window"):
        ask(model, film(photometric="MONOCHROME1"))


def test_nan_of_the_model_is_an_error_and_no_score(tmp_path: Path) -> None:
    # log(mean - 0.5): a number for a bright picture, NaN for a dark one.
    made = graph(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
            helper.make_node("Sub", ["m", "half"], ["c"]),
            helper.make_node("Log", ["c"], ["y"]),
        ],
        input_shape=[1, 1, 8, 8],
        outputs={"y": [1, 1]},
        constants={"half": f32([0.5])},
    )
    ones = np.ones((1, 1, 8, 8), np.float32)
    expected = {"y": np.log(f32([[0.5]]))}
    model = load_model(write_model(tmp_path, made, contract(made), ones, expected))
    with pytest.raises(InvalidValueError, match="NaN or infinity"):
        ask(model, film(100.0))


def test_a_number_that_should_be_a_share_and_is_none_is_an_error(tmp_path: Path) -> None:
    model = loaded(tmp_path, outputs=[output(activation="none")])
    bright = replace(film(), pixels=np.full((16, 16), 255.0) - np.eye(16))
    with pytest.raises(InvalidValueError, match="not from 0 to 1"):
        ask(model, bright)  # the graph gives a logit near 2


def test_several_labels_are_each_judged_alone(tmp_path: Path) -> None:
    described = output(
        labels=("opacity", "effusion", "device"),
        thresholds=[{"label": "effusion", "value": 0.6, "basis": "test"}],
    )
    model = loaded(tmp_path, labels=3, task="multi-label", outputs=[described])
    bright = replace(film(), pixels=np.full((16, 16), 255.0) - np.eye(16))
    found = ask(model, bright).result
    assert [s.verdict for s in found.scores] == ["no-threshold", "at-or-above", "no-threshold"]
    assert found.scores[2].score == pytest.approx(1 / (1 + math.exp(-6)), abs=1e-3)


def test_a_model_answers_the_same_every_time(tmp_path: Path) -> None:
    model = loaded(tmp_path)
    assert ask(model, film(91.0)).result == ask(model, film(91.0)).result


def test_another_size_is_refused_where_the_model_takes_exactly_one(tmp_path: Path) -> None:
    model = loaded(tmp_path, inputs=[image_input(fit={"kind": "exact"})])
    with pytest.raises(ContractError, match="shape: 16 x 16; it takes exactly 8 x 8"):
        ask(model, film())
    spaced = image_input(fit={"kind": "exact"}, resample=True, **SPACED)
    model = loaded(tmp_path, inputs=[spaced])
    with pytest.raises(ContractError, match=r"comes to shape \[1, 1, 16, 16\]"):
        ask(model, film(spacing_mm=(0.2, 0.2)))
    found = ask(model, film(pixels=film().pixels[:7, 4:10], spacing_mm=(0.23, 0.26)))
    assert found.result.preparation[0].name == "resample"
