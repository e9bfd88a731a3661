"""What a tool is, and how tools are found.

A tool is a typed function marked with `tool`. Put it in a module under `tools` and it is found;
nothing else has to be edited. Where many tools come from data (one for each score file), the module
holds a `Family` of them. Packages outside this repository name their module under the entry-point
group `epicrisis.tools`.
"""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType
from typing import Any, Generic, Literal, ParamSpec, TypeVar

from pydantic import BaseModel, TypeAdapter, create_model

from knowledge.model import Frozen

P = ParamSpec("P")
R = TypeVar("R", bound=BaseModel)

Regulatory = Literal["evidence-cds", "device-function"]


class Card(Frozen):
    """What a user must know of a tool before trusting it.

    Args:
        title: Name to show.
        group: ``laboratory``, ``risk``, ``ecg``, ...
        needs: What it must be given.
        refuses: What it does not accept, each with the reason.
        limits: Age, modality, assay, time window: the contract.
        sources: Titles or DOIs behind the method.
        accuracy: Measured error with its data set and n; empty where none was measured.
        topic: Within the group, for example ``pneumonia``; empty where the group says enough.
        on_request: It runs where a pathway names it or a person asks for it by name; an agent is
            not offered it.
        regulatory: `evidence-cds`, or `device-function` for analysis of a signal or image, which
            can be switched off.
    """

    title: str
    group: str
    needs: tuple[str, ...]
    refuses: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    accuracy: tuple[str, ...] = ()
    topic: str = ""
    on_request: bool = False
    regulatory: Regulatory = "evidence-cds"


class Tool(Generic[P, R]):
    """A function the agent may call, with the facts the agent needs about it.

    It still looks like the function: name, docstring, signature and doctests are the function's.
    """

    def __init__(
        self, function: Callable[P, R], *, card: Card, version: str, name: str = ""
    ) -> None:
        """Wrap `function`."""
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name or function.__name__
        self.card = card
        self.version = version

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, keeping its types."""
        return self.function(*args, **kwargs)

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def input_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the arguments, which is the signature."""
        signature = inspect.signature(self.function, eval_str=True)
        fields: dict[str, Any] = {
            name: (p.annotation, ... if p.default is p.empty else p.default)
            for name, p in signature.parameters.items()
        }
        schema: dict[str, Any] = create_model(self.name, **fields).model_json_schema()
        return schema

    def output_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the result."""
        annotation = inspect.signature(self.function, eval_str=True).return_annotation
        schema: dict[str, Any] = TypeAdapter(annotation).json_schema()
        return schema


class Family:
    """Several tools that one module makes from data."""

    def __init__(self, make: Callable[[], Iterable[Tool[..., Any]]]) -> None:
        self.make = make


def tool(*, card: Card, version: str) -> Callable[[Callable[P, R]], Tool[P, R]]:
    """Mark a typed function as a tool; the result is a plain value, nothing is registered."""

    def wrap(function: Callable[P, R]) -> Tool[P, R]:
        return Tool(function, card=card, version=version)

    return wrap


@cache
def discover() -> Mapping[str, Tool[..., Any]]:
    """Return every tool of this package and of installed plug-ins, by name.

    Raises:
        ValueError: Two tools have one name.
    """
    found: dict[str, Tool[..., Any]] = {}
    for module in _modules():
        for value in _tools_of(module):
            if value.name in found:
                raise ValueError(f"two tools are called {value.name!r}")
            found[value.name] = value
    return MappingProxyType(dict(sorted(found.items())))


def _tools_of(module: ModuleType) -> Iterator[Tool[..., Any]]:
    for value in vars(module).values():
        if isinstance(value, Tool) and value.function.__module__ == module.__name__:
            yield value
        elif isinstance(value, Family) and value.make.__module__ == module.__name__:
            yield from value.make()


def _modules() -> Iterator[ModuleType]:
    package = importlib.import_module("tools")
    for info in pkgutil.walk_packages(package.__path__, "tools."):
        yield importlib.import_module(info.name)
    for point in entry_points(group="epicrisis.tools"):
        yield point.load()
