"""A value that is valid under a JSON schema, made of given words: for adversaries and tests."""

from collections.abc import Mapping
from typing import Any

from knowledge.model import Frozen


class Words(Frozen):
    """What a made value is filled with.

    Args:
        prose: For free text.
        name: For choices among names; taken where it is among them.
        id: For free identifiers.
        number: For numbers; moved into their limits.
    """

    prose: str
    name: str = ""
    id: str = "12345"
    number: float = 24


def instance(schema: Mapping[str, Any], words: Words) -> Any:
    """Return a value of the schema: every property set, one item per array.

    Of alternatives the first that can hold `Words.name` is taken, else the first. Patterns of
    strings are not followed, so check the value before it is used.

    Examples:
        >>> schema = {"type": "object", "properties": {"tool": {"enum": ["a", "b"]}}}
        >>> instance(schema, Words(prose="hello", name="b"))
        {'tool': 'b'}
    """
    return _made(schema, words, schema, key="")


def _made(schema: Mapping[str, Any], words: Words, root: Mapping[str, Any], *, key: str) -> Any:
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return words.name if words.name in schema["enum"] else schema["enum"][0]
    for alternatives in ("oneOf", "anyOf"):
        if alternatives in schema:
            return _made(_chosen(schema[alternatives], words, root), words, root, key=key)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: _made(part, words, root, key=name) for name, part in properties.items()}
        case "array":
            count = max(1, schema.get("minItems", 1)) if schema.get("maxItems", 1) else 0
            return [_made(schema.get("items", {}), words, root, key=key) for _ in range(count)]
        case "integer" | "number":
            return _number(schema, words, whole=kind == "integer")
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _text(schema, words, key)


def _text(schema: Mapping[str, Any], words: Words, key: str) -> str:
    if key in ("tool", "name") and words.name:
        text = words.name
    else:
        text = words.id if key == "id" or key.endswith(("_id", "_ids", "ids")) else words.prose
    most, least = schema.get("maxLength", len(text)), schema.get("minLength", 0)
    return text[:most].ljust(least, ".")


def _number(schema: Mapping[str, Any], words: Words, *, whole: bool) -> float:
    value = max(schema.get("minimum", words.number), words.number)
    value = min(schema.get("maximum", value), value)
    return int(value) if whole else float(value)


def _chosen(
    alternatives: list[Mapping[str, Any]], words: Words, root: Mapping[str, Any]
) -> Mapping[str, Any]:
    for alternative in alternatives:
        if words.name and _can_hold(_resolved(alternative, root), words.name, root):
            return alternative
    return alternatives[0]


def _can_hold(schema: Mapping[str, Any], name: str, root: Mapping[str, Any]) -> bool:
    if schema.get("const") == name or name in schema.get("enum", ()):
        return True
    parts = [_resolved(part, root) for part in schema.get("properties", {}).values()]
    return any(part.get("const") == name or name in part.get("enum", ()) for part in parts)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    resolved: Mapping[str, Any] = found
    return resolved
