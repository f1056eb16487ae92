"""The page as a web application, and where it is served."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount

from faceaug.edit.editor import Editor
from faceaug.edit.upload import Limits
from faceaug.errors import ConfigError
from faceaug.shards.dropped import DropFile
from faceaug.shards.reader import ShardReader

from .browsing import BrowsingTab
from .desks import Desks
from .editing import EditingTab
from .guard import Guard
from .markup import asset
from .private import sweep

_WAITING = 32
"""Events that wait for their turn, at most."""

_FONT, _MONO = ("system-ui", "sans-serif"), ("ui-monospace", "monospace")  # the system's own: none is loaded


_HEAD = """<h1>faceaug</h1>
<p class="hint">Photos stay in this program's memory, on this computer, and are forgotten when the page is closed.</p>"""


def build_app(
    folder: Path,
    *,
    editor: Editor | None = None,
    browsed: tuple[ShardReader, DropFile] | None = None,
    limits: Limits | None = None,
    local: bool = True,
) -> FastAPI:
    """The page.

    Args:
        folder: see :func:`~faceaug.cli.web.private.private_folder`.
        editor: for the tab of photos; without it there is none.
        browsed: a set and the list of its dropped rows, for the tab of generated faces; likewise.
        limits: of uploads.
        local: for this computer alone; see :class:`~faceaug.cli.web.guard.Guard`.

    Raises:
        ConfigError: two classes of the generator's scheme have one colour.
    """
    limits = limits or Limits()
    desks = Desks(editor.forget if editor is not None else lambda face: None)
    with gr.Blocks(title="faceaug", analytics_enabled=False) as page:
        gr.HTML(_HEAD)
        if editor is not None:
            with gr.Tab("Edit photos"):
                EditingTab(editor, desks, limits, folder).build()
        if browsed is not None:
            with gr.Tab("Generated faces"):
                BrowsingTab(*browsed).build(page)

        def end(request: gr.Request) -> None:
            desks.end(request.session_hash)
            sweep(folder)

        page.unload(end)
    page.queue(max_size=_WAITING, default_concurrency_limit=1, api_open=False)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/result/{token}", _results(desks), methods=["GET"], response_model=None)
    app.add_middleware(Guard, local=local, upload=limits.bytes)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        max_file_size=limits.bytes,
        show_error=False,
        run_history=False,  # else the browser keeps photos after the page is closed
        footer_links=[],
        ssr_mode=False,
        theme=gr.themes.Default(primary_hue="indigo", font=_FONT, font_mono=_MONO),
        css=asset("style.css"),
    )
    mounted = next(route.app for route in app.routes if isinstance(route, Mount))
    app.state.desks, app.state.ended = desks, mounted.stop_event  # type: ignore[attr-defined]
    return app


def _results(desks: Desks) -> Callable[[Request], Response]:
    """The answer to a result's link."""

    def result(request: Request) -> Response:
        found = desks.result(request.path_params["token"])
        if found is None:
            return PlainTextResponse("this result is no longer there; edit the photo again", status_code=404)
        name, data = found
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}", "Cache-Control": "no-store"}
        return Response(data, media_type="image/png", headers=headers)

    return result


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: name or address of this computer.
        port: 0 for any that is free.

    Raises:
        ConfigError: no such address, or the port is taken.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except OSError as error:
        told = error.strerror or str(error)
        raise ConfigError(f"--host {host} --port {port}: cannot listen there ({told}); choose another, or --port 0") from error


def address_of(listening: socket.socket) -> str:
    """The page's address on this computer."""
    host, port, *_ = listening.getsockname()
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"


class PageServer(uvicorn.Server):
    """Serves the page, ``run(sockets=[...])``, until Ctrl-C or SIGTERM.

    Args:
        app: see :func:`build_app`.
    """

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=2))
        self._ended: asyncio.Event = app.state.ended

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; the connections that open pages hold would else be waited for, and then cut with a traceback each."""
        self._ended.set()
        await super().shutdown(sockets)
