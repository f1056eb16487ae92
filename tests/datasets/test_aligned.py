import numpy as np
import pytest
from faceaug.datasets.aligned import AlignedFaces
from torch.utils.data import DataLoader

from faceaug.errors import ConfigError
from faceaug.prepare.faces import FaceSet


def test_samples_are_the_aligned_crops(drawn, faces):
    found = AlignedFaces("helen", size=64, root=drawn)
    assert len(found) == len(faces)
    image, mask = found[3]
    assert (image.permute(1, 2, 0).numpy() == faces.images[3]).all()
    assert (mask.numpy() == faces.labels[3]).all()
    some = AlignedFaces(f"helen:{drawn / 'helen'}", size=64, limit=5, transforms=lambda image, mask: (image.flip(-1), mask))
    assert len(some) == 5
    assert (some[3][0].flip(-1) == image).all()
    assert len(list(some)) == 5


def test_faces_at_hand_and_workers(faces):
    found = AlignedFaces(faces)
    masks = [mask for _, batch in DataLoader(found, batch_size=5, num_workers=2) for mask in batch]
    assert (np.stack(masks) == faces.labels).all()


def test_photos_without_labels_are_refused(drawn, faces):
    with pytest.raises(ConfigError, match="'celeba': has no label maps"):
        AlignedFaces("celeba", root=drawn)
    with pytest.raises(ValueError, match="has no label maps"):
        AlignedFaces(FaceSet(faces.title, faces.names, faces.images, None, faces.male, faces.identity))
