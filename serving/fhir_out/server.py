"""A FHIR server that is read and written: the headers that every request of ours has."""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from serving.access.outbound import OutboundClient

_FHIR = "application/fhir+json"


class FhirServer:
    """Reads and writes at one base address.

    Args:
        outbound: What is allowed to be called, with its bounds.
        base: FHIR base address.
        token: Bearer token; None where the server asks for none.
    """

    def __init__(self, outbound: OutboundClient, base: str, token: SecretStr | None) -> None:
        self._outbound = outbound
        self._base = base.rstrip("/")
        self._token = token

    def get(self, path: str) -> Any:
        """Return the JSON of a read or search.

        Raises:
            OutboundError: The server refused, or did not answer as it should.
        """
        return self._outbound.get_json(
            f"{self._base}/{path}", headers=self._headers(), purpose="FHIR search"
        )

    def send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Any:
        """Return the resource as the server kept it; some answer without one.

        Raises:
            OutboundError: The server refused, or did not answer as it should.
        """
        more = {"Content-Type": _FHIR, "Prefer": "return=representation", **headers}
        return self._outbound.send_json(
            f"{self._base}/{path}",
            body,
            method=method,
            headers={**self._headers(), **more},
            purpose="FHIR write",
        )

    def _headers(self) -> dict[str, str]:
        own = {"Accept": _FHIR}
        if self._token is not None:
            own["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        return own
