"""Pieces of the cards that go with what is published: tables, and the head that hubs read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from faceaug.labels import Scheme


def front_matter(lines: Sequence[str], tags: Sequence[str], *, last: Sequence[str] = ()) -> str:
    """A card's YAML head: lines, a list of tags, further lines."""
    # JSON's strings are YAML's too, whatever is in them.
    return "\n".join(["---", *lines, "tags:", *(f"- {json.dumps(tag)}" for tag in tags), *last, "---"])


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of a header and rows of as many cells."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


LABEL_HEADER = ("label", "class", "colour", "class in the mirrored image")


def label_rows(scheme: Scheme) -> list[tuple[str, str, str, str]]:
    """A scheme's classes, in the columns of :data:`LABEL_HEADER`."""
    return [
        (str(label), name, "#{:02x}{:02x}{:02x}".format(*scheme.colours[label]), scheme.classes[scheme.mirror[label]])
        for label, name in enumerate(scheme.classes)
    ]


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
