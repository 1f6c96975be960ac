"""The config file, checked whole before anything runs, and its expansion into trials and cells with keys.

A trial is one release: a game, a defense and a seed. A cell is what is recorded of it: one attack on the release, one
downstream model trained on it, or its marginals. A cell's key hashes everything that its figures depend on.
"""

from __future__ import annotations

import importlib.resources
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from privbench import registry
from privbench.cells import Cell, Trial
from privbench.code_digest import code_digest
from privbench.dataset import Dataset
from privbench.datasets.files import FileOptions, fingerprint, load_file
from privbench.datasets.infer import check_secret
from privbench.downstream import MODELS
from privbench.entries import with_objects
from privbench.errors import InputError, PrivbenchError, unknown
from privbench.games.draw import known_columns
from privbench.keys import canonical, code_version, key_of
from privbench.plugin import Plugin, grid
from privbench.rng import stream

__all__ = ["Experiment", "default_text"]


def default_text() -> str:
    """Return the default config, comments included."""
    return (importlib.resources.files("privbench") / "default.yaml").read_text(encoding="utf-8")


def _once(names: tuple[Any, ...]) -> tuple[Any, ...]:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is listed twice; leave one of the two out")
    return names


class _Downstream(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    models: tuple[str, ...] = ("lightgbm",)

    @field_validator("models")
    @classmethod
    def _named_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _once(names)


class Experiment(BaseModel):
    """A checked config. Build it with `read`; see `privbench run --print-config` for the meaning of each key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str | dict[str, Any] = "adult"
    records: int | None = Field(default=None, ge=2)
    secrets: tuple[str, ...] = Field(min_length=1)
    known: tuple[str, ...] | None = None
    games: tuple[str | dict[str, Any], ...] = Field(default=("holdout",), min_length=1)
    defenses: tuple[str | dict[str, Any], ...] = Field(min_length=1)
    attacks: tuple[str | dict[str, Any], ...] = Field(min_length=1)
    downstream: _Downstream = _Downstream()
    seeds: int | tuple[int, ...] = 1
    text: str = Field(default="", exclude=True)
    # where a relative path starts: a worker process may stand elsewhere
    folder: Path = Field(default_factory=Path.cwd, exclude=True)

    @field_validator("seeds")
    @classmethod
    def _good_seeds(cls, seeds: int | tuple[int, ...]) -> int | tuple[int, ...]:
        if seeds == () or (isinstance(seeds, int) and seeds < 1):
            raise ValueError("at least one seed is needed")
        for seed in seeds if isinstance(seeds, tuple) else ():
            if not 0 <= seed < 2**32:
                raise ValueError("a seed is a whole number from 0 to 4294967295")
        return _once(seeds) if isinstance(seeds, tuple) else seeds

    @field_validator("secrets", "known", mode="before")
    @classmethod
    def _one_or_several(cls, names: object) -> object:
        return (names,) if isinstance(names, str) else names

    @field_validator("secrets", "known")
    @classmethod
    def _named_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else _once(names)

    @classmethod
    def read(
        cls, config: str | Path | Mapping[str, Any] | None = None, *, overrides: Mapping[str, Any] | None = None
    ) -> Experiment:
        """Read and check a config: a YAML file, a mapping, or None for the default.

        Parameters
        ----------
        config : path, mapping or None
            Where it is.
        overrides : mapping
            Keys to exchange; ``downstream.models`` reaches into a mapping.

        Raises
        ------
        InputError
            At the first key, name or value that is not valid, with the nearest valid spelling.
        """
        if isinstance(config, Mapping):
            source, text, plain = "the config", "", dict(config)
        else:
            source = "the default config" if config is None else str(config)
            text = default_text() if config is None else _read(Path(config))
            plain = _parse(text, source)
        if not isinstance(plain, dict):
            raise InputError(f"{source}: a config is a mapping of keys to values; see 'privbench run --print-config'")
        for key, value in (overrides or {}).items():
            plain = _exchange(plain, key.split("."), value)
        allowed = [name for name, field in cls.model_fields.items() if not field.exclude]
        for key in plain:
            if key not in allowed:
                raise unknown("key", key, allowed, hint=f"It is in {source}; see 'privbench run --print-config'.")
        plain = with_objects(plain)
        try:
            if overrides or not text:
                text = yaml.safe_dump(json.loads(canonical(plain)), sort_keys=False)
            experiment = cls.model_validate({**plain, "text": text})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(
                str(part) for part in first["loc"] if not str(part).startswith(("function-", "tuple[", "int"))
            )
            raise InputError(
                f"{source}: {place}: {first['msg'].removeprefix('Value error, ')}; got {first['input']!r}. "
                "See 'privbench run --print-config'."
            ) from None
        for model in experiment.downstream.models:
            if model not in MODELS:
                raise unknown("downstream model", model, MODELS)
        for kind in ("games", "defenses", "attacks"):
            experiment.plugins(kind)
        return experiment

    def seed_list(self) -> tuple[int, ...]:
        """Return the seeds of the repeats."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def plugins(self, kind: Literal["attacks", "defenses", "games"]) -> tuple[Plugin, ...]:
        """Return the grid of one kind of plugin, each built once to check its parameters."""
        return grid(kind, getattr(self, kind))

    def load_dataset(self) -> Dataset:
        """Load the data set that the config names, as its file is now.

        Raises
        ------
        InputError
            If it does not exist or cannot be used.
        """
        spec: Any = self.dataset
        if not isinstance(spec, str) and Path.cwd() != self.folder:
            paths = {key: str(self.folder / spec[key]) for key in ("path", "test") if isinstance(spec.get(key), str)}
            spec = {**spec, **paths}
        return _load(canonical(spec), fingerprint(spec))

    def check(self, dataset: Dataset) -> None:
        """Hold the whole config to the data set, before anything runs: its columns, and every game once.

        Raises
        ------
        InputError
            If a column does not exist, a secret has a single value, or there are too few records for a game.
        """
        schema = dataset.records.schema
        known_columns(schema, self.secrets, self.known)
        for secret in self.secrets:
            check_secret(dataset, secret)
        for game in self.plugins("games"):
            try:
                self._in_context(game, dataset)[0].make().play(dataset, self.secrets, rng=stream(0, "check"))
            except PrivbenchError:
                raise
            except Exception:  # no fault of the config: the run records it, cell by cell, with its reason
                continue
        for defense in self.plugins("defenses"):
            columns = getattr(defense.make(), "columns", None)
            for name in columns if isinstance(columns, tuple) else ():
                if name not in schema:
                    raise unknown(f"column in columns of defense {defense.name!r}", name, schema.names)

    def trials(self, dataset: Dataset) -> Iterator[Trial]:
        """Expand the grid into trials with their cells.

        Downstream models are trained, and marginals compared, in the games that leave the training records as they are.
        """
        attacks, games, defenses = (self.plugins(kind) for kind in ("attacks", "games", "defenses"))
        names = [game.name for game in games]
        digests = {plugin: plugin.digest for plugin in (*attacks, *defenses)}
        code = {game: code_digest("games", game.name) for game in games}
        for given, seed, defense in itertools.product(games, self.seed_list(), defenses):
            game, known = self._in_context(given, dataset)
            label = given.name if names.count(given.name) == 1 else f"{given.name} {given.params}"
            base = [
                code_version(),
                dataset.name,
                dataset.sha256,
                f"{game.identity}{code[given]}",
                canonical(self.secrets),
                digests[defense],
                seed,
            ]
            cells: list[tuple[Plugin | None, str | None]] = [(attack, None) for attack in attacks]
            if registry.load("games", game.name).natural:
                cells += [*((None, model) for model in self.downstream.models), (None, None)]
            yield Trial(
                key=key_of(*base),
                game=game,
                game_label=label,
                defense=defense,
                secrets=self.secrets,
                known=known,
                seed=seed,
                cells=tuple(
                    Cell(key_of(*base, "cell", digests[attack] if attack else None, model), attack, model)
                    for attack, model in cells
                ),
                dataset_sha256=dataset.sha256,
            )

    def _in_context(self, game: Plugin, dataset: Dataset) -> tuple[Plugin, tuple[str, ...]]:
        """Give a game the config's records and known columns where its entry sets none of its own."""
        params = json.loads(game.params)
        accepted = registry.parameters("games", game.name)
        for name, value in (("records", self.records), ("known", self.known)):
            if value is not None and name in accepted:
                params.setdefault(name, value)
        known = known_columns(dataset.records.schema, self.secrets, _tuple(params.get("known")))
        return Plugin("games", game.name, canonical(params)), known


@lru_cache(maxsize=4)
def _load(spec: str, content: str) -> Dataset:
    """Load a data set once for as long as what stands behind its spec, `content`, is the same."""
    plain = json.loads(spec)
    if isinstance(plain, str):
        if Path(plain).suffix and plain not in registry.names("datasets"):
            raise InputError(f"unknown dataset {plain!r}; a file is given as: dataset: {{path: {plain}}}")
        dataset: Dataset = registry.load("datasets", plain)()
        return dataset
    return load_file(FileOptions.from_mapping(plain))


def _exchange(plain: Mapping[str, Any], path: list[str], value: object) -> dict[str, Any]:
    """Return the mapping with the value at a path exchanged."""
    if len(path) == 1:
        return {**plain, path[0]: value}
    inner = plain.get(path[0], {})
    if not isinstance(inner, Mapping):
        raise InputError(f"--set {'.'.join(path)}: {path[0]!r} is no mapping in this config; set it as a whole")
    return {**plain, path[0]: _exchange(inner, path[1:], value)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"config {path} does not exist; start one with: privbench run --print-config > {path}"
        ) from None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"config {path} cannot be read as text: {error}") from None


def _parse(text: str, source: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from None


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
