"""A text in the two languages that a report is written in."""

from typing import Literal

from pydantic import Field

from knowledge.model import Frozen

Language = Literal["en", "zh"]


class Words(Frozen):
    """One text in English and in Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def read(self, language: Language) -> str:
        """Return the text in a language.

        Examples:
            >>> Words(en="not assessed", zh="未评估").read("zh")
            '未评估'
        """
        return self.zh if language == "zh" else self.en

    def filled(self, **parts: "Words | str") -> "Words":
        """Return the text with each ``{name}`` replaced, in either language.

        Examples:
            >>> Words(en="{of} is low", zh="{of}偏低").filled(of=Words(en="Iron", zh="血清铁")).zh
            '血清铁偏低'
        """
        english = {k: v.en if isinstance(v, Words) else v for k, v in parts.items()}
        chinese = {k: v.zh if isinstance(v, Words) else v for k, v in parts.items()}
        return Words(en=self.en.format_map(english), zh=self.zh.format_map(chinese))
