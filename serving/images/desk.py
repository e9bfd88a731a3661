"""Pictures of images, drawn for pages: decoded once, windowed as asked, within bounds."""

from collections.abc import Iterable
from dataclasses import dataclass

from knowledge.errors import ContractError, InputError
from knowledge.settings import Settings
from serving.images.cache import ByteCache
from serving.images.doubts import Doubt, film_doubts
from serving.images.found import CaseImages, Kept
from serving.images.layer import Layer
from serving.images.layers import FILM_MODALITIES
from serving.images.overlays import Overlays
from serving.images.series import Read, Series, read_image, series_of
from serving.images.slide_layer import SlideLayer
from serving.images.slides import SlideInfo, Slides
from serving.images.workers import Workers
from serving.storage.files import FileStore
from tools.imaging.model import Study
from tools.imaging.slide_label import LABEL_INSIDE
from tools.imaging.view.drawn import Asked, draw
from tools.imaging.view.marks import draw_marks
from tools.imaging.view.photo import decode_photo
from tools.imaging.view.pixels import Pixels, decode
from tools.imaging.view.scale import NO_HEADER, Scale, scale
from tools.imaging.view.window import Window, windows

_HEADERS = 20_000
"""Headers that are kept: ten large series."""

_MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a page says of one picture.

    Args:
        rows, columns: Of its pixels.
        windows: It may be shown with; none for a colour picture.
        scale: In mm, or why not.
        is_colour: Whether it is a colour picture.
        inverted: Whether it is stored inverted (MONOCHROME1).
    """

    rows: int
    columns: int
    windows: tuple[Window, ...]
    scale: Scale
    is_colour: bool
    inverted: bool


class ImageDesk:
    """Draws the images of cases; who may see them is decided before.

    Args:
        settings: Of this process.
        files: Where contents are.
    """

    def __init__(self, settings: Settings, files: FileStore) -> None:
        self._files = files
        self._workers = Workers(settings.view_s)
        share = settings.view_cache_mib * _MIB // 4
        self._contents: ByteCache[bytes] = ByteCache(share, len)
        self._pixels: ByteCache[Pixels] = ByteCache(3 * share, lambda p: p.nbytes)
        self._reads: ByteCache[Read] = ByteCache(_HEADERS, lambda _: 1)
        self._doubts: ByteCache[tuple[Doubt, ...]] = ByteCache(_HEADERS, lambda _: 1)
        self._settings = settings
        self.slides = Slides(files, settings.data_dir)
        self._over = Overlays(
            settings, content=self._content, read=self.read, slides=self.slides, most=4 * share
        )

    def series(
        self, images: CaseImages, study: Study
    ) -> tuple[tuple[Series, ...], dict[str, InputError]]:
        """Return the series of a study, and why files of it cannot be shown.

        Raises:
            UnavailableError: A content is not there any more or has changed.
            TooManyError: Too many pictures are asked for at this moment.
        """
        return self._workers.run(lambda: self._series(images.files(study)))

    def shown(self, kept: Kept, *, frame: int) -> Shown:
        """Return what is to be said of a picture.

        Raises:
            InputError: It cannot be shown; says why.
            UnavailableError: It takes too long, or its content is not there any more.
            TooManyError: Too many pictures are asked for at this moment.
        """
        pixels = self._workers.run(lambda: self._decoded(kept, frame))
        rows, columns = pixels.values.shape[:2]
        photometric = str(pixels.ds.get("PhotometricInterpretation", "")).strip()
        return Shown(
            rows=int(rows),
            columns=int(columns),
            windows=windows(pixels, frame),
            scale=scale(pixels.ds, frame) if pixels.ds else NO_HEADER,
            is_colour=pixels.is_colour,
            inverted=photometric == "MONOCHROME1",
        )

    def picture(self, kept: Kept, asked: Asked, *, frame: int) -> bytes:
        """Return a picture as PNG.

        Raises:
            InputError: It cannot be shown, or the window is none; says why.
            UnavailableError: It takes too long, or its content is not there any more.
            TooManyError: Too many pictures are asked for at this moment.
        """
        return self._workers.run(lambda: draw(self._decoded(kept, frame), asked, frame=frame))

    def read(self, kept: Kept) -> Read:
        """Return what the header of an image says.

        Raises:
            InputError: It cannot be read.
        """
        found = self._reads.get(kept.sha256)
        if found is None or found.kept != kept:
            found = read_image(self._content(kept), kept)
            self._reads.put(kept.sha256, found)
        return found

    def layers(self, images: CaseImages, series: Series) -> tuple[tuple[str, str], ...]:
        """Return what may be drawn over a series: key of a layer and the file it is from.

        The chest-film measurement is offered for films of one frame, the lungs for series of CT; a
        file of structures for every series of CT, one of marks for every series, and says itself
        where it does not belong to it.
        """
        return self._workers.run(lambda: tuple(self._over.of_series(images, series)))

    def layer(self, images: CaseImages, series: Series, kept: Kept, key: str) -> Layer:
        """Return a layer.

        Args:
            images: Of the case.
            series: That the image is of.
            kept: The image.
            key: Of one of its layers.

        Raises:
            NotFoundError: There is none of this key.
            InputError: Nothing is drawn; says why.
            UnavailableError: It takes too long; it may be there when asked for again.
        """
        return self._workers.run(lambda: self._over.on_series(images, series, kept, key))

    def marks(self, layer: Layer, kept: Kept, *, frame: int, longest: int | None) -> bytes:
        """Return the marks of a layer on one picture, as a transparent PNG.

        Raises:
            InputError: The picture itself cannot be shown.
        """

        def drawn() -> bytes:
            rows, columns = self._decoded(kept, frame).values.shape[:2]
            return draw_marks(
                layer.marks.get(kept.id, ()),
                rows=int(rows),
                columns=int(columns),
                longest=longest,
                labels=layer.colours,
            )

        return self._workers.run(drawn)

    def may_hold_marks(self, kept: Kept) -> bool:
        """Return whether a file may be a layer over an image of its case."""
        return self._workers.run(lambda: self._over.may_hold_marks(kept))

    def doubts(self, kept: Kept) -> tuple[Doubt, ...]:
        """Return what the gate of chest films finds wrong with an image; none where it is no film.

        Raises:
            InputError: It cannot be read as a film.
            UnavailableError: It takes too long; it may be there when asked for again.
        """

        def found() -> tuple[Doubt, ...]:
            image = self.read(kept).image
            if image.modality not in FILM_MODALITIES or image.frames != 1:
                return ()
            known = self._doubts.get(kept.sha256)
            if known is None:
                known = film_doubts(self._content(kept), self._settings)
                self._doubts.put(kept.sha256, known)
            return known

        return self._workers.run(found)

    def slide(self, images: CaseImages, study: Study, kept: Kept) -> tuple[Kept, ...]:
        """Return the files of a slide that may be shown, that of the address first.

        Raises:
            ContractError: It is no slide, or a picture of its label.
        """
        read = self._workers.run(lambda: self.read(kept))
        if read.image.role != "slide":
            raise ContractError("image", "is no slide", "look at it as an image")
        if read.may_identify:
            said = read.withheld if read.withheld == LABEL_INSIDE else f"is the {read.withheld}"
            raise ContractError("image", f"{said}: not shown", "look at the other pictures")
        if not read.image.series:
            return (kept,)
        whole, _ = self.series(images, study)
        mine = next(s for s in whole if any(r.kept == kept for r in s.reads))
        return (kept, *(r.kept for r in mine.reads if r.kept != kept))

    def slide_info(self, members: tuple[Kept, ...]) -> SlideInfo:
        """Return what a slide says of itself.

        Raises:
            InputError: It cannot be opened.
        """
        return self._workers.run(lambda: self.slides.info(members))

    def dzi(self, members: tuple[Kept, ...]) -> bytes:
        """Return the Deep Zoom description of a slide.

        Raises:
            InputError: It cannot be opened.
        """
        return self._workers.run(lambda: self.slides.describe(members))

    def thumbnail(self, members: tuple[Kept, ...]) -> bytes:
        """Return a slide in one tile, as JPEG.

        Raises:
            InputError: It cannot be opened.
        """
        return self._workers.run(lambda: self.slides.thumbnail(members))

    def tile(self, members: tuple[Kept, ...], level: int, column: int, row: int) -> bytes:
        """Return a tile of a slide as JPEG.

        Raises:
            InputError: There is no such tile, or the slide is damaged there.
        """
        return self._workers.run(lambda: self.slides.tile(members, level, column, row))

    def slide_layers(self, images: CaseImages) -> tuple[tuple[str, str], ...]:
        """Return what may be shown over a slide: key of a layer, and the file it is from if any."""
        return self._workers.run(lambda: tuple(self._over.of_slide(images)))

    def slide_layer(self, images: CaseImages, members: tuple[Kept, ...], key: str) -> SlideLayer:
        """Return what is shown over a slide.

        Args:
            images: Of the case.
            members: The files of the slide.
            key: Of one of its layers.

        Raises:
            NotFoundError: There is none of this key.
            InputError: There is nothing; says why.
            UnavailableError: It takes too long; it may be there when asked for again.
        """
        return self._workers.run(lambda: self._over.on_slide(images, members, key))

    def close(self) -> None:
        """Take no more work, and close the slides."""
        self._workers.close()
        self.slides.close()

    def _series(self, files: Iterable[Kept]) -> tuple[tuple[Series, ...], dict[str, InputError]]:
        reads: list[Read] = []
        errors: dict[str, InputError] = {}
        for kept in files:
            try:
                reads.append(self.read(kept))
            except InputError as error:
                errors[kept.name] = error
        return series_of(tuple(reads)), errors

    def _decoded(self, kept: Kept, frame: int) -> Pixels:
        found = self._pixels.get((kept.sha256, frame))
        if found is not None:
            return found
        read = self.read(kept)
        if read.image.role == "slide":
            raise ContractError("image", "is a slide: it is shown by its tiles, its label never")
        content = self._content(kept)
        if read.image.source_format == "dicom":
            pixels = decode(content, file="image", frame=frame)
        else:
            pixels = decode_photo(content, file="image")
        self._pixels.put((kept.sha256, frame), pixels)
        return pixels

    def _content(self, kept: Kept) -> bytes:
        found = self._contents.get(kept.sha256)
        if found is None:
            found = self._files.get(kept.sha256)
            self._contents.put(kept.sha256, found)
        return found
