"""One changed file beside a good chart, through the product's own front door, and what must hold.

What must hold for every input:

- nothing but an identity conflict is raised, and that lists every file;
- every file is read, ignored or failed, with counts, a reason or problems: never a silent nothing;
- the good chart's facts are all there, unless the case or the chart was refused by identity;
- every further fact, document, recording and study names a file of the case that was read;
- the time and the memory stay within bounds.
"""

import logging
import random
import resource
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import orjson

from knowledge.clinical_time import parse_fhir
from knowledge.errors import EpicrisisError, IdentityConflictError
from knowledge.evidence import ReferenceEvidence, ToolEvidence
from knowledge.settings import Settings
from knowledge.timeline import Fact
from tests.fuzzing.mutations import BYTES, TEXT, encoding, splice
from tests.fuzzing.seeds import KINDS, Seed, pick
from tests.fuzzing.structured import INSIDE
from tests.tools.intake.samples import bundle, observation, patient
from tools.intake.belonging import NEEDS_STATEMENT
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles, InputFile

NOW = parse_fhir("2026-11-21T12:00:00Z", clock="fuzz")
MAX_SECONDS = 10.0
"""Processor time of one input; the median is some hundredths of a second."""

HANG_SECONDS = 60
"""Processor time after which an input is broken off."""

MAX_GROWTH_MIB = 1024
"""By how much one input may raise the peak memory of its process."""

_TEXTUAL = frozenset(
    {
        "fhir-json", "fhir-ndjson", "hl7v2", "wfdb-header", "sierra", "aecg", "muse", "table-csv",
        "table-tsv",
        "table-mapping", "report-text", "case-yaml", "apple-export", "apple-ecg", "home-pressure",
    }
)  # fmt: skip
_SERVES = ("signal file of", "note")
"""Kinds of files whose content is counted where it is used: with the header, among the notes."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input.

    Args:
        kind: Kind of the file.
        number: Its number: the same number gives the same input.
        seed: The file before the change.
        content: The file after it.
        changes: Names of the changes made.
        chart: Name of the good chart.
        stated: Whether the file is stated to be of the same patient.
    """

    kind: str
    number: int
    seed: Seed
    content: bytes
    changes: tuple[str, ...]
    chart: str
    stated: bool

    def __str__(self) -> str:
        said = ", stated to be of the same patient" if self.stated else ""
        made = " + ".join(self.changes)
        return f"{self.seed.name} ({self.seed.origin}), {made}, beside {self.chart}{said}"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an input.

    Args:
        status: Of the changed file: read, ignored, failed; or refused, where the case was.
        seconds: Processor time.
        peak_mib: Peak memory of the process after it.
        violations: What did not hold, in words.
    """

    status: str
    seconds: float
    peak_mib: float
    violations: tuple[str, ...] = ()


class HangError(BaseException):
    """An input took too long; no reader may catch it."""


def made(kind: str, number: int) -> Input:
    """Return the input of a kind with a number; always the same one where the same files are."""
    rng = random.Random(f"{kind}:{number}")  # noqa: S311 - not for secrets
    seed = pick(kind, rng)
    content, changes = seed.content, []
    for _ in range(rng.choice((1, 1, 2, 3))):
        content, name = _changed(content, kind, rng)
        changes.append(name)
    chart = rng.choice(("a-chart.json", "zz-chart.json"))
    return Input(
        kind=kind,
        number=number,
        seed=seed,
        content=content,
        changes=tuple(changes),
        chart=chart,
        stated=rng.random() < 0.6,
    )


def _changed(content: bytes, kind: str, rng: random.Random) -> tuple[bytes, str]:
    chance = rng.random()
    if kind in INSIDE and chance < 0.5:
        return INSIDE[kind](content, rng), INSIDE[kind].__name__
    if chance > 0.92:
        other = pick(kind if rng.random() < 0.7 else rng.choice(KINDS), rng)
        return splice(content, other.content, rng), f"splice with {other.name} ({other.origin})"
    textual = kind in _TEXTUAL and rng.random() < 0.6
    change = rng.choice(TEXT if textual else (*BYTES, encoding))
    return change(content, rng), change.__name__


def tried(one: Input) -> Outcome:
    """Return what became of an input; it is written into a folder of its own and read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in _files(one).items():
            (folder / file).write_bytes(content)
        stated = (one.seed.name,) if one.stated else ()
        begin = time.process_time()
        before = _peak_mib()
        case, refusal, crash = _read(folder, stated)
        seconds, peak = time.process_time() - begin, _peak_mib()
    violations = [crash] if crash else []
    if seconds > MAX_SECONDS:
        violations.append(f"took {seconds:.1f} s of processor time")
    if peak - before > MAX_GROWTH_MIB:
        violations.append(f"raised the peak memory by {peak - before:.0f} MiB")
    reports: tuple[InputFile, ...] = ()
    if refusal is not None:
        reports = tuple(item for item in refusal.inputs if isinstance(item, InputFile))
    if case is not None:
        reports = case.inputs
        violations += _lost(case, one.chart)
        violations += _without_source(case, one)
    if not crash:
        violations += _unaccounted(reports, one, case)
    status = next((r.status for r in reports if r.file == one.seed.name), "-")
    return Outcome(
        status="refused" if refusal is not None else status,
        seconds=seconds,
        peak_mib=peak,
        violations=tuple(violations),
    )


