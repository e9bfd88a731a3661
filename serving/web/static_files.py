"""``/static/...``: the styles, scripts and pictures of the pages, from this package alone."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serving.access.errors import NotFoundError

router = APIRouter(tags=["pages"])

_MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@router.get("/static/{name}", include_in_schema=False)
def static_file(name: str, request: Request) -> Response:
    """Return one packaged file; there is nothing in it of anybody.

    Raises:
        NotFoundError: There is no such file.
    """
    media = next((kind for ending, kind in _MEDIA.items() if name.endswith(ending)), None)
    if media is None or name not in _names():
        raise NotFoundError("static file")
    content, tag = _content(name)
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media, headers=headers)


@cache
def _names() -> frozenset[str]:
    folder = files("serving.web") / "static"
    return frozenset(entry.name for entry in folder.iterdir() if entry.is_file())


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = (files("serving.web") / "static" / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
