"""Whether an input is what a model was made for: every reason why not, never a score beside one."""

import math
from collections.abc import Iterator

import numpy as np

from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.models.contract import ModelContract
from tools.models.input_contract import FileWindow, FixedWindow, InputContract
from tools.models.sample import Sample, has_no_content


class OutOfSpec(Frozen):
    """One reason why an input is outside of what a model was made for.

    Args:
        field: Of the description: ``modality``, ``views``, ``spacing_mm``, ...
        reason: What was given and what is taken.
    """

    field: str
    reason: str


def out_of_spec(contract: ModelContract, sample: Sample) -> tuple[OutOfSpec, ...]:
    """Return every reason why a model must not be asked about an input; empty where it may.

    What is not known is no fit: a model for adults is not asked about somebody of unknown age.
    """
    wanted = contract.input
    if sample.kind != wanted.kind and {sample.kind, wanted.kind} != {"image2d", "tile"}:
        return (OutOfSpec(field="kind", reason=f"a {sample.kind}; it takes a {wanted.kind}"),)
    found = [*_stated(wanted, sample), *_geometry(wanted, sample), *_grey(wanted, sample)]
    found += [*_tracing(wanted, sample), *_bag(wanted, sample), *_values(sample)]
    return tuple(found)


def require_in_spec(contract: ModelContract, sample: Sample) -> None:
    """Refuse an input that a model was not made for.

    Raises:
        ContractError: With every reason.
    """
    found = out_of_spec(contract, sample)
    if found:
        raise ContractError(
            sample.name,
            "; ".join(f"{one.field}: {one.reason}" for one in found),
            f"{contract.name} gives no score for it",
        )


def _stated(wanted: InputContract, sample: Sample) -> Iterator[OutOfSpec]:
    pairs = (
        ("modality", sample.modality.upper(), tuple(wanted.modality)),
        ("views", sample.view.upper(), tuple(v.upper() for v in wanted.views or ())),
        ("body_parts", sample.body_part.lower(), tuple(b.lower() for b in wanted.body_parts or ())),
    )
    for name, given, taken in pairs:
        if taken and given not in taken:
            shown = given or "not known"
            yield OutOfSpec(field=name, reason=f"{shown}; it takes {', '.join(taken)}")
    if wanted.age_years is not None:
        low, high = wanted.age_years
        if sample.age_years is None:
            yield OutOfSpec(field="age_years", reason=f"not known; it takes {low:g} to {high:g}")
        elif not low <= sample.age_years <= high:
            yield OutOfSpec(
                field="age_years", reason=f"{sample.age_years:g}; it takes {low:g} to {high:g}"
            )


def _geometry(wanted: InputContract, sample: Sample) -> Iterator[OutOfSpec]:
    if wanted.orientation is not None and not sample.orientation:
        yield OutOfSpec(field="orientation", reason="not known")
    spacing, tolerance = wanted.spacing_mm, wanted.spacing_tolerance
    if spacing is None or tolerance is None:
        if wanted.fit.kind == "exact" and wanted.spatial:
            yield from _exact_size(wanted, sample)
        return
    given = sample.spacing_mm
    if given is None or len(given) != len(spacing) or not all(v > 0 for v in given):
        shown = "not known" if given is None else " x ".join(f"{v:g}" for v in given)
        yield OutOfSpec(field="spacing_mm", reason=f"{shown}; it needs it")
        return
    # The axes of a volume may still be exchanged: the file's are in its own order.
    own = _in_model_order(wanted, sample, given)
    for have, want in zip(own, spacing, strict=True):
        if max(have / want, want / have) - 1 > tolerance + 1e-9:
            shown = " x ".join(f"{v:.4g}" for v in own)
            taken = " x ".join(f"{v:.4g}" for v in spacing)
            reason = f"{shown} mm; it takes {taken} mm by a factor of up to {1 + tolerance:g}"
            yield OutOfSpec(field="spacing_mm", reason=reason)
            break
    if wanted.fit.kind == "exact" and not wanted.resample:
        yield from _exact_size(wanted, sample)


