"""The searcher of this installation: its collection, its build, its encoder, as the settings say.

What is searched is always the knowledge as it is now. A build of older knowledge (a document was
withdrawn, a card changed) is not used: the search is then by words alone, over what there is now,
and says so until the index is built again.
"""

from pathlib import Path

from knowledge.errors import UnavailableError
from knowledge.retrieval.build import (
    Manifest,
    Report,
    build,
    checked_manifest,
    current,
    load_lexical,
    load_vectors,
    recipe,
    recipe_sha256,
)
from knowledge.retrieval.collection import Collection, guideline_collection
from knowledge.retrieval.encoders import Encoder, Reranker
from knowledge.retrieval.endpoint import Endpoint, EndpointEncoder, EndpointReranker
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.minilm import fetch_minilm, open_minilm
from knowledge.retrieval.searcher import HybridSearcher, Vectors, lexical_index
from knowledge.retrieval.terms import thesaurus
from knowledge.settings import Settings
from knowledge.weights_source import Progress

IN_MEMORY = 20_000
"""Passages up to which words are indexed on the spot: some seconds at the most."""

_BUILD = "run `epicrisis knowledge build`"


def open_searcher(settings: Settings, *, collection: Collection | None = None) -> HybridSearcher:
    """Return the searcher of this installation.

    Args:
        settings: Where the index lies, which encoder and reranker.
        collection: What is searched; the knowledge of this installation where None.

    Raises:
        IndexDamagedError: The current build is not as it was built.
        UnavailableError: There is no build and too much to index on the spot.
        ReferenceDataError: A card is not valid.
    """
    found = guideline_collection(settings) if collection is None else collection
    folder = current(index_folder(settings))
    manifest = checked_manifest(folder) if folder is not None else None
    if folder is None or manifest is None or not is_of(manifest, found):
        because = "nothing is built" if manifest is None else "the index is of older knowledge"
        return _in_memory(found, EncoderUnavailableError("index", because, _BUILD), settings)
    return HybridSearcher(
        found,
        load_lexical(folder),
        _vectors(folder, manifest, settings),
        thesaurus=thesaurus(),
        sha256=manifest.sha256,
        reranker=reranker(settings),
    )


def build_index(
    settings: Settings,
    encoder: Encoder | None,
    *,
    collection: Collection | None = None,
    report: Report | None = None,
) -> Manifest:
    """Build the index of this installation and make it the current one.

    Raises:
        EncoderUnavailableError: The encoder gave no vectors.
    """
    found = guideline_collection(settings) if collection is None else collection
    return build(found, encoder, index_folder(settings), thesaurus=thesaurus(), report=report)


def is_of(manifest: Manifest, collection: Collection) -> bool:
    """Return whether a build was made of this collection by the packages and words of now."""
    return manifest.recipe == recipe(collection, manifest.recipe.embedder)


def encoder(
    settings: Settings, *, fetch: bool = False, progress: Progress | None = None
) -> Encoder:
    """Return the encoder that the settings name.

    Args:
        settings: An endpoint, or none for the local one.
        fetch: Whether weights that are missing may be fetched.
        progress: Told how far that is.

    Raises:
        EncoderUnavailableError: It is not to be had.
    """
    if settings.embedding_url is not None:
        endpoint = Endpoint(
            settings.embedding_url,
            key=settings.embedding_api_key,
            timeout_s=settings.embedding_timeout_s,
        )
        return EndpointEncoder(
            endpoint, model=settings.embedding_model, languages=settings.embedding_languages
        )
    cache = weights_folder(settings)
    return fetch_minilm(cache, progress=progress) if fetch else open_minilm(cache)


def reranker(settings: Settings) -> Reranker | None:
    """Return the reranker that the settings name, if they name one."""
    if settings.rerank_url is None:
        return None
    endpoint = Endpoint(
        settings.rerank_url, key=settings.rerank_api_key, timeout_s=settings.embedding_timeout_s
    )
    return EndpointReranker(endpoint, model=settings.rerank_model)


def index_folder(settings: Settings) -> Path:
    """Return the folder of all builds."""
    return settings.data_dir / "knowledge-index"


def weights_folder(settings: Settings) -> Path:
    """Return the folder of packaged weights."""
    return settings.data_dir / "weights"


def _vectors(
    folder: Path, manifest: Manifest, settings: Settings
) -> Vectors | EncoderUnavailableError:
    if manifest.recipe.embedder is None:
        return EncoderUnavailableError("index", "was built without vectors", _BUILD)
    try:
        return load_vectors(folder, manifest, encoder(settings))
    except EncoderUnavailableError as error:
        return error


def _in_memory(
    collection: Collection, because: EncoderUnavailableError, settings: Settings
) -> HybridSearcher:
    if len(collection.passages) > IN_MEMORY:
        raise UnavailableError(because.item, because.reason, because.way_out)
    return HybridSearcher(
        collection,
        lexical_index(collection, thesaurus()),
        because,
        thesaurus=thesaurus(),
        sha256=recipe_sha256(recipe(collection, None)),
        reranker=reranker(settings),
    )
