"""Slides that are open: a few at a time, each in a folder of its own without its label picture."""

import contextlib
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock

from knowledge.errors import InputError, UnavailableError
from serving.cases.folder import WORK, lay_out
from serving.images.cache import ByteCache
from serving.images.found import Kept
from serving.storage.files import FileStore
from tools.imaging.view.deep_zoom import DeepZoom, SlideScale

MOST_OPEN = 4
"""Slides open at once: each keeps its directory of tiles in memory, some megabytes."""

_TILES = 64 * 2**20
"""Bytes of tiles that are kept: some 3,000."""


@dataclass(frozen=True, kw_only=True)
class SlideInfo:
    """What a page says of a slide.

    Args:
        width, height: Pixels of the largest level.
        scale: As it states.
    """

    width: int
    height: int
    scale: SlideScale


@dataclass(frozen=True, kw_only=True)
class _Open:
    slide: DeepZoom
    folder: Path


class Slides:
    """The open slides of a process.

    Args:
        files: Where contents are.
        data_dir: Of this installation.
    """

    def __init__(self, files: FileStore, data_dir: Path) -> None:
        self._files = files
        self._data_dir = data_dir
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = Lock()
        self._tiles: ByteCache[bytes] = ByteCache(_TILES, len)

    def info(self, members: Sequence[Kept]) -> SlideInfo:
        """Return what a slide says of itself.

        Args:
            members: Its files without label and overview; the first names it.

        Raises:
            InputError: It cannot be opened.
        """
        with self._lock:
            slide = self._slide(members)
            return SlideInfo(width=slide.size[0], height=slide.size[1], scale=slide.scale)

    def describe(self, members: Sequence[Kept]) -> bytes:
        """Return the Deep Zoom description.

        Raises:
            InputError: It cannot be opened.
        """
        with self._lock:
            return self._slide(members).describe()

    def thumbnail(self, members: Sequence[Kept]) -> bytes:
        """Return the largest level that is one tile.

        Raises:
            InputError: The slide cannot be opened, or is damaged.
        """
        with self._lock:
            level = self._slide(members).one_tile
        return self.tile(members, level, 0, 0)

    def tile(self, members: Sequence[Kept], level: int, column: int, row: int) -> bytes:
        """Return one tile as JPEG.

        Raises:
            InputError: The slide cannot be opened, has no such tile, or is damaged there.
        """
        key = (_key(members), level, column, row)
        found = self._tiles.get(key)
        if found is not None:
            return found
        with self._lock:
            try:
                tile = self._slide(members).tile(level, column, row)
            except InputError:
                self._drop(_key(members))  # a slide that failed once answers nothing any more
                raise
        self._tiles.put(key, tile)
        return tile

    @contextlib.contextmanager
    def laid_out(self, members: Sequence[Kept]) -> Iterator[Path]:
        """Give the first file of a slide in a folder with the others, removed at the end.

        Raises:
            UnavailableError: A content is not there or has changed, or nothing can be written.
        """
        folder = self._folder()
        try:
            named = {_plain(number, one): one.sha256 for number, one in enumerate(members)}
            lay_out(named, self._files, folder)
            yield folder / next(iter(named))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Close every slide and remove its folder."""
        with self._lock:
            for key in list(self._open):
                self._drop(key)

    def _slide(self, members: Sequence[Kept]) -> DeepZoom:
        key = _key(members)
        found = self._open.get(key)
        if found is not None:
            self._open.move_to_end(key)
            return found.slide
        while len(self._open) >= MOST_OPEN:
            self._drop(next(iter(self._open)))
        folder = self._folder()
        try:
            named = {_plain(number, one): one.sha256 for number, one in enumerate(members)}
            lay_out(named, self._files, folder)
            slide = DeepZoom(folder / next(iter(named)), name="slide")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._open[key] = _Open(slide=slide, folder=folder)
        return slide

    def _drop(self, key: str) -> None:
        found = self._open.pop(key, None)
        if found is not None:
            found.slide.close()
            shutil.rmtree(found.folder, ignore_errors=True)

    def _folder(self) -> Path:
        try:
            root = self._data_dir.resolve() / WORK
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Path(tempfile.mkdtemp(prefix="slide-", dir=root))
        except OSError as error:
            raise UnavailableError(
                "work folder",
                f"cannot be written: {error.strerror}",
                "free space on the disk of the data folder",
            ) from error


def _key(members: Sequence[Kept]) -> str:
    return ",".join(one.id for one in members)


def _plain(number: int, one: Kept) -> str:
    """Return a file name that says nothing of the patient."""
    return f"part{number}{PurePosixPath(one.name).suffix[:8].lower()}"
