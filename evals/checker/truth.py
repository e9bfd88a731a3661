"""What may be said: the numbers, states and verdicts of an assessment's published JSON."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from evals.checker.vocabulary import ECG, FACTS, FOUND_AS, UNITS

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Number:
    """A number with its unit, in one spelling; `sign` is ``<`` or ``>`` for a bound."""

    value: Decimal
    unit: str = ""
    sign: str = ""

    def __str__(self) -> str:
        """Return it as a person writes it."""
        return f"{self.sign}{self.value:f} {self.unit}".rstrip()


@dataclass(frozen=True)
class Sample:
    """One troponin result."""

    at: datetime | None
    number: Number
    analyte: str


@dataclass(kw_only=True)
class Truth:
    """What an assessment states.

    Args:
        numbers: Allowed numbers by what they are of.
        states: present, absent or not_assessed by finding, any of several recordings.
        leads: Leads by ECG finding.
        samples: Troponin results in time order.
        moments: Times by what happened then, as a clock at the patient's place shows them.
        at: Moment of assessment.
        onset: When the pain began.
        sex: ``female``, ``male`` or empty.
        risks: Risks by name.
        verdicts: Verdicts by id.
        texts: Everything risks say, by name: their own statements and meanings.
        conflicts: What sources disagree on.
        advised: Minutes that the recommendations name.
        recorded: What is present in the record, by the names of its findings, in lower case.
        ecgs: Number of ECG recordings read.
    """

    numbers: dict[str, set[Number]] = field(default_factory=dict)
    states: dict[str, set[str]] = field(default_factory=dict)
    leads: dict[str, set[str]] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    moments: set[str] = field(default_factory=set)
    at: datetime | None = None
    onset: datetime | None = None
    onset_shown: str = ""
    sex: str = ""
    risks: dict[str, Json] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    advised: frozenset[int] = frozenset()
    recorded: str = ""
    ecgs: int = 0


def truth_of(assessment: Json) -> Truth:
    """Return what an assessment states."""
    truth = Truth()
    zone = assessment.get("time_zone")
    truth.at = _moment(assessment["provenance"]["at"])
    for finding in assessment.get("findings", ()):
        _take(truth, finding, zone)
    truth.samples.sort(key=lambda s: (s.at is None, s.at or datetime.max.replace(tzinfo=UTC)))
    for risk in assessment.get("risks", ()):
        truth.risks[risk["name"]] = risk
        truth.texts[risk["name"]] = " ".join(_said(risk))
        due = _moment(risk.get("next_due"))
        if due is not None:
            truth.moments.add(_shown(due, zone))
    for entry in assessment.get("differential", ()):
        truth.verdicts[entry["id"]] = entry["verdict"]
    truth.conflicts = tuple(c["what"] for c in assessment.get("conflicts", ()))
    advice = " ".join(one["text"] for one in assessment.get("recommendations", ()))
    truth.advised = frozenset(
        int(count) * (60 if unit == "hours" else 1)
        for count, unit in re.findall(r"(\d+) (hours|minutes)", advice)
    )
    truth.recorded = " ".join(
        f["concept"]["text"].lower()
        for f in assessment.get("findings", ())
        if f["state"] == "present"
    )
    truth.ecgs = sum(
        one["kind"].startswith("ECG") and one["status"] == "read"
        for one in assessment.get("inputs", ())
    )
    return truth


def number(text: str, unit: str = "") -> Number | None:
    """Return a number as written; None where it is not one."""
    match = re.fullmatch(r"([<>≤≥]?)\s*([+-]?\d+(?:\.\d+)?)", text.strip())
    if match is None:
        return None
    try:
        value = Decimal(match[2]).normalize()
    except InvalidOperation:
        return None
    return Number(value=value, unit=unit_of(unit), sign=match[1])


def unit_of(text: str) -> str:
    """Return a unit in one spelling."""
    key = text.strip(" -").lower().replace("mm hg", "mmhg")
    key = re.sub(r"years?[- ]old", "year-old", key)
    return UNITS.get(key, key)


def exact(risk: Json) -> Decimal | None:
    """Return the points of a risk, where it has them."""
    value = risk.get("value")
    return None if value is None else Decimal(str(value)).normalize()


def attainable(risk: Json) -> tuple[Decimal, Decimal] | None:
    """Return the range of a risk, where it has one."""
    bounds: Sequence[float] | None = risk.get("range")
    if not bounds:
        return None
    return Decimal(str(bounds[0])).normalize(), Decimal(str(bounds[1])).normalize()


def _said(risk: Json) -> Iterator[str]:
    yield risk["name"]
    yield risk["category"]
    yield risk.get("statement", "")
    for band in risk.get("bands", ()):
        yield f"{band['name']} {band.get('points', '')} {band.get('meaning', '')}"
    reason = risk.get("not_assessed")
    if reason:
        yield reason["detail"]
    for item in risk.get("missing", ()):
        yield item["label"]


def _take(truth: Truth, finding: Json, zone: str | None) -> None:
    text = finding["concept"]["text"].lower()
    at = _moment(finding.get("time"))
    if at is not None:
        truth.moments.add(_shown(at, zone))
    if text == "sex" and finding["state"] == "present":
        truth.sex = finding["value"]["choice"]
    if text == "onset of symptoms" and at is not None:
        truth.onset, truth.onset_shown = at, _shown(at, zone)
    codes = {coding["code"] for coding in finding["concept"].get("codings", ())}
    for key, start in FOUND_AS.items():
        named = re.search(start, text, re.IGNORECASE) is not None
        if named or (key == "troponin" and codes & {"hs_ctnt", "hs_ctni"}):
            truth.numbers.setdefault(key, set()).update(_numbers(finding))
            _sample(truth, key, finding, at)
    for table in (ECG, FACTS):
        for key, (_, start) in table.items():
            if re.search(start, text, re.IGNORECASE):
                truth.states.setdefault(key, set()).add(finding["state"])
                if finding["state"] == "present":
                    leads = re.split(r"[,\s]+", finding.get("body_site") or "")
                    truth.leads.setdefault(key, set()).update(filter(None, leads))


def _sample(truth: Truth, key: str, finding: Json, at: datetime | None) -> None:
    codes = {c["code"] for c in finding["concept"].get("codings", ())}
    analyte = "T" if "hs_ctnt" in codes else "I" if "hs_ctni" in codes else ""
    found = sorted(_numbers(finding), key=str)
    if key == "troponin" and analyte and found:
        truth.samples.append(Sample(at=at, number=found[0], analyte=analyte))


def _numbers(finding: Json) -> Iterator[Number]:
    """Yield the numbers of a finding: as kept, rounded as shown, and as the source printed it."""
    value = finding.get("value") or {}
    if value.get("kind") == "quantity":
        plain = Decimal(str(value["value"]))
        for digits in (None, 0, 1, 2):
            shown = plain if digits is None else round(plain, digits)
            yield Number(value=Decimal(shown).normalize(), unit=unit_of(value["unit"]))
    if value.get("kind") == "interval":
        yield from _bounds(value)
    reported = re.match(r"^([<>]?\s*[\d.]+)\s*(\S*)", finding.get("reported") or "")
    if reported:
        found = number(reported[1].rstrip("."), reported[2])
        if found is not None:
            yield found


def _bounds(value: Json) -> Iterator[Number]:
    interval = value["interval"]
    unit = unit_of(value["unit"])
    high, low = interval.get("high"), interval.get("low")
    if high is not None and not low:
        yield Number(value=Decimal(str(high)).normalize(), unit=unit, sign="<")
    elif low is not None and high is None:
        yield Number(value=Decimal(str(low)).normalize(), unit=unit, sign=">")


def _moment(time: Json | None) -> datetime | None:
    if not time or not time.get("at") or time.get("precision") not in ("minute", "second"):
        return None
    moment = datetime.fromisoformat(time["at"])
    return moment if moment.tzinfo is not None else None


def _shown(moment: datetime, zone: str | None) -> str:
    local = moment.astimezone(ZoneInfo(zone)) if zone else moment
    return local.strftime("%Y-%m-%d %H:%M")
