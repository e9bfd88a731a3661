"""Changes inside a format, so that they reach behind its checksums and its grammar."""

import copy
import gzip
import io
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import orjson
import pydicom
import yaml

from tests.fuzzing.mutations import BYTES, ODD, SPICES, TEXT, Change
from tests.tools.ecg.waveform_files import crc_ccitt
from tests.tools.intake.report_text.test_report_text import ENGLISH, pdf

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**18, -1e308, 1e-320, "", " ", "NaN", "\x00", "\ud7ff",
    "9" * 5000, [], {}, [[]],
    [None], {"value": None}, {"reference": "Patient/other"}, "2026-02-30", "0001-01-01T00:00:00Z",
    "9999-12-31",
    "entered-in-error", "amended", {"value": "12"}, {"value": 1e300, "unit": "\u202e"}, [{}] * 200,
)  # fmt: skip

_NOT_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))
_FIELD = re.compile(rb"[-0-9.]+ *|[A-Za-z]+ +")


def in_json(content: bytes, rng: random.Random) -> bytes:
    """Return the document, or a line of it, with an element replaced, dropped or moved."""
    rows = content.split(b"\n") if b"\n{" in content.strip() else [content]
    at = rng.randrange(len(rows))
    try:
        whole = orjson.loads(rows[at])
    except orjson.JSONDecodeError:
        return rng.choice(TEXT)(content, rng)
    places = list(_places(whole))
    if not places:
        return content
    for _ in range(rng.choice((1, 1, 2, 4))):
        _change(rng.choice(places), places, rng)
    try:
        rows[at] = orjson.dumps(whole)
    except (RecursionError, TypeError):  # an element was moved into itself
        return content
    return b"\n".join(rows)


def _places(node: Any) -> Any:
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from _places(node[key])


def _change(place: tuple[Any, Any], places: list[tuple[Any, Any]], rng: random.Random) -> None:
    holder, key = place
    if (key not in holder) if isinstance(holder, dict) else key >= len(holder):
        return  # what stood there is gone
    way = rng.choice(("odd", "odd", "drop", "move", "wrap", "name"))
    if way == "drop":
        del holder[key]
    elif way == "wrap":
        holder[key] = [holder[key]]
    elif way == "name" and isinstance(holder, dict):
        holder[f"_{key}"] = holder.pop(key)
    elif way == "move":
        source, at = rng.choice(places)
        there = at in source if isinstance(source, dict) else at < len(source)
        holder[key] = source[at] if there else None
    else:
        holder[key] = rng.choice(_ODD)


def in_gzip(content: bytes, rng: random.Random) -> bytes:
    """Return the gzip of its changed content."""
    try:
        inner = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return rng.choice(BYTES)(content, rng)
    return gzip.compress(rng.choice((*BYTES, *TEXT))(inner, rng), mtime=0)


def in_zip(content: bytes, rng: random.Random) -> bytes:
    """Return the archive with one member changed, dropped or doubled."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            members = [(i.filename, opened.read(i)) for i in opened.infolist()]
    except Exception:  # noqa: BLE001 - what zipfile cannot open is changed byte by byte
        return rng.choice(BYTES)(content, rng)
    if not members:
        return content
    at = rng.randrange(len(members))
    name, inner = members[at]
    members[at] = (name, rng.choice((*BYTES, *TEXT))(inner, rng))
    if rng.random() < 0.1:
        del members[at]
    elif rng.random() < 0.1:
        members.append((name, inner))
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")  # of doubled names
        for name, inner in members:
            made.writestr(zipfile.ZipInfo(name), inner)
    return out.getvalue()


def in_scp(content: bytes, rng: random.Random) -> bytes:
    """Return a changed SCP-ECG record whose checksums are right again."""
    changed = bytearray(rng.choice(BYTES)(content, rng))
    at = 6
    while at + 16 <= len(changed):  # every section, as far as their lengths lead
        length = struct.unpack_from("<I", changed, at + 4)[0]
        if not 16 <= length <= len(changed) - at:
            break
        struct.pack_into("<H", changed, at, crc_ccitt(bytes(changed[at + 2 : at + length])))
        at += length
    if len(changed) > 6:
        struct.pack_into("<H", changed, 0, crc_ccitt(bytes(changed[2:])))
    return bytes(changed)


def in_dicom(content: bytes, rng: random.Random) -> bytes:
    """Return the object with an element dropped, or with the value of one changed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content), force=True)
            tag = rng.choice([e.tag for e in ds.iterall() if e.VR != "SQ"])
            holders = [ds, *(i for e in ds.iterall() if e.VR == "SQ" for i in e.value)]
            holder = rng.choice([h for h in holders if tag in h])
            if rng.random() < 0.3:
                del holder[tag]
            else:
                element = holder[tag]
                odd = rng.choice(("", "NaN", "-1", "9" * 60, "0", "1\\2\\3", "\u5f20", "20261345"))
                holder[tag] = pydicom.DataElement(tag, "LO" if element.VR[0] != "O" else "UN", odd)
                if element.VR[0] == "O":
                    holder[tag].value = b"\x00" * rng.choice((0, 1, 7, 1000))
            out = io.BytesIO()
            ds.save_as(out)
        except Exception:  # noqa: BLE001 - what pydicom cannot write is changed byte by byte
            return rng.choice(BYTES)(content, rng)
    return out.getvalue()


