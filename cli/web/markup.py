"""Pieces of the page's HTML; every text in them is escaped."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from faceaug.arrays import ByteArray
from faceaug.marks import EDITED, marked_jpeg, marked_png, with_jpeg_mark

_LONGEST = 1200
"""Longer side of a photo that is shown, in pixels."""


def asset(name: str) -> str:
    """A script, style or template of the page."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def url(data: bytes, kind: str) -> str:
    """A file as an address that holds it: nothing is stored for it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def plain_url(image: ByteArray) -> str:
    """A photo's own pixels, ``(H, W, 3)`` or ``(H, W)``, as PNG."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(data, format="PNG", compress_level=3)
    return url(data.getvalue(), "png")


def generated_url(image: ByteArray, *, exact: bool = False) -> str:
    """A generated face ``(H, W, 3)`` with its mark, as JPEG, or as PNG of the very pixels."""
    return url(marked_png(image), "png") if exact else url(marked_jpeg(image, quality=90), "jpeg")


def edited_url(image: ByteArray) -> str:
    """An edited photo ``(H, W, 3)`` with its mark as JPEG, made smaller where it is large."""
    scale = min(_LONGEST / max(image.shape[:2]), 1)
    side = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    shown = cv2.resize(image, side, interpolation=cv2.INTER_AREA) if scale < 1 else image
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown, dtype=np.uint8)).save(data, format="JPEG", quality=90)
    return url(with_jpeg_mark(data.getvalue(), EDITED), "jpeg")


def status(text: str, *, wrong: bool = False) -> str:
    """A line about what happened; screen readers say it."""
    role, kind = ("alert", "wrong") if wrong else ("status", "right")
    return f'<p role="{role}" class="told {kind}">{html.escape(" ".join(text.split()))}</p>'


def figure(address: str, caption: str, *, kind: str = "") -> str:
    """A picture with a caption, which is its description too."""
    told = html.escape(caption)
    return f'<figure class="{kind}"><img src="{address}" alt="{told}"><figcaption>{told}</figcaption></figure>'


def strip(figures: Sequence[str]) -> str:
    """Figures side by side."""
    return f'<div class="strip">{"".join(figures)}</div>'
