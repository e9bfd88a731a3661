"""Our small signal-processing functions against scipy, and on signals with known answers."""

import numpy as np
import pytest
from scipy import interpolate, ndimage, signal

from tools.ecg.baseline import natural_spline
from tools.ecg.filters import band_pass, low_pass, without_mains
from tools.ecg.r_peaks import moving_max, moving_mean
from tools.ecg.resampling import fill_invalid, resample

RNG = np.random.default_rng(11)
NOISE = RNG.normal(size=(4000, 3)).cumsum(axis=0) / 30


def test_band_pass_equals_a_butterworth_filter_run_both_ways() -> None:
    sos = signal.butter(2, [5, 25], "band", fs=500, output="sos")
    expected = signal.sosfiltfilt(sos, NOISE, axis=0)
    np.testing.assert_allclose(
        band_pass(NOISE, 500, 5, 25)[500:-500], expected[500:-500], atol=2e-4
    )


def test_low_pass_equals_a_butterworth_filter_run_both_ways() -> None:
    sos = signal.butter(2, 20, "low", fs=500, output="sos")
    expected = signal.sosfiltfilt(sos, NOISE, axis=0)
    np.testing.assert_allclose(low_pass(NOISE, 500, 20)[500:-500], expected[500:-500], atol=2e-4)


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_mains_is_removed_and_a_clean_signal_left_alone(mains_hz: float) -> None:
    t = np.arange(5000) / 500
    clean = np.sin(2 * np.pi * 3 * t)[:, None] + 0.01 * RNG.normal(size=(5000, 1))
    humming = clean + 0.2 * np.sin(2 * np.pi * mains_hz * t)[:, None]
    np.testing.assert_array_equal(without_mains(clean, 500), clean)
    left = without_mains(humming, 500)[500:-500] - clean[500:-500]
    assert np.abs(left).max() < 0.02


def test_natural_spline_equals_scipy() -> None:
    x = np.array([0.0, 3.0, 7.0, 8.0, 15.0, 21.0])
    y = RNG.normal(size=(6, 2))
    at = np.linspace(0, 21, 200)
    expected = interpolate.CubicSpline(x, y, bc_type="natural")(at)
    np.testing.assert_allclose(natural_spline(x, y, at), expected, atol=1e-12)


@pytest.mark.parametrize("rate_hz", [128.0, 257.0, 360.0, 1000.0, 997.3])
def test_resampled_sine_is_the_sine_at_the_new_times(rate_hz: float) -> None:
    t = np.arange(int(8 * rate_hz)) / rate_hz
    wave = np.sin(2 * np.pi * 17 * t)[:, None]
    new = resample(wave, rate_hz, 500)
    at = np.arange(len(new)) / 500
    assert at[-1] <= t[-1]
    middle = slice(250, -250)
    np.testing.assert_allclose(new[middle, 0], np.sin(2 * np.pi * 17 * at[middle]), atol=3e-3)


def test_resampling_downwards_removes_what_the_new_rate_cannot_hold() -> None:
    t = np.arange(8000) / 1000
    assert np.abs(resample(np.sin(2 * np.pi * 400 * t)[:, None], 1000, 500)[250:-250]).max() < 0.01


@pytest.mark.parametrize("width", [1, 2, 7, 64, 1000])
def test_moving_maximum_and_mean_equal_scipy(width: int) -> None:
    values = NOISE[:, 0]
    np.testing.assert_array_equal(
        moving_max(values, width), ndimage.maximum_filter1d(values, width, mode="nearest")
    )
    np.testing.assert_allclose(
        moving_mean(values, width), ndimage.uniform_filter1d(values, width, mode="nearest")
    )


def test_invalid_samples_are_bridged_by_a_straight_line() -> None:
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(fill_invalid(values), [[1, 0], [2, 0], [3, 0], [3, 0]])
