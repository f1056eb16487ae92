import dataclasses

import numpy as np
import torch

from faceaug.gan.network import Look
from faceaug.generate.looks import LookCache
from faceaug.generate.plan import Planner


def _plan(ready, mix, count=12):
    planner = Planner(ready.targets, ready.sources, copies=np.ones(12, int), mode="any", seed=0, mix=mix, candidates=1)
    return planner.rows(0, count)


def test_a_small_cache_gives_the_same_looks(ready):
    plan = _plan(ready, "pairs")
    roomy = LookCache(ready.generator, ready.sources)
    tight = LookCache(ready.generator, ready.sources, room=1)
    for _ in range(2):
        first, second = roomy.of(plan), tight.of(plan)
        for one, other in zip(vars(first).values(), vars(second).values(), strict=True):
            assert (one is None) == (other is None)
            assert one is None or torch.equal(one, other)
    assert roomy.encoded == len({*zip(plan.people.ravel(), plan.turned.ravel(), strict=True)})
    assert tight.encoded > roomy.encoded


def test_a_mixture_of_a_person_with_themself_is_that_person(ready):
    plan = _plan(ready, "none", 4)
    look = LookCache(ready.generator, ready.sources).of(plan)
    owner = torch.tensor([[0, 0, 1, 1, 0]]).expand(4, -1)
    mixed = Look.mix([look, look], owner)
    target = ready.targets.images[:4], ready.targets.labels[:4]
    assert (ready.generator.generate(mixed, *target) == ready.generator.generate(look, *target)).all()


def test_components_come_from_their_owners(ready):
    first, second = _plan(ready, "none", 4), _plan(ready, "none", 8)
    cache = LookCache(ready.generator, ready.sources)
    one, other = cache.of(first), cache.of(dataclasses.replace(first, people=second.people[4:], turned=second.turned[4:]))
    target = ready.targets.images[:4], ready.targets.labels[:4]
    for whose, same in ((0, one), (1, other)):
        owner = torch.full((4, 5), whose)
        mixed = Look.mix([one, other], owner)
        assert torch.equal(mixed.codes, same.codes)
        assert (ready.generator.generate(mixed, *target) == ready.generator.generate(same, *target)).all()
    owner = torch.tensor([[0, 0, 1, 0, 1]]).expand(4, -1)
    codes = Look.mix([one, other], owner).codes
    assert torch.equal(codes[:, [0, 1, 3]], one.codes[:, [0, 1, 3]])
    assert torch.equal(codes[:, [2, 4]], other.codes[:, [2, 4]])
