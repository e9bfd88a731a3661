"""Vectors of a slide's tiles by a plugged model: in parts, kept on disk, stopped and resumed."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.slide_measurements import slide_limit
from tools.models.applicability import require_in_spec
from tools.models.loaded import LoadedModel
from tools.models.prepare import prepare
from tools.models.reading import array_tile
from tools.models.run import reference
from tools.models.runner import finite
from tools.models.sample import InputRef, Sample
from tools.pathology.slide.macenko import Normaliser, Stains, estimate_stains, normaliser
from tools.pathology.slide.model import Slide
from tools.pathology.slide.part_store import BLANK, PEN, Part, PartStore, together
from tools.pathology.slide.tile_content import tile_content
from tools.pathology.slide.tiles import Tile, TilePlan, read_tiles

PART = 64
"""Tiles of a part: what is lost at most when a run is killed."""

_FOR_STAINS = 24
Progress = Callable[[int, int], None]
"""Called with tiles done and of how many."""


class EmbedReport(Frozen):
    """How far the vectors of a slide are.

    Args:
        file, sha256: The slide; hash of its bytes.
        model_id, model_version, model_sha256: Which model.
        status: ``demonstration`` where the model was never validated.
        tiles: In the plan.
        vectors: Kept.
        numbers: Of each vector; 0 while there is none.
        left_out_blank, left_out_pen: Tiles that turned out to be empty or marked.
        left_out_cap: Tiles with tissue that the cap left out.
        resumed: Tiles that an earlier run had done.
        finished: Whether all tiles are done; else run again to go on.
        mpp_um: Side of a pixel of the tiles.
        mpp_stated: Whether a person stated the slide's pixel size, and not the file.
        stains: What the tiles were normalised from; None where they were not.
        folder: Where the vectors lie.
        key: Hash of everything that decides them.
    """

    file: str
    sha256: str
    model_id: str
    model_version: str
    model_sha256: str
    status: str
    tiles: int
    vectors: int
    numbers: int
    left_out_blank: int
    left_out_pen: int
    left_out_cap: int
    resumed: int
    finished: bool
    mpp_um: float | None
    mpp_stated: bool
    stains: Stains | None
    folder: str
    key: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedded:
    """Vectors with their report.

    Args:
        report: See there.
        part: All vectors that are there.
        plan: The tiles.
        bag: As a multiple-instance model takes them; None while unfinished or without a vector.
    """

    report: EmbedReport
    part: Part = field(repr=False)
    plan: TilePlan = field(repr=False)
    bag: Sample | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Desk:
    """What one worker needs for any part of a slide.

    Args:
        slide, plan, model: Open and checked.
        source: What results name.
        stains: None for no normalisation.
        threads: That read tiles.
    """

    slide: Slide
    plan: TilePlan
    model: LoadedModel
    source: InputRef
    stains: Stains | None
    threads: int | None = None

    def part(self, number: int) -> Part:
        """Return the vectors of one part; tiles without tissue or with pen are left out.

        Raises:
            InputError: A tile cannot be decoded, or is not what the model was made for.
        """
        first = number * PART
        numbers = range(first, min(first + PART, len(self.plan.places)))
        bring = None if self.stains is None else normaliser(self.stains)
        kept: list[int] = []
        samples: list[Sample] = []
        left: list[tuple[int, int]] = []
        for tile in read_tiles(self.slide, self.plan, numbers, threads=self.threads):
            why = _unfit(tile)
            if why:
                left.append((tile.number, why))
                continue
            kept.append(tile.number)
            samples.append(self._sample(tile, bring))
        return Part(
            numbers=np.array(kept, np.int64),
            vectors=vectors_of(self.model, samples),
            left=np.array([n for n, _ in left], np.int64),
            why=np.array([w for _, w in left], np.uint8),
        )

    def _sample(self, tile: Tile, bring: Normaliser | None) -> Sample:
        pixels = tile.pixels if bring is None else bring(tile.pixels)
        mpp = self.plan.mpp_um
        return array_tile(
            pixels, source=self.source, spacing_mm=None if mpp is None else mpp / 1000
        )


RunParts = Callable[[Desk, Sequence[int]], Iterator[tuple[int, Part]]]
"""Does parts in any order, here or on several machines."""


def one_by_one(desk: Desk, numbers: Sequence[int]) -> Iterator[tuple[int, Part]]:
    """Yield the parts, done in this process."""
    for number in numbers:
        yield number, desk.part(number)


def slide_sha256(slide: Slide) -> str:
    """Return the hash of a slide's bytes; of several files that of their hashes, sorted."""
    found = []
    for path in slide.files:
        with path.open("rb") as opened:
            found.append(hashlib.file_digest(opened, "sha256").hexdigest())
    if len(found) == 1:
        return found[0]
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


