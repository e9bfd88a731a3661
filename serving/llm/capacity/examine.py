"""Examining a published claim."""

from typing import assert_never

from serving.llm.capacity.claim import ActiveShareClaim, Claim, FleetClaim, SlideClaim
from serving.llm.capacity.examination import Examination
from serving.llm.capacity.examine_active import examine_active
from serving.llm.capacity.examine_fleet import examine_fleet
from serving.llm.capacity.examine_slide import examine_slide


def examine(claim: Claim) -> Examination:
    """Return arithmetic and verdict of a claim.

    Raises:
        UnknownModelError: It names a model without a profile.
        UnknownAcceleratorError: It names an unknown accelerator.
    """
    match claim:
        case ActiveShareClaim():
            return examine_active(claim)
        case FleetClaim():
            return examine_fleet(claim)
        case SlideClaim():
            return examine_slide(claim)
        case _:
            assert_never(claim)
