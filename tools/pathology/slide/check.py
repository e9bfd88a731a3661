"""Whether a slide can be used: file, scale, tissue, pen, stain, and maps for the eye."""

from pydantic import Field

from knowledge.errors import InputError
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.slide_measurements import slide_errors_of
from tools.pathology.slide.doubt_maps import DoubtMaps, DoubtReport, doubt_maps
from tools.pathology.slide.model import Slide, SlideFacts, SlideProblem
from tools.pathology.slide.tiles import plan_tiles
from tools.pathology.slide.tissue import TissueMap, TissueReport, check_stain, tissue_map
from tools.toolbox import Card, tool

INFORMS = ("label-inside", "via-library", "objective-missing", "mpp-stated")
"""Problems that only inform: they keep nobody from using the slide."""

SWITCHED_OFF = NotAssessed(why=Why.SWITCHED_OFF, detail="switched off")


class SlideCheck(Frozen):
    """What was found of a slide.

    Args:
        facts: What its file says.
        tissue: How much tissue and pen; None where it is not assessed.
        doubts: Blur and folds in numbers, unvalidated; None where not assessed.
        problems: Everything wrong or doubtful, of the file and of what it shows.
        not_assessed: What there is not and why: ``tissue``, ``blur and folds``, ``micrometres``.
    """

    facts: SlideFacts
    tissue: TissueReport | None = None
    doubts: DoubtReport | None = None
    problems: tuple[SlideProblem, ...] = ()
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)


CARD = Card(
    title="Check of a slide",
    group="pathology",
    topic="slides",
    needs=("a slide",),
    refuses=(
        "a file that is no slide, damaged or cut off",
        "everything in micrometres where the pixel size is not stated or not believable",
    ),
    limits=(
        "Label and overview of the file are never read.",
        "Blur and folds are shown as maps and numbers of one slide and were not validated.",
        "The stain is a hint of the colours.",
    ),
    sources=("10.1109/TSMC.1979.4310076",),
    accuracy=slide_errors_of("tile-tissue", "tile-pen"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=CARD, version="1")
def slide_check(slide: Slide, *, expected_stain: str = "") -> SlideCheck:
    """Return whether a slide can be used: scale, tissue, pen, stain, doubts of blur and folds.

    Args:
        slide: The slide.
        expected_stain: Name of the stain it should have, as in the table of stains; empty for none.
    """
    return checked(slide, expected_stain=expected_stain)[0]


def checked(
    slide: Slide, *, expected_stain: str = "", look: bool = True
) -> tuple[SlideCheck, TissueMap | None, DoubtMaps | None]:
    """Return the check with the maps it is made of.

    Args:
        slide: The slide.
        expected_stain: See `slide_check`.
        look: Whether what the slide shows is analysed; the file is always read.

    Raises:
        ContractError: The expected stain is none of the table.
    """
    check_stain(expected_stain)
    facts = slide.facts
    problems = list(facts.problems)
    missing: dict[str, NotAssessed] = {}
    for problem in facts.problems:
        if problem.blocks:
            missing[problem.blocks] = NotAssessed(why=Why.MISSING, detail=problem.detail)
    if not look:
        missing |= {"tissue": SWITCHED_OFF, "blur and folds": SWITCHED_OFF}
        return SlideCheck(facts=facts, problems=tuple(problems), not_assessed=missing), None, None
    try:
        found = tissue_map(slide, expected_stain=expected_stain)
    except InputError as error:
        why = NotAssessed(why=Why.QUALITY, detail=error.reason)
        missing |= {"tissue": why, "blur and folds": why}
        problems.append(SlideProblem(code="no-tissue-seen", detail=error.reason))
        return SlideCheck(facts=facts, problems=tuple(problems), not_assessed=missing), None, None
    for caution in found.report.cautions:
        code = "stain-unexpected" if "expected" in caution else "pen"
        problems.append(SlideProblem(code=code, detail=caution))
    maps = _doubts(slide, found, missing)
    said = SlideCheck(
        facts=facts,
        tissue=found.report,
        doubts=None if maps is None else maps.report,
        problems=tuple(problems),
        not_assessed=missing,
    )
    return said, found, maps


def _doubts(slide: Slide, found: TissueMap, missing: dict[str, NotAssessed]) -> DoubtMaps | None:
    try:
        return doubt_maps(slide, found, plan_tiles(slide, found))
    except InputError as error:
        missing["blur and folds"] = NotAssessed(why=Why.QUALITY, detail=error.reason)
        return None
