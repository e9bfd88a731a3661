"""Reading the planner's own data files."""

from importlib.resources import files
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from knowledge.errors import ReferenceDataError
from knowledge.reference import strict_yaml

T = TypeVar("T", bound=BaseModel)


def packaged(name: str) -> bytes:
    """Return a packaged data file.

    Raises:
        ReferenceDataError: There is none.
    """
    try:
        return files("serving.llm.capacity").joinpath("data", name).read_bytes()
    except FileNotFoundError as error:
        raise ReferenceDataError(name, "is not packaged") from error


def read(name: str, content: bytes, model: type[T]) -> T:
    """Return a data file as a value.

    Args:
        name: For messages.
        content: YAML, of which JSON is a part.
        model: What it must be.

    Raises:
        ReferenceDataError: It is not; the message names the field.
    """
    try:
        return model.model_validate(strict_yaml(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise ReferenceDataError(
            f"{name}: {where}", first["msg"], "correct that field of the file"
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ReferenceDataError(name, f"not YAML: {error}", "write it as YAML or JSON") from error
