"""What tells machines that a picture was made by a model: IPTC's digital source type, in PNG and JPEG files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from faceaug.arrays import ByteArray
from faceaug.labels import IGNORE, Scheme

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for media that a trained model made."""

XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="faceaug">'
    f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
"""The mark as an XMP packet."""

_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"


def marked_png(image: ByteArray, *, palette: Scheme | None = None) -> bytes:
    """A PNG file with the mark, in XMP and as the text ``ai_generated``.

    Args:
        image: ``(H, W, 3)`` RGB, or ``(H, W)`` of label numbers.
        palette: show label numbers in this scheme's colours; the file holds the numbers all the same.
    """
    picture = Image.fromarray(np.ascontiguousarray(image))
    options: dict[str, Any] = {}
    if palette is not None:
        picture.putpalette(palette.colour(np.arange(256, dtype=np.uint8)).tobytes())
        options["transparency"] = IGNORE
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP)
    texts.add_text("ai_generated", "true")
    data = io.BytesIO()
    picture.save(data, format="PNG", pnginfo=texts, compress_level=6, **options)
    return data.getvalue()


def marked_jpeg(image: ByteArray, *, quality: int = 95) -> bytes:
    """A JPEG file of ``(H, W, 3)`` RGB with the mark in XMP; colours are kept at full resolution."""
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(data, format="JPEG", quality=quality, subsampling=0)
    # Pillow writes XMP from release 11 on; the segment follows the start of the file and JFIF's own.
    packet = _XMP_IN_JPEG + XMP.encode()
    whole = data.getvalue()
    behind = 4 + int.from_bytes(whole[4:6], "big")
    return whole[:behind] + b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet + whole[behind:]
