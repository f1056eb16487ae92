import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from faceaug.datasets.looks import LookBank
from faceaug.datasets.repaint import GanAugment
from torchvision import tv_tensors

from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.gan.inference import load_generator
from faceaug.labels import BACKGROUND, IGNORE, SKIN


@pytest.fixture(scope="module")
def generator(trained, compute):
    return load_generator(trained.gan, compute)


@pytest.fixture(scope="module")
def bank(generator, faces):
    return LookBank.encode(generator, faces, np.arange(len(faces)) % 2)


@pytest.fixture
def batch(faces):
    images = torch.from_numpy(faces.images[:6]).permute(0, 3, 1, 2).contiguous()
    return images, torch.from_numpy(faces.labels[:6])


def test_nothing_is_repainted_at_0_and_all_at_1_on_their_own_backgrounds(generator, bank, batch):
    images, masks = batch
    same, _ = GanAugment(generator, bank, p=0.0)(images, masks)
    assert torch.equal(same, images)
    known = images.clone()
    painted, labels = GanAugment(generator, bank, p=1.0)(images, masks)
    assert labels is masks
    assert torch.equal(images, known)  # the batch itself is left as it is
    assert painted.dtype == torch.uint8
    assert painted.shape == images.shape
    for row in range(len(images)):
        assert torch.equal(painted[row][:, masks[row] == BACKGROUND], images[row][:, masks[row] == BACKGROUND])
        skin = masks[row] == SKIN
        assert (painted[row][:, skin] != images[row][:, skin]).float().mean() > 0.5


def test_a_share_is_repainted(generator, bank, batch):
    repaint = GanAugment(generator, bank, p=0.5, seed=1, candidates=1)
    painted = sum(int((repaint(*batch)[0] != batch[0]).flatten(1).any(1).sum()) for _ in range(8))
    assert 12 <= painted <= 36


def test_a_call_follows_from_seed_and_number(generator, bank, batch):
    one, two = (GanAugment(generator, bank, p=0.7, seed=3) for _ in range(2))
    first, second = one(*batch)[0], one(*batch)[0]
    assert not torch.equal(first, second)
    two.calls = 1  # as a run that goes on
    assert torch.equal(two(*batch)[0], second)
    assert not torch.equal(GanAugment(generator, bank, p=0.7, seed=4)(*batch)[0], first)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one(*batch)
    assert torch.equal(torch.get_rng_state(), before)


def test_rows_do_not_depend_on_each_other(generator, bank, batch):
    images, masks = batch
    whole, _ = GanAugment(generator, bank, p=1.0)(images, masks)
    others = images.clone(), masks.clone()
    others[0][1:], others[1][1:] = 0, BACKGROUND
    assert torch.equal(GanAugment(generator, bank, p=1.0)(*others)[0][0], whole[0])
    some, _ = GanAugment(generator, bank, p=1.0)(images[:2], masks[:2])
    assert (some.int() - whole[:2].int()).abs().max() <= 1


def test_types_are_kept(generator, bank, batch):
    images, masks = batch
    wanted, _ = GanAugment(generator, bank, p=0.6)(images, masks)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float16, 1e-3)):
        found, labels = GanAugment(generator, bank, p=0.6)((images / 255).to(dtype), masks.long())
        assert found.dtype == dtype
        assert labels.dtype == torch.int64
        assert (found.float() * 255 - wanted).abs().max() <= 0.5 + 255 * tolerance
    wrapped, labels = GanAugment(generator, bank, p=0.6)(tv_tensors.Image(images), tv_tensors.Mask(masks))
    assert isinstance(wrapped, tv_tensors.Image)
    assert isinstance(labels, tv_tensors.Mask)
    assert torch.equal(wrapped, wanted)
    empty = GanAugment(generator, bank)(images[:0], masks[:0])[0]
    assert empty.shape == (0, 3, 64, 64)


def test_gradients_can_flow_through_what_follows(generator, bank, batch):
    layer = torch.nn.Conv2d(3, 1, 1)
    painted, _ = GanAugment(generator, bank, p=1.0)(batch[0] / 255, batch[1])
    layer(painted).sum().backward()
    assert layer.weight.grad is not None


