import pickle

import numpy as np
import pytest
import torch

from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.evaluate.inception import FEATURES, InceptionFeatures
from faceaug.evaluate.run import EvaluateConfig, evaluate

CONFIG = EvaluateConfig(per_mask=2, rounds=10, steps=4)
NAMES = ("generator", "targets", "sources", "real", "judge", "features")


class _Touches:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return type(self.path).touch, (self.path,)


def test_without_the_extra_it_says_what_to_install(compute, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(ConfigError, match=r"--inception: needs torch-fidelity; pip install 'faceaug\[fid\]'"):
        InceptionFeatures(tmp_path / "w.pth", compute)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of the right layout; the real one has 95 MB and cannot be had offline."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "none.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        extractor = module.FeatureExtractorInceptionV3("x", ["2048"], feature_extractor_weights_path=str(folder / "none.pth"))
    torch.save(extractor.state_dict(), folder / "weights.pth")
    return folder / "weights.pth"


def test_features_do_not_depend_on_the_batch(weights, compute, faces):
    features = InceptionFeatures(weights, compute)
    images = np.asarray(faces.images[:5])
    found = features(images, batch=4)
    assert found.shape == (5, FEATURES)
    np.testing.assert_allclose(features(images[3:], batch=1), found[3:], rtol=1e-3, atol=1e-4)
    assert np.linalg.norm(found[0] - found[1]) > 0


def test_what_is_no_such_file_is_refused_and_never_executed(weights, compute, tmp_path):
    touched = tmp_path / "touched"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(_Touches(touched)))
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    reasons = {"evil": "not a file of tensors alone", "other": "other tensors", "missing": "cannot be read"}
    for name, reason in reasons.items():
        with pytest.raises(CheckpointMismatch, match=rf"{name}.pth: holds no Inception-2015 weights \({reason}\); name pt_"):
            InceptionFeatures(tmp_path / f"{name}.pth", compute)
    assert not touched.exists()


def test_distances_proper_stand_beside_the_packaged_ones(tmp_path, ready):
    class Mean:
        def __call__(self, images, *, label=""):
            return np.asarray(images, dtype=np.float32).mean((1, 2))

    scores = evaluate(tmp_path / "proper", **dict(zip(NAMES, ready, strict=True)), config=CONFIG, record={}, inception=Mean())[
        "scores"
    ]
    assert {"FID", "KID x1000", "FID-EffLite0", "KID-EffLite0 x1000"} <= set(scores)
    alone = evaluate(tmp_path / "alone", **dict(zip(NAMES, ready, strict=True)), config=CONFIG, record={})["scores"]
    assert {key: scores[key] for key in alone} == alone
