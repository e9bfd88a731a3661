"""Orders that several tests launch from."""

from typing import Any

from serving.llm.launch.order import Form, Order
from serving.llm.launch.plan import Launch, plan
from serving.llm.profiles.load import profile

GIB = 1 << 30


def order(**given: Any) -> Order:
    """Return an order with a folder and a key file; the rest as given."""
    fields = {"weights": "/models/here", "key_file": "/etc/epicrisis/llm.env", "gpu": "h200"}
    return Order.model_validate(fields | given)


def launched(model: str, form: Form = "process", /, **given: Any) -> Launch:
    """Return what an order for a profile comes to."""
    return plan(profile(model), order(**given), form)


def option(argv: tuple[str, ...], name: str) -> str | None:
    """Return the word behind an option; None where it is not there."""
    return argv[argv.index(name) + 1] if name in argv else None