def tiles_for(model: LoadedModel) -> tuple[int | None, float | None]:
    """Return side in pixels and micrometres a pixel that a model of tiles was made for.

    Raises:
        ContractError: It makes no vectors of tiles.
    """
    contract = model.contract
    if contract.task != "embedding" or contract.input.kind not in ("tile", "image2d"):
        raise ContractError(contract.name, "makes no vectors of tiles", "use an embedding model")
    size, spacing = contract.input.size, contract.input.spacing_mm
    side = size[0] if size and size[0] == size[1] else None
    return side, None if spacing is None else spacing[0] * 1000


def embed_slide(
    slide: Slide,
    plan: TilePlan,
    model: LoadedModel,
    root: Path,
    *,
    normalise: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    run: RunParts = one_by_one,
) -> Embedded:
    """Return the vectors of a slide's tiles; what an earlier run did is not done again.

    Args:
        slide: The slide.
        plan: Its tiles.
        model: An embedding model.
        root: Folder under which vectors are kept.
        normalise: Whether tiles are brought to reference stains first.
        progress: Told after every part.
        cancelled: Asked after every part; where it says so the rest is left for another run.
        run: What does the parts.

    Raises:
        InputError: A tile cannot be decoded or is outside of the model's contract; parts that were
            done stay.
        UnavailableError: The vectors cannot be kept.
    """
    tiles_for(model)
    digest = slide_sha256(slide)
    stains = _stains(slide, plan) if normalise else None
    said = reference(model)
    store = PartStore(
        root,
        {
            "made": "epicrisis/slide-vectors/1",
            "slide": digest,
            "reader": slide.facts.reader,
            "model": [said.id, said.version, said.onnx_sha256, said.contract_sha256],
            "runner": said.where,
            "stains": None if stains is None else stains.to_json(),
            "plan": plan.to_json(),
        },
    )
    source = InputRef(file=slide.facts.file, sha256=digest)
    desk = Desk(slide=slide, plan=plan, model=model, source=source, stains=stains)
    store.drop_damaged()
    count = -(-len(plan.places) // PART)
    done = store.done()
    before = _tiles_in(done, plan)
    for number, part in run(desk, [n for n in range(count) if n not in done]):
        store.write(number, part)
        done.add(number)
        if progress is not None:
            progress(_tiles_in(done, plan), len(plan.places))
        if cancelled():
            break
    return _embedded(desk, store, sorted(done), finished=len(done) == count, before=before)


def vectors_of(model: LoadedModel, samples: list[Sample]) -> NDArray[np.float32]:
    """Return one vector for each tile, (tiles, numbers).

    Tiles go through together where the graph takes any number of them, else one by one.

    Raises:
        ContractError: A tile is outside of what the model was made for.
        InvalidValueError: The model gave NaN.
    """
    contract = model.contract
    output = contract.output("embedding")
    if output is None:
        raise ContractError(contract.name, "makes no vectors", "use an embedding model")
    tensors = []
    for sample in samples:
        require_in_spec(contract, sample)
        tensor = prepare(contract, sample).tensor
        if tensor is None:
            raise ContractError(contract.name, "looks piece by piece at tiles", "use another model")
        tensors.append(tensor)
    if not tensors:
        return np.zeros((0, 0), np.float32)
    any_number = contract.input.axes.startswith("N") and contract.input.shape[0] is None
    batches = [np.concatenate(tensors)] if any_number else tensors
    name, wanted = contract.input.name, output.name
    rows = []
    for batch in batches:
        found = finite(model.runner.run({name: batch}, (wanted,)), item=contract.name)[wanted]
        rows.append(found.reshape(len(batch) if any_number else 1, -1))
    vectors = np.concatenate(rows).astype(np.float32)
    if len(vectors) != len(samples):
        raise ContractError(
            contract.name, "gives not one vector for each tile", "correct its graph"
        )
    return vectors


def _unfit(tile: Tile) -> int:
    content = tile_content(tile.pixels)
    if content.pen_percent > slide_limit("tile_pen_keep"):
        return PEN
    return 0 if content.tissue else BLANK


def _stains(slide: Slide, plan: TilePlan) -> Stains:
    some = np.linspace(0, len(plan.places) - 1, min(_FOR_STAINS, len(plan.places)))
    numbers = sorted({round(float(at)) for at in some})
    tiles = (tile.pixels for tile in read_tiles(slide, plan, numbers))
    return estimate_stains(tiles, file=slide.facts.file)


def _tiles_in(parts: set[int], plan: TilePlan) -> int:
    return sum(min(PART, len(plan.places) - number * PART) for number in parts)


def _embedded(
    desk: Desk, store: PartStore, done: list[int], *, finished: bool, before: int
) -> Embedded:
    empty = Part(
        numbers=np.zeros(0, np.int64), vectors=np.zeros((0, 0), np.float32),
        left=np.zeros(0, np.int64), why=np.zeros(0, np.uint8),
    )  # fmt: skip
    part = together([store.read(number) for number in done]) if done else empty
    said = reference(desk.model)
    report = EmbedReport(
        file=desk.slide.facts.file, sha256=desk.source.sha256, model_id=said.id,
        model_version=said.version, model_sha256=said.onnx_sha256, status=said.status,
        tiles=len(desk.plan.places), vectors=len(part.vectors),
        numbers=part.vectors.shape[1] if len(part.vectors) else 0,
        left_out_blank=int((part.why == BLANK).sum()), left_out_pen=int((part.why == PEN).sum()),
        left_out_cap=desk.plan.kept_from - len(desk.plan.places), resumed=before,
        finished=finished, mpp_um=desk.plan.mpp_um,
        mpp_stated=any(p.code == "mpp-stated" for p in desk.slide.facts.problems),
        stains=desk.stains, folder=str(store.folder),
        key=store.key,
    )  # fmt: skip
    bag = None
    if finished and len(part.vectors):
        bag = Sample(
            pixels=part.vectors, kind="bag", sources=(desk.source,), modality="SM",
            embedding_of=(said.id, said.version, said.onnx_sha256),
            stated=("spacing_mm",) if report.mpp_stated else (), notes=tuple(_notes(report)),
        )  # fmt: skip
    return Embedded(report=report, part=part, plan=desk.plan, bag=bag)


def _notes(report: EmbedReport) -> Iterator[str]:
    """Yield what a model's answer about these vectors is to be read with."""
    left = {
        "empty": report.left_out_blank, "with pen": report.left_out_pen,
        "by the cap": report.left_out_cap,
    }  # fmt: skip
    told = [f"{count} {why}" for why, count in left.items() if count]
    if told:
        yield f"tiles with tissue left out: {', '.join(told)}"
    if report.stains is not None:
        yield f"tiles normalised to reference stains ({report.stains.method})"
