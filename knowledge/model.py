"""The base of every value type."""

from typing import Any

from pydantic import BaseModel, ConfigDict


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
