"""The models of this installation: ``<data_dir>/models/<id>/<version>/``, each as it was added.

A version is never changed. What a site measured itself (calibration, thresholds) stands beside it
in ``site.json`` and is named in every result.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
from pydantic import ValidationError

from knowledge.errors import (
    ContractError,
    EpicrisisError,
    InvalidValueError,
    UnavailableError,
    UnreadableError,
)
from knowledge.model import Frozen
from tools.models.contract import ModelContract, read_contract
from tools.models.folder import CONTRACT, GRAPH, ModelFolder, files_of, read_folder
from tools.models.isolated import Limits
from tools.models.loaded import LoadedModel, load_model, steady, with_runner
from tools.models.runner import Runner
from tools.models.site import SITE_FILE, SiteCalibration, applied, read_site

ADDED = "added.json"
_PARTIAL = ".partial-"


class Added(Frozen):
    """What is kept of the moment a model was added.

    Args:
        sha256: Of every file, by name.
        server: Address of a KServe v2 server that runs it; empty where it runs in this process.
    """

    sha256: dict[str, str]
    server: str = ""


class Listed(Frozen):
    """One model of the store.

    Args:
        id, version: Its name.
        title, task, status, regulatory_status: Of its description; empty where that is unusable.
        site: Whether the site calibrated it.
        server: Where it runs; empty for this process.
        problem: Why it cannot be used; empty where its files are as they were added.
    """

    id: str
    version: str
    title: str = ""
    task: str = ""
    status: str = ""
    regulatory_status: str = ""
    site: bool = False
    server: str = ""
    problem: str = ""


Connect = Callable[[str, ModelContract], Runner]
"""Makes the runner of a model on a server from its address."""


class ModelStore:
    """Models in a folder."""

    def __init__(
        self, root: Path, *, connect: Connect | None = None, limits: Limits | None = None
    ) -> None:
        """Name the folder; it need not be there.

        Args:
            root: ``<data_dir>/models``.
            connect: For models on servers; None where there are none.
            limits: On time and memory of a graph, in a process of its own; None for this process.
        """
        self.root = root
        self._limits = limits
        self._connect = connect

    def add(self, source: Path, *, server: str = "") -> LoadedModel:
        """Take a model in after every check, its golden self-test among them.

        Args:
            source: Its folder.
            server: Address of the KServe v2 server that runs it; empty for this process.

        Raises:
            InputError: Whatever is wrong with it.
            InvalidValueError: The same id and version is here with other files.
        """
        model = self._load(source, server)
        steady(model)
        contract = model.contract
        added = Added(sha256=model.folder.sha256, server=server)
        place = self.root / contract.id / contract.version
        if place.exists():
            if self._added(place) == added:
                return self.open(contract.id, contract.version)
            raise InvalidValueError(
                contract.name, "is here already with other files", "give it another version"
            )
        self._put(source, model.folder, added, place)
        return model

    def open(self, model_id: str, version: str = "") -> LoadedModel:
        """Return a model ready to run, every file compared with what was added.

        Args:
            model_id: Its id.
            version: Its version; empty where there is only one.

        Raises:
            InvalidValueError: There is no such model, or several versions.
            UnavailableError: Its files are no longer what was added.
            InputError: It no longer passes its checks.
        """
        place = self.place(model_id, version)
        added = self._added(place)
        model = self._load(place, added.server)
        if model.folder.sha256 != added.sha256:
            raise UnavailableError(
                f"model {model_id}", "its files are not those that were added", "add it again"
            )
        site = read_site(place / SITE_FILE)
        if site is None:
            return model
        said = f"site {site.sha256[:16]}"
        return replace(
            model,
            contract=applied(model.contract, site),
            calibration=said,
            site=site,
        )

    def keep_site(self, model_id: str, version: str, site: SiteCalibration) -> Path:
        """Keep a site's calibration beside its model, in place of an earlier one.

        Raises:
            ContractError: It does not fit the model.
            UnavailableError: It cannot be written.
        """
        place = self.place(model_id, version)
        applied(self._load(place, self._added(place).server).contract, site)
        file = place / SITE_FILE
        try:
            partial = file.with_suffix(".partial")
            partial.write_bytes(orjson.dumps(site.model_dump(), option=orjson.OPT_INDENT_2))
            os.replace(partial, file)
        except OSError as error:
            raise UnavailableError(
                str(file), f"cannot be written: {error.strerror}", "see EPICRISIS_DATA_DIR"
            ) from error
        return file

    def place(self, model_id: str, version: str = "") -> Path:
        """Return the folder of a model.

        Raises:
            InvalidValueError: There is none, or several versions of it.
        """
        here = [(i, v) for i, v in self._names() if i == model_id and version in ("", v)]
        if not here:
            known = ", ".join(sorted({i for i, _ in self._names()})) or "none yet"
            raise InvalidValueError(f"model {model_id} {version}".strip(), "is not here", known)
        if len(here) > 1:
            raise InvalidValueError(
                f"model {model_id}", "is here in several versions",
                f"say which: {', '.join(f'{i}@{v}' for i, v in here)}",
            )  # fmt: skip
        return self.root / here[0][0] / here[0][1]

    def list(self) -> tuple[Listed, ...]:
        """Return every model by name; one whose files are unusable with its problem."""
        return tuple(self._listed(i, v) for i, v in self._names())

    def contracts(self) -> tuple[ModelContract, ...]:
        """Return the descriptions that can be read, by name; nothing else of a model is looked at.

        A site's calibration is applied where it fits.
        """
        found = []
        for model_id, version in self._names():
            place = self.root / model_id / version
            try:
                contract = read_contract((place / CONTRACT).read_bytes())
                site = read_site(place / SITE_FILE)
                found.append(contract if site is None else applied(contract, site))
            except (OSError, EpicrisisError):
                continue  # `list` and `check` say what is wrong with it
        return tuple(found)

    def _listed(self, model_id: str, version: str) -> Listed:
        place = self.root / model_id / version
        try:
            added = self._added(place)
            folder = read_folder(place, remote=bool(added.server))
            if folder.sha256 != added.sha256:
                raise UnavailableError(
                    model_id, "its files are not those that were added", "add it again"
                )
            site = read_site(place / SITE_FILE)
        except EpicrisisError as error:
            return Listed(id=model_id, version=version, problem=str(error))
        contract = folder.contract
        return Listed(
            id=contract.id,
            version=contract.version,
            title=contract.title,
            task=contract.task,
            status=contract.status,
            regulatory_status=contract.regulatory_status,
            site=site is not None,
            server=added.server,
        )

    def _load(self, path: Path, server: str) -> LoadedModel:
        if not server:
            return load_model(path, limits=self._limits)
        if self._connect is None:
            raise UnavailableError("model server", "none can be reached from here", "")
        folder = read_folder(path, remote=True)
        return with_runner(folder, self._connect(server, folder.contract))

    def _names(self) -> Iterator[tuple[str, str]]:
        if not self.root.is_dir():
            return
        for one in sorted(self.root.iterdir()):
            if one.is_dir() and not one.name.startswith(_PARTIAL):
                for version in sorted(p.name for p in one.iterdir() if p.is_dir()):
                    yield one.name, version

    def _added(self, place: Path) -> Added:
        try:
            return Added.model_validate_json((place / ADDED).read_bytes())
        except (OSError, ValidationError) as error:
            raise UnreadableError(
                f"{place.parent.name} {place.name}", "its record is missing or damaged", "add again"
            ) from error

    def _put(self, source: Path, folder: ModelFolder, added: Added, place: Path) -> None:
        """Copy the files of a model in one step: all of them or none."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self.root))
            try:
                for name in files_of(folder.contract):
                    if name == GRAPH and not (source / name).exists():
                        continue
                    (partial / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(source / name, partial / name)
                (partial / ADDED).write_bytes(orjson.dumps(added.model_dump()))
                if read_folder(partial, remote=bool(added.server)).sha256 != added.sha256:
                    raise ContractError(
                        CONTRACT, "the files changed while they were added", "again"
                    )
                place.parent.mkdir(exist_ok=True)
                os.rename(partial, place)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise UnavailableError(
                str(self.root), f"cannot be written: {error.strerror}", "see EPICRISIS_DATA_DIR"
            ) from error
