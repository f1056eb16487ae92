import numpy as np
import pytest
import torch
from blocks import labels_of, photo_of
from faceaug.datasets.synthetic import SyntheticFaces
from faceaug.datasets.transforms import CutFaces, FlipFaces, MoveFaces, strong_transforms
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from faceaug.errors import ConfigError
from faceaug.labels import CELEBAMASK_19, HELEN_11, IGNORE, LEFT_EYE, RIGHT_EYE


@pytest.fixture
def sample():
    """A face of blocks: its image is its label map, a grey value a class."""
    labels = torch.from_numpy(labels_of())
    return tv_tensors.Image((labels * 20).expand(3, -1, -1).contiguous()), tv_tensors.Mask(labels)


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


def test_mirrored_masks_keep_their_type():
    for dtype in (torch.uint8, torch.int64):
        mask = tv_tensors.Mask(torch.full((4, 4), LEFT_EYE, dtype=dtype))
        _, turned = FlipFaces(1.0)(tv_tensors.Image(torch.zeros(3, 4, 4)), mask)
        assert turned.dtype == dtype
        assert (turned == RIGHT_EYE).all()


def test_another_scheme_is_mirrored_by_its_own_sides_and_told_where_it_is_not_named():
    mask = tv_tensors.Mask(torch.full((4, 4), CELEBAMASK_19.classes.index("l_ear"), dtype=torch.uint8))
    mask[0, 0], mask[0, 1] = CELEBAMASK_19.classes.index("hair"), 255
    image = tv_tensors.Image(torch.zeros(3, 4, 4, dtype=torch.uint8))
    found = FlipFaces(1.0, scheme=CELEBAMASK_19)(image, mask)[1]
    assert found[0].tolist() == [9, 9, 255, 13]
    with pytest.raises(ConfigError, match=r"label 13 is not in helen-11; give it the dataset's"):
        FlipFaces(0.0)(image, mask)


def test_a_mask_that_would_not_be_mirrored_is_told(sample):
    image, mask = sample
    for pair in ((image, mask.as_subclass(torch.Tensor)), (image.as_subclass(torch.Tensor), mask.as_subclass(torch.Tensor))):
        with pytest.raises(ConfigError, match=r"no tv_tensors.Mask among the tensors"):
            FlipFaces(0.0)(*pair)
    assert torch.equal(FlipFaces(1.0)(image), image.flip(-1))  # photos without masks


def test_image_and_mask_move_together(sample):
    image, mask = sample
    big = [v2.functional.resize(part, [128, 128], v2.InterpolationMode.NEAREST) for part in sample]
    for seed in range(8):
        torch.manual_seed(seed)
        moved, labels = MoveFaces()(*big)
        assert moved.shape == big[0].shape
        assert labels.dtype == mask.dtype
        known = labels != IGNORE
        assert known.float().mean() > 0.8
        off = (moved[0].float() - labels.float() * 20).abs()[known]
        assert (off < 20).float().mean() > 0.95  # a blurred border at most
        assert not torch.equal(labels, big[1])
    assert image.max() > 0


def test_outside_of_the_photo_nothing_is_known_and_the_image_is_reflected():
    image = tv_tensors.Image(torch.full((3, 32, 32), 77, dtype=torch.uint8))
    mask = tv_tensors.Mask(torch.ones(32, 32, dtype=torch.int64))
    smaller = MoveFaces(0, (0, 0), (0.5, 0.5))
    moved, labels = smaller(image, mask)
    assert (moved == 77).all()
    assert (labels[10:22, 10:22] == 1).all()
    assert (labels[:6] == IGNORE).all()
    assert labels.dtype == torch.int64
    ramp = tv_tensors.Image(torch.arange(32.0).expand(1, 32, 32).contiguous() / 32)
    row = smaller(ramp)[0, 16]
    assert row[:7].diff().lt(0).all()  # runs backwards outside
    assert row[10:22].diff().gt(0).all()
    unknown = tv_tensors.Mask(torch.full((32, 32), IGNORE, dtype=torch.uint8))
    assert (smaller(image, unknown)[1] == IGNORE).all()
    assert smaller(tv_tensors.Image(torch.zeros(2, 3, 8, 8))).shape == (2, 3, 8, 8)


