import numpy as np
import pytest

from faceaug.errors import NothingLeft
from faceaug.generate import masks as module
from faceaug.generate.config import GenerateConfig
from faceaug.generate.estimate import estimate
from faceaug.generate.masks import read_masks
from faceaug.generate.tone import TONES, tone_shares, typology_angles
from faceaug.labels import SKIN
from faceaug.shapes.plausible import without_islands


def test_predicted_masks_are_of_the_sure_faces_without_islands(ready, photos, faces, monkeypatch):
    # A parser that is hardly trained predicts no faces: give it the drawn faces' own label maps.
    wanted = faces.labels[np.arange(len(photos)) % len(faces)].copy()
    wanted[:, 1, 1] = SKIN
    wanted[5] = 0

    def predicted(parser, some, **given):
        assert some.labels is None
        return some.with_labels(wanted)

    monkeypatch.setattr(module, "label_photos", predicted)
    found = read_masks(ready.parser, photos)
    assert found.predicted.all()
    assert found.title.endswith(", predicted masks")
    assert len(found) == len(photos) - 1
    assert found.dropped["mask: there is no face"] == 1
    assert (found.labels[0] == without_islands(wanted[:1])[0]).all()
    assert found.labels[0][1, 1] != SKIN
    monkeypatch.setattr(module, "label_photos", lambda parser, some, **given: some.with_labels(0 * wanted))
    with pytest.raises(NothingLeft, match="none of 60 predicted masks is a face's; train the parser longer"):
        read_masks(ready.parser, photos)


def test_an_estimate_plans_all_and_writes_nothing_where_the_set_will_be(ready, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = estimate(
        ready, GenerateConfig(total=30, rows_per_shard=8, candidates=1, gender="any", shapes="flip", shape_share=1.0)
    )
    assert (found.rows, found.masks, found.fewest, found.most, found.shards) == (30, 12, 2, 3, 4)
    assert found.edited == 1
    assert found.size > 30 * 64 * 64 * 3 / 2
    assert found.seconds == pytest.approx(found.rows / found.rate)
    assert not list(tmp_path.iterdir())


def test_light_and_dark_skin():
    parts = np.full((3, 16, 16), SKIN, np.uint8)
    parts[2] = 0
    images = np.empty((3, 16, 16, 3), np.uint8)
    images[0], images[1], images[2] = (240, 205, 180), (90, 60, 45), 128
    angles = typology_angles(images, parts)
    assert angles[0] > 41
    assert angles[1] < -20
    assert np.isnan(angles[2])
    shares = tone_shares(angles)
    assert set(shares) == {name for _, name in TONES}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["very light"] + shares["light"] == pytest.approx(0.5)
