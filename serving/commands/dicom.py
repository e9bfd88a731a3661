"""``epicrisis dicom``: images in from an archive, results out to it, and safe to hand on."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from agent.assessment import RESEARCH_USE
from knowledge.errors import InputError, InvalidValueError, UnreadableError
from knowledge.settings import Settings, load_settings

if TYPE_CHECKING:
    from serving.dicom_in.archive import Archive
    from serving.dicom_in.filing import StudyFiling
    from serving.dicom_in.inbox import Inbox
    from serving.dicom_in.studies import Arrived, StudyStore
    from tools.dicom_out.deidentify.image import Deidentified

_PARTS = 3
_WORKLIST = "Put each study into a case of the service, and on its reading worklist"
Series = Annotated[str | None, typer.Option("--series", help="Series UID, where there are several")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="DICOM: receive, fetch, analyse, send, de-identify.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.callback()(_group)
    group.command("listen")(listen)
    group.command("fetch")(fetch)
    group.command("studies")(studies)
    group.command("retry")(retry)
    group.command("analyse")(analyse)
    group.command("send")(send)
    group.command("deidentify")(deidentify)
    app.add_typer(group, name="dicom")


def _group() -> None:
    """DICOM: receive, fetch, analyse, send, de-identify."""


def listen(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535)] = None,
    sender: Annotated[
        list[str] | None, typer.Option("--sender", help="AE title that may send; repeatable")
    ] = None,
    worklist: Annotated[
        bool | None, typer.Option("--worklist/--no-worklist", help=_WORKLIST)
    ] = None,
) -> None:
    """Receive images by C-STORE, analyse each series once it is whole, and send the results.

    An object is on the disk before its sender is told so. With --worklist each study becomes files
    of the case of its patient and visit, and stands on the reading worklist.
    """
    from serving.dicom_in.arrivals import Arrivals
    from serving.dicom_in.receiver import Receiver
    from serving.operations import logs

    settings = load_settings()
    given = {
        "dicom_host": host, "dicom_port": port, "dicom_senders": tuple(sender) if sender else None,
        "dicom_worklist": worklist,
    }  # fmt: skip
    settings = settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    logs.configure(settings.log_format)
    inbox = inbox_of(settings)
    arrivals = Arrivals(settings, inbox, clock=_now)
    receiver = Receiver(settings, inbox)
    address, number = receiver.start()
    typer.echo(f"DICOM C-STORE ({settings.dicom_ae_title}) on {address}:{number}")
    typer.echo(RESEARCH_USE)
    stopping = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: stopping.set())
    arrivals.start()
    try:
        with _filing(settings, inbox) if settings.dicom_worklist else nullcontext() as filing:
            if filing is not None:
                filing.start()
            stopping.wait()
            receiver.stop()
    finally:
        receiver.stop()
        arrivals.stop()


def inbox_of(settings: Settings) -> "Inbox":
    """Return the folder of received objects of this installation."""
    from serving.dicom_in.inbox import Inbox

    return Inbox(
        settings.data_dir / "dicom",
        object_bytes=settings.dicom_object_mib << 20,
        total_bytes=settings.dicom_inbox_gib << 30,
    )


@contextmanager
def _filing(settings: Settings, inbox: "Inbox") -> Iterator["StudyFiling"]:
    """Give what puts studies into cases, over the service's own database."""
    from serving.assembly import assemble
    from serving.dicom_in.filing import StudyFiling

    services = assemble(settings)
    filing = StudyFiling(services, inbox)
    try:
        yield filing
    finally:
        filing.stop()
        services.jobs.stop()
        services.database.close()


def fetch(
    study: Annotated[str, typer.Argument(help="Study Instance UID")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write the files into")
    ] = None,
    series: Series = None,
    modality: Annotated[
        list[str] | None, typer.Option("--modality", help="Only these; repeatable")
    ] = None,
    worklist: Annotated[bool, typer.Option("--worklist", help=_WORKLIST)] = False,
) -> None:
    """Fetch a study from the archive of EPICRISIS_DICOM_WEB_URL (QIDO-RS, WADO-RS).

    Into a folder, or onto the reading worklist as if the archive had sent it.
    """
    from serving.dicom_in.archive import Archive

    if (out is None) != worklist:
        raise InvalidValueError("--out, --worklist", "give one of the two", "see --help")
    settings = load_settings()
    archive = Archive(settings)
    found = [
        one
        for one in archive.series_of(study)
        if (series is None or one["series"] == series)
        and (not modality or one["modality"] in modality)
    ]
    if not found:
        raise InputError(f"study {study}", "the archive has no such series", "check the UIDs")
    if out is None:
        _onto_worklist(settings, archive, study, [one["series"] for one in found])
        return
    for one in found:
        folder = out / one["series"]
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        for content in archive.images(study, one["series"]):
            (folder / f"{count:05}.dcm").write_bytes(content)
            count += 1
        typer.echo(f"{one['series']} {one['modality']} {one['description']}: {count} objects")


