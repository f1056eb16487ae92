import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch
from faceaug.datasets.mixed import Draws, MixedFaces
from faceaug.datasets.synthetic import SyntheticFaces
from torch.utils.data import DataLoader, DistributedSampler

from faceaug.errors import ConfigError
from faceaug.labels import BISENET_19


def numbers(real, synthetic, **options):
    """Real samples are -1, -2, ..., synthetic ones 0, 1, ..."""
    return MixedFaces(-1 - torch.arange(real), torch.arange(synthetic), **options)


def epoch_of(mixed, epoch):
    mixed.set_epoch(epoch)
    return [int(mixed[index]) for index in range(len(mixed))]


@pytest.mark.parametrize(("real", "synthetic", "share"), [(6, 10, 0.4), (7, 10, 0.5), (12, 5, 0.6), (9, 9, 0.5), (3, 50, 0.1)])
def test_every_epoch_has_all_real_samples_once_and_exactly_its_share(real, synthetic, share):
    mixed = numbers(real, synthetic, share=share, seed=1)
    wanted = round(real * share / (1 - share))
    seen = np.zeros(synthetic, dtype=int)
    for epoch in range(12):
        found = epoch_of(mixed, epoch)
        assert len(found) == len(mixed) == real + wanted
        assert sorted(found)[:real] == list(range(-real, 0))
        counts = np.bincount(found[real:], minlength=synthetic)
        assert counts.sum() == wanted
        assert counts.max() - counts.min() <= 1  # none twice before each came once, in an epoch
        seen += counts
        assert seen.max() - seen.min() <= 2  # and over epochs, up to the one under way


def test_epochs_follow_from_the_seed_alone():
    mixed = numbers(7, 10, share=0.5, seed=3)
    epochs = [epoch_of(mixed, epoch) for epoch in range(9)]
    assert len({tuple(found) for found in epochs}) == 9
    assert [epoch_of(mixed, epoch) for epoch in reversed(range(9))] == epochs[::-1]
    assert epoch_of(numbers(7, 10, share=0.5, seed=3), 8) == epochs[8]  # as a run that goes on
    assert epoch_of(numbers(7, 10, share=0.5, seed=4), 8) != epochs[8]


def test_all_come_before_any_comes_again():
    draws = Draws(10, 4, seed=0)
    order = np.concatenate([draws.get(epoch) for epoch in range(5)])
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))


@pytest.mark.parametrize("ranks", [2, 3])
@pytest.mark.parametrize("shuffle", [False, True])
def test_ranks_divide_an_epoch_between_them(ranks, shuffle):
    alone = numbers(7, 11, share=0.4, seed=2)
    for epoch in range(4):
        whole = sorted(epoch_of(alone, epoch))
        seen = []
        for rank in range(ranks):
            mixed = numbers(7, 11, share=0.4, seed=2)  # each process makes its own
            sampler = DistributedSampler(mixed, ranks, rank, shuffle=shuffle, seed=5)
            sampler.set_epoch(epoch)
            mixed.set_epoch(epoch)
            seen.append([int(value) for batch in DataLoader(mixed, batch_size=2, sampler=sampler) for value in batch])
        assert len({len(part) for part in seen}) == 1
        in_turn = [value for values in zip(*seen, strict=True) for value in values]
        assert sorted(in_turn[: len(whole)]) == whole  # the rest is the sampler's padding
        assert in_turn[len(whole) :] == in_turn[: len(in_turn) - len(whole)]


def _share_of_a_rank(rank, ranks, store, queue):
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=ranks)
    mixed = numbers(7, 11, share=0.4, seed=2)
    sampler = DistributedSampler(mixed, seed=5)  # ranks from the group
    found = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        mixed.set_epoch(epoch)
        found.append([int(value) for batch in DataLoader(mixed, batch_size=2, sampler=sampler) for value in batch])
    queue.put(found)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def test_two_processes_see_one_epoch(tmp_path):
    context = torch.multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    processes = [context.Process(target=_share_of_a_rank, args=(rank, 2, tmp_path / "store", queue)) for rank in range(2)]
    for process in processes:
        process.start()
    found = [queue.get() for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    alone = numbers(7, 11, share=0.4, seed=2)
    assert len(alone) == 12
    for epoch in range(2):
        assert sorted(found[0][epoch] + found[1][epoch]) == sorted(epoch_of(alone, epoch))


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("copied", [lambda mixed: mixed, lambda mixed: pickle.loads(pickle.dumps(mixed)), copy.deepcopy])
def test_persistent_workers_see_the_new_epoch(start, copied):
    if start == "spawn" and copied is copy.deepcopy:
        pytest.skip("the same as pickling, and starting a worker takes seconds")
    mixed = copied(numbers(4, 100, share=0.5))
    loader = DataLoader(mixed, batch_size=8, num_workers=1, persistent_workers=True, multiprocessing_context=start)
    seen = []
    for epoch in range(3):
        mixed.set_epoch(epoch)
        (batch,) = list(loader)
        assert batch.tolist() == epoch_of(mixed, epoch)
        seen += batch[4:].tolist()
    assert len(set(seen)) == 12


def test_a_copy_has_an_epoch_of_its_own():
    mixed = numbers(4, 100, share=0.5)
    epoch_of(mixed, 5)
    other = pickle.loads(pickle.dumps(mixed))
    assert [int(other[at]) for at in range(8)] == epoch_of(mixed, 5)
    other.set_epoch(6)
    assert [int(mixed[at]) for at in range(8)] == epoch_of(mixed, 5)
    assert len(pickle.dumps(mixed)) < 4000


def test_faces_are_mixed(folder, noise):
    from faceaug.datasets.aligned import AlignedFaces

    real, synthetic = AlignedFaces(noise(6, 16)), SyntheticFaces(folder)
    mixed = MixedFaces(real, synthetic, share=0.4)
    loader = DataLoader(mixed, batch_size=5, num_workers=2)
    images = torch.cat([images for images, _ in loader])
    assert torch.equal(images[:6], torch.stack([image for image, _ in real]))
    known = {image.numpy().tobytes() for image, _ in synthetic}
    assert {image.numpy().tobytes() for image in images[6:]} <= known


def test_labels_of_two_schemes_or_sizes_are_not_mixed(folder, noise):
    from faceaug.datasets.aligned import AlignedFaces

    other = dataclasses.replace(noise(6, 16), scheme=BISENET_19)
    with pytest.raises(ConfigError, match="real faces have scheme bisenet-19, synthetic ones helen-11"):
        MixedFaces(AlignedFaces(other), SyntheticFaces(folder))
    with pytest.raises(ConfigError, match="real faces have size 32, synthetic ones 16"):
        MixedFaces(AlignedFaces(noise(6, 32)), SyntheticFaces(folder))
    MixedFaces(AlignedFaces(other), SyntheticFaces(folder), share=0)


def test_mixtures_that_cannot_be():
    with pytest.raises(ConfigError, match="share 1"):
        MixedFaces([1], [2], share=1)
    with pytest.raises(ConfigError, match="empty"):
        MixedFaces([], [2])
    with pytest.raises(ConfigError, match="length"):
        MixedFaces(iter([]), [2])
    with pytest.raises(IndexError):
        MixedFaces([1], [2])[2]
    assert len(MixedFaces([1], None, share=0)) == 1
