"""What the patient's own devices show, summed up apart from everything measured in care."""

from typing import Literal

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.finding import Finding, NotAssessed
from knowledge.model import Frozen
from knowledge.reference import Citation

NOTICE = (
    "Measured by the patient's own device. No value here is an input of a score, a rule or the "
    "triage; one that is to count is stated in case.yaml with its time."
)
NOTICE_ZH = (
    "由患者自己的设备测量。此处数值不作为任何评分、规则或分诊的输入; "
    "需要采用的数值应连同时间写入 case.yaml。"
)
NO_TWELVE_LEAD = (
    "A single lead: no statement about ST segments, ischaemia, axis, voltage or conduction; "
    "it replaces no 12-lead ECG."
)
NO_TWELVE_LEAD_ZH = "单导联: 不评价 ST 段、缺血、电轴、电压或传导; 不能替代 12 导联心电图。"


class Spread(Frozen):
    """Numbers of one kind: how many, their mean, the lowest and the highest."""

    count: int
    mean: float
    low: float
    high: float


class Pressures(Frozen):
    """Pairs of pressures: systolic and diastolic, mmHg."""

    systolic: Spread
    diastolic: Spread


class PressureTrend(Frozen):
    """The pressures one device measured.

    Args:
        device: As stated, else the file.
        pairs: Of all readings.
        pulse: Measured with them; None where not.
        days: Different days with a reading.
        first, last: Time of the first and the last; None where no time is known.
        day, night: Of readings whose clock time is known; None where there are none.
        recent: Of the last days that the threshold is for; None where no time is known.
        high: Whether the recent mean is at or above the threshold for home readings; not assessed
            where the series is too short.
        evidence: The files.
    """

    device: str
    pairs: Pressures
    pulse: Spread | None = None
    days: int
    first: ClinicalTime | None = None
    last: ClinicalTime | None = None
    day: Pressures | None = None
    night: Pressures | None = None
    recent: Pressures | None = None
    high: Finding
    evidence: tuple[Evidence, ...]


class RateTrend(Frozen):
    """The heart rates one device measured, /min."""

    device: str
    rates: Spread
    days: int
    first: ClinicalTime | None = None
    last: ClinicalTime | None = None
    evidence: tuple[Evidence, ...]


class StripResult(Frozen):
    """A single-lead ECG: its rhythm, beside what the device says.

    Args:
        file: Where it stands.
        lead: As stated.
        device: What recorded it.
        time: Start.
        duration_s: Length.
        device_said: The device's own classification, as it is; never ours.
        regularity: Ours.
        not_assessed: Why there is none of ours.
        heart_rate_per_min, irregularity, beats, ectopic: What it rests on.
        irregular: The suspicion as a finding, in three states.
        measured: How well the limit did where it was measured, English and Chinese.
    """

    file: str
    lead: str
    device: str
    time: ClinicalTime | None = None
    duration_s: float
    device_said: str
    regularity: Literal["regular", "irregular"] | None = None
    not_assessed: NotAssessed | None = None
    heart_rate_per_min: float | None = None
    irregularity: float | None = None
    beats: int
    ectopic: int
    irregular: Finding
    measured: tuple[str, str]


class WearableReport(Frozen):
    """All of it.

    Args:
        pressures, rates: One for each device.
        strips: Oldest first.
        left_out: What was not used, with the reason.
        notice: That nothing of it feeds an acute rule.
        source: The publications behind the threshold and the limits.
    """

    pressures: tuple[PressureTrend, ...] = ()
    rates: tuple[RateTrend, ...] = ()
    strips: tuple[StripResult, ...] = ()
    left_out: tuple[str, ...] = ()
    notice: str = NOTICE
    source: tuple[Citation, ...] = ()
