"""A build of the index: a folder named by its hash, and what it was made of.

::

    <data_dir>/knowledge-index/current           the hash of the build in use
    <data_dir>/knowledge-index/<hash>/
        manifest.json                            what it was made of, and the hash of every file
        passages.jsonl                           the passages in the order of their ids
        lexical/                                 BM25
        vectors.npy  rows.npy  probe.npy         where there is an encoder
        dense.faiss                              where the vectors are too many to compare each

The hash of a build is the hash of its manifest, so of every byte a search depends on. The same
passages, words, encoder and packages give the same hash on the same machine; vectors may differ in
the last bit between processors, which is why `recipe_sha256` names the ingredients alone.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson
from pydantic import NonNegativeInt, PositiveInt, ValidationError

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.reference import table_hash
from knowledge.retrieval.collection import Collection
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.encoders import Encoder
from knowledge.retrieval.errors import EncoderUnavailableError, IndexDamagedError
from knowledge.retrieval.lexical import LexicalIndex
from knowledge.retrieval.searcher import PROBE, Vectors, lexical_index
from knowledge.retrieval.terms import TABLE, Thesaurus
from knowledge.weights_cache import sha256_of

FORMAT = 1
"""Counted up when tokens, files or scores change their meaning."""

MANIFEST = "manifest.json"
CURRENT = "current"
_PACKAGES = ("bm25s", "faiss-cpu", "numpy")
_BLOCK = 256  # texts embedded between two reports of progress
_WAY_OUT = "run `epicrisis knowledge build`"

Report = Callable[[int, int], None]
"""Told (texts embedded, texts in all)."""


class Recipe(Frozen):
    """What an index is made of.

    Args:
        format: Of the files.
        collection_sha256: Of the passages and their words.
        terms_sha256: Of the synonym table.
        passages: How many.
        embedder: Id of the encoder; None for a lexical index.
        packages: Version by name.
    """

    format: PositiveInt
    collection_sha256: str
    terms_sha256: str
    passages: PositiveInt
    embedder: str | None
    packages: Mapping[str, str]


class Manifest(Frozen):
    """A recipe and what came of it.

    Args:
        recipe: What it is made of.
        recipe_sha256: Its hash.
        vectors: How many; a passage that the encoder cannot read has none.
        files: SHA-256 by path within the folder.
    """

    recipe: Recipe
    recipe_sha256: str
    vectors: NonNegativeInt
    files: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Hash of the build."""
        return _hash(self)


def recipe(collection: Collection, embedder: str | None) -> Recipe:
    """Return what an index of a collection would be made of now.

    Raises:
        InvalidValueError: The collection is empty.
    """
    if not collection.passages:
        raise InvalidValueError("index", "there is no passage to search")
    return Recipe(
        format=FORMAT,
        collection_sha256=collection.sha256,
        terms_sha256=table_hash(TABLE),
        passages=len(collection.passages),
        embedder=embedder,
        packages={name: version(name) for name in _PACKAGES},
    )


def recipe_sha256(made_of: Recipe) -> str:
    """Return the hash of the ingredients."""
    return _hash(made_of)


def build(
    collection: Collection,
    encoder: Encoder | None,
    root: Path,
    *,
    thesaurus: Thesaurus,
    report: Report | None = None,
) -> Manifest:
    """Write the index of a collection and make it the current one.

    Args:
        collection: What is searched.
        encoder: None for an index of words alone.
        root: The folder of all builds.
        thesaurus: Of the packaged table.
        report: Told how far it is.

    Raises:
        EncoderUnavailableError: The encoder gave no vectors; nothing was changed.
        InvalidValueError: The collection is empty.
    """
    made_of = recipe(collection, encoder.id if encoder else None)
    partial = root / f"partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write_passages(collection, partial)
        lexical_index(collection, thesaurus).save(partial / "lexical")
        count = _write_vectors(collection, encoder, partial, report) if encoder else 0
        manifest = Manifest(
            recipe=made_of,
            recipe_sha256=recipe_sha256(made_of),
            vectors=count,
            files=_hashes(partial),
        )
        (partial / MANIFEST).write_bytes(_canonical(manifest))
        folder = root / manifest.sha256
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    pointer = root / f"{CURRENT}.{os.getpid()}"
    pointer.write_text(manifest.sha256 + "\n", encoding="ascii")
    pointer.replace(root / CURRENT)
    return manifest


