"""HL7 v2 over MLLP: messages on the disk and acknowledged each second, beside parsing them alone.

A real process listens on this machine; each connection waits for its acknowledgement before it
sends the next message, as interface engines do. Every message is a result of 20 values under a
control id of its own. In the same run the same messages are parsed by `hl7types` and nothing else:
the ratio says what keeping, checking and acknowledging cost. Putting messages into cases goes on
beside it and is measured apart.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 10.0
CONNECTIONS = (1, 8, 32)
VALUES = 20
START, END = b"\x0b", b"\x1c\r"


def message(number: int) -> bytes:
    """Return a result of 20 values."""
    head = (
        f"MSH|^~\\&|LIS|HOSP|EPI|HOSP|20261120090000+0000||ORU^R01^ORU_R01|B{number}|P|2.5.1",
        "PID|1||0012^^^LAB&1.2.3&ISO^MR||Muster^Clara||19550721|F",
        f"OBR|1||F{number}^LIS|24323-8^Panel^LN|||20261120080000+0000" + "|" * 18 + "F",
    )
    results = (
        f"OBX|{n}|NM|{1000 + n}-0^Value {n}^LN||{n}.5|mmol/L^^UCUM|1-9|N|||F|||20261120080000+0000"
        for n in range(1, VALUES + 1)
    )
    return ("\r".join((*head, *results)) + "\r").encode()


def parse_alone() -> tuple[float, float]:
    """Return messages each second that `hl7types` parses: typed, and taken apart without types."""
    from hl7types.codecs.er7.generic import decode_er7_generic
    from hl7types.hl7.v2_5_1.messages import ORU_R01

    return (
        _rate(ORU_R01.model_validate_er7),
        _rate(decode_er7_generic),
    )


def _rate(parse: Callable[[str], object]) -> float:
    texts = [message(n).decode() for n in range(200)]
    parse(texts[0])
    begin, done = time.perf_counter(), 0
    while time.perf_counter() - begin < SECONDS / 2:
        parse(texts[done % len(texts)])
        done += 1
    return done / (time.perf_counter() - begin)


async def _sender(port: int, numbers: list[int], until: float) -> list[float]:
    """Return the seconds of each acknowledged message."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    try:
        while time.perf_counter() < until:
            numbers[0] += 1
            begin = time.perf_counter()
            writer.write(START + message(numbers[0]) + END)
            answer = await reader.readuntil(END)
            if b"MSA|AA|" not in answer:
                raise SystemExit(f"not acknowledged: {answer!r}")
            took.append(time.perf_counter() - begin)
    finally:
        writer.close()
    return took


async def _load(port: int, connections: int, numbers: list[int]) -> list[float]:
    until = time.perf_counter() + SECONDS
    found = await asyncio.gather(*(_sender(port, numbers, until) for _ in range(connections)))
    return sorted(t for each in found for t in each)


def serve(folder: Path, *, files: bool) -> None:
    """Listen until stopped; print the port."""
    from knowledge.settings import Settings
    from serving.assembly import assemble
    from serving.hl7_in.listener import listen

    settings = Settings(data_dir=folder, hl7_port=0, llm="none")
    services = assemble(settings)
    ready = lambda _, port: print(port, flush=True)  # noqa: E731
    asyncio.run(listen(services, ready=ready, files=files))


def measure(*, files: bool) -> None:
    """Print what one listener does at each number of connections."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--serve", folder, *(["--files"] if files else [])]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        try:
            port = int((running.stdout or sys.stdin).readline())
            numbers = [0]
            for connections in CONNECTIONS:
                took = asyncio.run(_load(port, connections, numbers))
                rate, middle = len(took) / SECONDS, took[len(took) // 2] * 1000
                late = took[int(len(took) * 0.99)] * 1000
                print(
                    f"  {connections:3} connections: {rate:7.0f} messages/s on the disk and "
                    f"acknowledged; median {middle:.1f} ms, 99th percentile {late:.1f} ms"
                )
        finally:
            running.terminate()
            running.wait(120)
            if running.stdout is not None:
                running.stdout.close()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--files", action="store_true")
    asked = parser.parse_args()
    if asked.serve is not None:
        serve(asked.serve, files=asked.files)
        return 0
    print(f"{os.cpu_count()} cores; messages of {VALUES} values, {len(message(1))} bytes each")
    typed, generic = parse_alone()
    print(f"hl7types alone: {typed:.0f} messages/s typed, {generic:.0f} messages/s without types")
    print("the listener, messages not put into cases meanwhile:")
    measure(files=False)
    print("the listener, one case assessed anew beside it:")
    measure(files=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
