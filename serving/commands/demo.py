"""``epicrisis demo [NAME]``: the bundled synthetic examples."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.assess import assess_paths
from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings
from serving.commands.assess import present, utc_now

DEFAULT = "nstemi"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def names() -> tuple[str, ...]:
    """Return the names of the bundled examples, sorted."""
    root = files("serving").joinpath("examples")
    return tuple(sorted(e.name for e in root.iterdir() if e.joinpath("case.yaml").is_file()))


def demo(
    name: Annotated[
        str | None, typer.Argument(help="stemi, nstemi, early_presenter, half_missing")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the report and pictures go")
    ] = Path("out"),
) -> None:
    """Assess a bundled synthetic patient and say where the report and the pictures are."""
    chosen = name or DEFAULT
    if chosen not in names():
        raise InvalidValueError(
            f"example {chosen!r}", "there is none of that name", f"one of {', '.join(names())}"
        )
    with as_file(files("serving").joinpath("examples", chosen)) as folder:
        outcome = assess_paths([folder], at=None, now=utc_now(), settings=load_settings())
    target = out / chosen
    present(outcome, as_json=as_json, out=target)
    if not as_json:
        console = Console()
        console.print(f"\nReport: {target / 'report.html'}", markup=False, soft_wrap=True)
        others = [other for other in names() if other != chosen]
        console.print(f"Other examples: epicrisis demo {' | '.join(others)}", markup=False)
