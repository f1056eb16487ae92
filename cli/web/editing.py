"""The tab for editing photos: a mask to paint on, operations, components and faces of other people."""

from __future__ import annotations

import base64
import binascii
import functools
import html
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from faceaug.arrays import ByteArray
from faceaug.edit.colours import palette
from faceaug.edit.editor import TRANSFERABLE, Edited, Editor
from faceaug.edit.face import PhotoFace
from faceaug.edit.mask import read_painted
from faceaug.edit.operations import STRONGEST, Change
from faceaug.edit.picture import Picture
from faceaug.edit.upload import Limits, read_upload
from faceaug.errors import ConfigError, DatasetDamaged, FaceaugError
from faceaug.prepare.align import warp_image

from .desks import Desk, Desks
from .markup import asset, edited_url, figure, generated_url, plain_url, status, strip
from .private import sweep, take

SLIDERS: dict[str, tuple[str, str]] = {
    "Hairline": ("fringe", "forehead"),
    "Hair length": ("hair-shorter", "hair-longer"),
    "Smile": ("", "smile"),
    "Mouth": ("mouth-closed", "mouth-open"),
    "Lips": ("lips-thinner", "lips-fuller"),
    "Eyes": ("eyes-smaller", "eyes-larger"),
    "Brow height": ("brows-down", "brows-up"),
    "Brow thickness": ("brows-thinner", "brows-thicker"),
}
"""The operations as sliders: one to the left of 0 and one to its right; they are applied in this order."""

_PNG = "data:image/png;base64,"


def one_line(others: int) -> Callable[[Callable[..., tuple[Any, ...]]], Callable[..., tuple[Any, ...]]]:
    """A handler whose first output is the status line: where it fails, that tells why, and the ``others`` stay as they are."""

    def of(handler: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
        @functools.wraps(handler)
        def run(*args: Any) -> tuple[Any, ...]:
            try:
                return handler(*args)
            except FaceaugError as error:
                told = str(error).removeprefix("--")  # options are the command line's
                return (status(told, wrong=True), *[gr.skip()] * others)

        return run

    return of


def whole(number: Any, what: str) -> int:
    """A whole number that came from the page, or ConfigError."""
    try:
        found = int(number)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"{what} {number}: must be a whole number") from error
    if found != number:
        raise ConfigError(f"{what} {number}: must be a whole number")
    return found


