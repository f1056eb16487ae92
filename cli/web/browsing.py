"""The tab for looking through a set of generated faces: filters, pages, a face's provenance, and a list of dropped rows."""

from __future__ import annotations

import html
import json
import math
from typing import Any

import gradio as gr
import numpy as np

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import ConfigError
from faceaug.labels import IGNORE
from faceaug.shards.columns import COLUMNS
from faceaug.shards.dropped import DropFile
from faceaug.shards.filters import RowFinder, Wanted, parse_conditions
from faceaug.shards.reader import ShardReader

from .editing import one_line, whole
from .markup import asset, figure, generated_url, plain_url, status, strip

LENGTHS = (12, 24, 48, 96)
"""Faces a page."""

VIEWS = ("faces", "masks", "masks over faces")
LEFT = ("all", "not dropped", "dropped")


class BrowsingTab:
    """The tab, and what its events do.

    Args:
        reader: of the set.
        drops: the list of its dropped rows.
    """

    def __init__(self, reader: ShardReader, drops: DropFile) -> None:
        self._reader, self._drops, self._finder = reader, drops, RowFinder(reader)

    def build(self, page: gr.Blocks) -> None:
        """Lay the tab out, inside of a page."""
        with gr.Accordion("Filters", open=False):
            texts, choices = self._build_filters()
            apply = gr.Button("Apply filters", variant="primary")
        line = gr.HTML("", elem_id="browsing-status")
        with gr.Row():
            with gr.Column(scale=3, min_width=320):
                grid = gr.HTML("", js_on_load=asset("grid.js"), apply_default_css=False, elem_id="grid")
                with gr.Row(elem_classes="pager"):
                    previous = gr.Button("Previous", min_width=80)
                    number = gr.Number(1, label="Page", precision=0, min_width=80)
                    following = gr.Button("Next", min_width=80)
            with gr.Column(scale=2, min_width=320):
                with gr.Row(elem_classes="pager"):
                    row = gr.Number(None, label="Row", precision=0, min_width=60)
                    look = gr.Button("Show", min_width=60)
                    drop = gr.Button("Drop", min_width=60)
                    keep = gr.Button("Keep", min_width=60)
                detail = gr.HTML("", js_on_load=asset("into_view.js"), apply_default_css=False, elem_id="detail")

        once: dict[str, Any] = {"concurrency_id": "shards", "concurrency_limit": 1, "show_progress": "minimal"}
        given = [number, *texts, *choices]
        turned: dict[str, Any] = {"inputs": given, "outputs": [line, grid, number], **once}
        changed: dict[str, Any] = {"inputs": [row, *given], "outputs": [line, grid, number, detail], **once}
        looked: dict[str, Any] = {"outputs": [line, detail, row], **once}
        filtered = [page.load, apply.click, *(one.submit for one in texts), *(one.change for one in choices)]
        gr.on(filtered, self.first_page, api_name="first_page", trigger_mode="always_last", **turned)
        number.submit(self.page, api_name="page", **turned)
        previous.click(self.previous_page, api_name="previous_page", **turned)
        following.click(self.next_page, api_name="next_page", **turned)
        gr.on([row.submit, look.click], self.row, [row], api_name="row", **looked)
        drop.click(self.drop, api_name="drop", **changed)
        keep.click(self.keep, api_name="keep", **changed)
        grid.show(self.pressed_row, api_visibility="private", **looked)
        grid.toggle(self.toggle, api_visibility="private", **changed)

    def _build_filters(self) -> tuple[list[Any], list[Any]]:
        """The filters that are typed, and those that are chosen, in the order in which handlers get them."""
        columns = ", ".join(self._reader.columns)
        told = f"for example agreement >= 0.8, params ~ smile. Columns: {columns}"
        with gr.Row():
            target = gr.Textbox(label="Target's name has", max_lines=1, min_width=160)
            source = gr.Textbox(label="Source's name has", max_lines=1, min_width=160)
            least = gr.Number(0, label="Agreement from", step=0.01, min_width=110)
            most = gr.Number(1, label="Agreement to", step=0.01, min_width=110)
        with gr.Row():
            conditions = gr.Textbox(label="Conditions on columns", info=told, max_lines=1, min_width=300)
            names = list(self._reader.scheme.classes)
            classes = gr.Dropdown(names, label="The mask has all of", multiselect=True, min_width=240)
        with gr.Row():
            left = gr.Radio(list(LEFT), value=LEFT[0], label="Rows", min_width=200)
            view = gr.Radio(list(VIEWS), value=VIEWS[0], label="Show", min_width=200)
            length = gr.Radio(list(LENGTHS), value=LENGTHS[1], label="Faces a page", min_width=200)
        return [target, source, least, most, conditions], [classes, left, view, length]

    @one_line(2)
    def first_page(self, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """The first page of what the filters leave."""
        return self._page(0, filters)

    @one_line(2)
    def page(self, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """The page of a number, counted from 1."""
        return self._page(_counted(number) - 1, filters)

    @one_line(2)
    def previous_page(self, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """The page before."""
        return self._page(_counted(number) - 2, filters)

    @one_line(2)
    def next_page(self, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """The page behind."""
        return self._page(_counted(number), filters)

    @one_line(2)
    def row(self, row: float | None) -> tuple[Any, ...]:
        """All that is known of a row."""
        return gr.skip(), self._detail(self._number(row)), gr.skip()

    @one_line(2)
    def pressed_row(self, event: gr.EventData) -> tuple[Any, ...]:
        """Likewise of the one that was pressed."""
        row = self._number(getattr(event, "row", None))
        return gr.skip(), self._detail(row), row

    @one_line(3)
    def drop(self, row: float | None, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """A row onto the list of dropped ones."""
        chosen = self._number(row)
        self._drops.change(drop=[chosen])
        return (*self._page(_counted(number) - 1, filters), self._detail(chosen))

    @one_line(3)
    def keep(self, row: float | None, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """A row off the list."""
        chosen = self._number(row)
        self._drops.change(keep=[chosen])
        return (*self._page(_counted(number) - 1, filters), self._detail(chosen))

    @one_line(3)
    def toggle(self, event: gr.EventData, row: float | None, number: float | None, *filters: Any) -> tuple[Any, ...]:
        """The row that was pressed onto the list, or off it where it is on it."""
        pressed = self._number(getattr(event, "row", None))
        if pressed in self._drops.read().rows:
            self._drops.change(keep=[pressed])
        else:
            self._drops.change(drop=[pressed])
        return (*self._page(_counted(number) - 1, filters), self._detail(pressed) if row == pressed else gr.skip())

    def _number(self, row: Any) -> int:
        found = -1 if row is None else whole(row, "row")
        if not 0 <= found < len(self._reader):
            raise ConfigError(f"row {'' if row is None else found}: name one from 0 to {len(self._reader) - 1}")
        return found

    def _rows(self, dropped: set[int], filters: tuple[Any, ...]) -> IntArray:
        """What the filters leave."""
        target, source, least, most, conditions, classes, left, *_ = filters
        scheme = self._reader.scheme
        if least is not None and most is not None and not least <= most:
            raise ConfigError(f"agreement from {least:g} to {most:g}: the first must not be larger")
        wanted = Wanted(
            (target or "").strip(),
            (source or "").strip(),
            tuple(scheme.classes.index(name) for name in classes or ()),
            (
                least if least is not None and least > 0 else None,
                most if most is not None and most < 1 else None,
            ),  # 0 to 1: unmeasured ones too
            parse_conditions(conditions or ""),
        )
        rows = self._finder.find(wanted)
        if left == LEFT[0]:
            return rows
        return rows[np.isin(rows, sorted(dropped), invert=left == LEFT[1])]

    def _page(self, number: int, filters: tuple[Any, ...]) -> tuple[Any, ...]:
        """The status line, the grid of a page counted from 0, and the page's number for people; the nearest one that there is."""
        *_, view, length = filters
        dropped = set(self._drops.read().rows)
        rows = self._rows(dropped, filters)
        pages = max(math.ceil(len(rows) / length), 1)
        number = min(max(number, 0), pages - 1)
        shown = rows[number * length : (number + 1) * length].tolist()
        agreements = self._reader.rows("agreement", shown).tolist()
        names = [self._reader.rows(name, shown).tolist() for name in ("target", "source")]
        cells = [
            self._cell(row, agreement, target, source, view, dropped=row in dropped)
            for row, agreement, target, source in zip(shown, agreements, *names, strict=True)
        ]
        listed = f"{len(dropped):,} dropped, listed in {self._drops.path}" if dropped else "none dropped"
        told = f"{len(rows):,} of {len(self._reader):,} faces, page {number + 1} of {pages}; {listed}"
        return status(told), f'<div class="cells">{"".join(cells)}</div>', number + 1

    def _cell(self, row: int, agreement: float, target: str, source: str, view: str, *, dropped: bool) -> str:
        fit = "unmeasured" if math.isnan(agreement) else f"{agreement:.3f}"
        told = html.escape(f"Row {row}: agreement {fit}, target {target}, source {source}")
        return (
            f'<div class="cell{" dropped" if dropped else ""}">'
            f'<button type="button" class="face" data-does="show" data-row="{row}" aria-label="{told}" title="{told}">'
            f'<img src="{self._picture(row, view)}" alt=""></button>'
            f"<div><span>{row} · {fit}</span>"
            f'<button type="button" data-does="drop" data-row="{row}" aria-pressed="{str(dropped).lower()}" '
            f'aria-label="Drop row {row}">{"dropped" if dropped else "drop"}</button></div></div>'
        )

    def _picture(self, row: int, view: str) -> str:
        image, labels = self._reader.face(row)
        if view == VIEWS[1]:
            return plain_url(self._reader.scheme.colour(labels))
        return generated_url(image if view == VIEWS[0] else self._over(image, labels))

    def _over(self, image: ByteArray, labels: ByteArray) -> ByteArray:
        """A mask half transparent over its face."""
        colours = self._reader.scheme.colour(labels)
        return ((image.astype(np.uint16) + colours) // 2).astype(np.uint8)

    def _detail(self, row: int) -> str:
        """Picture, mask, and all that is known of a row."""
        (image, labels), about, scheme = self._reader.face(row), self._reader.about(row), self._reader.scheme
        figures = [
            figure(generated_url(image, exact=True), f"row {row}"),
            figure(plain_url(scheme.colour(labels)), "mask", kind="mask"),
            figure(generated_url(self._over(image, labels)), "mask over the face"),
        ]
        counts = np.bincount(labels.ravel(), minlength=256)
        names = {**dict(enumerate(scheme.classes)), IGNORE: "unlabelled"}
        legend = "".join(
            f'<li><span class="swatch" style="background:rgb{tuple(map(int, scheme.colour(np.uint8(label))))}"></span>'  # type: ignore[arg-type]
            f"{html.escape(name)} {counts[label] / labels.size:.1%}</li>"
            for label, name in names.items()
            if counts[label]
        )
        dropped = "yes" if row in self._drops.read().rows else "no"
        values = {"position in the set": row, "dropped": dropped, **about}
        table = "".join(
            f'<tr><th scope=row title="{html.escape(_about(name))}">{html.escape(name)}</th><td>{_shown(name, value)}</td></tr>'
            for name, value in values.items()
        )
        return f'{strip(figures)}<ul class="legend">{legend}</ul><div class="wide"><table>{table}</table></div>'


def _counted(number: Any) -> int:
    """A page's number, counted from 1; the first where none is given."""
    return whole(number or 1, "page")


def _about(name: str) -> str:
    """What a column holds, as far as it is known."""
    return COLUMNS[name].about if name in COLUMNS else ""


def _shown(name: str, value: Any) -> str:
    """A column's value as HTML."""
    if isinstance(value, dict):
        return f"<pre>{html.escape(json.dumps(value, indent=2))}</pre>"
    unknown = name in COLUMNS and not COLUMNS[name].required and value == COLUMNS[name].missing
    if unknown or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    if isinstance(value, float):
        return f"{value:.4f}"
    return html.escape(str(value.tolist() if isinstance(value, np.ndarray) else value))
