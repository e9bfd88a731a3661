"""``epicrisis hl7``: the MLLP listener, what it holds, and a sender to try it out."""

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knowledge.errors import InputError, InvalidValueError
from knowledge.settings import load_settings

if TYPE_CHECKING:
    from serving.access.principal import Principal
    from serving.hl7_in.store import MessageStore, Waiting

_LISTED = 200
_RESOLVE = (
    "Held messages are in no case. `epicrisis hl7 show NUMBER` prints one, `hl7 retry NUMBER` "
    "files it after the reason is gone, `hl7 discard NUMBER --by NAME --reason TEXT` decides "
    "against it."
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="HL7 v2 over MLLP: listen, send, and what waits for a person.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("listen")(listen)
    group.command("send")(send)
    group.command("held")(held)
    group.command("show")(show)
    group.command("retry")(retry)
    group.command("discard")(discard)
    app.add_typer(group, name="hl7")


def listen(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="Certificate and chain, PEM")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its key, PEM")] = None,
    client_ca: Annotated[
        Path | None, typer.Option("--client-ca", help="Authority of the senders' certificates")
    ] = None,
) -> None:
    """Receive HL7 v2 messages: each is on the disk before it is acknowledged.

    Messages become files of the case of their patient and visit, and the case is assessed anew.
    """
    from agent.assessment import RESEARCH_USE
    from serving.assembly import assemble
    from serving.hl7_in.listener import listen as run
    from serving.hl7_in.listener import tls_of
    from serving.operations import logs

    settings = load_settings()
    given = {
        "hl7_host": host,
        "hl7_port": port,
        "hl7_tls_cert": tls_cert,
        "hl7_tls_key": tls_key,
        "hl7_client_ca": client_ca,
    }
    settings = settings.model_copy(update={k: v for k, v in given.items() if v is not None})
    tls = tls_of(settings)
    logs.configure(settings.log_format)
    services = assemble(settings)

    def ready(address: str, number: int) -> None:
        way = "MLLP over TLS" if tls is not None else "MLLP"
        typer.echo(f"HL7 v2 ({way}) on {address}:{number}")
        typer.echo(RESEARCH_USE)

    try:
        asyncio.run(run(services, ready=ready))
    finally:
        services.jobs.stop()
        services.database.close()


def send(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Messages to send")],
    host: Annotated[str, typer.Option("--host", help="Where to")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535)] = None,
    tls_ca: Annotated[
        Path | None, typer.Option("--tls-ca", help="Use TLS, and trust this authority (PEM)")
    ] = None,
) -> None:
    """Send the messages of a file one by one, and print what each was answered with."""
    from serving.hl7_in.sender import send_file

    settings = load_settings()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(file.name, f"cannot be read: {error.strerror}", "check it") from error
    answers = asyncio.run(
        send_file(content, file.name, host=host, port=port or settings.hl7_port, tls_ca=tls_ca)
    )
    for answer in answers:
        typer.echo(f"{answer.control_id or '(no id)'}: {answer.code}{answer.text}")
    if any(answer.code != "AA" for answer in answers):
        raise typer.Exit(1)


def held() -> None:
    """List what a person has to decide on, and what waits for a case of its patient."""
    store = _store()
    for state in ("held", "waiting", "received"):
        for one in store.listed(state, limit=_LISTED):
            typer.echo(_line(one, state))
    counts = store.counts()
    typer.echo(", ".join(f"{counts[s]} {s}" for s in sorted(counts)) or "no messages")
    if counts.get("held"):
        typer.echo(_RESOLVE)


def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `held` lists it")],
) -> None:
    """Print one message as it came; that it was seen is kept in the audit."""
    from knowledge.plain_text import visible

    one, content = _store().shown(number, to=_person())
    typer.echo(_line(one, one.state))
    for line in re.split(r"[\r\n]+", content.decode("utf-8", "replace")):
        typer.echo(visible(line))


def discard(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `held` lists it")],
    by: Annotated[str, typer.Option("--by", help="Who decides")],
    reason: Annotated[str, typer.Option("--reason", help="Why it is put into no case")],
) -> None:
    """Decide that a held message is put into no case; it is kept with who decided and why."""
    if not by.strip() or not reason.strip():
        raise InvalidValueError("--by and --reason", "say nothing", "name who decides, and why")
    person = _person().model_copy(update={"name": by.strip()[:100]})
    _store().discard(number, by=person, reason=reason.strip())
    typer.echo(f"message {number}: discarded by {by.strip()}")


def retry(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="As `held` lists it")],
) -> None:
    """Put a held message into its case once more, after the reason is gone."""
    _store().again(number)
    typer.echo(f"message {number}: put into its case by the listener, now or at its next start")


def _line(one: "Waiting", state: str) -> str:
    at = one.received_at.isoformat(timespec="seconds")
    visit = one.encounter.removeprefix("hl7v2|") if one.encounter else "not named"
    reason = f": {one.reason}" if one.reason else ""
    return (
        f"{one.number} {state} {one.type} {one.control_id} {at} from {one.source}, "
        f"patient {one.patient.removeprefix('hl7v2|')}, visit {visit}{reason}"
    )


def _person() -> "Principal":
    from getpass import getuser

    from serving.access.principal import Principal, Role

    try:
        name = getuser()
    except (KeyError, OSError):
        name = "unknown"
    return Principal(
        subject=f"command line: {name}", name=name, roles=frozenset({Role.ADMIN}), via="local"
    )


def _store() -> "MessageStore":
    from serving.assembly import assemble
    from serving.hl7_in.store import MessageStore

    services = assemble(load_settings())
    return MessageStore(services.database, clock=services.clock, audit=services.audit)
