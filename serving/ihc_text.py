"""The counts on immunohistochemistry as lines of text."""

from collections.abc import Iterator

from knowledge.plain_text import how_many
from tools.pathology.ihc.measure import FieldCount, IhcMeasure


def lines(found: IhcMeasure) -> Iterator[str]:
    """Yield the report line by line."""
    nuclei = how_many(found.nuclei, "nucleus", "nuclei")
    yield f"{found.name}: {nuclei} in {_area(found.area_mm2)} of tumour region"
    if found.share is not None:
        s = found.share
        yield (
            f"  positive {s.positive} of {s.all}: {s.percent:g} % "
            f"(95 % interval {s.low_percent:g} to {s.high_percent:g})"
        )
    if found.field_mean_percent is not None:
        yield (
            f"  over fields: mean {found.field_mean_percent:g} %, range "
            f"{found.field_low_percent:g} to {found.field_high_percent:g} %"
        )
    if found.allred is not None:
        a = found.allred
        side = "positive" if a.positive else "negative"
        yield f"  Allred {a.proportion} + {a.intensity} = {a.total} ({side})"
    if found.h_score is not None:
        yield f"  H-score {found.h_score:g}"
    for one in found.fields:
        yield "  " + _field(one)
    for name, reason in found.not_assessed.items():
        yield f"  {name.replace('_', '-')}: not assessed: {reason.detail}"
    if found.calibration is not None:
        c = found.calibration
        yield (
            f"  calibration: {c.laboratory}, {c.clone}, {c.stainer}, {c.scanner}, {c.made_on}; "
            f"{c.nuclei} labelled nuclei of {c.fields} fields: {c.how}"
        )
    yield from (f"  note: {text}" for text in found.cautions)


def _area(mm2: float) -> str:
    return f"{mm2:g} mm2" if mm2 > 0 else "less than 0.0001 mm2"


def _field(one: FieldCount) -> str:
    said = f"{one.file} ({one.mpp:g} um per pixel; region {one.region}, {_area(one.region_mm2)}): "
    said += how_many(one.nuclei, "nucleus", "nuclei")
    if one.positive is None:
        return said
    said += f", {one.positive} positive"
    if one.weak is not None:
        said += f" (weak {one.weak}, moderate {one.moderate}, strong {one.strong})"
    return said
