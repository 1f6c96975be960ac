"""A mechanism as it was given, made anew for every few runs, each time with randomness of its own.

Copies of one state would repeat what it decides: thousands of runs would have the noise of the first few. Of numpy's
generators `privbench.verifying.pickled` puts another one into each copy. What else a mechanism keeps from release to
release may be noise, a result, or the state of some other generator; where it decides what is released next, one object
makes all releases.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from privbench.contracts import Defense
from privbench.rng import stream
from privbench.table import Table
from privbench.verifying.failures import in_one_line
from privbench.verifying.pickled import Pickled
from privbench.verifying.reading import fingerprint

__all__ = ["Copies"]


@dataclass(frozen=True, slots=True)
class Copies:
    """Makes a mechanism anew.

    Parameters
    ----------
    source : Pickled or Defense
        The mechanism as it was given; itself where there can be no copies, and it makes all releases.
    why : str
        Why there can be none.
    """

    source: Pickled | Defense
    why: str = ""

    @classmethod
    def of(cls, defense: Defense) -> Copies:
        """Take the mechanism as it is now."""
        for by_value in (True, False):
            try:
                copies = cls(Pickled.of(defense, by_value=by_value))
                copies.anew(0, "tried")
            except Exception as error:  # whatever an object's own pickling raises
                failed = error
            else:
                return copies
        return cls(defense, f"the defense cannot be copied ({in_one_line(failed)}): one object made all releases")

    @property
    def single(self) -> bool:
        """Whether one object makes all releases."""
        return not isinstance(self.source, Pickled)

    def anew(self, seed: int, *key: str) -> Defense:
        """Return a copy, whose own randomness is named by `key`; or the one object."""
        if not isinstance(self.source, Pickled):
            return self.source
        made: Defense = self.source.load(lambda place: stream(seed, "verify own", *key, str(place)))
        return made

    def after(self, defense: Defense, train: Table, *, seed: int) -> Copies:
        """Return the same copies, or one object where its state, which some releases have changed, decides on the next.

        That is asked of one copy, by two releases of the same records with the same generator handed in. Noise that was
        drawn once, or a result that was kept, is the same in both, and drawn anew in every copy. A generator with a
        constant seed differs, but copies repeat its noise as it does.

        Parameters
        ----------
        defense : Defense
            The mechanism that was taken, after some releases.
        train : Table
            Of which it can make one.
        seed : int
        """
        if not isinstance(self.source, Pickled) or self.source.repeats or _is_still(self.source, defense):
            return self
        try:
            tried = self.anew(seed, "tried")
            prints = {fingerprint(tried.release(train, rng=stream(seed, "verify again"))) for _ in range(2)}
        except Exception:  # a user's code may raise anything
            return self
        if len(prints) == 1:
            return self
        why = "the defense has a state of its own that decides on its next release: one object made all of them"
        return Copies(self.anew(seed, "one"), why)


def _is_still(given: Pickled, defense: Defense) -> bool:
    """Return whether a mechanism is as it was given, its generators apart."""
    with suppress(Exception):  # what can no longer be pickled has changed
        return any(Pickled.of(defense, by_value=how).content == given.content for how in (True, False))
    return False
