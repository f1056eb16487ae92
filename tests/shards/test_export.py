import csv
import io
import json
import sys
import tarfile

import h5py
import numpy as np
import pytest
import small
from faceaug.datasets.celebamask import CelebAMaskHQ
from faceaug.datasets.folder import Folder
from faceaug.datasets.helen import Helen
from PIL import Image
from sets import write_set

from faceaug.errors import ConfigError
from faceaug.labels import CELEBAMASK_19, FASSEG_6, HELEN_11, Scheme, remap
from faceaug.shards.export import parquet as parquet_module
from faceaug.shards.export import tars
from faceaug.shards.export.run import FORMS, export
from faceaug.shards.reader import ShardReader

OWN = Scheme("mine-2", ("background", "face"), ((0, 0, 0), (230, 190, 160)), ("kept", "skin"), (0, 1))


def _pixels(made):
    return np.concatenate([one[0] for one in made]), np.concatenate([one[1] for one in made])


def _marked(data):
    """A picture file's bytes say that a model made it, where programs look for it."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if image.format == "PNG":
            assert image.text["ai_generated"] == "true"
            packet = image.text["XML:com.adobe.xmp"]
        else:
            packet = next(part for name, part in image.applist if name == "APP1").decode()
    return "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia<" in packet


@pytest.mark.parametrize("scheme", [HELEN_11, OWN])
def test_a_folder_is_read_by_pillow_torchvision_and_csv(tmp_path, scheme):
    from torchvision.datasets import ImageFolder
    from torchvision.io import decode_image

    made = write_set(tmp_path / "set", [3, 0, 2], scheme=scheme)
    images, labels = _pixels(made)
    assert export(tmp_path / "set", "folder", tmp_path / "out") == 5
    names = (tmp_path / "out" / "train.txt").read_text().split()
    assert names == [f"face_{row:06d}" for row in range(5)]
    for row, name in enumerate(names):
        image, mask = tmp_path / "out" / "images" / f"{name}.png", tmp_path / "out" / "masks" / f"{name}.png"
        assert (decode_image(str(image)).permute(1, 2, 0).numpy() == images[row]).all()
        with Image.open(mask) as opened:
            assert opened.mode == "P"
            assert (np.asarray(opened) == labels[row]).all()
            assert (np.asarray(opened.convert("RGB")) == scheme.colour(labels[row])).all()
        assert _marked(image.read_bytes())
        assert _marked(mask.read_bytes())
    assert len(ImageFolder(tmp_path / "out", allow_empty=True)) == 10
    with open(tmp_path / "out" / "metadata.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == names
    assert (rows[1]["source"], json.loads(rows[1]["params"]), rows[1]["seed"]) == ("sé1", {"skin": 1}, str(2**64 - 1))
    ours = Folder(tmp_path / "out")
    assert ours.scheme == scheme
    assert (ours[4][1].numpy() == labels[4]).all()
    assert json.loads((tmp_path / "out" / "faceaug.json").read_text())["ai_generated"] is True


def test_helens_layout_is_read_as_helen(tmp_path):
    made = write_set(tmp_path / "set", [2, 2], size=32)
    images, labels = _pixels(made)
    export(tmp_path / "set", "helen", tmp_path / "out")
    faces = Helen(tmp_path / "out")
    assert len(faces) == 4
    for row, name in enumerate(faces.names):
        photo = faces.photo(row)
        assert (photo.labels == np.where(labels[row] == 255, 0, labels[row])).all()
        path = tmp_path / "out" / "images" / f"{name}.jpg"
        with Image.open(path) as opened:
            assert np.abs(np.asarray(opened).astype(int) - images[row]).mean() < 20  # noise, as JPEG
        assert _marked(path.read_bytes())
        with Image.open(tmp_path / "out" / "labels" / name / f"{name}_lbl03.png") as opened:
            assert (np.asarray(opened) == 255 * (labels[row] == 3)).all()
    assert (tmp_path / "out" / "exemplars.txt").read_text().startswith("1 , face_000000\n")


def test_celebamasks_layout_is_read_as_celebamask(tmp_path):
    _, labels = _pixels(write_set(tmp_path / "set", [2, 1], size=32, scheme=CELEBAMASK_19))
    export(tmp_path / "set", "celebamask", tmp_path / "out")
    faces = CelebAMaskHQ(tmp_path / "out")
    assert len(faces) == 3
    for row in range(3):
        assert (faces.photo(row).labels == np.where(labels[row] == 255, 0, labels[row])).all()
    path = tmp_path / "out" / "CelebAMask-HQ-mask-anno" / "0" / "00001_u_lip.png"
    with Image.open(path) as opened:
        assert (np.asarray(opened) == 255 * (labels[1] == CELEBAMASK_19.classes.index("u_lip"))).all()


def test_labels_are_converted_where_that_is_known(tmp_path, capsys):
    _, labels = _pixels(write_set(tmp_path / "set", [2], size=32, scheme=CELEBAMASK_19))
    export(tmp_path / "set", "helen", tmp_path / "out")
    wanted = remap(CELEBAMASK_19, HELEN_11)(labels[0])
    assert (Helen(tmp_path / "out").photo(0).labels == np.where(wanted == 255, 0, wanted)).all()
    told = capsys.readouterr().err
    assert "export: neck becomes background" in told
    assert "has no value for unknown: 0.1% of the pixels became background" in told
    for scheme, to, reason in (
        (HELEN_11, "celebamask", "needs celebamask-19, which keeps apart what helen-11 has in background"),
        (FASSEG_6, "helen", "needs helen-11, which keeps apart what fasseg-6 has in .*eyes"),
        (OWN, "helen", "needs helen-11, the set has mine-2"),
    ):
        write_set(tmp_path / scheme.name, [1], scheme=scheme)
        with pytest.raises(ConfigError, match=f"--to {to}: {reason}"):
            export(tmp_path / scheme.name, to, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_tar_files_are_read_by_webdataset(tmp_path, monkeypatch):
    import webdataset

    monkeypatch.setattr(tars, "PER_FILE", 2)
    images, labels = _pixels(write_set(tmp_path / "set", [3, 2]))
    export(tmp_path / "set", "webdataset", tmp_path / "out")
    files = sorted(str(path) for path in (tmp_path / "out").glob("*.tar"))
    assert len(files) == 3
    found = list(webdataset.WebDataset(files, shardshuffle=False).decode("rgb8").to_tuple("image.png", "mask.png", "json"))
    for row, (image, mask, about) in enumerate(found):
        assert (image == images[row]).all()
        assert (mask == labels[row][..., None]).all()
        assert about["ai_generated"] is True
        assert about["source"] == ShardReader(tmp_path / "set").about(row)["source"]
    assert len(found) == 5
    with tarfile.open(files[0]) as tar:
        assert _marked(tar.extractfile("face_000001.image.png").read())
    export(tmp_path / "set", "webdataset", tmp_path / "again")
    assert (tmp_path / "again" / "faces-000001.tar").read_bytes() == (tmp_path / "out" / "faces-000001.tar").read_bytes()


def test_parquet_files_are_read_by_pyarrow_and_datasets(tmp_path, monkeypatch):
    from pyarrow import parquet

    import datasets

    monkeypatch.setattr(parquet_module, "PER_FILE", 2)
    images, labels = _pixels(write_set(tmp_path / "set", [3, 2]))
    export(tmp_path / "set", "parquet", tmp_path / "out")
    files = sorted(str(path) for path in (tmp_path / "out" / "data").glob("*.parquet"))
    assert [file.rpartition("/")[2] for file in files] == [f"train-0000{n}-of-00003.parquet" for n in range(3)]
    table = parquet.read_table(files[1])
    assert table["source"].to_pylist() == ["sé2", "sé0"]
    assert table["seed"].to_pylist() == [2**64 - 1] * 2
    assert _marked(table["image"][0].as_py()["bytes"])
    monkeypatch.setattr("datasets.config.HF_DATASETS_OFFLINE", True)
    faces = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert isinstance(faces.features["image"], datasets.Image)
    for row in range(5):
        assert (np.asarray(faces[row]["image"]) == images[row]).all()
        assert (np.asarray(faces[row]["mask"]) == labels[row]).all()


def test_faces_that_agree_less_are_left_out(tmp_path):
    write_set(tmp_path / "set", [3, 4])
    fits = ShardReader(tmp_path / "set").column("agreement")
    bar = float(np.median(fits))
    assert export(tmp_path / "set", "folder", tmp_path / "out", min_agreement=bar) == int((fits >= bar).sum())
    names = [f"face_{row:06d}" for row in np.flatnonzero(fits >= bar)]
    assert (tmp_path / "out" / "train.txt").read_text().split() == names
    with pytest.raises(ConfigError, match=r"--min-agreement 1.0: no face of .* reaches it; lower it"):
        export(tmp_path / "set", "folder", tmp_path / "none", min_agreement=1.0)


def test_what_cannot_be_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    write_set(tmp_path / "set", [2])
    (tmp_path / "there").mkdir()
    for to, out, told in (
        ("folder", "there", "--out .*there: is there already"),
        ("tfrecord", "out", "--to tfrecord: unknown; choose from folder, helen"),
    ):
        with pytest.raises(ConfigError, match=told):
            export(tmp_path / "set", to, tmp_path / out)
    for library, to in (("webdataset", "webdataset"), ("pyarrow", "parquet")):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(ConfigError, match=rf"--to {to}: needs the package {library}; pip install 'faceaug\[export\]'"):
            export(tmp_path / "set", to, tmp_path / "out")

    def dies(part, faces, scheme):
        (part / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setitem(FORMS, "folder", type(FORMS["folder"])(dies))
    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "set", "folder", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set", "there"]


def test_columns_of_ones_own_are_exported(tmp_path):
    from pyarrow import parquet

    write_set(tmp_path / "set", [2])
    with h5py.File(tmp_path / "set" / "shard-00000.h5", "r+") as file:
        file["vector"] = np.array([[1.5, np.nan], [2, 3]])
        file["ita"][:] = [np.nan, 30]
        file["flag"] = np.array([True, False])
    export(tmp_path / "set", "parquet", tmp_path / "out")
    table = parquet.read_table(next((tmp_path / "out" / "data").iterdir()))
    assert table["vector"].to_pylist() == ["[1.5, null]", "[2.0, 3.0]"]
    assert table["ita"].to_pylist() == [None, 30]
    assert table["flag"].to_pylist() == [True, False]
    export(tmp_path / "set", "folder", tmp_path / "folder")
    assert "[1.5, null]" in (tmp_path / "folder" / "metadata.csv").read_text()


def test_an_exported_folder_trains_a_network_of_smp(tmp_path, faces):
    """By Pillow, smp and torch alone, as somebody who has only the folder would."""
    import segmentation_models_pytorch as smp
    import torch
    from torch.utils.data import DataLoader, Dataset

    small.write_set(tmp_path / "set", faces.select(range(8)))
    export(tmp_path / "set", "folder", tmp_path / "out")

    class Pairs(Dataset):
        paths = sorted((tmp_path / "out" / "images").iterdir())

        def __len__(self):
            return len(self.paths)

        def __getitem__(self, row):
            with (
                Image.open(self.paths[row]) as image,
                Image.open(self.paths[row].parent.parent / "masks" / self.paths[row].name) as mask,
            ):
                return np.asarray(image.convert("RGB")).transpose(2, 0, 1).astype(np.float32) / 255, np.asarray(mask).astype(
                    np.int64
                )

    torch.manual_seed(0)
    net = smp.Unet("mobilenet_v2", encoder_weights=None, decoder_channels=(16, 16, 8, 8, 8), classes=len(HELEN_11))
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(6):
        for images, masks in DataLoader(Pairs(), batch_size=8):
            loss = torch.nn.functional.cross_entropy(net(images), masks, ignore_index=255)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
