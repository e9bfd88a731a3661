"""The base of every value type."""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

M = TypeVar("M", bound=BaseModel)


class Frozen(BaseModel):
    """An immutable value with named fields only, which round-trips through JSON.

    `model_dump(mode="json")` gives the published form; unknown fields are refused on the way in.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="constants",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def to_json(self) -> dict[str, Any]:
        """Return the published JSON form: no nulls, no unset optional fields."""
        return self.model_dump(mode="json", exclude_none=True)


def put_together(model: type[M], fields: dict[str, Any]) -> M:
    """Return a model of parts that were checked already, without checking them again.

    For the hot path of a long chart, where each part comes from a typed reading: it sets what
    `model_construct` sets, a few times as fast. Tests validate what is made here again in full.

    Args:
        model: Any of our models without private attributes.
        fields: Every field of it, in its order, each of the declared type; not copied.
    """
    made = _new(model)
    _set_fields(made, fields)
    _set_names(made, _names(model))
    _set_extra(made, None)
    _set_private(made, None)
    return made


_new = object.__new__
_set_fields = BaseModel.__dict__["__dict__"].__set__
_set_names = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


@cache
def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)
