"""The command line: finds every command by entry point, in whatever folder it lives.

A package adds a command by naming a function ``register(app)`` under the entry-point group
``epicrisis.commands``; the built-in ones enter through the same door.
"""

import logging
import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console

from knowledge.errors import EpicrisisError, IdentityConflictError
from knowledge.plain_text import visible

IDENTITY_CONFLICT = 3
UNUSABLE_INPUT = 4


def application() -> typer.Typer:
    """Return the application with every command that is installed."""
    app = typer.Typer(
        name="epicrisis",
        help="Multimodal diagnostic suggestions for acute chest pain. Research use only.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for point in sorted(entry_points(group="epicrisis.commands"), key=lambda p: p.name):
        point.load()(app)
    return app


def main() -> None:
    """Run the command line; errors raised on purpose end with a message and an exit code."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s: %(message)s"
    )
    try:
        application()()
    except IdentityConflictError as error:
        fail(error, IDENTITY_CONFLICT)
    except EpicrisisError as error:
        fail(error, UNUSABLE_INPUT)


def fail(error: EpicrisisError, code: int) -> None:
    """Print an error on standard error and leave with `code`."""
    text = visible(f"epicrisis: {error}")
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
    raise SystemExit(code)
