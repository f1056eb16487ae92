import numpy as np
import pytest
import torch

from faceaug.errors import CheckpointMismatch
from faceaug.gan.inference import load_generator
from faceaug.gan.network import Look


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_how_many_are_generated_at_once_changes_nothing(trained, faces, precision):
    from faceaug.compute.device import Compute

    generator = load_generator(trained.gan, Compute(torch.device("cpu"), precision))
    images, labels = faces.images[:5], faces.labels[:5]
    look = generator.encode(images, labels)
    alone = Look.join([generator.encode(images[i : i + 1], labels[i : i + 1]) for i in range(5)])
    assert torch.equal(look.codes, alone.codes)
    assert torch.equal(look.image, alone.image)
    assert torch.equal(look.anatomy, alone.anatomy)
    turned = look[[4, 3, 2, 1, 0]]
    together = generator.generate(turned, images, labels)
    single = np.concatenate([generator.generate(turned[i : i + 1], images[i : i + 1], labels[i : i + 1]) for i in range(5)])
    assert (together == single).all()


def test_weights_of_another_kind_are_refused(trained, compute):
    with pytest.raises(CheckpointMismatch, match="kind is 'parser', needed 'gan'"):
        load_generator(trained.parser, compute)
