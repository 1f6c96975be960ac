"""The command line: it parses and prints, nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privbench import __version__
from privbench.auditing.thresholds import THRESHOLDS
from privbench.errors import InputError, PrivbenchError, one_sentence

if TYPE_CHECKING:
    from privbench.auditing.result import AuditResult
    from privbench.result import Result
    from privbench.verifying.verification import Verification

__all__ = ["app", "main"]

app = typer.Typer(
    name="privbench",
    help="How much better can someone infer a person's secret because of a release, and what does the protection "
    "cost in accuracy and fairness?",
    epilog="Exit status: 0 fine, 1 a threshold was crossed, a claim failed or a cell failed, 2 bad usage or input.",
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
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, for processes elsewhere.")] = None,
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


@app.command()
def audit(
    synthetic: Annotated[Path, typer.Argument(help="The synthetic file: .csv, .csv.gz or .parquet.")],
    train: Annotated[Path, typer.Option(help="The real records that it was made from.")],
    control: Annotated[Path | None, typer.Option(help="Real records of the same kind that had no part in it.")] = None,
    secret: Annotated[list[str] | None, typer.Option(help="Column to ask; all by default.")] = None,
    known: Annotated[list[str] | None, typer.Option(help="Column known beforehand; all others by default.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(help="Protected column: compare its groups; every column of few values by default."),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column that models are to predict.")] = None,
    positive: Annotated[str | None, typer.Option(help="Its favourable value; the last by default.")] = None,
    attacks: Annotated[
        list[str] | None, typer.Option(help="Attack to make, as 'privbench list attacks' has it.")
    ] = None,
    targets: Annotated[int, typer.Option(help="How many people of each file are attacked.", min=20)] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures, unless time runs out.", min=0)] = 0,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for all of it, above 0.")] = None,
    workers: Annotated[int | None, typer.Option(help="Local processes; one a core by default.", min=1)] = None,
    delimiter: Annotated[str, typer.Option(help="Between the cells of a CSV file.")] = ",",
    encoding: Annotated[str, typer.Option(help="Of a CSV file.")] = "utf-8",
    thousands: Annotated[str, typer.Option(help="Between groups of three digits.")] = "",
    decimal: Annotated[str, typer.Option(help="Decimal sign.")] = ".",
    dates: Annotated[str | None, typer.Option(help="Layout of dates, as %d.%m.%Y.")] = None,
    continuous: Annotated[list[str] | None, typer.Option(help="Column that holds numbers.")] = None,
    categorical: Annotated[list[str] | None, typer.Option(help="Column that holds codes or words.")] = None,
    ordinal: Annotated[list[str] | None, typer.Option(help="Column that holds a few numbers in order.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report and its data.")] = Path("privbench-audit"),
    json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to standard output.")] = False,
    markdown: Annotated[str | None, typer.Option(help="Write a summary in Markdown to this file; - prints it.")] = None,
    fail_above: Annotated[
        list[str] | None,
        typer.Option(help=f"METRIC=VALUE, as advantage=0.05: exit 1 if surely above. {', '.join(THRESHOLDS)}."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Ask whether a synthetic file gives away the people it was made from, and what it is good for.

    Options that name columns may be repeated, or hold several names with commas.
    """
    from privbench.auditing.crossings import not_judged, not_ruled_out, reservations
    from privbench.auditing.names import columns_of, split_names
    from privbench.auditing.result import check_file, check_folder
    from privbench.auditing.thresholds import check_possible, parse_thresholds
    from privbench.datasets.alike_options import AlikeOptions
    from privbench.datasets.dialect import Dialect

    thresholds = parse_thresholds(fail_above or [])
    check_possible(thresholds, control=control is not None, group=bool(group), label=label is not None)
    if json and markdown == "-":
        raise InputError("--json and --markdown - both print to standard output; give --markdown a file")
    check_folder(out)
    if markdown is not None and markdown != "-":
        check_file(markdown, read=[path for path in (synthetic, train, control) if path is not None])
    lists = [secret, known, group, continuous, categorical, ordinal]
    cut = any("," in name for names in lists for name in names or ())
    columns = columns_of(train, Dialect(delimiter, encoding, decimal, thousands)) if cut else ()
    secrets, knowns, groups, numbers, words, ranks = (split_names(names or (), columns) for names in lists)
    options = AlikeOptions(
        label=label,
        positive=positive,
        groups=groups,
        continuous=numbers,
        categorical=words,
        ordinal=ranks,
        delimiter=delimiter,
        encoding=encoding,
        thousands=thousands,
        decimal=decimal,
        dates=dates,
    )
    from privbench.auditing.audit import audit as run_audit

    result = run_audit(
        train,
        synthetic,
        control,
        secret=secrets if secret else None,
        known=knowns if known else None,
        group=groups if group else None,
        label=label,
        attacks=split_names(attacks, ()) if attacks else None,
        targets=targets,
        seed=seed,
        time_limit=time_limit,
        workers=workers,
        options=options,
        quiet=quiet,
    )
    page = result.write(out)
    if markdown is not None and markdown != "-":
        result.write_markdown(markdown, thresholds=thresholds)
    _tell(result.to_json() if json else result.to_markdown(thresholds) if markdown == "-" else _printed(result))
    _say_where(result, page, err=json or markdown == "-")
    if markdown is not None and markdown != "-":
        _tell(f"Summary: {markdown}\n", err=json)
    crossings = result.crossed(thresholds)
    for crossing in crossings:
        _tell(f"above the threshold: {crossing}\n", err=True)
    found = result.findings
    said = [*reservations(found, crossings), *(not_judged(found, thresholds) if crossings else ())]
    for sentence in (*said, *not_ruled_out(found, thresholds)):
        _tell(f"{sentence}\n", err=True)
    left = [one.column for one in result.findings.columns if one.advantage is None]
    if left and any(name.endswith("advantage") for name in thresholds):
        _tell(f"not asked, so without a threshold: {', '.join(left)}; the report says why\n", err=True)
        if not crossings and (unasked := sorted({*secrets} & {*left})):
            raise InputError(f"--fail-above: {', '.join(unasked)} was to be asked (--secret), and could not be")
    if crossings:
        raise typer.Exit(1)


