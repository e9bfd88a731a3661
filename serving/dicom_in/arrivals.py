"""What arrives is analysed once it is whole; results are kept, then sent, and never made twice."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field

from knowledge.errors import EpicrisisError, InputError
from knowledge.model import Frozen
from knowledge.settings import Settings
from serving.dicom_in.analysis import analyse_series
from serving.dicom_in.delivery import deliver
from serving.dicom_in.inbox import SUFFIX, Inbox, durable

logger = logging.getLogger(__name__)

_RESULT = "result.json"
_RESULTS = "results"
_ROUND_S = 0.5
_AGAIN_S = 60.0


class Result(Frozen):
    """What became of a series, as it is kept beside it.

    Args:
        images: How many there were; more since then are analysed anew.
        rule, reason: See `serving.dicom_in.analysis.Analysed`.
        kinds: Objects that were made.
        left_out: Kinds that were not, and why.
        sent: Whether the results are where the settings say.
        problem: Why they are not; empty where they are, or need not be.
    """

    images: int
    rule: str = ""
    reason: str = ""
    kinds: tuple[str, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict)
    sent: bool = False
    problem: str = ""


class Arrivals:
    """Looks after the inbox in a thread of its own.

    Args:
        settings: When a series is whole, and where results go.
        inbox: What arrived.
        clock: The current moment, zoned.
    """

    def __init__(self, settings: Settings, inbox: Inbox, *, clock: Callable[[], datetime]) -> None:
        self._settings, self._inbox, self._clock = settings, inbox, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dicom-arrivals", daemon=True)
        self._later: dict[Path, float] = {}
        self._settled: dict[Path, int] = {}

    def start(self) -> None:
        """Begin; what a stopped process left is taken up."""
        self._thread.start()

    def stop(self) -> None:
        """End after the series in hand."""
        self._stop.set()
        self._thread.join(timeout=600)

    def _run(self) -> None:
        while not self._stop.wait(_ROUND_S):
            try:
                self.look()
            except Exception:  # the outermost handler of this thread: it goes on with the next
                logger.exception("arrivals")

    def look(self) -> list[Result]:
        """Do what is due now, and return what was done."""
        done = []
        for folder in self._inbox.series_folders():
            if self._stop.is_set():
                break
            if self._later.get(folder, 0) > time.monotonic():
                continue
            seen = folder.stat().st_mtime_ns
            if self._settled.get(folder) == seen:
                continue
            result = self._due(folder)
            if result is None and self._nothing_left(folder):
                self._settled[folder] = seen  # until a further image changes the folder
            if result is not None:
                done.append(result)
                if result.problem:
                    self._later[folder] = time.monotonic() + _AGAIN_S
        return done

    def _nothing_left(self, folder: Path) -> bool:
        known = result_of(folder)
        return known is not None and known.images == len(list(folder.glob(f"*{SUFFIX}")))

    def _due(self, folder: Path) -> Result | None:
        images = sorted(folder.glob(f"*{SUFFIX}"))
        if not images or time.time() - max(p.stat().st_mtime for p in images) < (
            self._settings.dicom_quiet_s
        ):
            return None
        known = result_of(folder)
        if known is None or known.images != len(images):
            known = self._analysed(folder, images)
        elif known.sent or not known.kinds or self._settings.dicom_results == "none":
            return None
        return self._delivered(folder, known)

    def _analysed(self, folder: Path, images: list[Path]) -> Result:
        """Analyse a series; its results are on the disk before any is sent."""
        try:
            found = analyse_series(
                {p.name: p for p in images}, settings=self._settings, at=self._clock()
            )
        except EpicrisisError as error:
            logger.warning("series not analysed: %s", error)
            kind = "refused" if isinstance(error, InputError) else "not assessed"
            result = Result(images=len(images), reason=f"{kind}: {error}")
        else:
            for kind, content in found.objects.items():
                durable(folder / _RESULTS / f"{kind}{SUFFIX}", content)
            if found.fhir is not None:
                durable(folder / _RESULTS / "fhir.json", orjson.dumps(found.fhir))
            result = Result(
                images=len(images),
                rule=found.rule,
                reason=found.reason,
                kinds=tuple(sorted(found.objects)),
                left_out=found.left_out,
            )
        _keep(folder, result)
        return result

    def _delivered(self, folder: Path, result: Result) -> Result:
        if not result.kinds or self._settings.dicom_results == "none":
            return result
        objects = {
            kind: (folder / _RESULTS / f"{kind}{SUFFIX}").read_bytes() for kind in result.kinds
        }
        try:
            deliver(objects, self._settings)
            changed: dict[str, Any] = {"sent": True, "problem": ""}
        except EpicrisisError as error:
            logger.warning("results not sent: %s", error)
            changed = {"problem": str(error)}
        done = result.model_copy(update=changed)
        _keep(folder, done)
        return done


def result_of(folder: Path) -> Result | None:
    """Return what became of the series of a folder; None where nothing has yet."""
    path = folder / _RESULT
    return Result.model_validate(orjson.loads(path.read_bytes())) if path.is_file() else None


def _keep(folder: Path, result: Result) -> None:
    durable(folder / _RESULT, orjson.dumps(result.model_dump(mode="json")))
