"""All checks of one server, one after the other, within a time."""

import time
from collections.abc import Callable

from pydantic import SecretStr

from agent.llm.address import address
from serving.llm.check.catalogue import CHECKS, Check
from serving.llm.check.faults import FaultError
from serving.llm.check.probe import Probe
from serving.llm.check.report import CheckReport, judged
from serving.llm.check.row import Found, Row, no, open_
from serving.llm.check.subject import COUNT, Subject
from serving.llm.profiles.load import UnknownModelError
from serving.llm.profiles.load import profile as profile_of
from serving.llm.profiles.model import ModelProfile

LIMIT_S = 900.0
Told = Callable[[str], None]


async def checked(
    url: str,
    *,
    model: str | None = None,
    api_key: SecretStr | None = None,
    profile: ModelProfile | None = None,
    burst: int = 0,
    timeout_s: float = 60.0,
    limit_s: float = LIMIT_S,
    told: Told | None = None,
) -> CheckReport:
    """Return what a server can do, found out by real calls.

    Args:
        url: Of an OpenAI-compatible endpoint.
        model: Its name; None for the only one it has.
        api_key: For it; never shown, and sent nowhere else.
        profile: Of the model; None to look for one by its name.
        burst: Requests sent at once to see whether too many are refused; 0 for none.
        timeout_s: Most seconds of one call.
        limit_s: Most seconds of all checks; one that has begun is ended by its own calls.
        told: Called with the title of every check that begins.

    Raises:
        InvalidValueError: The address cannot be used.
    """
    start = time.perf_counter()
    probe = Probe(address(url), api_key, timeout_s=timeout_s)
    subject = Subject(probe=probe, api_key=api_key, wanted=model, profile=profile, burst=burst)
    rows: list[Row] = []
    stopped = gone = ""
    try:
        for check in CHECKS:
            if not stopped and time.perf_counter() - start > limit_s:
                stopped = f"the {limit_s:g} s of this check are over"
            if stopped:
                rows.append(_row(check, open_(stopped), None))
                continue
            if told is not None:
                told(check.title)
            rows.append(await asked(check, subject))
            stopped = await _over(check, rows[-1], subject)
            gone = stopped if subject.plain is not None else ""
            _find_profile(check, subject)
    finally:
        await probe.close()
    usable, reasons, code, functions = judged(tuple(rows), gone)
    server = "" if subject.kind == "other" else f"{subject.kind} {subject.version}".strip()
    return CheckReport(
        host=probe.where.host,
        server=server,
        model=subject.model,
        context_tokens=subject.context,
        profile=subject.profile.id if subject.profile else None,
        rows=tuple(rows),
        functions=functions,
        usable=usable,
        reasons=reasons,
        exit_code=code,
        seconds=round(time.perf_counter() - start, 1),
    )


async def asked(check: Check, subject: Subject) -> Row:
    """Return the row of one check; a call without an answer is a no with the fault named."""
    start, calls = time.perf_counter(), subject.probe.calls
    try:
        found = await check.ask(subject)
    except FaultError as fault:
        found = no(fault.reason, fault.way_out)
    subject.verdicts[check.id] = found.verdict
    sent = subject.probe.calls > calls or (check.group == "product" and bool(subject.model))
    return _row(check, found, (time.perf_counter() - start) * 1000 if sent else None)


def _row(check: Check, found: Found, ms: float | None) -> Row:
    return Row(
        id=check.id,
        title=check.title,
        group=check.group,
        need=check.need,
        verdict=found.verdict,
        evidence=found.evidence,
        way_out=found.way_out,
        ms=None if ms is None else round(ms, 1),
    )


async def _over(check: Check, row: Row, subject: Subject) -> str:
    """Return why no further check is made; empty to go on.

    After a call that failed a plain one is made again: a server that died within the checks would
    else get a no on everything.
    """
    if row.verdict != "no":
        return ""
    if row.need == "must":
        return f"not reached: {row.title} failed"
    if subject.plain is None or row.group == "product":
        return ""
    try:
        again = await subject.probe.chat(subject.body(COUNT, max_tokens=1))
    except FaultError as fault:
        return f"since '{check.title}' it {fault.reason}"
    return "" if again.ok else f"since '{check.title}' it answers with {again.refusal}"


def _find_profile(check: Check, subject: Subject) -> None:
    """Look for a profile by the names under which the server lists the model."""
    if check.id != "listed" or subject.profile is not None or not subject.model:
        return
    root = subject.listed.get(subject.model, {}).get("root")
    for name in (subject.model, root):
        if isinstance(name, str):
            try:
                subject.profile = profile_of(name)
            except UnknownModelError:
                continue
            return
