"""The clock: which sample an algorithm uses, when the next is due, whether it is overdue."""

from datetime import timedelta

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.quantity import format_number
from knowledge.troponin import assays, pathways
from knowledge.troponin_rules import Algorithm
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_samples import SeriesSample

_FIXED_INTERVAL = ("troponin_esc_0_1h", "troponin_esc_0_2h", "troponin_esc_0_3h")


class Pair(Frozen):
    """The second sample of an algorithm.

    Args:
        second: The sample within the window, nearest to the nominal time; None where there is none.
        others: All later samples except `second`.
        refused: Why there can be no second sample within the window any more.
        late: What to do instead, where the window has passed without a second sample.
    """

    second: SeriesSample | None = None
    others: tuple[SeriesSample, ...] = ()
    refused: NotAssessed | None = None
    late: str = ""


def pair(case: TroponinCase, key: str) -> Pair:
    """Return the second sample of the algorithm `key`, or why there is none.

    The window is never widened: a sample outside it is not used, and the nearest longer algorithm
    is named instead.
    """
    algorithm = pathways().algorithms[key]
    window = algorithm.window
    later = case.series.later
    second = in_window(later, algorithm)
    if second is not None:
        return Pair(second=second, others=tuple(s for s in later if s is not second))
    now = _minutes_now(case)
    if now <= window.last:
        return Pair(others=later)
    if not later:
        return Pair(late=_instead(case, key, now))
    taken = min(later, key=lambda s: abs(s.minutes - window.nominal)).minutes
    longer = nearest_longer(case, key, taken)
    detail = (
        f"the second sample was taken {format_number(round(taken, 1))} min after the first, "
        f"outside {format_number(window.first)} to {format_number(window.last)} min; "
        + (f"the nearest longer algorithm is {longer.name}" if longer else _NO_LONGER)
    )
    return Pair(others=later, refused=NotAssessed(why=Why.OUTSIDE_WINDOW, detail=detail))


_NO_LONGER = "a further sample and clinical judgement: no longer algorithm is in the table"


def in_window(samples: tuple[SeriesSample, ...], algorithm: Algorithm) -> SeriesSample | None:
    """Return the sample within the window nearest to its middle, the earlier of two equals."""
    window = algorithm.window
    fitting = [s for s in samples if window.holds(s.minutes)]
    return min(fitting, key=lambda s: abs(s.minutes - window.nominal), default=None)


def third_sample(case: TroponinCase, second: SeriesSample | None) -> SeriesSample | None:
    """Return the sample at 3 h, else the first one after it, that is not the second sample.

    It is only asked to be low and flat, and no change limit is applied to it: a later one answers
    the question as well, and nothing is due any more in a window that a sample has passed.
    """
    algorithm = pathways().algorithms["troponin_esc_0_3h"]
    rest = tuple(s for s in case.series.later if s is not second)
    after = (s for s in rest if s.minutes > algorithm.window.last)
    return in_window(rest, algorithm) or next(after, None)


def nearest_longer(case: TroponinCase, key: str, minutes: float) -> Algorithm | None:
    """Return the next longer algorithm of this assay whose window is not over at `minutes`."""
    here = pathways().algorithms[key].window.nominal
    for other in _FIXED_INTERVAL:
        algorithm = pathways().algorithms[other]
        if algorithm.window.nominal <= here or algorithm.window.last < minutes:
            continue
        if algorithm.limits is not None:
            limits = assays().limits(case.assay_id, algorithm.limits)
            if limits is None or limits.change is None:
                continue
        return algorithm
    return None


def due(first: ClinicalTime, minutes: float) -> ClinicalTime:
    """Return the time `minutes` after the first sample, on its clock."""
    return first.model_copy(update={"at": first.at + timedelta(minutes=minutes)})


def is_overdue(when: ClinicalTime, at: ClinicalTime, *, tolerance: float) -> bool | None:
    """Return whether `at` is later than `when` plus `tolerance` minutes; None if not known."""
    since = elapsed(when, at).minutes
    return None if since is None else since.compare("gt", tolerance)


def _instead(case: TroponinCase, key: str, now: float) -> str:
    """Return when the next window opens and closes, `now` minutes after the first sample."""
    texts, name = pathways().caveats, pathways().algorithms[key].name
    longer = nearest_longer(case, key, now)
    if longer is None:
        return texts["window_passed_all"].show(name=name)
    window, first = longer.window, case.series.first.time
    closes = due(first, window.last)
    if window.holds(now):
        return texts["window_passed_now"].show(name=name, longer=longer.name, closes=closes)
    return texts["window_passed"].show(
        name=name,
        longer=longer.name,
        opens=due(first, window.first),
        closes=closes,
        span=f"{format_number(window.first)} to {format_number(window.last)}",
    )


def _minutes_now(case: TroponinCase) -> float:
    """Return the least time that has surely passed since the first sample, minutes."""
    last = case.series.samples[-1].minutes
    since = elapsed(case.series.first.time, case.at).minutes
    return last if since is None or since.low is None else max(last, since.low)
