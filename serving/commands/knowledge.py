"""``epicrisis knowledge build|check|search|show``: guideline knowledge and its index."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer
from rich.console import Console
from rich.text import Text

from knowledge.errors import EpicrisisError, InvalidValueError
from knowledge.passages import Filter, Hit, Language, Passage
from knowledge.plain_text import visible
from knowledge.retrieval.build import Manifest, checked_manifest, current
from knowledge.retrieval.collection import Collection, guideline_collection
from knowledge.retrieval.opening import build_index, encoder, index_folder, is_of, open_searcher
from knowledge.retrieval.searcher import Found
from knowledge.retrieval.terms import search_terms
from knowledge.settings import Settings, load_settings

_PROBLEMS = 1
Kind = Literal["summary", "original"]
_KINDS: dict[str, Kind] = {"summary": "summary", "original": "original"}
_LANGUAGES: dict[str, Language] = {"en": "en", "zh": "zh"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from serving.commands.knowledge_documents import add_commands

    group = typer.Typer(help="Guideline knowledge and its search.", no_args_is_help=True)
    group.command("build")(build)
    group.command("check")(check)
    group.command("search")(search)
    group.command("show")(show)
    add_commands(group)
    app.add_typer(group, name="knowledge")


def build(
    without_vectors: Annotated[
        bool, typer.Option("--without-vectors", help="Search by words alone; fetches nothing")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON")] = False,
) -> None:
    """Build the index of the cards and the reviewed documents, and make it the current one."""
    settings = load_settings()
    tell = Console(stderr=True)
    with tell.status("Indexing") as status:

        def fetched(what: str, done: int, total: int) -> None:
            status.update(f"Fetching {what}: {done >> 20} of {total >> 20} MiB")

        def embedded(done: int, total: int) -> None:
            status.update(f"Embedding: {done} of {total} statements")

        made_with = None if without_vectors else encoder(settings, fetch=True, progress=fetched)
        manifest = build_index(settings, made_with, report=embedded)
    if as_json:
        _print_json({"sha256": manifest.sha256, **manifest.to_json()})
        return
    console = Console()
    console.print(Text(f"{manifest.recipe.passages} passages, {manifest.vectors} with a vector"))
    console.print(Text(f"encoder {manifest.recipe.embedder or 'none, search by words alone'}"))
    console.print(Text(f"index   {manifest.sha256}"))


def check() -> None:
    """Validate cards, documents, search terms and the index; say what is missing."""
    settings = load_settings()
    console = Console()
    problems: list[str] = []
    collection: Collection | None = None
    try:
        collection = guideline_collection(settings)
        _show_counts(console, collection)
        problems.extend(_without_translation(collection))
    except EpicrisisError as error:
        problems.append(str(error))
    try:
        console.print(f"{len(search_terms().terms.rows)} search terms, not reviewed by a clinician")
    except EpicrisisError as error:
        problems.append(str(error))
    if collection is not None:
        problems.extend(_index_problems(console, settings, collection))
    for problem in problems:
        Console(stderr=True).print(Text(visible(problem)), soft_wrap=True)
    if problems:
        raise typer.Exit(_PROBLEMS)


def search(
    query: Annotated[str, typer.Argument(help="A question or words, English or Chinese")],
    k: Annotated[int, typer.Option("--k", min=1, max=50, help="Passages to return")] = 5,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="en or zh: of the passages")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option("--topic", help="At least one of these, for example pe")
    ] = None,
    population: Annotated[str | None, typer.Option("--population")] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="summary or original")] = None,
    published_from: Annotated[
        str | None, typer.Option("--from", metavar="YEAR[-MM-DD]", help="Not older than this")
    ] = None,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Also what was superseded; it stays marked")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Search the guideline knowledge."""
    only = Filter(
        topics=tuple(topic or ()),
        population=population,
        kinds=tuple(_kind(name) for name in kind) if kind else ("summary", "original"),
        published_from=_date(published_from) if published_from else None,
        superseded=superseded,
        languages=tuple(_language(name) for name in language or ()),
    )
    searcher = open_searcher(load_settings())
    unknown = sorted(set(only.topics) - set(searcher.topics))
    if unknown:
        raise InvalidValueError(
            f"topic {unknown[0]!r}", "no passage has it", f"one of: {', '.join(searcher.topics)}"
        )
    found = searcher.find(query, k=k, only=only)
    if as_json:
        _print_json(found.to_json())
    else:
        _show_found(found)


