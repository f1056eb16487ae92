"""What every request passes: hosts, origins, lengths; and what every answer tells the browser: to load nothing from elsewhere."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio compiles its components' templates
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_OTHERS = 8 * 2**20
"""Length of a request that is no upload, at most: a painted mask is far below."""

_AROUND = 2**16
"""What an upload's form has around its file, at most."""

UPLOAD = "/gradio_api/upload"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this computer's own, which no other can reach."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware of the page.

    Refuses requests under another name than this computer's where the page is its own (a web site's name may lead here), of
    another site's pages, longer than an upload may be, and for addresses elsewhere, which Gradio would fetch.

    Args:
        app: what is guarded.
        local: the page is for this computer alone.
        upload: length of an uploaded file in bytes, at most.
    """

    def __init__(self, app: ASGIApp, *, local: bool, upload: int) -> None:
        self._app, self._local, self._upload = app, local, upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        uploading = scope["path"].startswith(UPLOAD)
        limit = self._upload + _AROUND if uploading else _OTHERS
        refused = self._refused(scope["path"], headers, limit)
        receive = _bounded(receive, limit)
        if refused is None and not uploading and scope["method"] != "GET":
            try:
                body, receive = await _read(receive)
                refused = (403, _NOTHING_ELSE) if _names_another_place(body) else None
            except HTTPException as error:
                refused = error.status_code, error.detail
        answer = self._app if refused is None else PlainTextResponse(refused[1], status_code=refused[0])
        await answer(scope, receive, _with_headers(send))

    def _refused(self, path: str, headers: Headers, limit: int) -> tuple[int, str] | None:
        """Status and reason of a refusal; None where there is none."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._local and not is_loopback(_split(f"//{host}").hostname or ""):
            return 421, f"{host}: this page is at 127.0.0.1 or localhost"
        if origin is not None and _split(origin).netloc != host:
            return 403, f"{origin}: pages of other sites have nothing to do here"
        if "=http" in path or path.startswith("/gradio_api/proxy"):
            return 403, _NOTHING_ELSE
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            return 413, f"{length} bytes: more than the maximum allowed size of {limit}"
        return None


_NOTHING_ELSE = "this page fetches nothing from elsewhere"


def _split(address: str) -> SplitResult:
    """The parts of an address; none of one that is malformed."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


async def _read(receive: Receive) -> tuple[bytes, Receive]:
    """A request's whole body, and what an application receives instead: the same in one piece."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(parts)
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return body, again


def _names_another_place(body: bytes) -> bool:
    """Whether a request hands over a file by an address, which Gradio would fetch; its own files it names by their paths."""
    try:
        left = [json.loads(body)]
    except (ValueError, RecursionError):
        return False  # no JSON: Gradio refuses it
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "://" in str(value.get("path", "")):
                return True
            left += value.values()
        elif isinstance(value, list):
            left += value
    return False


def _bounded(receive: Receive, limit: int) -> Receive:
    """What is received, which ends where it is longer than it said."""
    count = 0

    async def bounded() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > limit:
            raise HTTPException(413, f"more than the maximum allowed size of {limit} bytes")
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return with_headers
