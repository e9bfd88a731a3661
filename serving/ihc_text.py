"""The counts on immunohistochemistry as lines of text."""

from collections.abc import Iterator

from tools.pathology.ihc.measure import FieldCount, IhcMeasure


def lines(found: IhcMeasure) -> Iterator[str]:
    """Yield the report line by line."""
    yield f"{found.name}: {found.nuclei} nuclei in {found.area_mm2:g} mm2 of tumour region"
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


def _field(one: FieldCount) -> str:
    said = f"{one.file} ({one.mpp:g} um per pixel; region {one.region}, {one.region_mm2:g} mm2): "
    said += f"{one.nuclei} nuclei"
    if one.positive is None:
        return said
    said += f", {one.positive} positive"
    if one.weak is not None:
        said += f" (weak {one.weak}, moderate {one.moderate}, strong {one.strong})"
    return said
