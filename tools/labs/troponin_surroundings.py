"""What stands around a series: who the rules are for, and what qualifies a rule-out."""

from dataclasses import dataclass

from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import format_number
from knowledge.troponin import TroponinAssay, pathways
from tools.labs.troponin_samples import Series

_MODIFIERS = ("known_cad", "esrd_dialysis", "ckd", "st_deviation", "lbbb", "paced_rhythm")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The inputs by clinical-input id, as far as the tool was given them."""

    inputs: dict[str, Finding]

    def known(self, input_id: str) -> bool | None:
        """Return whether a yes/no input is present, absent, or not known."""
        finding = self.inputs.get(input_id)
        if finding is None or finding.state is State.NOT_ASSESSED:
            return None
        return finding.state is State.PRESENT

    def outside(self) -> NotAssessed | None:
        """Return why the patient is surely outside the rules, if so."""
        for key, words in (
            ("stemi_criteria", "the ECG meets ST-elevation criteria"),
            ("omi_equivalent", "the ECG shows a pattern equivalent to ST-elevation infarction"),
        ):
            if self.known(key):
                detail = f"{words}: outside these rules, which are for patients without them"
                return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)
        if self._adult() is False:
            limit = pathways().adult_from_years.value
            detail = f"age below {limit:g} years: the rules were made in adults"
            return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)
        return None

    def open(self) -> tuple[str, ...]:
        """Return the inputs that may yet put the patient outside the rules."""
        ecg = () if self.known("stemi_criteria") is not None else ("stemi_criteria",)
        return ecg + (() if self._adult() is not None else ("age_years",))

    def conditions(self) -> str:
        """Return what must turn out for a rule-out to apply, in words; empty for nothing open."""
        years = pathways().adult_from_years.value
        return " and ".join(pathways().conditions[key].show(years=years) for key in self.open())

    def caveats(self, *, rules_out: bool) -> tuple[str, ...]:
        """Return what qualifies a result for this patient.

        Args:
            rules_out: Whether a rule-out is among the answers still possible.
        """
        texts = pathways().caveats
        found = [texts[key].show() for key in _MODIFIERS if self.known(key)]
        if "stemi_criteria" in self.open():
            found.append(texts["ecg_open"].show())
        if "age_years" in self.open():
            found.append(texts["age_open"].show())
        if rules_out:
            if self.known("omi_equivalent") is None:
                found.append(texts["equivalent_open"].show())
            names = [catalogue().get(k).label for k in _MODIFIERS if self.known(k) is None]
            if names:
                found.append(texts["modifiers_open"].show(names=", ".join(names)))
        return tuple(found)

    def _adult(self) -> bool | None:
        age = self.inputs.get("age_years")
        years = None if age is None else age.interval
        return None if years is None else years.compare("ge", pathways().adult_from_years.value)


def quality_caveats(assay: TroponinAssay, series: Series) -> tuple[str, ...]:
    """Return what the quality flags of the samples mean for this assay."""
    texts = pathways().caveats
    found: list[str] = []
    if any(sample.haemolysed for sample in series.samples):
        found.append(texts[f"haemolysis_{assay.haemolysis or 'unknown'}"].show())
    if any(not sample.final for sample in series.samples):
        found.append(texts["preliminary"].show())
    return tuple(found)


def conflict_caveats(series: Series) -> tuple[str, ...]:
    """Return a warning for each time that has results which differ."""
    text, several = pathways().caveats["two_results"], ("", "", "Two", "Three", "Four")
    return tuple(
        text.show(
            many=several[count] if count < len(several) else format_number(count),
            values=sample.each,
        )
        for sample in series.samples
        if (count := len(sample.results))
    )