def test_parameters_are_drawn_apart_and_can_be_applied_again(sample):
    for transform in (FlipFaces(), MoveFaces(), CutFaces()):
        params = transform.make_params(list(sample))
        one, two = ([transform.transform(part, params) for part in sample] for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_what_is_covered_has_no_label(sample):
    image, mask = sample
    for seed in range(8):
        torch.manual_seed(seed)
        cut, labels = CutFaces(1.0)(image, mask)
        under = labels == IGNORE
        assert 0.01 < under.float().mean() < 0.25
        assert (cut[:, under] == image.float().mean().to(torch.uint8)).all()
        assert torch.equal(cut[:, ~under], image[:, ~under])
        assert torch.equal(labels[~under], mask[~under])
        assert isinstance(cut, tv_tensors.Image)
    assert IGNORE not in mask  # the sample itself is whole
    assert CutFaces(0.0)(image, mask)[0] is image


def test_photometric_transforms_leave_masks_alone(sample):
    whole = strong_transforms(size=32)
    photometric = v2.Compose([part for part in whole.transforms if not isinstance(part, (FlipFaces, CutFaces))][1:])
    assert len(photometric.transforms) == 4
    changed = 0
    for seed in range(8):
        torch.manual_seed(seed)
        image, mask = photometric(*sample)
        assert torch.equal(mask, sample[1])
        changed += not torch.equal(image, sample[0])
    assert changed > 5


@pytest.mark.parametrize("scheme", [HELEN_11, CELEBAMASK_19], ids=lambda scheme: scheme.name)
def test_strong_transforms_keep_types_and_labels(scheme):
    image = tv_tensors.Image(torch.from_numpy(photo_of(0).transpose(2, 0, 1).copy()))
    mask = tv_tensors.Mask(torch.from_numpy(labels_of(scheme)))
    transforms = strong_transforms(scheme, size=32)
    for seed in range(16):
        torch.manual_seed(seed)
        found = transforms(image, mask)
        assert [type(part) for part in found] == [tv_tensors.Image, tv_tensors.Mask]
        assert [part.dtype for part in found] == [torch.uint8, torch.uint8]
        assert [part.shape for part in found] == [image.shape, mask.shape]
        assert set(found[1].unique().tolist()) <= {*range(len(scheme)), IGNORE}
        torch.manual_seed(seed)
        again = transforms(image, mask)
        assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))


def test_by_name_they_are_the_same_on_arrays(sample):
    image, mask = sample
    arrays = {"image": image.permute(1, 2, 0).numpy(), "mask": mask.numpy()}
    for transform in (FlipFaces(), MoveFaces(), CutFaces(), strong_transforms(size=32)):
        for seed in range(4):
            torch.manual_seed(seed)
            wanted = transform(image, mask)
            torch.manual_seed(seed)
            found = transform(**arrays)
            assert set(found) == {"image", "mask"}
            assert (found["image"] == wanted[0].permute(1, 2, 0).numpy()).all()
            assert (found["mask"] == wanted[1].numpy()).all()
    assert (arrays["mask"] == labels_of()).all()
    with pytest.raises(ConfigError, match="FlipFaces: called with picture"):
        FlipFaces()(picture=arrays["image"])
    with pytest.raises(ConfigError, match="image is float32"):
        FlipFaces()(image=np.zeros((4, 4, 3), np.float32), mask=arrays["mask"])


class Pipeline:
    """The calling convention of albumentations.Compose: keywords in, a dictionary of the same keywords out."""

    def __init__(self, *steps):
        self.steps = steps

    def __call__(self, *args, **data):
        assert not args, "call it by name"
        for step in self.steps:
            data = step(**data)
        return data


def _quarter(image, mask):
    return {"image": np.ascontiguousarray(image[:8, :8]), "mask": mask[:8, :8].copy()}


def test_pipelines_that_are_called_by_name(folder):
    faces = SyntheticFaces(folder, form="dict", transforms=Pipeline(FlipFaces(1.0), _quarter))
    (batch,) = DataLoader(faces, batch_size=10, num_workers=1)
    assert batch["image"].shape == (10, 8, 8, 3)
    assert (batch["mask"][3].numpy() == HELEN_11.flip(SyntheticFaces(folder).faces.labels[3])[:8, :8]).all()


def test_albumentations_itself(folder):
    albumentations = pytest.importorskip("albumentations", reason="unmaintained, so no part of the tests' requirements")
    crop = albumentations.Compose([albumentations.CenterCrop(8, 8)])
    faces = SyntheticFaces(folder, form="dict", transforms=lambda **sample: crop(**FlipFaces()(**sample)))
    assert faces[0]["image"].shape == (8, 8, 3)
    assert faces[0]["mask"].shape == (8, 8)
