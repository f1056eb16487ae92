"""One HTML file that shows a whole run: pictures inside it, nothing to load from elsewhere."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faceaug.files import write_text

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
img { max-width: 100%; border-radius: 4px; } code, pre { background: #f4f4f2; border-radius: 4px; padding: .1em .3em; }
pre { padding: .8em; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; } table { border-collapse: collapse; }
.wide { overflow-x: auto; margin: 1em 0; } .large { min-width: 640px; }
td, th { padding: .3em .8em; border: 1px solid #ddd; }
"""


_LARGE = 640
"""Pictures wider than this, in pixels, are not shown smaller: on a phone they are moved sideways."""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        title: its heading.
        text: paragraphs, plain text.
        pictures: PNG files, embedded.
        table: rows of cells, the first is the head.
        code: commands, shown as they are.
    """

    title: str
    text: Sequence[str] = ()
    pictures: Sequence[Path] = ()
    table: Sequence[Sequence[str]] = ()
    code: str = ""


def write_page(path: Path, title: str, sections: Sequence[Section]) -> None:
    """Write the page atomically.

    Args:
        path: ``*.html``.
        title: heading and window title.
        sections: from top to bottom.
    """
    body = "\n".join(_section(section) for section in sections)
    shown = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f"{shown}<title>{html.escape(title)}</title><style>{_STYLE}</style>"
    write_text(
        path,
        f"<!doctype html><html lang=en><head>{head}</head><body><h1>{html.escape(title)}</h1>{body}</body></html>\n",
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    parts += [f"<p>{html.escape(text)}</p>" for text in section.text]
    if section.table:
        head, *rows = section.table
        parts.append("<div class=wide><table><tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>")
        parts += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
        parts.append("</table></div>")
    for picture in section.pictures:
        content = picture.read_bytes()
        wide = " class=large" if int.from_bytes(content[16:20], "big") > _LARGE else ""  # the width in a PNG's header
        shown = f'<img{wide} alt="{html.escape(picture.stem)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
        parts.append(f"<div class=wide>{shown}</div>")
    if section.code:
        parts.append(f"<pre>{html.escape(section.code)}</pre>")
    return "\n".join(parts)