def _say_where(result: AuditResult, page: Path, *, err: bool) -> None:
    """Say where the report is, and what to keep to oneself."""
    from privbench.result import EXPOSED

    _tell(f"Report: {page}\n", err=err)
    if result.findings.records:
        _tell(f"The most exposed records: {page.with_name(EXPOSED)}. Keep it as safe as the data.\n", err=err)


def _printed(result: AuditResult | Verification) -> str:
    """Return what is printed on the console of standard output; nothing if that was closed from the start."""
    from privbench.report.console import standard_console

    if sys.stdout is None:
        return ""
    console = standard_console()
    with console.capture() as captured:
        result.print(console)
    return captured.get()


def _tell(text: str, *, err: bool = False) -> None:
    """Print to somebody who may stop reading, as ``head`` does: the rest is dropped, and that is no failure.

    Raises
    ------
    InputError
        If it cannot be written for another reason, such as a full disk.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is None:  # closed from the start
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        both = [one.fileno() for one in (sys.stdout, sys.stderr) if one is not None]
        lost = [number for number in both if os.path.sameopenfile(number, stream.fileno())]
        for number in lost:  # else what is left in the buffer fails again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        if not isinstance(error, BrokenPipeError):
            name = "standard error" if err else "standard output"
            raise InputError(f"{name} cannot be written ({error.strerror}); make room, and start again") from None


@app.command()
def verify(
    defense: Annotated[str | None, typer.Argument(help="A plugin's name, or file.py:function.")] = None,
    command: Annotated[str | None, typer.Option(help="In its place a command line with {train} and {out}.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, a parameter of the defense.")] = None,
    dataset: Annotated[str, typer.Option(help="A data set's name or a file; gives columns and records.")] = "adult",
    epsilon: Annotated[float | None, typer.Option(help="The claim to test, if not the defense's own.")] = None,
    delta: Annotated[float | None, typer.Option(help="Of that claim.")] = None,
    adjacency: Annotated[str | None, typer.Option(help="replace-one | add-remove | local.")] = None,
    method: Annotated[str, typer.Option(help="auto | one-run | many-runs | local | both.")] = "auto",
    runs: Annotated[
        int | None, typer.Option(help="Releases of the many runs; with --method one-run its repetitions.", min=1)
    ] = None,
    targets: Annotated[int | None, typer.Option(help="Secrets drawn in the one run.", min=1)] = None,
    attacks: Annotated[list[str] | None, typer.Option(help="An attack of the one run; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
    time_limit: Annotated[float | None, typer.Option(help="Seconds, about.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; figures do not depend on it.", min=1)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Test a claim of differential privacy: refuted, or no violation found and what would have been caught."""
    given = [one for one in (defense, command) if one is not None]
    if len(given) != 1:
        raise InputError("give a defense's name or --command, one of the two; see 'privbench list defenses'")
    if command is not None and not ("{train}" in command and "{out}" in command):
        raise InputError(f"--command: {command!r} lacks {{train}} or {{out}}; write them where the files' paths belong")
    from privbench.verifying.verify import verify as verify_claim

    found = verify_claim(
        given[0], settings=_overrides(set_ or []), dataset=dataset, epsilon=epsilon,
        delta=delta, adjacency=adjacency, method=method, runs=runs, targets=targets, attacks=attacks, seed=seed,
        time_limit=time_limit, workers=workers, quiet=quiet,
    )  # fmt: skip
    _tell(f"{found.to_json()}\n" if json else _printed(found))
    if found.refuted:
        raise typer.Exit(1)


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help=" | ".join(_LISTED), metavar="KIND")],
    name: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
) -> None:
    """List plugins, with parameters, defaults and source, or metrics, with range, direction and what chance scores."""
    from privbench import registry
    from privbench.cards import card_of
    from privbench.errors import unknown

    if kind not in _LISTED:
        raise unknown("kind of plugin", kind, _LISTED)
    if kind == "metrics":
        _list_metrics(name)
        return
    for entry in registry.names(kind) if name is None else (name,):  # type: ignore[arg-type]
        try:
            card = card_of(kind, entry)  # type: ignore[arg-type]
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
        typer.echo(f"  {entry.meaning}")
        direction = "neither good nor bad in itself" if entry.higher_is == "neither" else f"higher is {entry.higher_is}"
        typer.echo(f"  Range: {entry.low:g} to {entry.high:g}; {direction}. By chance: {entry.chance or 'none'}\n")


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
