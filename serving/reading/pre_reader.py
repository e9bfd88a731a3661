"""What the tools say of a round: found outside of its transaction, kept before anybody reads."""

from collections.abc import Sequence
from typing import Any

from knowledge.errors import InputError
from serving.cases.model import Case
from serving.reading.arrival import TOOLS
from serving.reading.content import chosen_form, forms_for, last_of, named_by, untouched
from serving.reading.model import Round, Version
from serving.reading.pre_read import Found, pre_read, tools_say
from serving.reading.store import RoundStore, Step
from serving.services import Services
from tools.readings.model import Reading, Said

_WORDS = 2000


class PreReader:
    """Writes what the tools say into rounds that nobody has begun.

    Args:
        services: Of the application.
        store: Of the rounds.
    """

    def __init__(self, services: Services, store: RoundStore) -> None:
        self._services = services
        self._store = store

    def arrived(self, case: Case, round_: Round) -> bool:
        """Pre-read a study that has just arrived, with the form that its title names.

        Returns:
            Whether the tools wrote something; False too where nobody knows the form, or somebody
            was faster.
        """
        offered = forms_for(round_.modality, round_.title)
        if round_.state != "to read" or not offered or not named_by(offered[0], round_.title):
            return False
        form = offered[0].id
        with self._store.step(case.id, round_.id, TOOLS) as step:
            if step.row.state != "to read" or step.versions():
                return False
        found = tools_say(self._services, case, round_, form)
        with self._store.step(case.id, round_.id, TOOLS) as step:
            if step.row.state != "to read" or step.versions() or found.is_empty:
                return False
            return self._keep(case, step, form, found)

    def measured(self, case: Case, identity: str, form: str) -> Found | Reading:
        """Return what the tools say for a round that nobody has begun; takes seconds.

        What they wrote when it arrived stands while its images are the same.
        """
        round_ = self._store.find(case.id, identity)
        if round_.state != "to read" or round_.kind == "correction":
            return Found()
        try:
            wanted = chosen_form(round_, form)
        except InputError:
            return Found()  # refused in the step itself, with its reason
        versions = self._store.versions(identity)
        if any(one.role != "pre-read" for one in versions):
            return Found()
        known = self._before(round_, wanted, versions)
        return tools_say(self._services, case, round_, wanted) if known is None else known

    def _before(self, round_: Round, form: str, versions: Sequence[Version]) -> Reading | None:
        known = last_of(versions, "pre-read")
        if known is None or known.form != form:
            return None
        changed = [one.at for one in self._store.log(round_.id) if one.what == "images changed"]
        return None if any(at >= versions[-1].at for at in changed) else known

    def enter(self, case: Case, step: Step, found: Found | Reading) -> None:
        """Keep what the tools say as the round's first version, where nobody has written yet."""
        if isinstance(found, Found):
            before = step.versions()
            if not found.is_empty and all(one.role == "pre-read" for one in before):
                self._keep(case, step, step.row.form, found)
            return
        said = Said(by="reader", who=step.by.name, at=step.now)
        begun = found.model_copy(update={"started": said})
        step.keep("pre-read", begun.model_dump(mode="json", by_alias=True), signed=False, by=TOOLS)

    def _keep(self, case: Case, step: Step, form: str, found: Found) -> bool:
        bare = untouched(self._services, case, step.round, form, by=step.by, at=step.now)
        made = pre_read(bare, found, at=step.now)
        detail: dict[str, Any] = {"form": form}
        if made.reasons:
            detail["not_assessed"] = "; ".join(dict.fromkeys(made.reasons))[:_WORDS]
        if made.reading is not None:
            body = made.reading.model_dump(mode="json", by_alias=True)
            detail["version"] = step.keep("pre-read", body, signed=False, by=TOOLS).number
        step.log("pre-read", author=TOOLS, **detail)
        return made.reading is not None