def _onto_worklist(settings: Settings, archive: "Archive", study: str, series: list[str]) -> None:
    """Keep a study as if it had been sent, and put it into a case."""
    inbox = inbox_of(settings)
    count = 0
    for one in series:
        for content in archive.images(study, one):
            inbox.keep(content)
            count += 1
    typer.echo(f"{count} objects")
    with _filing(settings, inbox) as filing:
        found = filing.file(study)
    if found is None:
        raise InputError(f"study {study}", "the archive sent another one", "check the UID")
    typer.echo(_line(found))
    if found.state != "filed":
        raise typer.Exit(4)


def studies(
    held: Annotated[bool, typer.Option("--held", help="Only those a person decides on")] = False,
) -> None:
    """List the studies that arrived: the case of each, or why it is in none."""
    with _studies() as store:
        found = store.listed("held" if held else None)
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo("no studies")
    if any(one.state == "held" for one in found):
        typer.echo("A held study is in no case, its images stay. After the reason is gone:")
        typer.echo("epicrisis dicom retry STUDY")


def retry(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="As `studies` lists it")],
) -> None:
    """Put a held study into a case once more, after the reason is gone."""
    with _studies() as store:
        store.again(study)
    typer.echo(f"study {study}: put into a case by the listener, now or at its next start")


@contextmanager
def _studies() -> Iterator["StudyStore"]:
    from serving.assembly import assemble
    from serving.dicom_in.studies import StudyStore

    services = assemble(load_settings())
    try:
        yield StudyStore(services.database, clock=services.clock)
    finally:
        services.jobs.stop()
        services.database.close()


def _line(one: "Arrived") -> str:
    where = f" in {one.case}" if one.case else ""
    reason = f": {one.reason}" if one.reason else ""
    at = one.arrived_at.isoformat(timespec="seconds")
    return f"{one.study} {one.state}{where}, {one.images} objects, {at}{reason}"