def test_sources_have_the_gender_of_the_face(bank):
    rng = np.random.default_rng(0)
    for male in (0, 1):
        assert {int(bank.male[bank.choose(None, male, rng, 1)]) for _ in range(20)} == {male}
    assert {int(bank.male[bank.choose(None, -1, rng, 1)]) for _ in range(40)} == {0, 1}


def test_genders_of_a_batch_are_those_of_its_sources(generator, bank, batch):
    women = dataclasses.replace(bank, male=np.zeros(len(bank), dtype=np.int64))
    with pytest.raises(ConfigError, match="no source of gender 1"):
        GanAugment(generator, women, p=1.0)(*batch, male=torch.ones(6))
    assert len(GanAugment(generator, women, p=1.0)(*batch, male=[0, -1, 0, -1, 0, 0])[0]) == 6
    with pytest.raises(ConfigError, match=r"male has shape \(2,\)"):
        GanAugment(generator, bank)(*batch, male=[1, 0])


def test_of_many_candidates_the_one_most_like_the_mask_is_taken(generator, bank, faces):
    chosen = GanAugment(generator, bank, candidates=400)._sources(
        faces.labels[:4], np.full(4, -1), [np.random.default_rng(row) for row in range(4)]
    )
    assert chosen.tolist() == [0, 1, 2, 3]  # nobody is more like a face than itself


def test_a_bank_is_kept_in_a_file(generator, bank, batch, tmp_path):
    bank.save(tmp_path / "looks.safetensors")
    wanted = GanAugment(generator, bank, p=1.0)(*batch)[0]
    assert torch.equal(GanAugment(generator, tmp_path / "looks.safetensors", p=1.0)(*batch)[0], wanted)
    assert torch.equal(GanAugment(generator, LookBank.load(tmp_path / "looks.safetensors").to("cpu"), p=1.0)(*batch)[0], wanted)
    with pytest.raises(CheckpointMismatch, match="no such weights file"):
        LookBank.load(tmp_path / "none")


def test_a_generator_is_read_from_its_run(trained, bank, batch):
    assert GanAugment(str(trained.gan), bank, p=1.0, device="cpu")(*batch)[0].shape == batch[0].shape


def test_a_bank_is_encoded_in_parts_of_any_set(generator, faces, monkeypatch):
    whole = LookBank.encode(generator, faces)
    monkeypatch.setattr("faceaug.datasets.looks._TOGETHER", 5)
    parts = LookBank.encode(generator, faces.select(range(12), lazily=True))
    assert torch.equal(parts.look.codes, whole.look.codes)
    assert torch.equal(parts.look.image, whole.look.image)


def test_unlabelled_pixels_are_painted_as_their_neighbours(generator, bank, batch):
    images, masks = batch
    masks = masks.clone()
    masks[:, :8] = IGNORE
    assert GanAugment(generator, bank, p=1.0)(images, masks)[0].shape == images.shape


def test_what_cannot_be_is_told(generator, bank, batch, faces, noise, monkeypatch):
    images, masks = batch
    repaint = GanAugment(generator, bank, p=1.0)
    for problem, call in {
        "p 2": lambda: GanAugment(generator, bank, p=2),
        "candidates 0": lambda: GanAugment(generator, bank, candidates=0),
        "the generator needs": lambda: repaint(images[..., :32], masks),
        "give it uint8 or float": lambda: repaint(images, masks.float()),
        "call it before normalising": lambda: repaint(images.float(), masks),
        "label 40 is out of range": lambda: repaint(images, torch.full_like(masks, 40)),
        "as many genders": lambda: LookBank.encode(generator, faces, np.zeros(3)),
    }.items():
        with pytest.raises(ConfigError, match=problem):
            call()
    with pytest.raises(CheckpointMismatch, match="sources are 32 px"):
        LookBank.encode(generator, noise(2, 32))
    with pytest.raises(CheckpointMismatch, match="another generator's"):
        GanAugment(generator, dataclasses.replace(bank, generator="other"))
    monkeypatch.setattr("torch.utils.data.get_worker_info", lambda: SimpleNamespace(id=0))
    with pytest.raises(ConfigError, match="called in a DataLoader worker"):
        repaint(images, masks)
