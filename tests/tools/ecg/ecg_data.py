"""Real ECG files of the shared test data, and the annotations beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.data_folder import shared_data
from tools.ecg.model import EcgRecording
from tools.ecg.readers import read_ecg

_CODES = {1: "N", 24: "p", 27: "t", 39: "(", 40: ")"}  # annotation codes of the WFDB library


def read_path(path: Path, *, zone: str | None = None) -> EcgRecording:
    """Return a recording with the files of the same stem beside it as siblings."""
    siblings = {p.name: p.read_bytes() for p in path.parent.glob(f"{path.stem}.*") if p != path}
    return read_ecg(path.read_bytes(), file=path.name, siblings=siblings, zone=zone)


def device_values(recording: EcgRecording) -> dict[str, float]:
    """Return what the device measured over all leads, by code."""
    return {
        f.concept.codings[0].code: f.interval.low
        for f in recording.device_said
        if f.body_site is None and f.interval is not None and f.interval.low is not None
    }


@dataclass(frozen=True)
class AnnotatedBeat:
    """One beat as cardiologists marked it in each lead; sample indices at 500 Hz."""

    peaks: tuple[int, ...]
    qrs_on: tuple[int, ...]
    qrs_off: tuple[int, ...]
    p_on: tuple[int, ...]
    t_off: tuple[int, ...]


def ludb_records() -> list[Path]:
    """Return the headers of all LUDB records, or skip."""
    return sorted((shared_data("ecg-ludb") / "records").glob("*.hea"), key=lambda p: int(p.stem))


def ludb_beats(header: Path) -> list[AnnotatedBeat]:
    """Return the beats of a LUDB record that are marked in at least six leads."""
    leads = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
    waves = [w for lead in leads for w in ludb_waves(header.with_suffix(f".{lead}"))]
    peaks = sorted(w[2] for w in waves if w[0] == "N")
    groups = np.split(np.array(peaks), np.flatnonzero(np.diff(peaks) > 60) + 1)
    centres = [int(np.median(g)) for g in groups if len(g) >= 6]
    beats = []
    for k, centre in enumerate(centres):
        last = centres[k - 1] if k else centre - 10_000
        following = centres[k + 1] if k + 1 < len(centres) else centre + 10_000
        qrs = [w for w in waves if w[0] == "N" and abs(w[2] - centre) < 100]
        p = [w for w in waves if w[0] == "p" and max(last, centre - 200) < w[2] < centre]
        t = [w for w in waves if w[0] == "t" and centre < w[2] < min(following, centre + 400)]
        beats.append(
            AnnotatedBeat(
                peaks=tuple(w[2] for w in qrs),
                qrs_on=tuple(w[1] for w in qrs if w[1] is not None),
                qrs_off=tuple(w[3] for w in qrs if w[3] is not None),
                p_on=tuple(w[1] for w in p if w[1] is not None),
                t_off=tuple(w[3] for w in t if w[3] is not None),
            )
        )
    return beats


def ludb_waves(path: Path) -> list[tuple[str, int | None, int, int | None]]:
    """Return (kind, onset, peak, offset) of the waves in one annotation file."""
    marks = list(_annotations(path.read_bytes()))
    found = []
    for k, (symbol, at) in enumerate(marks):
        if symbol in "Npt":
            on = marks[k - 1][1] if k and marks[k - 1][0] == "(" else None
            off = marks[k + 1][1] if k + 1 < len(marks) and marks[k + 1][0] == ")" else None
            found.append((symbol, on, at, off))
    return found


def _annotations(content: bytes) -> Iterator[tuple[str, int]]:
    """Yield (symbol, sample) of a file in MIT annotation format (annot(5))."""
    words = np.frombuffer(content[: len(content) // 2 * 2], "<u2").astype(int)
    at, k = 0, 0
    while k < len(words):
        code, value = int(words[k]) >> 10, int(words[k]) & 0x3FF
        k += 1
        if code == 0 and value == 0:
            return
        if code == 59:  # a long interval in the next four bytes, high word first
            jump = int(words[k]) << 16 | int(words[k + 1])
            at += jump - (1 << 32) if jump >= 1 << 31 else jump
            k += 2
        elif code == 63:  # text of `value` bytes
            k += (value + 1) // 2
        elif code < 50:
            at += value
            if code in _CODES:
                yield _CODES[code], at
