"""What the page holds for each browser session, in memory: its photos, their faces and its last result."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock

from faceaug.edit.editor import Edited
from faceaug.edit.face import PhotoFace
from faceaug.edit.picture import Picture
from faceaug.images import stem

SOURCES = 6
"""Source faces that a session has, at most; the oldest goes."""


@dataclass
class Desk:
    """One session's photos.

    Attributes:
        forget: is called with faces that are no longer held.
        coming: photos that were sent and in which no face has been looked for yet, with their names, by what they are to be.
        photo: the target's photo, with its name.
        target: its face.
        key: names the target's face, so that a mask is known to be of it.
        sources: other people's faces by name, without their photos.
        edited: the last result.
        token: names the last result; who does not know it does not get it.
    """

    forget: Callable[[PhotoFace], None]
    coming: dict[str, tuple[str, Picture]] = field(default_factory=dict)
    photo: tuple[str, Picture] | None = None
    target: PhotoFace | None = None
    key: str = ""
    sources: OrderedDict[str, PhotoFace] = field(default_factory=OrderedDict)
    edited: Edited | None = None
    token: str = ""

    def put_target(self, face: PhotoFace, photo: tuple[str, Picture]) -> None:
        """Another target; what was made of the last one goes."""
        if self.target is not None:
            self.forget(self.target)
        self.target, self.photo, self.key = face, photo, secrets.token_hex(8)
        self.edited, self.token = None, ""

    def add_source(self, face: PhotoFace) -> None:
        """One more source; only its aligned face is kept."""
        gone = [self.sources.pop(face.name)] if face.name in self.sources else []
        self.sources[face.name] = replace(face, picture=Picture(face.image))
        while len(self.sources) > SOURCES:
            gone.append(self.sources.popitem(last=False)[1])
        for one in gone:
            self.forget(one)

    def put_result(self, edited: Edited) -> None:
        """The last result."""
        self.edited, self.token = edited, secrets.token_urlsafe(24)

    def clear(self) -> None:
        """Forget everything."""
        for face in [*self.sources.values(), *([self.target] if self.target is not None else [])]:
            self.forget(face)
        self.coming, self.photo, self.target, self.sources, self.edited, self.token = {}, None, None, OrderedDict(), None, ""


class Desks:
    """The desks of all sessions.

    Args:
        forget: see :class:`Desk`.
        most: how many there are; the one that was used longest ago goes.
    """

    def __init__(self, forget: Callable[[PhotoFace], None], most: int = 8) -> None:
        self._forget, self._most, self._lock = forget, most, Lock()
        self._desks: OrderedDict[str, Desk] = OrderedDict()

    def __len__(self) -> int:
        return len(self._desks)

    def of(self, session: str | None) -> Desk:
        """A session's desk; requests that belong to no session get an empty one that nobody keeps."""
        if not session:
            return Desk(self._forget)
        with self._lock:
            desk = self._desks.setdefault(session, Desk(self._forget))
            self._desks.move_to_end(session)
            gone = [self._desks.popitem(last=False)[1] for _ in range(len(self._desks) - self._most)]
        for one in gone:
            one.clear()
        return desk

    def end(self, session: str | None) -> None:
        """Forget a session."""
        with self._lock:
            desk = self._desks.pop(session or "", None)
        if desk is not None:
            desk.clear()

    def result(self, token: str) -> tuple[str, bytes] | None:
        """File name and PNG of a result that is still held."""
        with self._lock:
            held = next(
                (
                    desk
                    for desk in self._desks.values()
                    if desk.token and secrets.compare_digest(desk.token.encode(), token.encode(errors="replace"))
                ),
                None,
            )
            edited = None if held is None else held.edited
        if edited is None:
            return None
        return f"{stem(edited.face.name) or 'photo'}_edited.png", edited.face.picture.png(
            edited.pixels, trained_on=edited.trained_on
        )
