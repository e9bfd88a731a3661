"""What may be called, and how little a server on the list can do with it."""

import time
from pathlib import Path

import pytest

from knowledge.errors import InvalidValueError, TooLargeError
from knowledge.settings import Settings
from serving.access.network import is_public, resolve
from serving.access.outbound import OutboundClient, OutboundError
from tests.serving.access.peers import Answer, as_json, certificate, serving


def ok(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    return as_json({"path": path, "host": headers["host"]})


def client(**settings: object) -> OutboundClient:
    return OutboundClient(Settings.model_validate(settings))


def test_a_named_loopback_server_is_called_over_plain_http() -> None:
    with serving(ok) as peer:
        got = client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"]).get_json(
            f"{peer.url}/Patient/1", purpose="test"
        )
    assert got == {"path": "/Patient/1", "host": f"127.0.0.1:{peer.port}"}


def test_nothing_is_called_by_default() -> None:
    with serving(ok) as peer:
        with pytest.raises(InvalidValueError, match="not on the list"):
            client().get_json(peer.url, purpose="test")
        assert peer.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}@fhir.example/x",
        "http://fhir.example@127.0.0.1:{port}/x",
        "http://fhir.example:80@127.0.0.1:{port}/x",
        "http://fhir.example\\@127.0.0.1:{port}/x",
        "http://2130706433:{port}/x",
        "http://0x7f000001:{port}/x",
        "http://0177.0.0.1:{port}/x",
        "http://127.1:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://[::1]:{port}/x",
        "http://localhost:{port}/x",
        "http://127.0.0.1.nip.io:{port}/x",
        "http://127.0.0.1:{port}\t/x",
        "http://\uff11\uff12\uff17.0.0.1:{port}/x",
        "//127.0.0.1:{port}/x",
        "file:///etc/passwd",
        "gopher://fhir.example/x",
        "http:///x",
        "https://fhir.example.evil.example/x",
        "https://evil-fhir.example/x",
        "https://fhir.example:8443/x",
        "http://fhir.example/x",
        "",
    ],
)
def test_another_way_to_write_a_host_is_not_the_host_on_the_list(url: str) -> None:
    with serving(ok) as peer:
        with pytest.raises(InvalidValueError, match="may not be called"):
            client(outbound_hosts=["fhir.example"]).get_json(
                url.format(port=peer.port), purpose="test"
            )
        assert peer.seen == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fc00::1", "::",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_a_listed_name_at_a_private_address_is_refused(address: str) -> None:
    outbound = OutboundClient(
        Settings(outbound_hosts=("fhir.example",)), resolve=lambda host, port: (address,)
    )
    with pytest.raises(InvalidValueError, match="private address"):
        outbound.get_json("https://fhir.example/Patient/1", purpose="test")


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    outbound = OutboundClient(
        Settings(outbound_hosts=("fhir.example",)),
        resolve=lambda host, port: ("1.1.1.1", "10.0.0.1"),
    )
    with pytest.raises(InvalidValueError, match="private address"):
        outbound.get_json("https://fhir.example/x", purpose="test")


def test_the_systems_resolver_reads_decimal_addresses_and_they_are_still_private() -> None:
    assert not any(is_public(address) for address in resolve("2130706433", 80))


def test_a_name_is_resolved_once_and_tls_is_checked_against_the_name(tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path, "fhir.example")
    asked: list[str] = []

    def answers_differently_the_second_time(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) == 1 else ("127.0.0.2",)

    with serving(ok, tls=tls) as peer:
        host = f"fhir.example:{peer.port}"
        settings = Settings(
            outbound_private_hosts=(host, f"other.example:{peer.port}"), outbound_ca_file=trusted
        )
        outbound = OutboundClient(settings, resolve=answers_differently_the_second_time)
        assert outbound.get_json(f"https://{host}/x", purpose="test")["host"] == host
        assert asked == ["fhir.example"]
        other = OutboundClient(settings, resolve=lambda host, port: ("127.0.0.1",))
        with pytest.raises(OutboundError, match="cannot be reached"):
            other.get_json(f"https://other.example:{peer.port}/x", purpose="test")
        untrusted = Settings(outbound_private_hosts=(host,))
        with pytest.raises(OutboundError, match="cannot be reached"):
            OutboundClient(untrusted, resolve=lambda host, port: ("127.0.0.1",)).get_json(
                f"https://{host}/x", purpose="test"
            )


