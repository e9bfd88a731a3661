"""Names of items, entries and tables as reports show them."""

from knowledge.reading_form import ReadingForm
from knowledge.words import Language


def path_name(form: ReadingForm, path: str, language: Language) -> str:
    """Return the name of an item, an entry or a table."""
    first, _, rest = path.partition("/")
    item = form.items.get(first)
    if item is None:
        return form.table(first).label.read(language)
    if not rest:
        return item.label.read(language)
    entry_id, _, part_id = rest.partition("/")
    entry = item.fixed[entry_id].read(language) if entry_id in item.fixed else entry_id
    part = next((p.label.read(language) for p in item.items if p.id == part_id), "")
    one = item.entry.read(language) if item.entry is not None else ""
    name = entry if item.fixed else f"{one} {entry}"
    return f"{name} · {part}" if part else name
