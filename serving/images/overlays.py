"""What may be drawn over the images of a case, made once and kept within bounds."""

from collections.abc import Callable, Iterator

from knowledge.errors import ContractError
from knowledge.settings import Settings
from serving.access.errors import NotFoundError
from serving.images.annotations import drawn_in, holds_marks
from serving.images.cache import ByteCache
from serving.images.ct_layers import (
    LUNGS,
    SEED,
    lung_layer,
    nodule_layer,
    require_switched_on,
    seed_of,
)
from serving.images.found import CaseImages, Kept
from serving.images.layer import Layer
from serving.images.layers import (
    FILM,
    FILM_MODALITIES,
    film_layer,
    holds_structures,
    report_layer,
    structure_layer,
)
from serving.images.series import Read, Series
from serving.images.slide_layer import SlideLayer
from serving.images.slide_layers import (
    HEAT,
    KEYS,
    NOT_WHICH,
    drawn_layer,
    measured_layer,
    require_model,
)
from serving.images.slides import Slides
from tools.imaging.ct.model import Volume
from tools.imaging.ct.volume import read_files
from tools.imaging.dicom_object import header
from tools.pathology.slide.model import Slide
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.tissue import TissueMap, tissue_map

_FILES = 20_000


class Overlays:
    """The layers of images, series and slides; every call is made by a worker of the desk.

    Args:
        settings: Of this process.
        content: Returns the bytes of a file.
        read: Returns what the header of an image says.
        slides: That are open.
        most: Bytes that are kept of layers; as many of the volume that was last measured.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        content: Callable[[Kept], bytes],
        read: Callable[[Kept], Read],
        slides: Slides,
        most: int,
    ) -> None:
        self._settings = settings
        self._content = content
        self._read = read
        self._slides = slides
        self._holds: ByteCache[bool] = ByteCache(_FILES, lambda _: 1)
        self._marks: ByteCache[Layer] = ByteCache(most, lambda one: one.nbytes + 1)
        self._over_slides: ByteCache[SlideLayer] = ByteCache(most // 4, lambda s: len(s.picture))
        self._tissues: ByteCache[TissueMap] = ByteCache(most // 4, _bytes_of)
        self._volumes: ByteCache[Volume] = ByteCache(most, lambda one: one.hu.nbytes)

    def of_series(self, images: CaseImages, series: Series) -> Iterator[tuple[str, str]]:
        """Yield key of a layer and the file it is from, if any."""
        modality = series.first.image.modality
        if modality in FILM_MODALITIES and _one_each(series):
            yield FILM, ""
        if may_point(series):
            yield LUNGS, ""
        for one in images.others:
            if (modality == "CT" and self._has(one, holds_structures)) or self._has(
                one, holds_marks
            ):
                yield one.id, one.name

    def of_slide(self, images: CaseImages) -> Iterator[tuple[str, str]]:
        """Yield key of a layer and the file it is from, if any."""
        yield from ((key, "") for key in KEYS)
        yield from ((one.id, one.name) for one in images.others if self._has(one, holds_marks))

    def may_hold_marks(self, kept: Kept) -> bool:
        """Return whether a file may hold marks or structures on an image."""
        return self._has(kept, holds_marks) or self._has(kept, holds_structures)

    def on_series(self, images: CaseImages, series: Series, kept: Kept, key: str) -> Layer:
        """Return a layer; see `ImageDesk.layer`."""
        self._check_key(images, series, key)
        known = (key, kept.sha256 if key == FILM else tuple(r.kept.sha256 for r in series.reads))
        found = self._marks.get(known)
        if found is None:
            found = self._made(images, series, kept, key)
            self._marks.put(known, found)
        return found

    def on_slide(self, images: CaseImages, members: tuple[Kept, ...], key: str) -> SlideLayer:
        """Return a layer; see `ImageDesk.slide_layer`."""
        if key not in {name for name, _ in self.of_slide(images)}:
            raise NotFoundError("layer")
        known = (key, tuple(one.sha256 for one in members))
        found = self._over_slides.get(known)
        if found is not None:
            return found
        if key in KEYS:
            require_switched_on(self._settings)
            if key == HEAT:
                require_model(self._settings)
            with self._slides.laid_out(members) as path, open_slide(path) as slide:
                tissue = self._tissue(members, slide)
                found = measured_layer(key, slide, tissue, self._settings)
        else:
            found = self._drawn_layer(images, members, key)
        if key != HEAT:  # a model may be asked, or replaced, while this process runs
            self._over_slides.put(known, found)
        return found

    def _tissue(self, members: tuple[Kept, ...], slide: Slide) -> TissueMap:
        key = tuple(one.sha256 for one in members)
        found = self._tissues.get(key)
        if found is None:
            found = tissue_map(slide)
            self._tissues.put(key, found)
        return found

    def _check_key(self, images: CaseImages, series: Series, key: str) -> None:
        pointed = key.startswith(f"{SEED}-")
        known = (
            may_point(series)
            if pointed
            else key in {name for name, _ in self.of_series(images, series)}
        )
        if not known:
            raise NotFoundError("layer")

    def _has(self, kept: Kept, question: Callable[[bytes], bool]) -> bool:
        key = (question.__name__, kept.sha256)
        found = self._holds.get(key)
        if found is None:
            found = question(self._content(kept))
            self._holds.put(key, found)
        return found

    def _made(self, images: CaseImages, series: Series, kept: Kept, key: str) -> Layer:
        if key == FILM:
            return film_layer(kept, self._content(kept), self._settings)
        if key == LUNGS or key.startswith(f"{SEED}-"):
            require_switched_on(self._settings)
            volume = self._volume(series)
            if key == LUNGS:
                return lung_layer(series, volume)
            return nodule_layer(series, volume, seed_of(key))
        other = next(one for one in images.others if one.id == key)
        if self._has(other, holds_marks):
            return report_layer(series, self._content(other))
        contents = {r.kept.name: self._content(r.kept) for r in series.reads}
        return structure_layer(series, contents, self._content(other), self._settings)

    def _volume(self, series: Series) -> Volume:
        key = tuple(r.kept.sha256 for r in series.reads)
        found = self._volumes.get(key)
        if found is None:
            contents = {r.kept.name: self._content(r.kept) for r in series.reads}
            wanted = series.first.image.series or None
            found = read_files(contents, series=wanted, settings=self._settings)
            self._volumes.put(key, found)
        return found

    def _drawn_layer(self, images: CaseImages, members: tuple[Kept, ...], key: str) -> SlideLayer:
        other = next(one for one in images.others if one.id == key)
        info = self._slides.info(members)
        reads = [self._read(one) for one in members]
        shapes = drawn_in(self._content(other), patient=reads[0].image.identity, file="marks")
        widths = {
            one.image.instance: self._columns(one.kept, info.width)
            for one in reads
            if one.image.instance
        }
        if any(not one.instance for one in shapes):
            if sum(self._read(one).image.role == "slide" for one in images.kept.values()) > len(
                members
            ):
                raise ContractError(
                    "marks", NOT_WHICH, "keep marks and their slide in a case of their own"
                )
            widths[""] = info.width
        return drawn_layer(shapes, size=(info.width, info.height), widths=widths)

    def _columns(self, kept: Kept, otherwise: int) -> int:
        content = self._content(kept)
        if content[128:132] != b"DICM":
            return otherwise
        stated = header(content, "slide").ds.get("TotalPixelMatrixColumns")
        return int(stated) if stated else otherwise


def _bytes_of(found: TissueMap) -> int:
    return found.overview.pixels.nbytes + found.tissue.nbytes + found.pen.nbytes


def may_point(series: Series) -> bool:
    """Return whether a nodule of a series is measured where a person points."""
    return series.first.image.modality == "CT" and _one_each(series)


def _one_each(series: Series) -> bool:
    """Return whether every file of a series is one picture."""
    return len(series.slices) == len(series.reads)