def test_plain_http_beyond_this_machine_is_refused_even_where_the_host_is_named() -> None:
    outbound = OutboundClient(
        Settings(outbound_private_hosts=("fhir.example",)), resolve=lambda host, port: ("10.0.0.1",)
    )
    with pytest.raises(InvalidValueError, match="this machine alone"):
        outbound.get_json("http://fhir.example/x", purpose="test")


def test_a_redirect_to_loopback_is_not_followed() -> None:
    with serving(ok) as inside:

        def away(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
            return 302, {"Location": f"{inside.url}/secret"}, b""

        with serving(away) as peer:
            outbound = client(
                outbound_private_hosts=[f"127.0.0.1:{peer.port}", f"127.0.0.1:{inside.port}"]
            )
            with pytest.raises(OutboundError, match="redirects are not followed") as caught:
                outbound.get_json(peer.url, purpose="test")
        assert caught.value.status == 302
        assert inside.seen == []


def test_an_endless_answer_is_cut() -> None:
    def large(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return 200, {}, b" " * (2 * 1024 * 1024)

    with serving(large) as peer, pytest.raises(TooLargeError, match="over 1 MiB"):
        client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"], outbound_max_mib=1).get_json(
            peer.url, purpose="test"
        )


def test_a_compressed_answer_is_not_unpacked() -> None:
    def packed(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        assert headers["accept-encoding"] == "identity"
        return 200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"

    with serving(packed) as peer, pytest.raises(OutboundError, match="compressed"):
        client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"]).get_json(peer.url, purpose="test")


def test_a_slow_server_is_given_up() -> None:
    def slow(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        time.sleep(1.5)
        return as_json({})

    with serving(slow) as peer:
        outbound = client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"], outbound_timeout_s=0.2)
        before = time.monotonic()
        with pytest.raises(OutboundError, match="too slow"):
            outbound.get_json(peer.url, purpose="test")
        assert time.monotonic() - before < 1.2


@pytest.mark.parametrize(("status", "content"), [(500, b"oops"), (404, b'{"a":1}'), (200, b"<a>")])
def test_what_is_no_answer_is_an_error_never_an_empty_one(status: int, content: bytes) -> None:
    def wrong(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        return status, {}, content

    with serving(wrong) as peer, pytest.raises(OutboundError) as caught:
        client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"]).get_json(peer.url, purpose="test")
    assert caught.value.status == status
    assert content.decode() not in str(caught.value)


def test_forms_and_json_are_sent() -> None:
    with serving(ok) as peer:
        outbound = client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"])
        outbound.post_form(f"{peer.url}/token", {"a": "b c"}, purpose="test")
        outbound.send_json(
            f"{peer.url}/Observation/1",
            {"resourceType": "Observation"},
            method="PUT",
            headers={"Content-Type": "application/fhir+json"},
            purpose="test",
        )
    (first, second) = peer.seen
    assert (first[0], first[3]) == ("POST", b"a=b+c")
    assert (second[0], second[3]) == ("PUT", b'{"resourceType":"Observation"}')
    assert second[2]["content-type"] == "application/fhir+json"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(ok) as peer:
        outbound = client(outbound_private_hosts=[f"127.0.0.1:{peer.port}"])
        assert outbound.get_json(f"{peer.url}/x", purpose="test")["path"] == "/x"


def test_an_issuer_in_the_settings_may_be_called_without_an_entry() -> None:
    with serving(ok) as peer:
        outbound = client(smart_issuers={f"{peer.url}/fhir": "epicrisis"})
        assert outbound.get_json(f"{peer.url}/fhir/metadata", purpose="test")
