"""The MLLP listener against the client of the package `hl7`, over TCP and TLS."""

import asyncio
import re
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from serving.hl7_in.listener import tls_of
from tests.serving.access.peers import certificate
from tests.serving.cases.fresh import fresh
from tests.serving.hl7_in.listening import client, listening, store_of
from tests.tools.intake.hl7v2.messages import PID, message, msh, obr, obx, oru

PORT: dict[str, Any] = {"hl7_port": 0}


def test_a_message_is_kept_before_it_is_acknowledged_and_once(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            first = await peer.send(oru(obx("12")))
            again = await peer.send(oru(obx("12")))
            assert (first.code, again.code) == ("AA", "AA")
            other = await peer.send(oru(obx("13")))
            assert (other.code, other.control_id, other.error) == ("AE", "M1", "205")

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 1}
        assert store_of(made.services).content(1) == oru(obx("12"))


def test_the_same_control_id_of_another_sender_is_another_message(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            for content in (oru(obx("12")), oru(obx("13")).replace(b"|LIS|", b"|LIS2|", 1)):
                assert (await peer.send(content)).code == "AA"

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 2}


GOOD = oru(obx("12"))


@pytest.mark.parametrize(
    ("content", "code", "error"),
    [
        (b"hello", "AR", "100"),
        (b"PID|1\r", "AR", "100"),
        (GOOD.replace(b"ORU^R01^ORU_R01", b"SIU^S12"), "AR", "200"),
        (GOOD.replace(b"|2.5.1|", b"|2.9|"), "AR", "203"),
        (GOOD.replace(b"|P|", b"|T|"), "AR", "202"),
        (GOOD.replace(b"||||||\r", b"||||||EBCDIC\r", 1), "AR", "102"),
        (GOOD.replace(b"|M1|", b"||"), "AE", "101"),
        (re.sub(rb"PID[^\r]*\r", b"", GOOD), "AE", "101"),
        (re.sub(rb"OBR[^\r]*\r", b"", GOOD), "AE", "101"),
        (GOOD.replace(b"0012^^^LAB&1.2.3&ISO^MR", b""), "AE", "101"),
        (GOOD.replace(b"Muster", "张".encode("gb18030")), "AE", "102"),
        (GOOD.replace(b"^~\\&", b"^^^^"), "AE", "101"),
        (GOOD + PID.replace("0012", "0013").encode() + b"\r", "AE", "207"),
        (GOOD + GOOD, "AE", "100"),
    ],
    ids=[
        "garbage", "no MSH", "type", "version", "processing id", "charset unknown", "no id",
        "no PID", "no OBR", "no number", "wrong bytes", "encoding characters", "two patients",
        "two messages",
    ],
)  # fmt: skip
def test_what_is_not_taken_is_told_by_its_code_and_not_kept(
    content: bytes, code: str, error: str, tmp_path: Path
) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            answer = await peer.send(content)
            assert (answer.code, answer.error) == (code, error)
            assert (await peer.send(GOOD)).code == "AA"  # the connection goes on

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 1}


def test_chinese_characters_come_as_msh_18_says(tmp_path: Path) -> None:
    content = "\r".join(
        (msh(charset="GB 18030-2000"), "PID|1||7^^^LAB||张^丽", obr(), obx("12"))
    ).encode("gb18030")

    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            assert (await peer.send(content)).code == "AA"

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).content(1) == content


def test_a_message_of_3_mb_is_taken_and_a_larger_frame_is_refused(tmp_path: Path) -> None:
    attached = "OBX|2|ED|PDF^Report||^AP^PDF^Base64^" + "QUFB" * 750_000 + "||||||F"

    async def talk() -> None:
        async with listening(made.services) as at:
            async with client(at) as peer:
                begin = time.perf_counter()
                assert (await peer.send(oru(obx("12"), attached))).code == "AA"
                assert time.perf_counter() - begin < 10
            async with client(at) as peer:
                more = oru(obx("12"), attached, attached, control="M2")
                answer = await peer.send(more)
                assert (answer.code, answer.error) == ("AR", "207")
                assert await peer.reader.read() == b""  # and closed

    with fresh(tmp_path, hl7_frame_mib=4, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 1}


def test_a_peer_that_stops_in_a_message_is_let_go_and_holds_up_nobody(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as stuck, client(at) as peer:
            stuck.writer.write(b"\x0b" + GOOD[:40])
            await stuck.writer.drain()
            assert (await peer.send(GOOD)).code == "AA"
            assert await asyncio.wait_for(stuck.reader.read(), 30) == b""

    with fresh(tmp_path, hl7_frame_s=0.5, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 1}


def test_a_peer_that_hangs_up_in_a_message_leaves_nothing(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at:
            async with client(at) as peer:
                peer.writer.write(b"\x0b" + GOOD)
                await peer.writer.drain()
            async with client(at) as peer:
                assert (await peer.send(oru(obx("12"), control="M2"))).code == "AA"

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 1}


def test_a_message_that_broke_off_is_not_mixed_with_the_next(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            peer.writer.write(b"\x0b" + oru(obx("99"), control="M0")[:200])
            assert (await peer.send(GOOD)).control_id == "M1"

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).content(1) == GOOD


def test_a_slow_peer_is_heard_to_the_end(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            block = b"\x0b" + GOOD + b"\x1c\r"
            for begin in range(0, len(block), 20):
                peer.writer.write(block[begin : begin + 20])
                await peer.writer.drain()
                await asyncio.sleep(0.01)
            assert (await peer.read()).code == "AA"

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())


def test_two_messages_in_one_write_are_two_and_noise_between_them_is_passed(
    tmp_path: Path,
) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            block = b"\x0b" + GOOD + b"\x1c\r"
            peer.writer.write(block + b"\r\n" + block.replace(b"|M1|", b"|M2|"))
            await peer.writer.drain()
            answers = [await peer.read(), await peer.read()]
            assert [(a.code, a.control_id) for a in answers] == [("AA", "M1"), ("AA", "M2")]

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())


