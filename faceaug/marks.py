"""What tells machines that a picture was made or changed by a model: IPTC's digital source type, in PNG and JPEG files."""

from __future__ import annotations

import html
import io
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from faceaug.arrays import ByteArray
from faceaug.labels import IGNORE, Scheme

_TERMS = "http://cv.iptc.org/newscodes/digitalsourcetype/"

SOURCE_TYPE = f"{_TERMS}trainedAlgorithmicMedia"
"""IPTC's term for media that a trained model made."""

EDITED = f"{_TERMS}compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a photo of which a trained model made a part."""

_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"


def xmp(source_type: str, trained_on: str = "") -> str:
    """A mark as an XMP packet.

    Args:
        source_type: :data:`SOURCE_TYPE` or :data:`EDITED`.
        trained_on: which faces the model was trained on, for people.
    """
    tool = html.escape(_tool(trained_on))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="'
        f'{tool}">'
        f"<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def _tool(trained_on: str) -> str:
    return f"faceaug, a model of {trained_on}" if trained_on else "faceaug"


def png_texts(source_type: str, trained_on: str = "") -> PngImagePlugin.PngInfo:
    """The texts of a PNG file with a mark, in XMP and in words."""
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp(source_type, trained_on))
    texts.add_itxt("Software", _tool(trained_on))
    texts.add_text("ai_edited" if source_type == EDITED else "ai_generated", "true")
    return texts


def with_jpeg_mark(data: bytes, source_type: str, trained_on: str = "") -> bytes:
    """A JPEG file with a mark in XMP; Pillow writes XMP from release 11 on.

    Args:
        data: a JPEG file without XMP.
        source_type: see :func:`xmp`.
        trained_on: likewise.
    """
    packet = _XMP_IN_JPEG + xmp(source_type, trained_on).encode()
    behind = 4 + int.from_bytes(data[4:6], "big")  # the segment follows the start of the file and its first one, JFIF's or EXIF's
    return data[:behind] + b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet + data[behind:]


def marked_png(image: ByteArray, *, palette: Scheme | None = None, trained_on: str = "") -> bytes:
    """A PNG file of a generated face with the mark.

    Args:
        image: ``(H, W, 3)`` RGB, or ``(H, W)`` of label numbers.
        palette: show label numbers in this scheme's colours; the file holds the numbers all the same.
        trained_on: see :func:`xmp`.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    options: dict[str, Any] = {}
    if palette is not None:
        picture.putpalette(palette.colour(np.arange(256, dtype=np.uint8)).tobytes())
        options["transparency"] = IGNORE
    data = io.BytesIO()
    picture.save(data, format="PNG", pnginfo=png_texts(SOURCE_TYPE, trained_on), compress_level=6, **options)
    return data.getvalue()


def marked_jpeg(image: ByteArray, *, quality: int = 95) -> bytes:
    """A JPEG file of ``(H, W, 3)`` RGB, a generated face, with the mark; colours are kept at full resolution."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(data, format="JPEG", quality=quality, subsampling=0)
    return with_jpeg_mark(data.getvalue(), SOURCE_TYPE)
