"""What is not among the results of now: not read, not confirmed, cancelled, replaced, old, late."""

from collections.abc import Iterator

from agent.laboratory.model import NotUsed
from agent.laboratory.view.model import Line
from agent.laboratory.view.teller import Teller


def not_read(tell: Teller) -> Iterator[Line]:
    """Yield the files of which a result may be missing here."""
    for item in tell.report.not_read:
        said = tell.say("not all of it was understood")
        said = said if item.in_part else tell.say("not read, and it may hold a result")
        yield Line(text=f"{item.file} ({item.kind}): {said}:", english=item.reason)


def documented(tell: Teller) -> Iterator[Line]:
    """Yield results of documents that nobody has confirmed."""
    for one in tell.report.documented:
        name = one.chinese if tell.chinese and one.chinese else one.name
        yield Line(
            text=f"{name} {one.value} ({tell.time(one.time)})".strip(), evidence=one.evidence
        )


def cancelled(tell: Teller) -> Iterator[Line]:
    """Yield results that were taken back, without a value."""
    for one in tell.report.cancelled:
        name = one.chinese if tell.chinese and one.chinese else one.name
        said = "entered in error, a value seen before does not hold"
        said = said if one.in_error else "cancelled, there is no result"
        note = f" (\u201c{one.note}\u201d)" if one.note else ""
        yield Line(
            text=f"{name} ({tell.time(one.time)}): {tell.say(said)}{note}",
            evidence=one.evidence,
        )


def replaced(tell: Teller) -> Iterator[Line]:
    """Yield results of which a later version holds."""
    for result in tell.report.results:
        if result.superseded:
            critical = f"; {tell.say('was critical')}" if result.critical else ""
            yield Line(
                text=f"{tell.name(result)} {tell.value(result)} ({tell.time(result.time)})"
                f"{critical}: {tell.say('replaced by')} {result.superseded}",
                evidence=result.evidence,
            )


def older(tell: Teller) -> Iterator[Line]:
    """Yield tests of which there are only results before the window."""
    for test in tell.report.older:
        name = test.chinese if tell.chinese and test.chinese else test.name
        yield Line(text=f"{name} {test.value} ({tell.time(test.time)})")


def later(tell: Teller) -> Iterator[Line]:
    """Yield results of after the moment of assessment."""
    held = tell.report.later
    if held:
        said = tell.say("%d results not used: later than the moment of assessment:")
        told = "; ".join(_late(tell, one) for one in held)
        yield Line(
            text=f"{said % len(held)} {told}",
            evidence=tuple(e for one in held for e in one.evidence),
        )


def _late(tell: Teller, one: NotUsed) -> str:
    name = one.chinese if tell.chinese and one.chinese else one.name
    return f"{name} ({tell.time(one.time)})"


def not_known(tell: Teller) -> Iterator[Line]:
    """Yield what may falsify a result and is not recorded of these samples."""
    names = dict.fromkeys(name for r in tell.report.results for name in r.not_known)
    if names:
        said = tell.say("Nothing in the record says whether there was:")
        yield Line(text=f"{said} {'; '.join(tell.say(name) for name in names)}")
