"""The command line: it parses and prints, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privbench import __version__
from privbench.errors import InputError, PrivbenchError, one_sentence

if TYPE_CHECKING:
    from privbench.result import Result

__all__ = ["app", "main"]

app = typer.Typer(
    name="privbench",
    help="How much better can someone infer a person's secret because of a release, and what does the protection "
    "cost in accuracy and fairness?",
    epilog="Exit status: 0 fine, 1 a cell failed, 2 bad usage or input.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_LISTED = ("attacks", "defenses", "datasets", "games", "metrics")


def main() -> None:
    """Run the command line; an error of ours is one sentence and status 2."""
    one_sentence(app)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    config: Annotated[Path | None, typer.Argument(help="A YAML file; without one the default runs on Adult.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the results; what stands there is not run again.")] = Path(
        "privbench-results"
    ),
    seeds: Annotated[int | None, typer.Option(help="How many times every cell is repeated.", min=1)] = None,
    workers: Annotated[int | None, typer.Option(help="Local processes; one a core by default.", min=1)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, in place of them.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, in place of the config's.")] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print the default config and exit.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Play a benchmark: releases, attacks, downstream models; print the leaderboard and write the report."""
    if print_config:
        from privbench.experiment import default_text

        typer.echo(default_text(), nl=False)
        return
    if workers is not None and scheduler is not None:
        raise InputError("--workers and --scheduler exclude each other; give one of the two")
    from privbench.runner import run as run_benchmark

    overrides = _overrides(set_ or [])
    if seeds is not None:
        overrides["seeds"] = seeds
    result = run_benchmark(config, out=out, workers=workers, scheduler=scheduler, overrides=overrides, quiet=quiet)
    result.print()
    _write_report(result)
    failures = result.failures
    if len(failures):
        cells = failures["key"].nunique()
        typer.echo(f"{cells} cell{'s' if cells > 1 else ''} without figures; the reasons are above.", err=True)
        raise typer.Exit(1)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of results, as 'privbench run --out' made it.")],
    out: Annotated[Path | None, typer.Option(help="The page; report.html in the folder by default.")] = None,
) -> None:
    """Write the results of a run as one self-contained HTML page."""
    from privbench.result import Result

    result = Result.load(folder)
    result.print()
    _write_report(result, out)


def _write_report(result: Result, out: Path | None = None) -> None:
    """Write the page, and say where it is and what to keep to oneself."""
    from privbench.result import EXPOSED

    typer.echo(f"Report: {result.write_report(out)}")
    if (listed := result.folder / EXPOSED).exists():
        typer.echo(f"The most exposed people, with what is known of them: {listed}. Keep it as safe as the data.")


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help=" | ".join(_LISTED), metavar="KIND")],
    name: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
) -> None:
    """List plugins or metrics: what each is, its parameters with their defaults, and its source."""
    from privbench import registry
    from privbench.errors import unknown

    if kind not in _LISTED:
        raise unknown("kind of plugin", kind, _LISTED)
    if kind == "metrics":
        _list_metrics(name)
        return
    for entry in registry.names(kind) if name is None else (name,):  # type: ignore[arg-type]
        try:
            card = registry.card(kind, entry)  # type: ignore[arg-type]
        except PrivbenchError as error:
            if name is not None:
                raise
            typer.echo(f"{entry}  (not usable: {error})\n")
            continue
        typer.secho(card.name, bold=True, nl=False)
        typer.echo("" if card.package == "privbench" else f"  (from {card.package})")
        typer.echo(f"  {card.summary}")
        for parameter, type_, default, meaning in card.parameters:
            typer.echo(f"    {parameter}: {type_} = {default}")
            if meaning:
                typer.echo(f"      {meaning}")
        typer.echo(f"  Source: {card.source or 'not stated'}\n")


def _list_metrics(name: str | None) -> None:
    from privbench.scorers.metrics import METRICS, metric

    for entry in METRICS if name is None else (metric(name),):
        typer.secho(entry.name, bold=True, nl=False)
        typer.echo(f"  ({entry.family})")
        typer.echo(f"  {entry.meaning}\n")


def _overrides(assignments: list[str]) -> dict[str, Any]:
    """Read ``key=value`` texts; the value is YAML, so ``[sex, race]`` is a list and ``5`` a number."""
    import yaml

    found: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise InputError(f"--set {assignment!r}: allowed is key=value, for instance --set records=5000")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"--set {assignment!r}: the value is not valid YAML; quote it or simplify it") from None
    return found
