"""The systems that are known here: a YAML file of the operator, read again when it changes.

::

    clients:
      - client_id: lab-feed
        name: Laboratory interface
        jwks_uri: https://lab.example.org/jwks.json     # or jwks: {keys: [...]}
        roles: [integrator]
        scopes: system/Patient.r system/Observation.rs
        tenants: [https://ehr.example.org/fhir]         # whose patients; absent for all
"""

import threading
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from serving.access.principal import Role


class Client(Frozen):
    """One system.

    Args:
        client_id: Its id: `iss` and `sub` of what it signs.
        name: As shown and audited.
        jwks: Its public keys, where they are given here.
        jwks_uri: Where its public keys are published, where they are not; also the only `jku` it
            may name.
        roles: What it is here.
        scopes: The most it may ask for.
        tenants: FHIR base addresses whose patients it may see; None for all.
        cds: Whether it may call the CDS Hooks services.
    """

    client_id: str = Field(min_length=1, max_length=200)
    name: str = Field(default="", max_length=200)
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    roles: tuple[Role, ...] = ()
    scopes: str = Field(default="", max_length=4000)
    tenants: tuple[str, ...] | None = None
    cds: bool = False

    @model_validator(mode="after")
    def _has_keys(self) -> "Client":
        if (self.jwks is None) == (self.jwks_uri is None):
            raise ValueError("give either jwks or jwks_uri")
        if self.jwks is not None:
            _refuse_secrets(self.jwks)
        return self


class ClientFile(Frozen):
    """The whole file."""

    clients: tuple[Client, ...]

    @model_validator(mode="after")
    def _once(self) -> "ClientFile":
        ids = [client.client_id for client in self.clients]
        if len(set(ids)) != len(ids):
            raise ValueError("a client_id is there twice")
        return self


class ClientRegistry:
    """The clients of the file, as it is now.

    Args:
        path: The file; None for no clients.

    Raises:
        InvalidValueError: The file cannot be read or is not valid.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._clients: dict[str, Client] = {}
        self._load()

    def find(self, client_id: str) -> Client | None:
        """Return a client, or None where it is not known (any more).

        Raises:
            InvalidValueError: The file was changed into one that is not valid.
        """
        self._load()
        return self._clients.get(client_id)

    def all(self) -> tuple[Client, ...]:
        """Return every client.

        Raises:
            InvalidValueError: The file was changed into one that is not valid.
        """
        self._load()
        return tuple(self._clients.values())

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            with self._lock:
                if stamp == self._stamp:
                    return
                known = read_clients(self._path)
                self._clients = {client.client_id: client for client in known}
                self._stamp = stamp
        except OSError as error:
            raise InvalidValueError(
                "EPICRISIS_CLIENTS_FILE", f"cannot be read: {error.strerror}", "correct the path"
            ) from error


def read_clients(path: Path) -> tuple[Client, ...]:
    """Return the clients of a file.

    Raises:
        InvalidValueError: It is not valid; the message names the field.
        OSError: It cannot be read.
    """
    try:
        return ClientFile.model_validate(yaml.safe_load(path.read_text("utf-8"))).clients
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidValueError(
            path.name, f"{where}: {first['msg']}", "correct the file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidValueError(path.name, "is not YAML in UTF-8", "correct the file") from error


def _refuse_secrets(jwks: dict[str, Any]) -> None:
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys:
        raise ValueError("jwks has no keys")
    for key in keys:
        if not isinstance(key, dict) or key.get("kty") not in ("EC", "RSA"):
            raise ValueError("only EC and RSA keys are taken")
        if "d" in key:
            raise ValueError("a private key does not belong here; give the public part")
