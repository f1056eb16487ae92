"""A model's card, ``README.md``: what it is, what it was trained on, what it may be used for, how to load it."""

from __future__ import annotations

import json
from typing import Any

from faceaug.config import from_dict
from faceaug.gan.config import VARIANTS, GeneratorConfig
from faceaug.labels import Scheme
from faceaug.markdown import LABEL_HEADER, front_matter, label_rows, table
from faceaug.parser.config import ARCHITECTURES, ParserConfig


def model_card(about: dict[str, Any], name: str) -> str:
    """The text of a card.

    Args:
        about: what ``config.json`` holds, see :func:`faceaug.export.hub.read_about`.
        name: OWNER/NAME of a repository, or a folder's.
    """
    config = about["config"]
    if about["kind"] == "parser":
        parser = from_dict(ParserConfig, config["parser"], where=name)
        what, scheme, use, reading = _parser(parser), parser.scheme, _PARSER_USE, _PARSER_READING
        head = _head("image-segmentation", ("face-parsing", "faces", scheme.name))
    else:
        generator = from_dict(GeneratorConfig, config["generator"], where=name)
        what, scheme, use, reading = _generator(generator), generator.scheme, _GENERATOR_USE, _GENERATOR_READING
        head = _head("image-to-image", ("faces", "face-parsing", "ai-generated", "synthetic-media", scheme.name))
    facts = f"{what} SHA-256 of its weights and shape: `{about['hash']}`; written by faceaug {about.get('faceaug', 'unknown')}."
    parts = [head, f"# {name.rpartition('/')[2]}", facts, _training(config), _score(about), _labels(scheme), use]
    return "\n\n".join(part for part in [*parts, reading.format(name=json.dumps(name)), _LICENCE] if part) + "\n"


def _head(task: str, tags: tuple[str, ...]) -> str:
    # What the licence is depends on the photos: whoever publishes fills it in.
    lines = ["library_name: faceaug", f"pipeline_tag: {task}", "license: other", "license_name: to-be-filled-in"]
    return front_matter(lines, tags)


def _parser(config: ParserConfig) -> str:
    began = ", which began from ImageNet weights" if config.pretrained else ""
    return (
        f"A face parser: from photos of aligned faces, {config.size} × {config.size} pixels, to label maps of "
        f"{len(config.scheme)} classes ({config.scheme.name}). The network is {ARCHITECTURES[config.architecture]}; its encoder "
        f"is {config.encoder}{began}."
    )


def _generator(config: GeneratorConfig) -> str:
    return (
        f"A generator of labelled faces: a face of {config.size} × {config.size} pixels with the label map "
        f"({config.scheme.name}, {len(config.scheme)} classes) and the background of one photo and the look of another. Variant "
        f"`{config.variant}`, {VARIANTS[config.variant]}; {config.width} channels at full resolution."
    )


def _training(config: dict[str, Any]) -> str:
    """Data and length of the training, as far as the run recorded them."""
    data = config.get("data") or {}
    sets = {"training": data} if "title" in data else {{"faces": "training"}.get(role, role): one for role, one in data.items()}
    sets |= {f"addition: {name}": one for name, one in (config.get("additions") or {}).items()}
    rows = [(role, one.get("title", ""), f"{one.get('count', 0):,}", f"`{one.get('sha256', '')}`") for role, one in sets.items()]
    how = config.get("training") or {}
    length = f"{how['images']:,} images seen, in batches of {how['batch']}, seed {how['seed']}." if "images" in how else ""
    parts = [table(("role", "faces of", "count", "SHA-256"), rows) if rows else "", length]
    text = "\n\n".join(part for part in parts if part)
    return f"## Training\n\n{text or 'Not recorded.'}"


def _score(about: dict[str, Any]) -> str:
    score = about.get("score")
    if not score or "mean_f1" not in score:
        return "## Score\n\nNone was measured in training." if about["kind"] == "gan" else "## Score\n\nNot recorded."
    names = {"mean_f1": "mean F1", "helen_overall": "Helen overall F1", "mean_iou": "mean IoU"}
    rows = [(label, f"{score[key]:.4f}") for key, label in names.items() if score.get(key) is not None]
    when = f", after {score['images']:,} images" if "images" in score else ""
    return f"## Score\n\nOn the tuning faces, which chose this state{when}:\n\n" + table(("score", "value"), rows)


def _labels(scheme: Scheme) -> str:
    return f"## Labels: {scheme.name}\n\n" + table(LABEL_HEADER, label_rows(scheme))


_PARSER_USE = """## Use and limits

For label maps of aligned faces, such as `faceaug prepare` makes, and for judging and training generators of labelled faces. **Not
for face recognition or identification of people**, nor for decisions about them. How good it is on faces unlike those it was
trained on (pose, age, skin tone, glasses, photo quality) is not known: measure it on your own. Other sizes are resized."""

_GENERATOR_USE = """## Use and limits

For faces that train face parsers. **What it generates is synthetic media** and should be marked so, as `faceaug generate` does.
**Not for face recognition, identification, or pictures that pass for photos of real people**: a generated face has the pixels and
colours of a real photo's face. It keeps the biases of the photos it was trained on; the label map is followed approximately."""

_PARSER_READING = """## Loading

```python
from faceaug import from_pretrained
from faceaug.parser.predict import predict_labels

parser = from_pretrained({name})  # a folder, or OWNER/NAME
labels = predict_labels(parser, photos)  # (N, S, S, 3) uint8 RGB, aligned, to (N, S, S) uint8
```

Commands take the folder too: `faceaug parse PHOTOS --parser FOLDER --out labels`."""

_GENERATOR_READING = """## Loading

```python
from faceaug import from_pretrained

generator = from_pretrained({name})  # a folder, or OWNER/NAME
look = generator.encode(sources, source_labels)  # (N, S, S, 3) and (N, S, S) uint8, aligned; once for any number of targets
faces = generator.generate(look, targets, target_labels)  # (N, S, S, 3) uint8
```

Commands take the folder too: `faceaug generate --generator FOLDER`."""

_LICENCE = """## Licence

To be filled in. Weights derive from the photos that they were trained on: the licences of these hold for them too."""
