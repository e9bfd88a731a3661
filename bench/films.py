"""Chest films: errors on drawn films, acceptance on real ones, and films a minute.

    python bench/films.py            # everything
    python bench/films.py drawn      # drawn films of known truth
    python bench/films.py real       # the films of cxr-nih, where they are
    python bench/films.py speed      # gate, measurement, overlay and report of one film

The figures of ``knowledge/data/film_accuracy.yaml`` are these.
"""

import sys
import time
from collections import Counter

import numpy as np

from serving.film_text import report_lines
from tests.data_folder import ROOT
from tests.tools.imaging.film.phantoms import chest, png
from tools.imaging.film.overlay import overlay_png
from tools.imaging.film.read import read_film
from tools.imaging.film.report import measured

RATIOS = (0.38, 0.42, 0.46, 0.50, 0.54, 0.58, 0.62)
WIDTHS = (560.0, 640.0, 720.0)
RIBS = (0.0, 0.08, 0.16)


def drawn() -> None:
    """Measure drawn films: 7 ratios, 3 widths of the chest, 3 strengths of the ribs."""
    errors, heart, thorax, refused = [], [], [], Counter[str]()
    for place, (ratio, width, ribs) in enumerate(
        (r, w, b) for r in RATIOS for w in WIDTHS for b in RIBS
    ):
        film = chest(heart=ratio * width, thorax=width, ribs=ribs, seed=place, noise=0.02)
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
    folder = ROOT.parent / "shared" / "data" / "cxr-nih" / "images"
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
    """Time what `epicrisis film measure` does with one film, without starting the program."""
    contents = [png(chest(heart=w * 0.45, thorax=w, seed=1).grey) for w in WIDTHS]
    start, wall, count = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() - wall < seconds:
        film = read_film(contents[count % len(contents)], file="drawn.png")
        report = measured(film)
        overlay_png(film, report)
        list(report_lines(report))
        count += 1
    used, passed = time.process_time() - start, time.perf_counter() - wall
    print(f"{60 * count / passed:.0f} films a minute ({60 * count / used:.0f} for a minute of "
          f"processor); {count} of 1024 x 1024: gate, measurement, overlay, report")  # fmt: skip


if __name__ == "__main__":
    every = {"drawn": drawn, "real": real, "speed": speed}
    for name in sys.argv[1:] or every:
        every[name]()
