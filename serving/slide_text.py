"""What is said of slides, as lines of text."""

from collections.abc import Iterator

from tools.pathology.slide.check import INFORMS, SlideCheck
from tools.pathology.slide.embed import EmbedReport
from tools.pathology.slide.heat import HeatReport
from tools.pathology.slide.model import SlideFacts, SlideProblem
from tools.pathology.slide.tiles import TilePlan
from tools.pathology.slide.tissue import TissueReport


def facts_lines(s: SlideFacts) -> Iterator[str]:
    """Yield what a file says of itself."""
    yield f"{s.file}: {s.format_name}, {s.columns} x {s.rows} pixels, {len(s.levels)} levels"
    mpp = "not stated" if s.mpp_um is None else f"{s.mpp_um[0]:.4g} x {s.mpp_um[1]:.4g} um"
    power = "not stated" if s.objective is None else f"{s.objective:g}x"
    yield f"  pixel {mpp}; objective {power}; read by {s.reader}"
    yield f"  format tried here: {s.tried or 'no: read via library'}"
    for number, level in enumerate(s.levels):
        yield f"  level {number}: {level.columns} x {level.rows}, shrunk {level.shrink:.4g} times"
    if s.pictures_left_out:
        yield f"  never passed on: {', '.join(s.pictures_left_out)}"
    yield from (_problem(p) for p in s.problems)


def _problem(p: SlideProblem) -> str:
    """Return a problem, or a note where it keeps nobody from using the slide."""
    return f"  {'note' if p.code in INFORMS else 'problem'} {p.code}: {p.detail}"


def tissue_lines(t: TissueReport) -> Iterator[str]:
    """Yield tissue and pen."""
    area = "area not assessed" if t.tissue_mm2 is None else f"{t.tissue_mm2:g} mm2"
    yield f"{t.file}: tissue {area}, {t.tissue_percent:g} % of the scan, {t.pieces} pieces"
    for pen in t.pens:
        yield f"  pen, {pen.colour}: {pen.percent_of_slide:g} % of the scan"
    yield f"  colours like {t.stain.en} ({t.stain.percent:g} %): {t.stain.basis}"
    yield from (f"  {name}: not assessed: {w.detail}" for name, w in t.not_assessed.items())
    yield from (f"  note: {text}" for text in t.cautions)


def check_lines(c: SlideCheck) -> Iterator[str]:
    """Yield a check."""
    yield from facts_lines(c.facts)
    if c.tissue is not None:
        yield from (f"  {line.strip()}" for line in tissue_lines(c.tissue))
    if c.doubts is not None:
        d = c.doubts
        yield (
            f"  sharpness of {d.tiles} tiles: median {d.sharpness_median:g}, lowest twentieth up "
            f"to {d.sharpness_low:g}; perhaps folded {d.fold_percent:g} % ({d.basis})"
        )
    seen = {p.code for p in c.facts.problems}
    yield from (_problem(p) for p in c.problems if p.code not in seen)
    yield from (f"  {name}: not assessed: {w.detail}" for name, w in c.not_assessed.items())


def plan_lines(file: str, p: TilePlan) -> Iterator[str]:
    """Yield a plan of tiles."""
    mpp = "pixel size not known" if p.mpp_um is None else f"{p.mpp_um:.4g} um a pixel"
    yield f"{file}: {len(p.places)} tiles of {p.tile_px} pixels, {mpp}, read from level {p.level}"
    yield (
        f"  grid of {p.grid[0]} x {p.grid[1]} whole tiles; {p.kept_from} hold {p.least_tissue:g} % "
        f"of tissue, {p.kept_from - len(p.places)} left out by the cap, {p.left_out_pen} for pen"
    )


def embed_lines(e: EmbedReport) -> Iterator[str]:
    """Yield how far the vectors are."""
    done = e.vectors + e.left_out_blank + e.left_out_pen
    state = "finished" if e.finished else f"stopped after {done} of {e.tiles}: run again to go on"
    yield f"{e.file}: {e.vectors} vectors of {e.numbers} numbers by {e.model_id}@{e.model_version}"
    yield f"  {state}; {e.resumed} tiles were there already; model {e.status}"
    left, pixels = _behind(e)
    yield f"  {left}"
    yield f"  {pixels}; vectors in {e.folder}"


def _behind(e: EmbedReport) -> tuple[str, str]:
    """Return which tiles were left out, and how the others were read."""
    stains = "not normalised" if e.stains is None else f"normalised ({e.stains.method})"
    mpp = "pixel size not known" if e.mpp_um is None else f"{e.mpp_um:.4g} um a pixel"
    by = " (slide's pixel size stated by a person)" if e.mpp_stated else ""
    left = (
        f"left out: {e.left_out_blank} empty, {e.left_out_pen} with pen, "
        f"{e.left_out_cap} by the cap"
    )
    return left, f"{mpp}{by}; stains {stains}"


def heat_lines(file: str, h: HeatReport) -> Iterator[str]:
    """Yield what a multiple-instance model says."""
    r = h.result
    e = h.vectors
    yield f"{file}: {r.model.id}@{r.model.version}, {r.model.status}, of {r.members} tiles"
    yield from (f"  {line}" for line in _behind(e))
    for one in r.scores:
        if one.probability is None:
            number = f"score {one.score:.3f} (not calibrated: no probability)"
        else:
            number = f"probability {one.probability:.3f}"
        yield f"  {one.label}: {number}, {one.verdict}"
    for tile in h.top:
        yield f"  weight {tile.weight:.4g}: tile at {tile.x}, {tile.y}, side {tile.side}"
    yield from (f"  {name}: not assessed: {w.detail}" for name, w in h.not_assessed.items())
    yield f"  {h.means}"
    yield f"  {r.notice}"