def in_pdf(content: bytes, rng: random.Random) -> bytes:
    """Return a sound PDF of a changed text."""
    text = rng.choice(TEXT)(ENGLISH.encode(), rng).decode("latin-1")[:20_000]
    return pdf(text) if text.strip() else content


def in_png(content: bytes, rng: random.Random) -> bytes:
    """Return a changed picture whose checksums are right again."""
    changed = bytearray(rng.choice(BYTES)(content, rng))
    at = 8
    while at + 12 <= len(changed):
        length = struct.unpack_from(">I", changed, at)[0]
        if length > len(changed) - at - 12:
            break
        crc = zlib.crc32(bytes(changed[at + 4 : at + 8 + length]))
        struct.pack_into(">I", changed, at + 8 + length, crc)
        at += 12 + length
    return bytes(changed)


def in_xml(content: bytes, rng: random.Random) -> bytes:
    """Return the document with a text, an attribute or an element replaced, dropped or doubled."""
    if content.startswith(b"PK"):
        return in_zip(content, rng)
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - files made here
    except Exception:  # noqa: BLE001 - what the parser cannot read is changed byte by byte
        return rng.choice(BYTES)(content, rng)
    if root.tag.startswith("{"):
        ElementTree.register_namespace("", root.tag[1:].partition("}")[0])
    nodes = list(root.iter())
    for _ in range(rng.choice((1, 1, 3))):
        node = rng.choice(nodes)
        way = rng.choice(("text", "text", "attribute", "attribute", "drop", "double", "swap"))
        odd = rng.choice((*ODD, *SPICES)).decode("utf-8", "ignore").translate(_NOT_XML)
        if way == "text":
            node.text = odd
        elif way == "attribute" and node.attrib:
            node.attrib[rng.choice(list(node.attrib))] = odd
        elif len(node):
            child = rng.choice(list(node))
            if way == "drop":
                node.remove(child)
            elif way == "double":
                node.insert(0, copy.deepcopy(child))
            else:
                node[:] = list(node)[::-1]
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def in_yaml(content: bytes, rng: random.Random) -> bytes:
    """Return the document with an element replaced, dropped, moved or wrapped."""
    try:
        whole = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts alone
        places = list(_places(whole))
        for _ in range(rng.choice((1, 1, 2, 4))):
            _change(rng.choice(places), places, rng)
        return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False).encode()
    except Exception:  # noqa: BLE001 - what is no YAML, or none any more, is changed as a text
        return rng.choice(TEXT)(content, rng)


def in_message(content: bytes, rng: random.Random) -> bytes:
    """Return the message with a field, component or repetition replaced, moved or doubled."""
    segments = [segment.split(b"|") for segment in content.split(b"\r")]
    for _ in range(rng.choice((1, 1, 2, 4))):
        fields = rng.choice(segments)
        at, other = rng.randrange(len(fields)), rng.choice(rng.choice(segments))
        parts = fields[at].split(b"^")
        way = rng.choice(("odd", "part", "move", "double", "drop"))
        if way == "odd":
            fields[at] = rng.choice((*ODD, *SPICES))
        elif way == "part":
            parts[rng.randrange(len(parts))] = rng.choice((*ODD, *SPICES))
            fields[at] = b"^".join(parts)
        elif way == "double":
            fields[at] = fields[at] + b"~" + other
        else:
            fields[at] = other if way == "move" else b""
    return b"\r".join(b"|".join(fields) for fields in segments)


def in_header(content: bytes, rng: random.Random) -> bytes:
    """Return an EDF file with a field of its header replaced, the lengths kept."""
    changed = bytearray(content)
    numbers = list(_FIELD.finditer(content[: 256 * 14]))
    for found in rng.sample(numbers, min(len(numbers), rng.choice((1, 1, 3)))):
        odd = rng.choice(ODD)[: len(found.group())]
        changed[found.start() : found.end()] = odd.ljust(len(found.group()))
    return bytes(changed)


INSIDE: Mapping[str, Change] = {
    "fhir-json": in_json,
    "fhir-ndjson": in_json,
    "hl7v2": in_message,
    "sierra": in_xml,
    "aecg": in_xml,
    "muse": in_xml,
    "edf": in_header,
    "case-yaml": in_yaml,
    "table-mapping": in_yaml,
    "dicom-ecg": in_dicom,
    "dicom-image": in_dicom,
    "scp": in_scp,
    "table-xlsx": in_zip,
    "apple-export": in_xml,
    "report-pdf": in_pdf,
    "png": in_png,
    "gzip": in_gzip,
}
