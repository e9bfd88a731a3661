"""Types of wearable data: readings, a single-lead strip, and one file of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.clinical_time import ClinicalTime
from knowledge.patient import Identity

Kind = Literal["systolic", "diastolic", "heart_rate"]

MAX_READINGS = 50_000
"""Of one file; a cuff at home gives some 1500 a year, a watch some 100 heart rates a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One number.

    Args:
        kind: What was measured.
        value: Pressures in mmHg, heart rates in /min.
        time: When; None where the file does not say.
        wall: The same on the wearer's own clock; None where only a date or nothing is known.
        device: What measured it, as stated.
        file: Where it stands.
        place: Where in the file.
    """

    kind: Kind
    value: float
    time: ClinicalTime | None
    wall: datetime | None
    device: str
    file: str
    place: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """A single-lead ECG.

    Args:
        file: Where it stands.
        lead: As stated, for example ``Lead I``.
        signal_mv: (samples,) mV.
        sampling_rate_hz: Samples a second.
        time: Start.
        classification: What the device's own algorithm says; never ours.
        device: What recorded it.
    """

    file: str
    lead: str
    signal_mv: NDArray[np.float64] = field(repr=False)
    sampling_rate_hz: float
    time: ClinicalTime | None
    classification: str
    device: str


@dataclass(frozen=True, kw_only=True, eq=False)
class WearableFile:
    """One file.

    Args:
        file: Its name.
        kind: What it is, in words.
        identity: Who it says the wearer is.
        readings: Numbers in it.
        strips: ECGs in it.
        counts: What was used, by kind.
        ignored: What the file holds and is not used, by kind.
        problems: What of it could not be used.
    """

    file: str
    kind: str
    identity: Identity
    readings: tuple[Reading, ...] = ()
    strips: tuple[Strip, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    ignored: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
