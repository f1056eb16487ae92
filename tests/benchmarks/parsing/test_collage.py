from faceaug.benchmarks.parsing.collage import collages

from faceaug.labels import HAIR


def test_inner_faces_are_other_peoples_and_all_else_is_left(faces):
    found = collages(faces, 24)
    assert len(found) == 24
    parts, own = found.anatomy(), faces.anatomy()
    changed = 0
    for row, name in enumerate(found.names):
        mine, other = (faces.names.index(part) for part in name.split("+"))
        assert mine == row % len(faces)
        assert other != mine
        here = found.labels[row] != faces.labels[mine]
        changed += int(here.any())
        assert (found.labels[row][here] == faces.labels[other][here]).all()  # labels are somebody's own
        assert ((parts[row] == HAIR) == (own[mine] == HAIR)).mean() > 0.99
        outside = parts[row] == 0
        assert (found.images[row][outside] == faces.images[mine][outside]).all()
    assert changed > 18


def test_the_same_seed_gives_the_same_collages(faces):
    first, second, other = (collages(faces, 6, seed=seed) for seed in (1, 1, 2))
    assert (first.images == second.images).all()
    assert first.names == second.names
    assert first.names != other.names
