from __future__ import annotations

import pytest
from faceaug.datasets.celeba import CelebA

from faceaug.gan.inference import load_generator
from faceaug.generate.run import Inputs
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.prepare.faces import align


@pytest.fixture(scope="session")
def photos(drawn):
    """Drawn source photos."""
    return align(CelebA(drawn / "celeba"), size=64)


@pytest.fixture(scope="session")
def ready(trained, photos, faces, compute):
    """What a set is generated from: hardly trained networks, drawn faces."""
    generator, parser = load_generator(trained.gan, compute), load_parser(trained.parser, compute)
    return Inputs(faces, photos.with_labels(predict_labels(parser, photos.images)), generator, parser, parser)
