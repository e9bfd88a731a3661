"""``epicrisis serve``: who may come is said, and what is not safe is not started."""

import socket
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest

from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from serving.commands.serve import LOCAL, who_may_come
from tests.serving.serve.process import LIMIT_S, Served, serving

ANYWHERE = "0.0.0.0"  # noqa: S104 - what the tests see refused


def settings(**given: Any) -> Settings:
    return Settings.model_validate(given)


def test_without_a_login_it_is_for_the_local_user_and_says_so() -> None:
    assert who_may_come(settings()) == LOCAL
    assert who_may_come(settings(host="::1")) == LOCAL


@pytest.mark.parametrize("host", [ANYWHERE, "::", "192.0.2.7", "ward.example.org"])
def test_without_a_login_no_other_address_is_listened_on(host: str) -> None:
    with pytest.raises(InvalidValueError, match="not of this machine alone"):
        who_may_come(settings(host=host))


def test_without_a_login_and_without_the_local_user_it_does_not_start() -> None:
    with pytest.raises(InvalidValueError, match="nobody could log in"):
        who_may_come(settings(local_user=False))


SYSTEMS: dict[str, dict[str, Any]] = {
    "EPICRISIS_CLIENTS_FILE": {"clients_file": "clients.yaml"},
    "EPICRISIS_SMART_ISSUERS": {"smart_issuers": {"https://ehr.example/fhir": "epicrisis"}},
    "EPICRISIS_FHIR_BACKENDS": {"fhir_backends": {"https://ehr.example/fhir": "epicrisis"}},
}


@pytest.mark.parametrize("name", ["EPICRISIS_CLIENTS_FILE", "EPICRISIS_SMART_ISSUERS"])
def test_where_systems_have_patients_here_every_request_is_signed(name: str) -> None:
    said = who_may_come(settings(**SYSTEMS[name]))
    assert "Every request needs a login or a token" in said
    assert name in said


def test_where_only_pulls_are_set_up_it_does_not_start_without_somebody_who_may_come() -> None:
    with pytest.raises(InvalidValueError, match="nobody could log in") as raised:
        who_may_come(settings(**SYSTEMS["EPICRISIS_FHIR_BACKENDS"]))
    assert "EPICRISIS_LOCAL_USER=true" in raised.value.way_out


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_local_user_beside_them_is_asked_for_and_said_aloud(name: str) -> None:
    said = who_may_come(settings(**SYSTEMS[name], local_user=True))
    assert said.startswith(LOCAL)
    assert f"EPICRISIS_LOCAL_USER is on beside {name}" in said


def test_with_a_login_another_address_needs_tls_before_it() -> None:
    login = {"oidc_issuer": "https://login.example.org", "host": ANYWHERE}
    said = who_may_come(settings(**login, public_url="https://ward.example.org"))
    assert "needs a login or a token" in said
    assert "EPICRISIS_OIDC_ISSUER" in said
    with pytest.raises(InvalidValueError, match="not an https address"):
        who_may_come(settings(**login, public_url="http://ward.example.org"))


def test_it_starts_answers_says_where_and_keeps_its_data_to_its_owner(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        listed = httpx.get(f"{served.url}/v1/cases", timeout=LIMIT_S)
        assert (listed.status_code, listed.json()["cases"]) == (200, [])
        assert "server" not in listed.headers
        strange = httpx.get(
            f"{served.url}/v1/cases", headers={"Host": "evil.example"}, timeout=LIMIT_S
        )
        assert strange.status_code == 401
        assert f"Epicrisis on {served.url}" in served.log
        assert LOCAL in served.log
        assert "not a medical device" in served.log
        assert _same_port(tmp_path, served) == 4
        assert served.stop() == -15
    for path in (tmp_path / "data", *(tmp_path / "data").rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def _same_port(folder: Path, served: Served) -> int:
    """Return how a second service on the port ends."""
    (folder / "second").mkdir()
    second = Served(folder / "second", port=served.port)
    code = second.start().wait(LIMIT_S)
    assert "cannot be listened on: Address already in use" in second.log
    return code


def test_a_host_that_is_not_of_this_machine_is_refused_before_anything_is_opened(
    tmp_path: Path,
) -> None:
    served = Served(tmp_path)
    assert served.start("--host", ANYWHERE).wait(LIMIT_S) == 4
    assert "EPICRISIS_HOST" in served.log
    assert not (tmp_path / "data").exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", served.port)) != 0