def _in_model_order(
    wanted: InputContract, sample: Sample, spacing: tuple[float, ...]
) -> tuple[float, ...]:
    if wanted.orientation is None or not sample.orientation:
        return spacing
    from tools.models.geometry import axis_order

    order, _ = axis_order(sample.orientation, wanted.orientation)
    return tuple(spacing[axis] for axis in order)


def _exact_size(wanted: InputContract, sample: Sample) -> Iterator[OutOfSpec]:
    extent = sample.extent
    if any(want not in (None, have) for have, want in zip(extent, wanted.size, strict=False)):
        shown, taken = (" x ".join(str(v) for v in sizes) for sizes in (extent, wanted.size))
        yield OutOfSpec(field="shape", reason=f"{shown}; it takes exactly {taken}")


def _grey(wanted: InputContract, sample: Sample) -> Iterator[OutOfSpec]:
    if wanted.photometric is None:
        return
    given, taken = sample.photometric, wanted.photometric
    grey = ("MONOCHROME1", "MONOCHROME2")
    if given not in (*grey, "RGB"):
        yield OutOfSpec(field="photometric", reason=f"{given or 'not known'}; it takes {taken}")
        return
    if (given == "RGB") != (taken == "RGB"):
        yield OutOfSpec(field="photometric", reason=f"{given}; it takes {taken}")
        return
    inverted = given != taken
    if inverted and isinstance(wanted.window, FixedWindow):
        reason = f"{given}; a fixed window has no meaning on an inverted picture"
        yield OutOfSpec(field="photometric", reason=reason)
    if inverted and wanted.window is None and sample.value_range is None:
        reason = f"{given}; the range of values is not known, so it cannot be inverted"
        yield OutOfSpec(field="photometric", reason=reason)
    if isinstance(wanted.window, FileWindow) and len(sample.windows) <= wanted.window.choice:
        reason = f"the file names {len(sample.windows)}; it takes number {wanted.window.choice}"
        yield OutOfSpec(field="window", reason=reason)


def _tracing(wanted: InputContract, sample: Sample) -> Iterator[OutOfSpec]:
    if wanted.fs_hz is not None:
        if sample.fs_hz is None or not math.isclose(sample.fs_hz, wanted.fs_hz, rel_tol=1e-3):
            shown = "not known" if sample.fs_hz is None else f"{sample.fs_hz:g} Hz"
            yield OutOfSpec(field="fs_hz", reason=f"{shown}; it takes {wanted.fs_hz:g} Hz")
        length = wanted.shape[wanted.axes.index("L")]
        if length is not None and sample.pixels.shape[-1] != length:
            reason = f"{sample.pixels.shape[-1]} samples; it takes exactly {length}"
            yield OutOfSpec(field="shape", reason=reason)
        lost = [lead for lead in wanted.leads or () if lead not in sample.leads]
        if lost:
            yield OutOfSpec(field="leads", reason=f"without {', '.join(lost)}")


def _bag(wanted: InputContract, sample: Sample) -> Iterator[OutOfSpec]:
    source = wanted.embedding_of
    if source is None:
        return
    asked = (source.id, source.version, source.onnx_sha256)
    if sample.embedding_of != asked:
        shown = " ".join(sample.embedding_of[:2]) if sample.embedding_of else "not known"
        reason = f"vectors of {shown}; it takes those of {source.id} {source.version}"
        yield OutOfSpec(field="embedding_of", reason=reason)
    if len(sample.pixels) > source.members_max:
        reason = f"{len(sample.pixels)} members; it takes up to {source.members_max}"
        yield OutOfSpec(field="embedding_of", reason=reason)


def _values(sample: Sample) -> Iterator[OutOfSpec]:
    if sample.pixels.dtype.kind == "f" and not np.isfinite(sample.pixels).all():
        yield OutOfSpec(field="values", reason="NaN or infinity among them")
    elif sample.kind not in ("bag", "tile") and has_no_content(sample.pixels):
        yield OutOfSpec(field="values", reason="every one is the same: nothing is on it")
