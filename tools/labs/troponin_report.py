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
from tools.labs.troponin_surroundings import Surroundings, conflict_caveats, quality_caveats

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
        values: The values of the samples in words, for a rule that is not applied.
        alarm: What a very high value says whatever the assay; empty for none.
        remarks: What the series says by itself and must be read with every algorithm.
    """

    assay_id: str | None
    series: Series
    onset: Onset
    surroundings: Surroundings
    evidence: tuple[Evidence, ...]
    at: ClinicalTime
    values: str = ""
    alarm: str = ""
    remarks: tuple[str, ...] = ()

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
        if not RULE_OUTS & set(verdict.categories):
            return verdict
        if self.series.set_aside:
            why = "; ".join(dict.fromkeys(s.reason.detail for s in self.series.set_aside))
            caveat = pathways().caveats["set_aside"].show(why=why)
            verdict = _widened(verdict, caveat, self._time_needed())
        if self._rests_on_haemolysed(verdict):
            caveat = pathways().caveats["haemolysis_no_rule_out"].show()
            verdict = _widened(verdict, caveat, ("troponin_second_sample",))
        if any(not sample.final for sample in self.series.samples):
            caveat = pathways().caveats["not_final_no_rule_out"].show()
            verdict = _widened(verdict, caveat, ("troponin_final_result",))
        return verdict

    def _rests_on_haemolysed(self, verdict: Verdict) -> bool:
        """Return whether a rule-out would rest on a sample that may read falsely low.

        A haemolysed sample between the two of the pair is not rested on: it was repeated.
        """
        if self.assay is None or self.assay.haemolysis != "falls":
            return False
        first = self.series.first
        since = first.minutes if verdict.second is None else verdict.second.minutes
        return any(s.haemolysed for s in self.series.samples if s is first or s.minutes >= since)

    def _not_assessed(self, key: str, verdict: Verdict, reason: NotAssessed) -> Risk:
        algorithm = pathways().algorithms[key]
        statement = f"{algorithm.name}: not assessed ({reason.detail})."
        if self.values:
            statement = (
                pathways()
                .statements["not judged"]
                .format(name=algorithm.name, values=self.values, basis=reason.detail)
            )
        return Risk(
            name=algorithm.name,
            tool=TOOL,
            category=NOT_ASSESSED,
            missing=self._missing((*verdict.needs, *self._time_needed())),
            statement=self._with_high(statement),
            caveats=(*self._set_aside_high(), *conflict_caveats(self.series), *self.remarks),
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
        waits_for = self.surroundings.conditions() if names[-1] == NOT_ASSESSED else ""
        sentence = pathways().statements[f"{_base(verdict)} if" if waits_for else category]
        statement = sentence.format(
            basis=verdict.basis,
            possible=", ".join(name for name in names if name != NOT_ASSESSED),
            conditions=waits_for,
        )
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
            statement=self._with_high(statement),
            caveats=self._caveats(key, verdict),
            evidence=(*self.evidence, *rows),
            source=self._citations(algorithm),
        )

    def _caveats(self, key: str, verdict: Verdict) -> tuple[str, ...]:
        texts, limits = pathways().caveats, pathways().onset
        answers = set(verdict.categories)
        rules_out = bool(RULE_OUTS & answers)
        found = [*self._set_aside_high(), *conflict_caveats(self.series), *self.remarks]
        found += verdict.caveats
        minutes = self.onset.minutes
        if minutes is None or minutes.compare("le", limits.early_at_most.value) is not False:
            found.append(texts["early"].show(early=limits.early_at_most.value))
        if rules_out:
            found.append(texts["scope"].show())
        if Category.OBSERVE in answers and pathways().algorithms[key].limits is not None:
            at_3h = pathways().algorithms["troponin_esc_0_3h"].window.first
            taken = self.series.samples[-1].minutes >= at_3h
            found.append(texts["third_sample_taken" if taken else "third_sample"].show())
        if answers & {Category.OBSERVE, Category.RULE_IN}:
            found.append(texts["other_causes"].show())
        found += self.surroundings.caveats(rules_out=rules_out)
        if self.assay is not None:
            found += quality_caveats(self.assay, self.series)
        if any(Review(tag=tag).needs_clinician for tag in verdict.reviews):
            found.append(texts["unchecked"].show())
        return tuple(dict.fromkeys(found))

    def _with_high(self, statement: str) -> str:
        """Return a statement with what a very high value says, whatever becomes of the rule."""
        return " ".join([statement, *(self._set_aside_high() or filter(None, (self.alarm,)))])

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


def _base(verdict: Verdict) -> str:
    """Return which sentence a result has while the population is open."""
    return NOT_DETERMINED if verdict.certain is None else verdict.certain.value


def _widened(verdict: Verdict, caveat: str, needs: tuple[str, ...]) -> Verdict:
    """Return a verdict that a sample which may hide anything keeps from ruling out."""
    return verdict.model_copy(
        update={
            "categories": ordered((*verdict.categories, Category.OBSERVE, Category.RULE_IN)),
            "caveats": (*verdict.caveats, caveat),
            "needs": (*verdict.needs, *needs),
        }
    )
