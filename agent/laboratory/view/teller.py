"""How one report is told in one language: names, values, times and reasons."""

from dataclasses import replace

from agent.laboratory.model import LaboratoryReport, LaboratoryResult
from agent.laboratory.view.model import Line
from agent.laboratory.view.values import as_printed, converted_value, form, told_once
from agent.laboratory.view.words import WHY
from agent.untrusted import quotation
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import NotAssessed
from knowledge.laboratory_words import laboratory_told, saying
from knowledge.passages import Language
from knowledge.shown import number_shown, value_shown

_MINUTES_IN_WORDS = 60
_HOURS_IN_WORDS = 48


class Teller:
    """Tells one report in one language.

    Args:
        report: The part of the assessment.
        language: Of the report; what is held only in English stays so.
        time_zone: IANA zone of the case.
    """

    def __init__(
        self, report: LaboratoryReport, language: Language, *, time_zone: str | None
    ) -> None:
        self.report = report
        self.language = language
        self.say = saying(language)
        self.chinese = language == "zh"
        self.zone = time_zone

    def name(self, result: LaboratoryResult) -> str:
        """Return the name of the test in the language."""
        return result.chinese if self.chinese and result.chinese else result.name

    def value(self, result: LaboratoryResult) -> str:
        """Return the value as the laboratory reported it; else in the unit we read it in."""
        if not result.value:
            said = as_printed(result.reported)
            return quotation(said) if said else self.say("no usable value")
        return as_printed(result.reported) or value_shown(result.value)

    def converted(self, result: LaboratoryResult) -> str:
        """Return the value in the unit it is judged in, where that is another one."""
        value = converted_value(result.reported, result.value)
        return f"{value}{form(result)}" if result.value and value != self.value(result) else ""

    def time(self, time: ClinicalTime | None) -> str:
        """Return when it was collected."""
        return self.say("time not stated") if time is None else time.show(self.zone)

    def when(self, earlier: ClinicalTime | None, later: ClinicalTime | None) -> str:
        """Return how long after the earlier result it was, with a leading space."""
        minutes = elapsed(earlier, later).minutes
        if minutes is None or minutes.low is None:
            return ""
        hours = minutes.low / 60.0
        if minutes.low < _MINUTES_IN_WORDS:
            return self.say(" in %s min") % number_shown(round(minutes.low, 0))
        if hours < _HOURS_IN_WORDS:
            return self.say(" in %s h") % number_shown(round(hours, 1))
        return self.say(" in %s days") % number_shown(round(hours / 24.0, 0))

    def why(self, reason: NotAssessed | None) -> str:
        """Return a reason in words."""
        return self.say("no reason given") if reason is None else self.say(WHY[reason.why])

    def falsified(self, result: LaboratoryResult) -> str:
        """Return what may have falsified a result, to follow its sentence."""
        labels = dict.fromkeys(self.say(label) for label in told_once(result))
        return f"; {self.say('may be falsified by')}: {', '.join(labels)}" if labels else ""

    def told(self, line: Line) -> Line:
        """Return a line with what is held in English told in the language, where words are."""
        if not self.chinese:
            return line
        cited = tuple(
            one.model_copy(update={"review": self.say(one.review)}) for one in line.citations
        )
        told, english = laboratory_told().by_sentence(line.english) if line.english else ("", "")
        colon = bool(told) and line.text.endswith(":")
        said = f"{line.text[:-1]}：{told}" if colon else f"{line.text} {told}".strip()  # noqa: RUF001
        return replace(line, text=said, english=english, citations=cited)
