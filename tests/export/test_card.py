import dataclasses

import pytest
from small import GENERATOR, PARSER

from faceaug.config import to_dict
from faceaug.export.card import model_card
from faceaug.export.hub import read_about, save_pretrained


def _head(text):
    return text.split("---\n")[1].splitlines()


def test_a_parsers_card(trained, tmp_path):
    folder = save_pretrained(trained.parser, tmp_path / "mine")
    text, about = (folder / "README.md").read_text(), read_about(folder)
    head = _head(text)
    for line in ("library_name: faceaug", "pipeline_tag: image-segmentation", "license: other", '- "helen-11"'):
        assert line in head
    for told in (
        "# mine\n",
        "64 × 64 pixels",
        "a U-Net; its encoder is mobilenet_v2",
        f"`{about['hash']}`",
        f"| training | drawn faces | 12 | `{about['config']['data']['faces']['sha256']}` |",
        "| tuning | drawn faces | 2 |",
        "8 images seen, in batches of 4, seed 0.",
        f"| mean F1 | {about['score']['mean_f1']:.4f} |",
        "| 2 | left_brow | #7a4a28 | right_brow |",
        "Not\nfor face recognition",
        'parser = from_pretrained("mine")',
        "## Licence",
    ):
        assert told in text


def test_a_generators_card(trained, tmp_path):
    text = (save_pretrained(trained.gan, tmp_path / "mine") / "README.md").read_text()
    head = _head(text)
    for line in ("pipeline_tag: image-to-image", '- "ai-generated"', '- "synthetic-media"'):
        assert line in head
    for told in ("Variant `full`, the framework", "| training | drawn faces | 12 |", "None was measured", "is synthetic media"):
        assert told in text


@pytest.mark.parametrize(("kind", "section", "config"), [("parser", "parser", PARSER), ("gan", "generator", GENERATOR)])
def test_a_card_does_with_what_was_recorded(kind, section, config):
    about = {"kind": kind, "hash": "h", "score": None, "config": {section: to_dict(config)}}
    text = model_card(about, "me/x")
    assert "## Training\n\nNot recorded." in text
    assert 'from_pretrained("me/x")' in text
    about["config"]["data"] = {"title": "a | b", "count": 1234}
    about["config"]["additions"] = {"more": {"title": "c", "count": 5, "sha256": "s"}}
    if kind == "parser":
        about["config"]["parser"] = to_dict(dataclasses.replace(config, encoder="efficientnet-lite0", pretrained=True))
    text = model_card(about, "me/x")
    assert "| training | a \\| b | 1,234 |" in text
    assert "| addition: more | c | 5 | `s` |" in text
    assert ("began from ImageNet weights" in text) == (kind == "parser")
