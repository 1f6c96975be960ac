"""What a run consists of: trials, a release each, and the cells recorded of every release."""

from __future__ import annotations

from dataclasses import dataclass

from privbench.plugin import Plugin

__all__ = ["Cell", "Trial"]


@dataclass(frozen=True, slots=True)
class Cell:
    """What is recorded of a release: exactly one of an attack, a downstream model, or the marginals (neither).

    Parameters
    ----------
    key : str
        Hash of everything that the figures depend on.
    attack : Plugin or None
        The attack on the release.
    model : str or None
        The downstream model trained on it.
    """

    key: str
    attack: Plugin | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One release, and the cells recorded of it.

    Parameters
    ----------
    key : str
        Hash of everything that the release depends on.
    game, defense : Plugin
        The experiment and the defense.
    game_label : str
        The game's name, with its settings where two games of one name are played.
    secrets, known : tuple of str
        What the adversary wants and knows.
    seed : int
        The repeat.
    cells : tuple of Cell
        What is recorded.
    dataset_sha256 : str
        Digest of the data set that the keys were made from.
    """

    key: str
    game: Plugin
    game_label: str
    defense: Plugin
    secrets: tuple[str, ...]
    known: tuple[str, ...]
    seed: int
    cells: tuple[Cell, ...]
    dataset_sha256: str
