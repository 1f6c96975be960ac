"""A user's own generators, as a file of theirs would have them."""

from __future__ import annotations

import os
import warnings


def resample(train, rng):
    return train.sample(len(train), replace=True, random_state=rng)


def unseeded(train, rng):
    return train.sample(len(train), replace=True)


def destroys(train, rng):
    for name in list(train):
        train[name] = None
    return train


def raises(train, rng):
    raise RuntimeError("the generator broke")


def of_one(train):
    return train


def of_lists(train, rng):
    return train.assign(sex=[["a"]] * len(train))


def disturbs(train, rng):
    os.chdir("/")
    os.environ["LEFT_BEHIND"] = "1"
    warnings.simplefilter("always")
    return train


def with_torch(train, rng):
    import torch

    return train.take(torch.randint(len(train), (len(train),)).numpy())


not_a_function = 3