def show(
    passage_id: Annotated[str, typer.Argument(metavar="ID", help="As a search prints it")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Show one passage with its source and review state."""
    collection = guideline_collection(load_settings())
    place = collection.places.get(passage_id)
    if place is None:
        raise InvalidValueError(
            f"passage {passage_id!r}", "there is none", "see `epicrisis knowledge search`"
        )
    passage = collection.passages[place]
    if as_json:
        _print_json(passage.to_json())
    else:
        _show_passage(Console(), passage, head=passage.id)


def _show_found(found: Found) -> None:
    for notice in found.notices:
        Console(stderr=True).print(Text(visible(notice)), soft_wrap=True)
    console = Console()
    if not found.hits:
        console.print("No passage was found.")
    for hit in found.hits:
        _show_passage(console, hit.passage, head=f"{hit.rank}. {hit.passage.id}{_ranks(hit)}")
    console.print(Text(f"{found.mode} search of index {found.index_sha256[:12]}"))


def _ranks(hit: Hit) -> str:
    places = {"words": hit.lexical_rank, "vectors": hit.dense_rank}
    found = [f"{name} {rank}" for name, rank in places.items() if rank is not None]
    return f"  ({', '.join(found)})"


def _show_passage(console: Console, passage: Passage, *, head: str) -> None:
    lines = [Text(visible(head), style="bold"), Text(visible(passage.title))]
    lines.append(Text(visible(passage.text)))
    facts = [passage.label, f"Source: {passage.citation.label}"]
    if passage.citation.doi:
        facts.append(f"doi {passage.citation.doi}")
    if passage.strength:
        facts.append(f"Strength: {passage.strength}")
    if passage.population:
        facts.append(f"Population: {passage.population}")
    facts.append(f"Review: {passage.citation.review}")
    if passage.superseded_by:
        facts.append(f"SUPERSEDED by {passage.superseded_by}")
    if passage.origin and passage.origin.page:
        facts.append(f"Page {passage.origin.page}")
    lines.extend(Text(f"   {visible(fact)}", style="dim") for fact in facts)
    for line in lines:
        console.print(line, soft_wrap=True)
    console.print()


def _show_counts(console: Console, collection: Collection) -> None:
    for kind in ("summary", "original"):
        for language in ("en", "zh"):
            count = sum(p.kind == kind and p.language == language for p in collection.passages)
            console.print(f"{count} passages, {kind}, {language}")
    old = sum(p.superseded_by is not None for p in collection.passages)
    console.print(f"{len(collection.meanings)} statements; {old} passages are superseded")


def _without_translation(collection: Collection) -> list[str]:
    return [
        f"{key}: not in both languages"
        for key, places in sorted(collection.meanings.items())
        if collection.passages[places[0]].kind == "summary"
        and {collection.passages[place].language for place in places} != {"en", "zh"}
    ]


def _index_problems(console: Console, settings: Settings, collection: Collection) -> list[str]:
    way_out = "run `epicrisis knowledge build`"
    try:
        folder = current(index_folder(settings))
        if folder is None:
            return [f"index: nothing is built, search is by words alone ({way_out})"]
        manifest = checked_manifest(folder)
    except EpicrisisError as error:
        return [str(error)]
    _show_index(console, manifest, folder)
    problems = []
    if not is_of(manifest, collection):
        problems.append(f"index: of older knowledge, words or packages ({way_out})")
    if manifest.recipe.embedder is None:
        problems.append(f"index: built without vectors ({way_out})")
    else:
        problems.extend(_encoder_problems(settings, manifest))
    return problems


def _encoder_problems(settings: Settings, manifest: Manifest) -> list[str]:
    try:
        found = encoder(settings)
    except EpicrisisError as error:
        return [f"encoder: {error}"]
    if found.id != manifest.recipe.embedder:
        return [f"encoder: {found.id} is set, the index is of {manifest.recipe.embedder}"]
    return []


def _show_index(console: Console, manifest: Manifest, folder: Path) -> None:
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    console.print(Text(f"index {manifest.sha256[:12]}, every file as built, {size >> 10} KiB"))
    console.print(Text(f"encoder {manifest.recipe.embedder}, {manifest.vectors} vectors"))


def _language(name: str) -> Language:
    if name not in _LANGUAGES:
        raise InvalidValueError(f"--language {name!r}", "is not a language of passages", "en or zh")
    return _LANGUAGES[name]


def _kind(name: str) -> Kind:
    if name not in _KINDS:
        raise InvalidValueError(f"--kind {name!r}", "is not a kind", "summary or original")
    return _KINDS[name]


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(f"{text}-01-01" if re.fullmatch(r"\d{4}", text) else text)
    except ValueError as error:
        raise InvalidValueError(
            f"--from {text!r}", "is not a date", "YYYY or YYYY-MM-DD"
        ) from error


def _print_json(body: object) -> None:
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
