"""Two recordings side by side, lead by lead; whether a change is new is for the reader to say."""

from dataclasses import dataclass

from markupsafe import Markup

from serving.web import ecg_paper as paper
from serving.web.ecg_beats import HEIGHT, WIDTH, beat, signed
from serving.web.ecg_tracing import ROWS
from serving.web.words import Say
from tools.ecg.model import EcgMeasurements
from tools.ecg.paper import MM_PER_MV

Side = tuple[EcgMeasurements, frozenset[str]]
"""What was measured, and the leads whose amplitudes may be stated."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One lead of two recordings: the earlier left, the later right."""

    lead: str
    svg: Markup
    st_before: str
    st_after: str


def pairs(earlier: Side, later: Side, say: Say) -> tuple[Pair, ...]:
    """Return every lead of both recordings on one scale."""
    leads = [lead for column in zip(*ROWS, strict=True) for lead in column]
    return tuple(_pair(lead, number, earlier, later, say) for number, lead in enumerate(leads))


def _pair(lead: str, number: int, earlier: Side, later: Side, say: Say) -> Pair:
    across = 2 * WIDTH
    parts = paper.open_svg(
        across + 2 * paper.MARGIN,
        HEIGHT + 2 * paper.MARGIN,
        name=f"pair{number}",
        label=say("Lead %s, earlier and later") % lead,
        kind="pair",
        grid=(across, HEIGHT),
    )
    for index, (m, trusted) in enumerate((earlier, later)):
        left = paper.MARGIN + index * WIDTH
        parts.append(beat(m, lead, left, paper.MARGIN, trusted=lead in trusted, met=False, say=say))
    drawn = Markup("".join([*parts, "</svg>"]))  # noqa: S704 - our own drawing, texts escaped
    return Pair(lead=lead, svg=drawn, st_before=_st(lead, earlier), st_after=_st(lead, later))


def _st(lead: str, side: Side) -> str:
    """Return the ST level at J in mm; empty where it may not be stated."""
    m, trusted = side
    found = m.of(lead)
    if found is None or lead not in trusted:
        return ""
    return signed(f"{found.st_j_mv * MM_PER_MV:.1f}", found.st_j_mv)