def _files(one: Input) -> dict[str, bytes]:
    return {**one.seed.beside, one.chart: _good_chart(), one.seed.name: one.content}


@cache
def _good_chart() -> bytes:
    who = patient(id="good")
    subject = {"reference": "Patient/good"}
    results = [
        observation(value, unit, loinc, id=f"good-{at}", subject=subject)
        for at, (value, unit, loinc) in enumerate(
            [(13.0, "ng/L", "67151-1"), (141.0, "mmol/L", "2951-2"), (88.0, "umol/L", "14682-9")]
        )
    ]
    return orjson.dumps(bundle(who, *results))


@cache
def _good_facts(chart: str) -> tuple[Fact, ...]:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / chart).write_bytes(_good_chart())
        case = read_case([Path(name)], at=None, now=NOW, settings=Settings())
    assert len(case.timeline.facts) == 3
    return case.timeline.facts


def _read(
    folder: Path, stated: tuple[str, ...]
) -> tuple[CaseFiles | None, IdentityConflictError | None, str]:
    """Return the case, or that it was refused, or what was raised that may not be."""
    before = signal.signal(signal.SIGVTALRM, _hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            case = read_case([folder], at=None, now=NOW, settings=Settings(), same_patient=stated)
            return case, None, ""
    except IdentityConflictError as error:
        return None, error, ""
    except EpicrisisError as error:
        return None, None, f"the whole case is refused: {type(error).__name__}: {error}"
    except HangError:
        return None, None, f"still reading after {HANG_SECONDS} s\n{traceback.format_exc(limit=-6)}"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return None, None, f"raised\n{traceback.format_exc(limit=-6)}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _hangs(_signal: int, _frame: FrameType | None) -> None:
    raise HangError


def _lost(case: CaseFiles, chart: str) -> Iterator[str]:
    """Yield what is missing of the good chart, unless identity kept it out and that is told."""
    report = next((r for r in case.inputs if r.file == chart), None)
    if report is None or (report.status == "failed" and report.reason == NEEDS_STATEMENT):
        return
    there = set(map(repr, case.timeline.facts))
    missing = [f for f in _good_facts(chart) if repr(f) not in there]
    taken_back = {r.resource for r in case.retracted if r.file == chart}
    for fact in missing:
        if not any(getattr(e, "resource", None) in taken_back for e in fact.finding.evidence):
            yield f"the good chart's {fact.finding.concept.text} is lost or changed"


def _without_source(case: CaseFiles, one: Input) -> Iterator[str]:
    """Yield facts, documents, recordings, studies and readings that name no file that was read."""
    read = {r.file for r in case.inputs if r.status == "read"}
    good = set(map(repr, _good_facts(one.chart)))
    for fact in (*case.timeline.facts, *case.documented):
        if repr(fact) in good:
            continue
        named = [
            e for e in fact.finding.evidence if not isinstance(e, ToolEvidence | ReferenceEvidence)
        ]
        if all(getattr(e, "file", None) == one.chart for e in named):
            yield f"a fact that names no file it is from: {fact.finding.concept.text[:60]!r}"
        for evidence in named:
            file = getattr(evidence, "file", None)
            if file not in read:
                yield f"a fact of {file}, which was not read: {fact.finding.concept.text[:60]!r}"
    others: list[Any] = [*case.timeline.documents, *case.timeline.recordings]
    files = [getattr(item.evidence, "file", None) for item in others]
    files += [found.file for found in case.wearables]
    files += [recording.file for recording in case.recordings.values()]
    for file in files:
        if file not in read:
            yield f"a document, recording or reading of {file}, which was not read"


def _unaccounted(
    reports: tuple[InputFile, ...], one: Input, case: CaseFiles | None
) -> Iterator[str]:
    """Yield files that are not listed once, or that are read with nothing to show for it."""
    listed = [report.file for report in reports]
    for file in _files(one):
        if listed.count(file) != 1:
            yield f"{file} is listed {listed.count(file)} times"
    taken_back = {r.file for r in case.retracted} if case is not None else set()
    for report in reports:
        if report.status != "read":
            if not report.reason:
                yield f"{report.file} is {report.status} without a reason"
            continue
        told = bool(sum(report.counts.values()) or report.problems or report.ignored)
        told = told or (report.kind == "case file" and bool(report.reason))
        if not told and report.file not in taken_back and not report.kind.startswith(_SERVES):
            yield f"{report.file} is read ({report.kind}) with no counts and no problems"


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def quiet() -> None:
    """Keep the libraries' own messages out of the log: they quote what the files hold."""
    logging.disable(logging.CRITICAL)


def table(done: Mapping[str, list[Outcome]]) -> str:
    """Return the table of all outcomes, a row a kind."""
    head = ("kind", "inputs", "read", "ignored", "failed", "refused", "broken", "slowest s")
    rows: list[tuple[str, ...]] = [head]
    for kind, found in {**done, "all": [o for f in done.values() for o in f]}.items():
        statuses = [o.status for o in found]
        counts = [str(statuses.count(s)) for s in ("read", "ignored", "failed", "refused")]
        broken = sum(bool(o.violations) for o in found)
        slowest = max((o.seconds for o in found), default=0.0)
        rows.append((kind, str(len(found)), *counts, str(broken), f"{slowest:.2f}"))
    return "\n".join(f"{r[0]:<14}" + "".join(f"{cell:>10}" for cell in r[1:]) for r in rows)
