import pytest
from faceaug.datasets.celeba import CelebA

from faceaug.gan.inference import load_generator
from faceaug.imagenet import ImageFeatures
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.prepare.faces import align


@pytest.fixture(scope="package")
def ready(trained, drawn, faces, compute):
    """What evaluate() takes between the folder and the configuration."""
    generator, parser = load_generator(trained.gan, compute), load_parser(trained.parser, compute)
    photos = align(CelebA(drawn / "celeba"), size=64).select(range(10))
    labelled = photos.with_labels(predict_labels(parser, photos.images))
    return generator, faces.select([0, 1, 2, 3]), labelled, faces, parser, ImageFeatures(compute)
