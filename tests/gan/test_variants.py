import dataclasses

import numpy as np
import pytest
import torch
from small import GENERATOR, PARSER

from faceaug.errors import ConfigError
from faceaug.gan.batches import Batches
from faceaug.gan.config import VARIANTS, GeneratorConfig, TrainingConfig
from faceaug.gan.inference import load_generator
from faceaug.gan.shapes import describe
from faceaug.gan.step import Networks, gan_gradients
from faceaug.gan.train import fit_gan
from faceaug.gan.variants import build_generator
from faceaug.parser.network import build_parser

OTHERS = [name for name in VARIANTS if name != "full"]
TRAINING = TrainingConfig(images=16, batch=4, seed=3, discriminator="patch")


def _config(variant):
    return dataclasses.replace(GENERATOR, variant=variant)


@pytest.fixture
def batch(faces):
    images = torch.from_numpy(faces.images[:3]).permute(0, 3, 1, 2).float() / 127.5 - 1
    labels = torch.from_numpy(faces.labels[:3].copy())
    labels[labels == 255] = 0
    return images, labels


@pytest.mark.parametrize("variant", OTHERS)
def test_the_background_is_pasted_and_nothing_else_of_the_target_is_seen(variant, batch):
    images, labels = batch
    generator = build_generator(_config(variant)).eval().requires_grad_(False)
    look = generator.encode(images, labels)[[2, 1, 0]]
    result = generator.generate(look, images, labels)
    background = (labels == 0)[:, None].expand_as(images)
    assert torch.equal(result[background], images[background])
    changed = torch.where(background, images, torch.rand_like(images))
    assert torch.equal(generator.generate(look, changed, labels), result)


@pytest.mark.parametrize("variant", OTHERS)
def test_the_code_matters_and_comes_from_the_face_alone(variant, batch):
    images, labels = batch
    generator = build_generator(_config(variant)).eval().requires_grad_(False)
    look = generator.encode(images, labels)
    other = look.map(lambda codes: codes + 1)
    assert not torch.allclose(generator.generate(look, images, labels), generator.generate(other, images, labels), atol=1e-3)
    if variant != "pix2pixhd":  # its encoder sees the photo; its features of the background are pasted over
        changed = torch.where((labels == 0)[:, None], torch.rand_like(images), images)
        assert torch.equal(generator.encode(changed, labels).codes, look.codes)


def test_pix2pixhd_codes_are_means_over_the_regions(batch):
    images, labels = batch
    generator = build_generator(_config("pix2pixhd")).eval().requires_grad_(False)
    codes, features = generator.encode(images, labels).codes, generator.encoder(images)
    skin = (labels[1] == 1)[None].expand(3, -1, -1)
    assert torch.allclose(codes[1, 1], features[1][skin].reshape(3, -1).mean(1), atol=1e-5)
    assert not generator.encode(images, torch.zeros_like(labels)).codes[:, 1:].any()


@pytest.mark.parametrize(
    ("variant", "paired", "unpaired"),
    [
        (
            "full",
            {"local", "adversarial", "parsing", "global", "feature_matching", "perceptual"},
            {"local", "adversarial", "parsing", "colour"},
        ),
        (
            "local",
            {"local", "adversarial", "parsing", "global", "feature_matching", "perceptual"},
            {"local", "adversarial", "parsing", "colour"},
        ),
        ("global", {"adversarial", "parsing", "global", "feature_matching", "perceptual"}, {"adversarial", "parsing", "colour"}),
        ("bicyclegan", {"adversarial", "l1", "kl"}, {"adversarial", "latent"}),
        ("pix2pixhd", {"adversarial", "feature_matching", "perceptual"}, None),
    ],
)
def test_each_has_its_own_terms(variant, paired, unpaired, faces, compute):
    networks = Networks.build(_config(variant), TRAINING, build_parser(PARSER, weights=False), compute)
    batches = Batches(faces, batch=4, seed=0, flip=True)
    for is_paired, wanted in ((True, paired), (False, unpaired)):
        if wanted is not None:
            terms = gan_gradients(networks, batches.get(1, paired=is_paired), TRAINING, compute, paired=is_paired)
            assert set(terms) == wanted | {"discriminator"}
    assert networks.generator.paired_only == (unpaired is None)


def test_without_the_parsing_loss_the_parser_is_not_asked(faces, compute):
    networks = Networks.build(GENERATOR, TRAINING, build_parser(PARSER, weights=False), compute)
    networks.parser.forward = None  # calling it would fail
    training = dataclasses.replace(TRAINING, lambda_gp=0.0)
    batch = Batches(faces, batch=4, seed=0, flip=True).get(0, paired=True)
    terms = gan_gradients(networks, batch, training, compute, paired=True)
    assert "parsing" not in terms


def test_bicyclegans_unpaired_steps_do_not_train_its_encoder(faces, compute):
    networks = Networks.build(_config("bicyclegan"), TRAINING, build_parser(PARSER, weights=False), compute)
    batch = Batches(faces, batch=4, seed=0, flip=True).get(1, paired=False)
    gan_gradients(networks, batch, TRAINING, compute, paired=False)
    assert all(weight.grad is None for weight in networks.generator.encoder.parameters())
    assert all(weight.grad is not None for weight in networks.generator.mask_guided.parameters())


@pytest.mark.parametrize("variant", ["global", "bicyclegan"])
def test_a_trained_variant_is_loaded_as_itself(variant, faces, compute, tmp_path):
    weights = fit_gan(tmp_path, faces, build_parser(PARSER, weights=False), _config(variant), TRAINING, compute, record={})
    generator = load_generator(weights, compute)
    assert generator.config.variant == variant
    look = generator.encode(faces.images[:3], faces.labels[:3])
    alone = torch.cat([generator.encode(faces.images[i : i + 1], faces.labels[i : i + 1]).codes for i in range(3)])
    assert torch.equal(look.codes, alone)
    assert not torch.equal(look.codes[0], look.codes[1])
    generated = generator.generate(look, faces.images[:3], faces.labels[:3])
    background = np.asarray(faces.labels[:3]) == 0
    assert np.array_equal(generated[background], np.asarray(faces.images[:3])[background])


def test_an_unknown_variant_is_refused():
    with pytest.raises(ConfigError, match="--variant vae: unknown; use full, local, global, pix2pixhd, bicyclegan"):
        GeneratorConfig(variant="vae")


def test_a_variant_is_described():
    text = describe(_config("global"), TRAINING, build_parser(PARSER, weights=False))
    assert "global" in text
    assert "GFLOP an image" in text
    assert "official" not in text
