"""From a verdict to a `Risk`: what forbids it, what qualifies it, its words and its sources."""

from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence, ReferenceEvidence
from knowledge.finding import NotAssessed, Why
from knowledge.quantity import format_number
from knowledge.reference import Citation, Review
from knowledge.risk import NOT_DETERMINED, Band, MissingInput, Risk
from knowledge.troponin import TroponinAssay, assays, pathways
from knowledge.troponin_rules import Algorithm
from tools.labs.troponin_category import NOT_ASSESSED, RULE_OUTS, Category, Verdict, ordered
from tools.labs.troponin_clock import due, is_overdue
from tools.labs.troponin_missing import missing_inputs
from tools.labs.troponin_onset import Onset
from tools.labs.troponin_samples import Series
from tools.labs.troponin_surroundings import Surroundings, quality_caveats

TOOL = "serial_troponin"


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that is the same for every algorithm of one call.

    Args:
        assay_id: Key of the assay table; None where not known.
        series: The samples.
        onset: Time from onset to the first sample.
        surroundings: The other inputs.
        evidence: Of the samples, the assay and the onset.
        at: Time of assessment.
    """

    assay_id: str | None
    series: Series
    onset: Onset
    surroundings: Surroundings
    evidence: tuple[Evidence, ...]
    at: ClinicalTime

    @property
    def assay(self) -> TroponinAssay | None:
        """The row of the assay, where it is known."""
        return None if self.assay_id is None else assays().assays[self.assay_id]

    def risk(self, key: str, verdict: Verdict) -> Risk:
        """Return the risk of one algorithm."""
        verdict = self._hindered(verdict)
        if verdict.refused is not None:
            return self._not_assessed(key, verdict, verdict.refused)
        return self._assessed(key, verdict)

    def _hindered(self, verdict: Verdict) -> Verdict:
        """Return the verdict once all that stands against it is applied."""
        outside = self.surroundings.outside()
        if outside is not None:
            return Verdict(refused=outside)
        if verdict.refused is not None or verdict.certain is Category.RULE_IN:
            return verdict
        obstacle = self.series.obstacle or (self.onset.reason if self.onset.conflicting else None)
        if obstacle is not None:
            needs = ("onset",) if obstacle is self.onset.reason else ()
            return Verdict(refused=obstacle, needs=needs, basis=verdict.basis)
        if self.series.set_aside and RULE_OUTS & set(verdict.categories):
            answers = ordered((*verdict.categories, Category.OBSERVE, Category.RULE_IN))
            why = "; ".join(dict.fromkeys(s.reason.detail for s in self.series.set_aside))
            caveat = pathways().caveats["set_aside"].show(why=why)
            return verdict.model_copy(
                update={
                    "categories": answers,
                    "caveats": (*verdict.caveats, caveat),
                    "needs": (*verdict.needs, *self._time_needed()),
                }
            )
        return verdict

    def _not_assessed(self, key: str, verdict: Verdict, reason: NotAssessed) -> Risk:
        algorithm = pathways().algorithms[key]
        return Risk(
            name=algorithm.name,
            tool=TOOL,
            category=NOT_ASSESSED,
            missing=self._missing((*verdict.needs, *self._time_needed())),
            statement=f"{algorithm.name}: not assessed ({reason.detail}).",
            caveats=self._set_aside_high(),
            not_assessed=reason,
            evidence=self.evidence,
            source=self._citations(algorithm),
        )

    def _assessed(self, key: str, verdict: Verdict) -> Risk:
        algorithm = pathways().algorithms[key]
        names = [category.value for category in verdict.categories]
        open_inputs = self.surroundings.open()
        if open_inputs and RULE_OUTS & set(verdict.categories):
            names.append(NOT_ASSESSED)
        category = names[0] if len(names) == 1 else NOT_DETERMINED
        words = {"basis": verdict.basis, "possible": ", ".join(names)}
        when = overdue = None
        if verdict.due_minutes is not None:
            when = due(self.series.first.time, verdict.due_minutes)
            overdue = is_overdue(when, self.at, tolerance=verdict.tolerance)
        rows = tuple(ReferenceEvidence(table=table, row=row) for table, row in verdict.rows)
        return Risk(
            name=algorithm.name,
            tool=TOOL,
            category=category,
            missing=self._missing((*verdict.needs, *open_inputs)),
            bands=tuple(Band(name=n, meaning=self._meaning(algorithm, n)) for n in names),
            next_due=when,
            overdue=overdue,
            statement=pathways().statements[category].format(**words),
            caveats=self._caveats(key, verdict),
            evidence=(*self.evidence, *rows),
            source=self._citations(algorithm),
        )

    def _caveats(self, key: str, verdict: Verdict) -> tuple[str, ...]:
        texts, limits = pathways().caveats, pathways().onset
        answers = set(verdict.categories)
        rules_out = bool(RULE_OUTS & answers)
        found = list(self._set_aside_high()) + list(verdict.caveats)
        minutes = self.onset.minutes
        if minutes is None or minutes.compare("le", limits.early_at_most.value) is not False:
            found.append(texts["early"].show(early=limits.early_at_most.value))
        if rules_out:
            found.append(texts["scope"].show())
        if Category.OBSERVE in answers and pathways().algorithms[key].limits is not None:
            found.append(texts["third_sample"].show())
        if answers & {Category.OBSERVE, Category.RULE_IN}:
            found.append(texts["other_causes"].show())
        found += self.surroundings.caveats(rules_out=rules_out)
        if self.assay is not None:
            found += quality_caveats(self.assay, self.series)
        if any(Review(tag=tag).needs_clinician for tag in verdict.reviews):
            found.append(texts["unchecked"].show())
        return tuple(dict.fromkeys(found))

    def _set_aside_high(self) -> tuple[str, ...]:
        """Return a warning for each unplaced sample that alone would rule in."""
        limits = None if self.assay_id is None else assays().limits(self.assay_id, "esc_0_1h")
        if limits is None or self.series.obstacle is not None:
            return ()
        return tuple(
            pathways()
            .caveats["set_aside_high"]
            .show(value_text=sample.value, limit=format_number(limits.high))
            for sample in self.series.set_aside
            if sample.value is not None and sample.value.interval.compare("ge", limits.high)
        )

    def _time_needed(self) -> tuple[str, ...]:
        whys = {sample.reason.why for sample in self.series.set_aside}
        timed = whys & {Why.TIME_NOT_GIVEN, Why.TIME_ZONE_UNKNOWN}
        return ("troponin_collection_time",) if timed else ()

    def _missing(self, needs: tuple[str, ...]) -> tuple[MissingInput, ...]:
        time_reason = next(
            (
                s.reason
                for s in self.series.set_aside
                if s.reason.why in (Why.TIME_NOT_GIVEN, Why.TIME_ZONE_UNKNOWN)
            ),
            None,
        )
        reasons = {
            "onset": self.onset.reason,
            "troponin_sample": self.series.empty,
            "troponin_collection_time": time_reason,
        }
        return missing_inputs(needs, self.surroundings.inputs, reasons)

    def _meaning(self, algorithm: Algorithm, name: str) -> str:
        if name == NOT_ASSESSED:
            return "outside the rule, if ST-elevation criteria are met or the patient is no adult"
        wording = algorithm.meaning.get(name)
        return "" if wording is None else wording.show()

    def _citations(self, algorithm: Algorithm) -> tuple[Citation, ...]:
        keys = (algorithm.source, *algorithm.cites)
        found = [pathways().cite("troponin_pathways", key, algorithm.review) for key in keys]
        assay = self.assay
        row = None
        if assay is not None and algorithm.limits is not None:
            row = assay.esc_0_1h if algorithm.limits == "esc_0_1h" else assay.esc_0_2h
        if row is not None:
            found.append(assays().cite("troponin_assays", row.source, row.review))
        elif assay is not None and assay.percentile_99.overall is not None:
            limit = assay.percentile_99.overall
            found.append(assays().cite("troponin_assays", limit.source, limit.review))
        return tuple(found)