def test_a_block_without_its_start_is_told(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            peer.writer.write(GOOD + b"\x1c\r")
            await peer.writer.drain()
            answer = await peer.read()
            assert (answer.code, answer.error) == ("AR", "100")

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {}


def test_who_says_nothing_is_let_go_and_too_many_are_not_let_in(tmp_path: Path) -> None:
    async def talk() -> None:
        async with listening(made.services) as at, client(at) as one, client(at) as two:
            async with client(at) as three:
                assert await asyncio.wait_for(three.reader.read(), 30) == b""
            assert await asyncio.wait_for(one.reader.read(), 30) == b""
            assert await asyncio.wait_for(two.reader.read(), 30) == b""

    with fresh(tmp_path, hl7_connections=2, hl7_idle_s=1, **PORT) as made:
        asyncio.run(talk())


def test_many_senders_at_once_are_all_answered_through_a_short_queue(tmp_path: Path) -> None:
    async def one(at: Any, sender: int) -> None:
        async with client(at) as peer:
            for number in range(10):
                content = oru(obx("12"), control=f"S{sender}-{number}")
                assert (await peer.send(content)).code == "AA"

    async def talk() -> None:
        async with listening(made.services) as at:
            await asyncio.gather(*(one(at, sender) for sender in range(8)))

    with fresh(tmp_path, hl7_queue=2, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 80}


def test_over_tls_and_only_with_a_certificate_where_one_is_asked_for(tmp_path: Path) -> None:
    certificate(tmp_path, "localhost")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    public, key = tmp_path / "server.pem", tmp_path / "server.key"
    trusting = ssl.create_default_context(cafile=str(public))
    shown = ssl.create_default_context(cafile=str(public))
    shown.load_cert_chain(public, key)

    async def talk(tls: ssl.SSLContext) -> str:
        async with listening(made.services) as at, client(at, tls) as peer:
            return (await peer.send(GOOD)).code

    files: dict[str, Any] = {"hl7_tls_cert": public, "hl7_tls_key": key}
    with fresh(tmp_path / "one", **PORT, **files) as made:
        assert asyncio.run(talk(trusting)) == "AA"
    with fresh(tmp_path / "two", **PORT, **files, hl7_client_ca=public) as made:
        assert asyncio.run(talk(shown)) == "AA"
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            asyncio.run(talk(trusting))
        assert store_of(made.services).counts() == {"received": 1}


@pytest.mark.parametrize(
    ("settings", "way_out"),
    [
        ({"hl7_host": "0.0.0.0"}, "--tls-cert"),  # noqa: S104 - that it is refused
        ({"hl7_tls_cert": "a.pem"}, "give both"),
        ({"hl7_client_ca": "a.pem"}, "give both"),
        ({"hl7_tls_cert": "none.pem", "hl7_tls_key": "none.key"}, "readable PEM"),
    ],
)
def test_messages_never_travel_in_the_clear_by_mistake(
    settings: dict[str, Any], way_out: str
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        tls_of(Settings.model_validate(settings))
    assert way_out in refused.value.way_out


def test_an_encrypted_network_can_be_said_to_be_one() -> None:
    settings = {"hl7_host": "0.0.0.0", "hl7_allow_plain": True}  # noqa: S104
    assert tls_of(Settings.model_validate(settings)) is None


def test_what_could_not_be_kept_is_never_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.errors import UnavailableError
    from serving.hl7_in.store import MessageStore

    def away(self: MessageStore, messages: object) -> None:
        raise UnavailableError("database", "cannot be used", "later")

    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            with monkeypatch.context() as patch:
                patch.setattr(MessageStore, "_keep", away)
                answer = await peer.send(GOOD)
                assert (answer.code, answer.error) == ("AE", "207")
            assert (await peer.send(GOOD)).code == "AA"

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        assert store_of(made.services).counts() == {"received": 1}


def test_a_merge_of_two_patients_is_held_for_a_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    merge = message(msh("ADT^A40"), "EVN|A40", PID, "MRG|0099^^^LAB")

    async def talk() -> None:
        async with listening(made.services) as at, client(at) as peer:
            peer.writer.writeblock(merge)
            await peer.writer.drain()
            msa = (await asyncio.wait_for(peer.reader.readmessage(), 30)).segment("MSA")
            assert str(msa[1]) == "AA"
            assert str(msa[3]).startswith("kept as message 1, held: joins the numbers")

    with fresh(tmp_path, **PORT) as made:
        asyncio.run(talk())
        (held,) = store_of(made.services).listed("held")
        assert "a person decides" in held.reason
        assert "epicrisis hl7 show 1; then hl7 retry 1 or hl7 discard 1" in caplog.text
