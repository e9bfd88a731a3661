"""What is measured on fields of a nuclear marker within their tumour regions, or why not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, Why
from knowledge.ihc_measurements import IhcMarker, errors_of, ihc_measurements, limit
from knowledge.model import Frozen
from tools.pathology.ihc.calibration import WAY_OUT, IhcCalibration, check_fits
from tools.pathology.ihc.field import IhcField
from tools.pathology.ihc.nuclei import Nuclei, nuclei
from tools.pathology.ihc.placement import check_placement
from tools.pathology.ihc.region import WAY_OUT as OUTLINE
from tools.pathology.ihc.region import Region
from tools.pathology.ihc.shares import AllredScore, Share, allred, h_score, share
from tools.pathology.ihc.stain import Mask, check_stain, densities
from tools.toolbox import Card, tool

METHOD = "ihc-nuclear/1"
NOT_CALIBRATED = NotAssessed(
    why=Why.MISSING,
    detail="no calibration of this laboratory for this marker: the density of DAB at which a "
    f"nucleus is positive is not known; {WAY_OUT}",
)


class FieldCount(Frozen):
    """What one field holds.

    Args:
        file, sha256, mpp: The picture.
        region: File of its tumour region.
        region_mm2: Area of it.
        nuclei: Nuclei whose centre lies in the region.
        negative, weak, moderate, strong: Of them by intensity; of a marker without grades all
            positive nuclei are counted in `positive` only. None without a calibration.
        positive: Nuclei from the threshold on.
        percent: Share of positive nuclei; None where there are none or no calibration.
    """

    file: str
    sha256: str = ""
    mpp: float
    region: str
    region_mm2: float
    nuclei: int
    positive: int | None = None
    negative: int | None = None
    weak: int | None = None
    moderate: int | None = None
    strong: int | None = None
    percent: float | None = None


class IhcMeasure(Frozen):
    """The result for one marker over all fields.

    Args:
        method: Name and version.
        marker: Its key.
        name: To show.
        fields: Each field.
        nuclei: All nuclei in the regions.
        area_mm2: All regions.
        share: Of positive nuclei over all fields together; None where not assessed.
        field_mean_percent, field_low_percent, field_high_percent: Mean and range over fields, where
            there are several.
        h_score, allred: Of ER and PR; None where not assessed.
        dab_deciles: Mean density of DAB of the nuclei: its 10th, 20th, ... 90th percentile.
        calibration: What the thresholds rest on; None without.
        not_assessed: What was not stated and why, by name.
        cautions: What must be read with the numbers.
    """

    method: str = METHOD
    marker: IhcMarker
    name: str
    fields: tuple[FieldCount, ...]
    nuclei: int
    area_mm2: float
    share: Share | None = None
    field_mean_percent: float | None = None
    field_low_percent: float | None = None
    field_high_percent: float | None = None
    h_score: float | None = None
    allred: AllredScore | None = None
    dab_deciles: tuple[float, ...] = ()
    calibration: IhcCalibration | None = None
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """The nuclei of one field with what is needed to draw them.

    Args:
        field: The picture.
        found: Every nucleus, on pixels of `mpp`.
        region: Tumour region on the same pixels.
        inside: Of each nucleus, whether its centre lies in the region.
        grades: Of each nucleus 0 to 3; None without a calibration.
        mpp: µm per pixel nuclei were looked for on.
        count: The numbers.
    """

    field: IhcField
    found: Nuclei
    region: Mask
    inside: Mask
    grades: np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None
    mpp: float
    count: FieldCount


CARD = Card(
    title="Share of positive nuclei in immunohistochemistry (Ki-67, ER, PR)",
    group="pathology",
    topic="immunohistochemistry",
    needs=(
        "fields in colour with the size of a pixel",
        "the invasive tumour of each as a region that a person or a model outlined",
        "the calibration of the laboratory for the marker",
    ),
    refuses=(
        "no region: stroma and lymphocytes would be counted",
        "no size of a pixel, or one above 0.55 µm",
        "a routine stain (eosin), no tissue",
        "brown that is not in nuclei: membrane and cytoplasm stains",
        "HER2 and PD-L1: no grade is given without a validated model",
    ),
    limits=(
        "Haematoxylin with DAB. Without a calibration of the laboratory no share is stated.",
        "Fewer than 100 nuclei: no share. Fewer than 500: said with the share.",
        "Measured on drawn fields; on 6 real fields with hand labels an earlier form of the method "
        "found 93 % of the nuclei and missed weak stains.",
    ),
    sources=("10.1093/jnci/djaa201", "10.1200/JCO.19.02309"),
    accuracy=errors_of("nuclei", "index", "h-score"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=CARD, version="1")
def ihc_nuclear_share(
    fields: tuple[IhcField, ...],
    *,
    regions: tuple[Region, ...],
    marker: IhcMarker,
    calibration: IhcCalibration | None = None,
) -> IhcMeasure:
    """Return the share of positive nuclei of a marker in given tumour regions.

    Args:
        fields: The pictures.
        regions: The tumour in each, in the order of `fields`.
        marker: ki67, er or pr.
        calibration: Of the laboratory; without it nuclei are counted but no share is stated.
    """
    return summed(counted(fields, regions=regions, marker=marker, calibration=calibration),
                  marker=marker, calibration=calibration)  # fmt: skip


def counted(
    fields: Sequence[IhcField],
    *,
    regions: Sequence[Region],
    marker: IhcMarker,
    calibration: IhcCalibration | None,
) -> tuple[Counted, ...]:
    """Return the nuclei of every field.

    Raises:
        ContractError: No field, no region for each, another stain, a calibration that does not fit.
    """
    if not fields:
        raise ContractError("fields", "none is given", "give at least one field")
    if len(fields) != len(regions):
        raise ContractError("region", f"{len(regions)} regions for {len(fields)} fields", OUTLINE)
    if len({f.sha256 for f in fields if f.sha256}) < sum(bool(f.sha256) for f in fields):
        raise ContractError("fields", "the same field is given twice", "give each field once")
    return tuple(
        _counted(one, region, marker, calibration)
        for one, region in zip(fields, regions, strict=True)
    )


def _counted(
    one: IhcField, region: Region, marker: IhcMarker, calibration: IhcCalibration | None
) -> Counted:
    if calibration is not None:
        check_fits(calibration, marker=marker, mpp=one.mpp)
    mpp = limit("mpp_work")
    rgb = one.at(mpp)
    if region.mask.shape != one.rgb.shape[:2]:
        raise ContractError(
            region.file, f"is not on the pixels of {one.file}", "give its own region"
        )
    inside = region.at((rgb.shape[0], rgb.shape[1]))
    known = calibration
    stains = densities(
        rgb,
        white=None if known is None else known.white,
        haematoxylin=None if known is None else known.haematoxylin,
        dab=None if known is None else known.dab,
    )
    check_stain(stains, inside)
    found = nuclei(stains, mpp)
    check_placement(found, inside, mpp)
    centre = inside[found.y.round().astype(int), found.x.round().astype(int)]
    grades = None if calibration is None else calibration.grades(found.dab)
    area = float(inside.mean()) * one.rgb.shape[0] * one.rgb.shape[1] * one.mpp**2 / 1e6
    return Counted(
        field=one,
        found=found,
        region=inside,
        inside=centre,
        grades=grades,
        mpp=mpp,
        count=_count(one, region, area, marker, grades, centre),
    )


def _count(
    one: IhcField,
    region: Region,
    area: float,
    marker: IhcMarker,
    grades: np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None,
    inside: Mask,
) -> FieldCount:
    every = int(inside.sum())
    if grades is None:
        return FieldCount(file=one.file, sha256=one.sha256, mpp=one.mpp, region=region.file,
                          region_mm2=round(area, 4), nuclei=every)  # fmt: skip
    by = np.bincount(grades[inside], minlength=4)
    graded = ihc_measurements().markers[marker].grades
    positive = int(by[1:].sum())
    return FieldCount(
        file=one.file,
        sha256=one.sha256,
        mpp=one.mpp,
        region=region.file,
        region_mm2=round(area, 4),
        nuclei=every,
        positive=positive,
        negative=int(by[0]),
        weak=int(by[1]) if graded else None,
        moderate=int(by[2]) if graded else None,
        strong=int(by[3]) if graded else None,
        percent=round(100 * positive / every, 1) if every else None,
    )


def summed(
    found: Sequence[Counted], *, marker: IhcMarker, calibration: IhcCalibration | None
) -> IhcMeasure:
    """Return the result over all fields."""
    row = ihc_measurements().markers[marker]
    counts = tuple(one.count for one in found)
    every = sum(c.nuclei for c in counts)
    missing = _missing(every, marker, calibration)
    stated = not missing
    positive = sum(c.positive or 0 for c in counts)
    weak, moderate, strong = (
        sum(getattr(c, g) or 0 for c in counts) for g in ("weak", "moderate", "strong")
    )
    shares = [c.percent for c in counts if c.percent is not None] if stated else []
    several = len(shares) > 1
    density = np.concatenate([one.found.dab[one.inside] for one in found])
    return IhcMeasure(
        marker=marker,
        name=row.name,
        fields=counts,
        nuclei=every,
        area_mm2=round(sum(c.region_mm2 for c in counts), 4),
        share=share(positive, every) if stated else None,
        field_mean_percent=round(float(np.mean(shares)), 1) if several else None,
        field_low_percent=min(shares) if several else None,
        field_high_percent=max(shares) if several else None,
        h_score=h_score(weak, moderate, strong, every) if stated and row.grades else None,
        allred=allred(weak, moderate, strong, every) if stated and row.grades else None,
        dab_deciles=_deciles(density),
        calibration=calibration,
        not_assessed=missing,
        cautions=tuple(_cautions(every, len(counts), marker)),
    )


def _missing(
    every: int, marker: IhcMarker, calibration: IhcCalibration | None
) -> dict[str, NotAssessed]:
    names = ("share", "h_score", "allred")
    asked = names if ihc_measurements().markers[marker].grades else names[:1]
    if every < limit("cells_min"):
        few = NotAssessed(
            why=Why.QUALITY,
            detail=f"{every} nuclei in the regions; at least {limit('cells_min'):g} are needed",
        )
        return dict.fromkeys(asked, few)
    return dict.fromkeys(asked, NOT_CALIBRATED) if calibration is None else {}


def _deciles(density: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, ...]:
    if not len(density):
        return ()
    return tuple(round(float(v), 3) for v in np.percentile(density, range(10, 100, 10)))


def _cautions(every: int, fields: int, marker: IhcMarker) -> list[str]:
    said = ["assistive: look at the overlay; the pathologist decides"]
    if every < limit("cells_advised"):
        said.append(
            f"{every} nuclei; at least {limit('cells_advised'):g}, better "
            f"{limit('cells_better'):g} are advised"
        )
    if marker == "ki67" and fields < limit("fields_advised"):
        said.append(f"{fields} of at least {limit('fields_advised'):g} fields that are advised")
    return said