def analyse(
    folder: Annotated[Path, typer.Argument(help="Folder with the files of a series")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the DICOM results into")],
    series: Series = None,
    seed: Annotated[
        list[str] | None,
        typer.Option("--seed", help="A point in a nodule: x,y,z in mm (LPS); may be repeated"),
    ] = None,
    deliver_too: Annotated[
        bool, typer.Option("--deliver", help="Also send them where EPICRISIS_DICOM_RESULTS says")
    ] = False,
) -> None:
    """Analyse a series by the arrival rules, and write report, segmentation and pictures."""
    from serving.dicom_in.analysis import analyse_series
    from serving.dicom_in.delivery import deliver

    settings = load_settings()
    found = analyse_series(
        dict(_files(folder, settings)),
        settings=settings,
        at=_now(),
        seeds=tuple(_point(text) for text in seed or []),
        series=series,
    )
    typer.echo(RESEARCH_USE)
    if found.reason:
        typer.echo(f"not analysed: {found.reason}")
        raise typer.Exit(4)
    out.mkdir(parents=True, exist_ok=True)
    for kind, content in sorted(found.objects.items()):
        (out / f"{kind}.dcm").write_bytes(content)
        typer.echo(f"{kind}: {out / f'{kind}.dcm'}")
    if found.fhir is not None:
        (out / "fhir.json").write_bytes(orjson.dumps(found.fhir, option=orjson.OPT_INDENT_2))
        typer.echo(f"fhir: {out / 'fhir.json'}")
    for kind, why in sorted(found.left_out.items()):
        typer.echo(f"{kind}: not made: {why}")
    if found.report is not None:
        typer.echo(orjson.dumps(found.report.to_json(), option=orjson.OPT_INDENT_2).decode())
    if deliver_too:
        deliver(found.objects, settings)
        typer.echo(f"sent: {settings.dicom_results}")


def send(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files or folders of them")],
    to: Annotated[
        str, typer.Option("--to", help="AETITLE@host:port (C-STORE), or `web` (STOW-RS)")
    ],
) -> None:
    """Send DICOM files to an archive, and print what each was answered with."""
    from serving.dicom_in.archive import Archive
    from serving.dicom_in.sender import client_tls, peer_of, send_objects

    settings = load_settings()
    objects: dict[str, bytes] = {}
    for path in paths:
        files = dict(_files(path, settings)) if path.is_dir() else {path.name: path}
        objects |= {name: _content(one) for name, one in files.items()}
    if to == "web":
        Archive(settings).store(objects)
        typer.echo(f"{len(objects)} objects stored")
        return
    answers = send_objects(
        objects, peer_of(to), ae_title=settings.dicom_ae_title, tls=client_tls(settings)
    )
    for one in answers:
        typer.echo(f"{one.name}: {'taken' if one.taken else one.reason} {one.status}".rstrip())
    if not all(one.taken for one in answers):
        raise typer.Exit(1)


def deidentify(
    path: Annotated[Path, typer.Argument(help="A DICOM file, or a folder of them")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write into; empty or new")],
    key: Annotated[
        Path, typer.Option("--key", help="File of at least 32 secret bytes; never exported")
    ],
) -> None:
    """Write images without what identifies their patients, and say of each that was refused why.

    PS3.15 basic profile; dates are shifted alike for all of a patient; private attributes,
    the names of files, comments in the pixel data and texts beyond a closed vocabulary are removed.
    Pixels are not looked at for text: refused are images that state text, captures, ultrasound and
    the like, and derived films that do not state that they show none; of all others it is said.
    """
    from tools.dicom_out.deidentify.image import deidentified_image
    from tools.dicom_out.deidentify.pseudonyms import read_key
    from tools.dicom_out.deidentify.refusals import LeftOutError

    secret = read_key(key)
    if out.exists() and any(out.iterdir()):
        raise InvalidValueError("--out", "is not empty", "give a new folder")
    files = dict(_files(path, load_settings())) if path.is_dir() else {path.name: path}
    if not files:
        raise InputError(str(path), "holds no DICOM file", "check it")
    written = refused = unseen = 0
    for name, source in files.items():
        try:
            done = deidentified_image(_content(source), secret, file=name)
        except LeftOutError as error:
            typer.echo(f"left out: {error}")
            continue
        except InputError as error:
            typer.echo(f"refused: {error}")
            refused += 1
            continue
        target = out / done.study / done.series / f"{done.instance}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(done.content)
        written += 1
        _tell(name, done)
        unseen += bool(done.notices)
    typer.echo(f"{written} images written, {refused} refused")
    if unseen:
        typer.echo(f"{unseen} of them do not state whether text is burned in: look at them")
    if refused:
        raise typer.Exit(4)


def _tell(name: str, done: "Deidentified") -> None:
    """Print what was taken from an image, and what is not known of it."""
    if done.scrubbed:
        typer.echo(f"{name}: {done.scrubbed} values held an identifier and were emptied")
    if done.pixels_changed:
        typer.echo(f"{name}: comments or bytes beyond the image were taken from its pixel data")
    for notice in done.notices:
        typer.echo(f"{name}: {notice}")


def _files(folder: Path, settings: Settings) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        raise UnreadableError(str(folder), "is no folder", "name a folder of DICOM files")
    found = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    if len(found) > settings.max_files:
        raise InputError(str(folder), f"has over {settings.max_files} files", "give one series")
    for path in found:
        with path.open("rb") as opened:
            if opened.read(132)[128:] == b"DICM":
                yield str(path.relative_to(folder)), path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be opened: {error.strerror}") from error


def _point(text: str) -> tuple[float, float, float]:
    parts = text.split(",")
    try:
        if len(parts) != _PARTS:
            raise ValueError
        x, y, z = (float(part) for part in parts)
    except ValueError as error:
        raise InvalidValueError(
            f"--seed {text!r}", "is not x,y,z", "for example 61,-20,-130"
        ) from (error)
    return x, y, z


def _now() -> datetime:
    return datetime.now(UTC)
