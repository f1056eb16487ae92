import pytest

from faceaug.gan.config import PRESETS
from faceaug.gan.shapes import describe
from faceaug.parser.config import ParserConfig
from faceaug.parser.network import build_parser


@pytest.mark.parametrize("preset", ["tiny", "paper"])
def test_every_part_is_described(preset):
    generator, training = PRESETS[preset]
    text = describe(generator, training, build_parser(ParserConfig(size=generator.size), weights=False))
    for part in ("E_local  left eye", "G_local  hair", "features mouth", "E_m", "9 residual blocks", "G_b", "D paired", "P_F"):
        assert part in text
    golden = {"tiny": "3.09 M", "paper": "12.28 M"}  # E_m + G_m + E_b + G_b
    assert golden[preset] in text
    assert "0.58 M" in text  # one discriminator on features