def current(root: Path) -> Path | None:
    """Return the folder of the build in use; None where nothing was built.

    Raises:
        IndexDamagedError: The build that is named is not there.
    """
    pointer = root / CURRENT
    if not pointer.is_file():
        return None
    name = pointer.read_text(encoding="ascii", errors="replace").strip()
    folder = root / name
    if len(name) != 64 or not name.isalnum() or not folder.is_dir():
        raise IndexDamagedError("index", "the current build is not there", _WAY_OUT)
    return folder


def checked_manifest(folder: Path) -> Manifest:
    """Return the manifest of a build after reading and comparing every file of it.

    Raises:
        IndexDamagedError: A file is missing, added or changed.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise IndexDamagedError("index", "its manifest cannot be read", _WAY_OUT) from error
    if manifest.sha256 != folder.name:
        raise IndexDamagedError("index", "its manifest was changed", _WAY_OUT)
    found = _hashes(folder)
    wrong = sorted({name for name, _ in set(found.items()) ^ set(manifest.files.items())})
    if wrong:
        raise IndexDamagedError("index", f"not as built: {', '.join(wrong)}", _WAY_OUT)
    return manifest


def load_lexical(folder: Path) -> LexicalIndex:
    """Return the lexical index of a build."""
    return LexicalIndex.load(folder / "lexical")


def load_vectors(folder: Path, manifest: Manifest, encoder: Encoder) -> Vectors:
    """Return the vectors of a build, to be searched with an encoder.

    Raises:
        IndexDamagedError: They do not fit together.
    """
    import faiss

    rows = np.load(folder / "rows.npy")
    if len(rows) != manifest.vectors or int(rows.max(initial=0)) >= manifest.recipe.passages:
        raise IndexDamagedError("vector index", "names passages that are not there", _WAY_OUT)
    stored = folder / "dense.faiss"
    index = DenseIndex(
        np.load(folder / "vectors.npy", mmap_mode="r" if stored.is_file() else None),
        rows,
        embedder_id=str(manifest.recipe.embedder),
        index=faiss.read_index(str(stored)) if stored.is_file() else None,
    )
    return Vectors(index=index, encoder=encoder, probe=np.load(folder / "probe.npy"))


def _write_passages(collection: Collection, folder: Path) -> None:
    with (folder / "passages.jsonl").open("wb") as file:
        for passage in collection.passages:
            file.write(passage.model_dump_json().encode() + b"\n")


def _write_vectors(
    collection: Collection, encoder: Encoder, folder: Path, report: Report | None
) -> int:
    import faiss

    texts = {
        place: text
        for place in range(len(collection.passages))
        if (text := collection.text_to_embed(place, encoder.languages)) is not None
    }
    if not texts:
        raise EncoderUnavailableError(encoder.id, "reads the language of no passage")
    # The same statement in two languages is embedded once: its two vectors are one, bit for bit.
    distinct = list(dict.fromkeys(texts.values()))
    parts = []
    for start in range(0, len(distinct), _BLOCK):
        parts.append(encoder.embed(distinct[start : start + _BLOCK]))
        if report is not None:
            report(min(start + _BLOCK, len(distinct)), len(distinct))
    row = {text: number for number, text in enumerate(distinct)}
    vectors = np.concatenate(parts)[[row[text] for text in texts.values()]]
    rows = np.array(list(texts), dtype=np.int64)
    index = DenseIndex(vectors, rows, embedder_id=encoder.id)
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "rows.npy", rows)
    np.save(folder / "probe.npy", encoder.embed([PROBE])[0])
    if index.approximate:
        faiss.write_index(index.index, str(folder / "dense.faiss"))
    return len(rows)


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def _canonical(value: Frozen) -> bytes:
    return orjson.dumps(value.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)


def _hash(value: Frozen) -> str:
    return hashlib.sha256(_canonical(value)).hexdigest()
