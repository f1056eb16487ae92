"""The real page, served in this process to real clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from faceaug.cli.web.app import PageServer, address_of, build_app, listen
from faceaug.cli.web.desks import Desks
from faceaug.cli.web.private import private_folder
from small import Trained, noise_faces, write_set

from faceaug.compute.device import Compute
from faceaug.edit import face as finding
from faceaug.edit.editor import Editor
from faceaug.edit.upload import Limits
from faceaug.gan.inference import load_generator
from faceaug.parser.predict import load_parser
from faceaug.prepare.faces import LabelledFaces
from faceaug.shards.dropped import DropFile
from faceaug.shards.reader import ShardReader


@dataclass(frozen=True)
class Served:
    """A page that is being served.

    Attributes:
        url: its address.
        folder: where uploads lie.
        desks: what its sessions hold.
        set: the folder of the set that it shows.
        lists: the folder of the lists of dropped rows.
    """

    url: str
    folder: Path
    desks: Desks
    set: Path
    lists: Path


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory, trained: Trained, faces: LabelledFaces, compute: Compute) -> Iterator[Served]:
    """Photos of up to 1 MB and 1 megapixel; the tiny parser is replaced by a true mask."""
    root = tmp_path_factory.mktemp("web")
    reader = ShardReader(write_set(root / "set", noise_faces(10, 16)))
    editor = Editor(load_generator(trained.gan, compute), load_parser(trained.parser, compute))
    with pytest.MonkeyPatch.context() as patch, private_folder() as folder, listen("127.0.0.1", 0) as listening:
        patch.setattr(finding, "predict", lambda parser, images: (faces.labels[:1], np.array([0.9])))
        browsed = reader, DropFile(root / "lists", reader)
        app = build_app(folder, editor=editor, browsed=browsed, limits=Limits(megabytes=1, megapixels=1))
        server = PageServer(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Served(address_of(listening), folder, app.state.desks, reader.folder, root / "lists")
        server.should_exit = True
        thread.join(20)
    assert not folder.exists()
