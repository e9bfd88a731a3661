"""Chest films: errors on drawn films, acceptance on real ones, and films a minute.

    python bench/films.py            # everything
    python bench/films.py drawn      # drawn films of known truth
    python bench/films.py real       # the films of cxr-nih, where they are
    python bench/films.py speed      # gate, measurement, overlay and report; decoding alone

The figures of ``knowledge/data/film_accuracy.yaml`` are these.
"""

import io
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from evals.phantoms.film import chest, png
from evals.phantoms.sets import WIDTHS
from evals.phantoms.sets import films as drawn_films
from serving.film_text import gate_lines, report_lines
from tools.imaging.film.overlay import overlay_png
from tools.imaging.film.read import read_film
from tools.imaging.film.report import checked, measured

ROOT = Path(__file__).resolve().parents[1]


def drawn() -> None:
    """Measure drawn films: 7 ratios, 3 widths of the chest, 3 strengths of the ribs."""
    errors, heart, thorax, refused = [], [], [], Counter[str]()
    for ratio, film in drawn_films():
        report = measured(read_film(png(film.grey), file="drawn.png"))
        if report.ratio is None:
            refused[report.not_assessed["cardiothoracic-ratio"].detail] += 1
            continue
        errors.append(report.ratio.ratio - ratio)
        heart.append(100 * (report.ratio.heart_width * 1024 / film.heart - 1))
        thorax.append(100 * (report.ratio.thorax_width * 1024 / film.thorax - 1))
    total = len(errors) + sum(refused.values())
    print(f"drawn: {len(errors)} of {total} accepted; refused: {dict(refused)}")
    for name, values in (("ratio", errors), ("heart %", heart), ("thorax %", thorax)):
        found = np.array(values)
        print(f"  {name}: bias {found.mean():+.3f}, mean absolute {np.abs(found).mean():.3f}, "
              f"worst {np.abs(found).max():.3f}")  # fmt: skip


def real() -> None:
    """Measure the films of cxr-nih: how many are accepted. There is no truth to compare with."""
    base = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    folder = base / "cxr-nih" / "images"
    films = sorted(folder.glob("*.png"))
    if not films:
        print("real: cxr-nih is not here")
        return
    outlines, ratios, reasons = 0, [], Counter[str]()
    for path in films:
        report = measured(read_film(path.read_bytes(), file=path.name))
        outlines += bool(report.fields)
        if report.ratio is not None:
            ratios.append(report.ratio.ratio)
        else:
            detail = report.not_assessed["cardiothoracic-ratio"].detail
            reasons["".join(c for c in detail if not c.isdigit() and c not in ".%")] += 1
    print(f"real: lung fields accepted {outlines} of {len(films)}; ratio {len(ratios)}; median "
          f"{np.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")  # fmt: skip
    for reason, count in reasons.most_common():
        print(f"   {count} {reason}")


def speed(seconds: float = 20.0) -> None:
    """Time what the film commands do with one film, without starting the program.

    No other program measures the ratio; what decoding the same films by Pillow alone takes, in the
    same run, shows how much of it is ours.
    """
    contents = [png(chest(heart=w * 0.45, thorax=w, seed=1).grey) for w in WIDTHS]
    decoded = _rate("Pillow alone: decoded to numbers", contents, _pillow, seconds / 10)
    gate = _rate("gate (film check)", contents, _gate, seconds / 2)
    whole = _rate("gate, measurement, overlay, report (film measure)", contents, _whole, seconds)
    print(f"of decoding alone: gate {gate / decoded:.3f}, all {whole / decoded:.4f}")


def _pillow(content: bytes) -> None:
    np.asarray(Image.open(io.BytesIO(content)), dtype=np.float32)


def _gate(content: bytes) -> None:
    film = read_film(content, file="drawn.png")
    list(gate_lines(film.facts, checked(film)))


def _whole(content: bytes) -> None:
    film = read_film(content, file="drawn.png")
    report = measured(film)
    overlay_png(film, report)
    list(report_lines(report))


def _rate(name: str, contents: list[bytes], work: Callable[[bytes], None], seconds: float) -> float:
    """Print and return films a minute, one after the other; by the processor's time."""
    start, wall, count = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() - wall < seconds:
        work(contents[count % len(contents)])
        count += 1
    used, passed = time.process_time() - start, time.perf_counter() - wall
    print(f"{name}: {60 * count / passed:.0f} films a minute ({60 * count / used:.0f} for a minute "
          f"of processor); {count} of 1024 x 1024")  # fmt: skip
    return 60 * count / used


if __name__ == "__main__":
    every = {"drawn": drawn, "real": real, "speed": speed}
    for name in sys.argv[1:] or every:
        every[name]()
