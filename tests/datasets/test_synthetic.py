import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from faceaug.datasets.aligned import AlignedFaces
from faceaug.datasets.synthetic import SyntheticFaces
from small import noise_faces, write_set
from torch.utils.data import ConcatDataset, DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from faceaug.errors import ConfigError, ShardDamaged
from faceaug.labels import HELEN_11
from faceaug.parser.additions import Addition
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserTraining
from faceaug.prepare.faces import join
from faceaug.prepare.rows import row_hashes
from faceaug.shards.dropped import DropFile
from faceaug.shards.reader import ShardReader
from faceaug.tensors import to_bytes


def test_samples_are_tv_tensors(folder):
    faces = SyntheticFaces(folder)
    assert len(faces) == 10
    assert faces.size == 16
    image, mask = faces[7]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert image.is_contiguous()
    assert (image.permute(1, 2, 0).numpy() == noise_faces(10, 16).images[7]).all()
    assert (mask.numpy() == noise_faces(10, 16).labels[7]).all()
    assert faces.about(7)["source"] == "s12"
    for index in (-1, 10):
        with pytest.raises(IndexError):
            faces[index]


def test_filter_transforms_and_several_folders(folder):
    assert len(SyntheticFaces(folder, min_agreement=0.55)) == 4
    several = SyntheticFaces([folder, folder], min_agreement=0.55)
    assert [several.about(index)["row"] for index in range(8)] == [6, 7, 8, 9] * 2
    resized = SyntheticFaces(folder, transforms=v2.Resize(8))[0]
    assert resized[0].shape == (3, 8, 8)
    assert resized[1].shape == (8, 8)
    with pytest.raises(ConfigError, match="no face"):
        SyntheticFaces(folder, min_agreement=0.99)
    with pytest.raises(ConfigError, match="no folder is named"):
        SyntheticFaces([])
    with pytest.raises(ShardDamaged):
        SyntheticFaces(folder / "none")


def test_dictionaries_are_what_albumentations_takes(folder, noise):
    def double(image, mask):
        assert image.dtype == mask.dtype == np.uint8
        return {"image": image[::2, ::2], "mask": mask[::2, ::2]}

    pair = SyntheticFaces(folder)[3]
    for faces in (SyntheticFaces(folder, form="dict"), AlignedFaces(SyntheticFaces(folder).faces, form="dict")):
        sample = faces[3]
        assert set(sample) == {"image", "mask"}
        assert (sample["image"] == pair[0].permute(1, 2, 0).numpy()).all()
        assert (sample["mask"] == pair[1].numpy()).all()
        sample["image"][:] = 0  # a transform may write into what it gets
        assert (faces[3]["image"] != 0).any()
    assert SyntheticFaces(folder, form="dict", transforms=double)[3]["image"].shape == (8, 8, 3)
    for kind in (SyntheticFaces, lambda _, form: AlignedFaces(noise(1, 16), form=form)):
        with pytest.raises(ConfigError, match="form 'tuple': unknown; use 'pair' or 'dict'"):
            kind(folder, form="tuple")


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_read_what_one_process_reads(folder, start):
    faces = SyntheticFaces(folder)
    first = faces[0][0]  # files are open before the workers start
    loader = DataLoader(faces, batch_size=3, num_workers=2, multiprocessing_context=start)
    images = torch.cat([image for image, _ in loader])
    assert torch.equal(images, torch.stack([faces[i][0] for i in range(10)]))
    assert torch.equal(images[0], first)


def test_joined_with_real_faces_and_pickled(folder, noise):
    faces = SyntheticFaces(folder, min_agreement=0.4)
    known = [image for image, _ in faces]  # its files are open
    _ = faces.faces
    copy = pickle.loads(pickle.dumps(faces))
    assert all(torch.equal(image, copy[at][0]) for at, image in enumerate(known))
    both = ConcatDataset([AlignedFaces(noise(3, 16)), copy])
    assert len(both) == 9
    assert torch.equal(both[3][0], known[0])


def test_a_pickle_does_not_grow_with_the_set(tmp_path):
    lengths = []
    for count in (10, 2000):
        faces = SyntheticFaces(write_set(tmp_path / str(count), noise_faces(count, 8), 1000))
        _ = faces[0]
        lengths.append(len(pickle.dumps(faces)))
    assert lengths[1] < lengths[0] + 200
    assert lengths[1] < 20_000


