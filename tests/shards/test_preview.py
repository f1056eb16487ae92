import numpy as np
import pytest
from sets import write_set

from faceaug.errors import ConfigError
from faceaug.shards.preview import evenly, preview
from faceaug.shards.reader import ShardReader


def test_faces_are_spread_over_the_set(tmp_path):
    write_set(tmp_path, [3, 4])
    reader = ShardReader(tmp_path)
    assert evenly(reader, 3) == [0, 3, 6]
    assert evenly(reader, 100) == list(range(7))
    assert evenly(reader, 1) == [0]


def test_each_face_has_image_overlay_and_mask(tmp_path):
    (images, labels, _), *_ = write_set(tmp_path, [3], size=16)
    reader = ShardReader(tmp_path)
    picture = preview(reader, [1], side=16)
    colours = reader.scheme.colour(labels[1])
    assert (picture[2:18, 2:18] == images[1]).all()
    assert (picture[2:18, 18:34] == (images[1].astype(int) + colours) // 2).all()
    assert (picture[2:18, 34:50] == colours).all()
    assert (picture[20:] < 200).any()  # a caption
    assert preview(reader, [0, 1, 2], columns=2, side=16).shape[0] > 1.9 * (picture.shape[0] - 4)
    assert np.isfinite(picture).all()
    with pytest.raises(ConfigError, match=r"--rows 3: .* has rows 0 to 2"):
        preview(reader, [0, 3])
