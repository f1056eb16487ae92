import json

import numpy as np
from faceaug.benchmarks import shard_reads as module
from faceaug.benchmarks.shard_reads import measure_reads
from faceaug.datasets.synthetic import SyntheticFaces


def test_all_ways_read_the_same_faces(tmp_path):
    images, labels = module._drawn(3, 32)
    assert images.shape == (3, 32, 32, 3)
    assert len(np.unique(labels)) > 6
    folder = module._write_set(tmp_path / "set", images, labels, 7)
    pictures = module._write_pictures(tmp_path / "pictures", images, labels, 7)
    faces = SyntheticFaces(folder)
    bare = module._bare(faces.readers[0].paths)
    for row in range(7):
        image, mask = faces[row]
        assert (image.permute(1, 2, 0).numpy() == images[row % 3]).all()
        assert (mask.numpy() == labels[row % 3]).all()
        assert all((one == other).all() for one, other in zip(bare(row), (images[row % 3], labels[row % 3]), strict=True))
        for read in (module._by_cv2, module._by_pil):
            assert (read(pictures / f"{row}.png") == images[row % 3]).all()
        assert (module._by_pil(pictures / f"{row}-mask.png") == labels[row % 3]).all()


def test_everything_is_measured_in_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PER_ROUND", 4)
    monkeypatch.setattr(module, "_PER_SHARD", 8)
    found = measure_reads(tmp_path, rows=12, size=32, seconds=0, opened=20)
    assert json.loads(json.dumps(found)) == found
    assert found["rounds"] == 3
    assert set(found["per_second"]) == {"synthetic_faces", "synthetic_arrays", "h5py", "png_cv2", "png_pil"}
    assert all(rate > 0 for rate in found["per_second"].values())
    assert found["ratio_png"] > 0
    assert found["ratio_h5py"] > 0
    assert len(SyntheticFaces(tmp_path / "shards-20-8")) == 20
    assert found["open_seconds"] > 0
    assert measure_reads(tmp_path, rows=12, size=32, seconds=0, opened=20)["opened"] == 20  # into a folder that is there
