"""What the page of a slide shows: its size and its scale, nothing of its label."""

from dataclasses import dataclass

from knowledge.errors import EpicrisisError
from serving.images.desk import ImageDesk
from serving.images.found import Kept
from serving.web.image_view import reason
from serving.web.words import Say


@dataclass(frozen=True, kw_only=True)
class SlideShown:
    """One slide; `problem` where it cannot be shown.

    Args:
        mpp: Micrometres of a pixel, for a script; empty where not stated or not square.
        scale: In words.
        objective: In words; empty where not stated.
    """

    problem: str = ""
    way_out: str = ""
    width: int = 0
    height: int = 0
    mpp: str = ""
    scale: str = ""
    objective: str = ""


_SQUARE = 0.02
"""Share by which the two sides of a pixel may differ before distances are not given in µm."""


def slide_shown(desk: ImageDesk, members: tuple[Kept, ...], say: Say) -> SlideShown:
    """Return what is said of a slide; where it cannot be opened, why."""
    try:
        info = desk.slide_info(members)
    except EpicrisisError as error:
        return SlideShown(problem=reason(error, say), way_out=error.way_out)
    x, y, power = info.scale.mpp_x, info.scale.mpp_y, info.scale.objective
    if x is None or y is None:
        mpp, scale = "", say("the pixel size is not stated: distances are in pixels")
    elif abs(x - y) > _SQUARE * x:
        mpp, scale = "", say("its pixels are not square: distances are in pixels")
    else:
        mpp = f"{(x + y) / 2:.6g}"
        scale = say("%s µm for a pixel") % f"{(x + y) / 2:.4g}"
    return SlideShown(
        width=info.width,
        height=info.height,
        mpp=mpp,
        scale=scale,
        objective="" if power is None else f"{power:g}x",
    )
