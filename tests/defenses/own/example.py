"""A user's own generators, as a file of theirs would have them."""

from __future__ import annotations


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


not_a_function = 3