class EditingTab:
    """The tab, and what its events do.

    Args:
        editor: with trained weights; one event at a time uses it.
        desks: what sessions hold.
        limits: of uploads.
        folder: see :func:`~faceaug.cli.web.private.private_folder`.

    Raises:
        ConfigError: two classes of the scheme have one colour.
    """

    def __init__(self, editor: Editor, desks: Desks, limits: Limits, folder: Path) -> None:
        palette(editor.scheme)
        self._editor, self._desks, self._limits, self._folder = editor, desks, limits, folder

    def build(self) -> None:
        """Lay the tab out, inside of a page."""
        with gr.Row():
            target = gr.File(label="Photo to edit", file_types=["image"], height=160)
            source = gr.File(label="Photo of another person, for transfer and swap", file_types=["image"], height=160)
            number = gr.Number(1, label="Which face to edit", info="of several; 1 is the largest", precision=0, scale=0)
        limits = self._limits
        told = f"Drop the photo to edit: up to {limits.megabytes} MB and {limits.megapixels} megapixels."
        line = gr.HTML(status(told), elem_id="editing-status")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                painter = gr.HTML(
                    None,
                    html_template=asset("painter.html"),
                    js_on_load=asset("painter.js"),
                    apply_default_css=False,
                    elem_id="painter",
                )
                result = gr.HTML("", js_on_load=asset("into_view.js"), apply_default_css=False, elem_id="result")
            with gr.Column(scale=2, min_width=320):
                with gr.Group(), gr.Row():
                    sliders = [self._slider(name) for name in SLIDERS]
                with gr.Row():
                    edit = gr.Button("Edit", variant="primary")
                    clear = gr.Button("Sliders to 0")
                who = gr.Radio([], label="Source", info="whose components or face are taken")
                people = gr.HTML("", apply_default_css=False)
                with gr.Group():
                    what = gr.CheckboxGroup(list(TRANSFERABLE), label="Components", value=["hair"])
                    transfer = gr.Button("Transfer components", variant="primary")
                with gr.Group():
                    hair = gr.Checkbox(label="Hair too")
                    swap = gr.Button("Swap the face", variant="primary")

        reading: dict[str, Any] = {"concurrency_id": "photos", "concurrency_limit": 1, "show_progress": "hidden"}
        model: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1, "show_progress_on": line}
        found = [line, painter, number, result]
        target.upload(self.read_target, [target], [line, target], api_name="read_target", **reading).then(
            self.find_target, None, found, api_name="find_target", **model
        )
        number.input(self.find_other, [number], found, api_name="find_other", trigger_mode="always_last", **model)
        source.upload(self.read_source, [source], [line, source], api_name="read_source", **reading).then(
            self.find_source, None, [line, who, people], api_name="find_source", **model
        )
        shown: dict[str, Any] = {"outputs": [line, result], **model}
        edit.click(self.edit, [painter, *sliders], api_name="edit", **shown)
        transfer.click(self.transfer, [who, what], api_name="transfer", **shown)
        swap.click(self.swap, [who, hair], api_name="swap", **shown)
        clear.click(lambda: [0.0] * len(sliders), None, sliders, api_visibility="private", queue=False)

    @staticmethod
    def _slider(name: str) -> gr.Slider:
        less, more = SLIDERS[name]
        told = f"{less} … {more}" if less else f"none … {more}"
        least = -STRONGEST if less else 0
        return gr.Slider(least, STRONGEST, 0, step=0.1, label=name, info=told, min_width=180, buttons=[])

    @one_line(1)
    def read_target(self, file: str | None, request: gr.Request) -> tuple[Any, ...]:
        """A photo to edit was sent: into memory, and its file away."""
        return self._read("target", file, request)

    @one_line(1)
    def read_source(self, file: str | None, request: gr.Request) -> tuple[Any, ...]:
        """Likewise of another person."""
        return self._read("source", file, request)

    def _read(self, kind: str, file: str | None, request: gr.Request) -> tuple[Any, ...]:
        sweep(self._folder)
        if not file:
            raise ConfigError("photo: none came; drop one")
        desk, name = self._desks.of(request.session_hash), Path(file).name
        try:
            desk.coming[kind] = name, read_upload(take(Path(file), self._folder), name, self._limits)
        except DatasetDamaged as error:
            return status(str(error), wrong=True), None  # the place to drop photos is empty again
        return status(f"{name}: looking for a face"), None

    @one_line(3)
    def find_target(self, request: gr.Request) -> tuple[Any, ...]:
        """The face of the photo that came."""
        desk = self._desks.of(request.session_hash)
        came = desk.coming.pop("target", None)
        if came is None:  # it could not be read, as the line says
            return (gr.skip(),) * 4
        return (*self._put_target(desk, came, None), 1, "")

    @one_line(3)
    def find_other(self, number: float | None, request: gr.Request) -> tuple[Any, ...]:
        """Another face of the same photo."""
        desk = self._desks.of(request.session_hash)
        if desk.photo is None or number is None:
            return (gr.skip(),) * 4
        return (*self._put_target(desk, desk.photo, whole(number, "face")), gr.skip(), "")

    def _put_target(self, desk: Desk, photo: tuple[str, Picture], number: int | None) -> tuple[Any, ...]:
        """The status line, and what the painter shows."""
        name, picture = photo
        # The user sees the mask and can paint over it: one that is not sure needs a word, no refusal.
        face = self._editor.face(picture, number=number, force=True, name=name)
        desk.put_target(face, photo)
        scheme = self._editor.scheme
        shown = {
            "face": desk.key,
            "size": self._editor.size,
            "image": plain_url(face.image),
            "labels": base64.b64encode(face.labels.tobytes()).decode(),
            "classes": [{"name": one, "colour": colour} for one, colour in zip(scheme.classes, scheme.colours, strict=True)],
        }
        height, width = picture.pixels.shape[:2]
        remark = f"; {face.remark}" if face.remark else ""
        sure = f"its mask has an expected F1 of {face.expected_f1:.2f}"
        return status(f"{name}, {width} x {height}: face found, {sure}{remark}. Paint, or move a slider."), shown

    @one_line(2)
    def find_source(self, request: gr.Request) -> tuple[Any, ...]:
        """The face of a source photo that came."""
        desk = self._desks.of(request.session_hash)
        came = desk.coming.pop("source", None)
        if came is None:
            return (gr.skip(),) * 3
        name, picture = came
        face = self._editor.face(picture, force=True, name=name)
        desk.add_source(face)
        names = list(desk.sources)
        shown = strip([figure(plain_url(one.image), one.name) for one in desk.sources.values()])
        remark = f"; {face.remark}" if face.remark else ""
        return status(f"{name}: a source now{remark}."), gr.Radio(choices=names, value=name), shown

    @one_line(1)
    def edit(self, painted: Any, request: gr.Request, *strengths: float) -> tuple[Any, ...]:
        """The target on its changed mask."""
        desk, face = self._target(request)
        mask = self._painted(desk, face, painted)
        changes = [
            Change(names[value > 0], abs(value)) for names, value in zip(SLIDERS.values(), strengths, strict=True) if value
        ]
        if mask is None and not changes:
            raise ConfigError("edit: nothing to change; paint on the mask, or move a slider")
        return self._shown(desk, lambda: self._editor.edit(face, changes, mask=mask))

    @one_line(1)
    def transfer(self, who: str | None, what: list[str], request: gr.Request) -> tuple[Any, ...]:
        """Components of a source."""
        desk, face = self._target(request)
        other = self._source(desk, who)
        if not what:
            raise ConfigError("transfer: no component is chosen; choose one or more")
        return self._shown(desk, lambda: self._editor.transfer(face, other, what))

    @one_line(1)
    def swap(self, who: str | None, hair: bool, request: gr.Request) -> tuple[Any, ...]:
        """A source's look."""
        desk, face = self._target(request)
        other = self._source(desk, who)
        return self._shown(desk, lambda: self._editor.swap(face, other, hair=hair))

    def _target(self, request: gr.Request) -> tuple[Desk, PhotoFace]:
        desk = self._desks.of(request.session_hash)
        if desk.target is None:
            raise ConfigError("photo: there is none to edit; drop one first")
        return desk, desk.target

    @staticmethod
    def _source(desk: Desk, who: str | None) -> PhotoFace:
        if who is None or who not in desk.sources:
            raise ConfigError("source: none is chosen; drop a photo of another person first")
        return desk.sources[who]

    @staticmethod
    def _painted(desk: Desk, face: PhotoFace, painted: Any) -> ByteArray | None:
        """The mask that was painted over the target; None where it is still the predicted one."""
        given = painted.get("mask") if isinstance(painted, dict) and painted.get("face") == desk.key else None
        if not given:
            return None
        if not isinstance(given, str) or not given.startswith(_PNG):
            raise ConfigError("mask: must be a PNG; paint on it again")
        try:
            data = base64.b64decode(given.removeprefix(_PNG), validate=True)
        except binascii.Error as error:
            raise ConfigError("mask: cannot be decoded; paint on it again") from error
        mask = read_painted(data, face)
        return None if (mask == face.labels).all() else mask

    def _shown(self, desk: Desk, work: Callable[[], Edited]) -> tuple[Any, ...]:
        """The status line and the result of an edit."""
        began = time.monotonic()
        edited = work()
        desk.put_result(edited)
        face, scheme = edited.face, self._editor.scheme
        inside = warp_image(edited.pixels, face.place.matrix, self._editor.size)
        steps = [figure(plain_url(face.image), "before")]
        if edited.other is not None:
            steps.append(figure(plain_url(edited.other.image), f"source: {edited.other.name}"))
        steps += [
            figure(plain_url(scheme.colour(edited.labels)), "mask", kind="mask"),
            figure(generated_url(edited.generated), "generated"),
            figure(edited_url(inside), "in the photo"),
        ]
        link = f'<a class="download" href="result/{desk.token}" download>Download {html.escape(face.name)}, edited, as PNG</a>'
        photo = figure(edited_url(edited.pixels), f"{face.name}, edited", kind="photo")
        return status(f"Done in {time.monotonic() - began:.2f} seconds."), f"{strip(steps)}{link}{photo}"
