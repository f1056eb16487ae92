import numpy as np
import pytest
import torch
from faceaug.datasets.aligned import AlignedFaces
from faceaug.datasets.synthetic import FlipFaces, MixedFaces, SyntheticFaces
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from faceaug.errors import ConfigError, ShardDamaged
from faceaug.files import write_json
from faceaug.labels import CELEBAMASK_19, HELEN_11, LEFT_EYE, RIGHT_EYE
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserTraining
from faceaug.shards.writer import shard_name, write_shard
from faceaug.tensors import to_bytes


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    config = {"targets": {"title": "T"}, "sources": {"title": "S"}}
    for number in range(2):
        count = 5
        columns = {
            "target": [f"t{i}" for i in range(count)],
            "source": [f"s{number}{i}" for i in range(count)],
            "target_male": np.ones(count),
            "source_male": np.ones(count),
            "source_mirrored": np.zeros(count),
            "row": np.arange(count) + 5 * number,
            "seed": np.arange(count),
            "agreement": (np.arange(count) + 5 * number) / 10,
            "params": ["{}"] * count,
        }
        images = rng.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
        labels = rng.integers(0, 11, (count, 16, 16), dtype=np.uint8)
        write_shard(
            tmp_path / shard_name(number), images, labels, columns, number=number, scheme=HELEN_11, generator="g", config=config
        )
    write_json(tmp_path / "complete.json", {"shards": [{"file": shard_name(n), "rows": 5} for n in range(2)]})
    return tmp_path


def test_samples_are_tv_tensors(folder):
    faces = SyntheticFaces(folder)
    assert len(faces) == 10
    image, mask = faces[7]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert image.shape == (3, 16, 16)
    assert mask.shape == (16, 16)
    assert faces.about(7)["source"] == "s12"


def test_filter_transforms_and_several_folders(folder):
    assert len(SyntheticFaces(folder, min_agreement=0.55)) == 4
    assert len(SyntheticFaces([folder, folder])) == 20
    resized = SyntheticFaces(folder, transforms=v2.Resize(8))[0]
    assert resized[0].shape == (3, 8, 8)
    assert resized[1].shape == (8, 8)
    with pytest.raises(ConfigError, match="no face"):
        SyntheticFaces(folder, min_agreement=0.99)
    with pytest.raises(ShardDamaged):
        SyntheticFaces(folder / "none")


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_read_what_one_process_reads(folder, start):
    faces = SyntheticFaces(folder)
    first = faces[0][0]  # files are open before the workers start
    loader = DataLoader(faces, batch_size=3, num_workers=2, multiprocessing_context=start)
    images = torch.cat([image for image, _ in loader])
    assert torch.equal(images, torch.stack([faces[i][0] for i in range(10)]))
    assert torch.equal(images[0], first)


def test_a_mixed_epoch_has_every_real_face_and_its_share_of_synthetic_ones(folder):
    real = [(torch.full((1,), float(i)), None) for i in range(6)]
    mixed = MixedFaces(real, SyntheticFaces(folder), share=0.4, seed=1)
    assert len(mixed) == 10
    assert [int(mixed[i][0]) for i in range(6)] == list(range(6))
    drawn = [mixed[i][0] for i in range(6, 10)]
    assert len({tensor.numpy().tobytes() for tensor in drawn}) == 4
    mixed.set_epoch(1)
    assert any(not torch.equal(mixed[i][0], drawn[i - 6]) for i in range(6, 10))
    mixed.set_epoch(0)
    assert all(torch.equal(mixed[i][0], drawn[i - 6]) for i in range(6, 10))
    with pytest.raises(IndexError):
        mixed[10]


def test_persistent_workers_see_the_new_epoch(folder):
    mixed = MixedFaces([torch.full((), -1)] * 4, torch.arange(100), share=0.5)
    loader = DataLoader(mixed, batch_size=8, num_workers=1, persistent_workers=True)
    seen = []
    for epoch in range(3):
        mixed.set_epoch(epoch)
        (batch,) = list(loader)
        seen += batch[4:].tolist()
    assert len(set(seen)) == 12  # none again before all have come


def test_mirrored_masks_keep_their_type():
    for dtype in (torch.uint8, torch.int64):
        mask = tv_tensors.Mask(torch.full((4, 4), LEFT_EYE, dtype=dtype))
        _, turned = FlipFaces(1.0)(tv_tensors.Image(torch.zeros(3, 4, 4)), mask)
        assert turned.dtype == dtype
        assert (turned == RIGHT_EYE).all()


def test_mixtures_that_cannot_be(folder):
    with pytest.raises(ConfigError, match="share 1"):
        MixedFaces([1], SyntheticFaces(folder), share=1)
    with pytest.raises(ConfigError, match="empty"):
        MixedFaces([], SyntheticFaces(folder))
    with pytest.raises(ConfigError, match="length"):
        MixedFaces(iter([]), SyntheticFaces(folder))


def test_flip_twice_changes_nothing_and_sides_are_exchanged():
    flip = FlipFaces(1.0)
    image = tv_tensors.Image(torch.arange(48, dtype=torch.uint8).reshape(3, 4, 4))
    mask = tv_tensors.Mask(torch.full((4, 4), LEFT_EYE, dtype=torch.uint8))
    once = flip(image, mask)
    assert (once[1] == RIGHT_EYE).all()
    assert isinstance(once[1], tv_tensors.Mask)
    twice = flip(*once)
    assert torch.equal(twice[0], image)
    assert torch.equal(twice[1], mask)
    assert FlipFaces(0.0)(image, mask)[0] is image


def test_another_scheme_is_mirrored_by_its_own_sides_and_told_where_it_is_not_named():
    mask = tv_tensors.Mask(torch.full((4, 4), CELEBAMASK_19.classes.index("l_ear"), dtype=torch.uint8))
    mask[0, 0], mask[0, 1] = CELEBAMASK_19.classes.index("hair"), 255
    image = tv_tensors.Image(torch.zeros(3, 4, 4, dtype=torch.uint8))
    found = FlipFaces(1.0, scheme=CELEBAMASK_19)(image, mask)[1]
    assert found[0].tolist() == [9, 9, 255, 13]
    with pytest.raises(ConfigError, match=r"label 13 is not in helen-11; give it the dataset's"):
        FlipFaces(0.0)(image, mask)


def test_arrays_are_the_same_faces_in_the_same_order(folder):
    for samples in (SyntheticFaces(folder), SyntheticFaces(folder, min_agreement=0.4), SyntheticFaces([folder, folder])):
        faces = samples.faces
        assert len(faces) == len(samples)
        for index, (image, mask) in enumerate(samples):
            assert (faces.images[index] == image.permute(1, 2, 0).numpy()).all()
            assert (faces.labels[index] == mask.numpy()).all()
            assert faces.names[index] == "{target}+{source}".format(**samples.about(index))
        assert faces.title == "generated from T and S"


def test_the_benchmark_trains_on_what_these_classes_give(folder, noise):
    real, synthetic = AlignedFaces(noise(12, 16)), SyntheticFaces(folder, min_agreement=0.4)
    training = ParserTraining(images=80, batch=8, synthetic_share=0.5, augment=False)
    batches = MixedBatches(real.faces, synthetic.faces, training)
    known = {image.numpy().tobytes(): mask for samples in (real, synthetic) for image, mask in samples}
    for step in range(training.steps):
        images, masks = batches.get(step)
        for image, mask in zip(images, masks, strict=True):
            found = known[to_bytes(image[None])[0].transpose(2, 0, 1).tobytes()]
            assert torch.equal(found, mask)
