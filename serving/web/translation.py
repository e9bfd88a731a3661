"""The words of one language, from the catalogue of translations."""

import gettext
from functools import cache
from importlib.resources import files

from knowledge.passages import Language

_DOMAIN = "messages"


@cache
def translations(language: Language) -> gettext.NullTranslations:
    """Return the words of one language; English is the words themselves.

    The catalogue is a ``.po`` file, compiled in memory: there is no second file to go stale.
    """
    if language == "en":
        return gettext.NullTranslations()
    from io import BytesIO

    from babel.messages import mofile, pofile

    source = files("serving.web") / "locale" / language / f"{_DOMAIN}.po"
    compiled = BytesIO()
    mofile.write_mo(compiled, pofile.read_po(BytesIO(source.read_bytes()), locale=language))
    return gettext.GNUTranslations(BytesIO(compiled.getvalue()))