_LOOK_THROUGH = """
import sys
from pathlib import Path
from faceaug.datasets.synthetic import SyntheticFaces
faces = SyntheticFaces(sys.argv[1])
for index in range(len(faces)): faces[index]
faces.faces.digest()
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peaks are read from /proc")
def test_looking_through_a_set_takes_no_memory_of_its_size(tmp_path):
    peaks, size = [], 128
    for count in (250, 850):
        folder = write_set(tmp_path / str(count), noise_faces(count, size), 500)
        done = subprocess.run([sys.executable, "-c", _LOOK_THROUGH, folder], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) * 1024)
    assert peaks[1] - peaks[0] < 600 * size * size * 4 / 3  # a third of the pictures' bytes, 13 MB


@pytest.mark.parametrize("least", [0.0, 0.4])
def test_arrays_are_the_same_faces_in_the_same_order(folder, least):
    for samples in (SyntheticFaces(folder, min_agreement=least), SyntheticFaces([folder, folder], min_agreement=least)):
        faces = samples.faces
        assert len(faces) == len(samples)
        for index, (image, mask) in enumerate(samples[at] for at in range(len(samples))):
            assert (faces.images[index] == image.permute(1, 2, 0).numpy()).all()
            assert (faces.labels[index] == mask.numpy()).all()
            assert faces.names[index] == "{target}+{source}".format(**samples.about(index))
        assert faces.title == "generated from T and S"


INDICES = (3, -1, slice(None), slice(8, 1, -3), slice(4, 4), [5, 0, 5], np.array([9, 2]), np.arange(10) % 2 == 0)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_arrays_read_from_files_are_indexed_and_hashed_as_arrays_in_memory(folder, index):
    lazy, memory = SyntheticFaces(folder).faces, noise_faces(10, 16)
    for found, wanted in ((lazy.images, memory.images), (lazy.labels, memory.labels)):
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        assert found[index].shape == wanted[index].shape
        assert (found[index] == wanted[index]).all()
        assert (row_hashes(found) == row_hashes(wanted)).all()
    assert (lazy.select([4, 2], lazily=True).images[:] == memory.images[[4, 2]]).all()
    assert (join(memory, lazy).images[12] == memory.images[2]).all()


def test_the_identity_of_a_set_is_that_of_its_faces(folder):
    lazy, memory = SyntheticFaces(folder).faces, noise_faces(10, 16)
    known = type(memory)("", lazy.names, memory.images, memory.labels, lazy.male, lazy.identity)
    assert lazy.digest() == known.digest()


def test_sets_of_several_sizes_have_no_arrays(folder, tmp_path):
    other = write_set(tmp_path / "other", noise_faces(2, 8))
    faces = SyntheticFaces([folder, other])
    assert [faces[at][0].shape[-1] for at in (9, 10)] == [16, 8]
    with pytest.raises(ConfigError, match=r"the sets' faces are \[8, 16\] px"):
        _ = faces.faces


def test_the_benchmark_trains_on_what_these_classes_give(folder, noise):
    real, synthetic = AlignedFaces(noise(12, 16)), SyntheticFaces(folder, min_agreement=0.4)
    training = ParserTraining(images=80, batch=8, augment="none")
    batches = MixedBatches(real.faces, [Addition("generated", synthetic.faces, 0.5)], training)
    known = {image.numpy().tobytes(): mask for samples in (real, synthetic) for image, mask in samples}
    for step in range(training.steps):
        images, masks, _ = batches.get(step)
        for image, mask in zip(images, masks, strict=True):
            found = known[to_bytes(image[None])[0].transpose(2, 0, 1).tobytes()]
            assert torch.equal(found, mask)


def _list(folder, lists, rows):
    file = DropFile(lists, ShardReader(folder))
    file.change(drop=rows)
    return file.path


@pytest.fixture
def lists(tmp_path_factory):
    return tmp_path_factory.mktemp("lists")


def test_rows_of_a_list_are_left_out_and_the_order_stays(lists, folder):
    dropped = _list(folder, lists, [8, 0, 3])
    faces = SyntheticFaces(folder, without=dropped)
    assert [faces.about(index)["row"] for index in range(len(faces))] == [1, 2, 4, 5, 6, 7, 9]
    assert (faces[2][1].numpy() == noise_faces(10, 16).labels[4]).all()
    assert (faces.faces.labels[:] == noise_faces(10, 16).labels[[1, 2, 4, 5, 6, 7, 9]]).all()
    fitting = SyntheticFaces(folder, without=[dropped], min_agreement=0.25)
    assert [fitting.about(index)["row"] for index in range(len(fitting))] == [4, 5, 6, 7, 9]
    copy = pickle.loads(pickle.dumps(faces))
    assert torch.equal(copy[6][0], faces[6][0])


def test_lists_of_several_sets(tmp_path, lists, folder):
    other = write_set(tmp_path / "other", noise_faces(4, 16, seed=1))
    both = [_list(folder, lists, [1]), _list(other, lists, [0, 2])]
    faces = SyntheticFaces([folder, other, folder], without=both)
    kept = [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [faces.about(index)["row"] for index in range(len(faces))] == [*kept, 1, 3, *kept]
    with pytest.raises(ConfigError, match=r"lists rows of another set, other"):
        SyntheticFaces(folder, without=both)
    with pytest.raises(ConfigError, match=r"no face of .* is left; drop fewer"):
        SyntheticFaces(folder, without=_list(folder, lists / "all", range(10)))


def test_no_shard_is_opened_to_leave_rows_out(lists, folder, monkeypatch):
    dropped = _list(folder, lists, [1])
    monkeypatch.setattr(ShardReader, "_open", None)
    index = json.loads((folder / "complete.json").read_text())
    assert "scheme" not in index  # of such an older set one shard is opened for its scheme
    monkeypatch.setattr(ShardReader, "_first_facts", lambda reader: setattr(reader, "_scheme", HELEN_11))
    assert len(SyntheticFaces(folder, without=dropped)) == 9


@pytest.mark.parametrize(
    ("change", "told"),
    [({"rows": [10]}, "row 10 is not in .*, which has rows 0 to 9"), ({"hash": "0"}, "lists rows of another set")],
)
def test_lists_that_do_not_fit_the_set_are_one_line(lists, folder, change, told):
    path = _list(folder, lists, [1])
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ConfigError, match=told):
        SyntheticFaces(folder, without=path)
