"""Seconds that protocols of local differential privacy take to randomise everybody's value and estimate the shares.

Side by side, with published packages if --peers is given: the same values, domain and epsilon, each package in a
process of its own with one thread, used as its README has it. Seconds are the processor's, the median of several runs:
what else runs on the machine is not counted. 'error' is the root mean square of estimate less share, in
thousandths, so that one sees that all did the same work; multi-freq-ldpy clips and rescales its estimates, ours and
pure-ldp's are unbiased.
With --large: one protocol with ten million reports instead, its seconds and greatest memory.
Peers are installed by this script into an environment of their own, below --peers, which takes a minute the first time.

Example: python scripts/bench/ldp_speed.py --peers peers
         python scripts/bench/ldp_speed.py --large
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from processes import environment, run_timed

from privbench import one_sentence
from privbench.errors import InputError
from privbench.oracles import FrequencyOracle
from privbench.rng import stream

HERE = Path(__file__).resolve().parent
# the hash library refuses texts from version 4 on, which both packages hash; two of them are needed but not declared
PACKAGES = ["multi-freq-ldpy==0.2.5", "pure-ldp==1.2.0", "xxhash==3.7.0", "scikit-learn", "statsmodels"]
PEERS = {"multi-freq-ldpy": "multi_freq_ldpy_reports.py", "pure-ldp": "pure_ldp_reports.py"}
# how many times faster than every peer each is meant to be
WANTED = {"GRR": 100, "SUE": 20, "OUE": 20, "THE": 20, "SS": 20, "BLH": 20, "OLH": 100}


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--one"]:
        _one(Path(sys.argv[2]), size=int(sys.argv[3]), epsilon=float(sys.argv[4]), limit=float(sys.argv[5]))
        return
    if sys.argv[1:2] == ["--many"]:
        _many(sys.argv[2], int(sys.argv[3]), size=int(sys.argv[4]), epsilon=float(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, help="default 100000, with --large 10000000")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of values; default 10 100, with --large 100")
    parser.add_argument("--epsilons", type=float, nargs="+", help="default 1 4, with --large 1")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environment; without it only ours are run")
    parser.add_argument("--seconds", type=float, default=1.0, help="for the runs of each protocol; one at least")
    parser.add_argument("--large", nargs="?", const="OUE", choices=WANTED, help="memory of one protocol; default OUE")
    given = parser.parse_args()
    people = given.people if given.people is not None else 10_000_000 if given.large else 100_000
    sizes = given.sizes or ([100] if given.large else [10, 100])
    epsilons = given.epsilons or ([1.0] if given.large else [1.0, 4.0])
    if people < 1 or min(sizes) < 2 or not min(epsilons) > 0:
        raise InputError(
            f"at least one person, two values and a positive epsilon are needed; got {people}, {min(sizes)} and "
            f"{min(epsilons)}"
        )
    if given.large:
        _large(given.large, people, sizes, epsilons)
    else:
        _side_by_side(people, sizes, epsilons, given.peers, given.seconds)


def _protocols() -> dict[str, Any]:
    from defenses.ldp.grr import Grr
    from defenses.ldp.local_hashing import Blh, Olh
    from defenses.ldp.subset_selection import SubsetSelection
    from defenses.ldp.unary import Oue, Sue, The

    return {"GRR": Grr, "SUE": Sue, "OUE": Oue, "THE": The, "SS": SubsetSelection, "BLH": Blh, "OLH": Olh}


def _values(people: int, size: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Return codes as a table holds them, smaller ones more often."""
    rng = stream(0, "ldp speed", str(size))
    return (rng.random(people, dtype=np.float32) ** 2 * np.float32(size)).astype(np.int32) % size


def _one(file: Path, *, size: int, epsilon: float, limit: float) -> None:
    """Measure all of ours in this process; print the same as the peers do."""
    codes, rng, said = np.load(file), stream(0, "ldp speed"), {}
    for name, protocol in _protocols().items():
        oracle: FrequencyOracle = protocol(size=size, epsilon=epsilon)
        runs: list[tuple[float, float]] = []
        while len(runs) < 100 and sum(sum(run) for run in runs) <= limit:
            started = time.process_time()
            reports = oracle.randomise(codes, rng=rng)
            randomised = time.process_time()
            shares = oracle.estimate(reports)
            runs.append((randomised - started, time.process_time() - randomised))
        said[name] = {
            "seconds": statistics.median(sum(run) for run in runs),
            "randomise": statistics.median(run[0] for run in runs),
            "estimate": statistics.median(run[1] for run in runs),
            "runs": len(runs),
            "shares": shares.tolist(),
        }
    print(json.dumps(said))


def _many(name: str, people: int, *, size: int, epsilon: float) -> None:
    """Randomise and estimate once in this process; print seconds, and megabytes before."""
    oracle: FrequencyOracle = _protocols()[name](size=size, epsilon=epsilon)
    codes, rng = _values(people, size), stream(0, "ldp speed")
    oracle.estimate(oracle.randomise(codes[:1000], rng=rng))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    reports = oracle.randomise(codes, rng=rng)
    randomised = time.perf_counter()
    shares = oracle.estimate(reports)
    ended = time.perf_counter()
    true = np.bincount(codes, minlength=size) / people
    error = float(np.abs((shares - true) / np.sqrt(oracle.variance(true, reports=people))).max())
    seconds = {"randomise": randomised - started, "estimate": ended - randomised}
    print(json.dumps({**seconds, "before": before, "reports": reports.nbytes / 2**20, "error": error}))


def _large(name: str, people: int, sizes: list[int], epsilons: list[float]) -> None:
    print(f"{name}, {people:,} reports, one thread; 'error' is the greatest of estimate less share, in standard errors")
    columns = (
        ("epsilon", 9),
        ("randomise s", 13),
        ("estimate s", 12),
        ("reports MB", 12),
        ("peak MB", 9),
        ("before", 8),
    )
    print(f"{'k':>6}{''.join(f'{title:>{width}}' for title, width in columns)}  error")
    for size in sizes:
        for epsilon in epsilons:
            ran = run_timed([sys.executable, __file__, "--many", name, str(people), str(size), str(epsilon)])
            if ran.problem:
                raise SystemExit(ran.problem)
            said = json.loads(ran.printed.splitlines()[-1])
            print(
                f"{size:6}{epsilon:9g}{said['randomise']:13.2f}{said['estimate']:12.2f}{said['reports']:12.0f}"
                f"{ran.megabytes:9.0f}{said['before']:8.0f}  {said['error']:.2f}"
            )


def _side_by_side(people: int, sizes: list[int], epsilons: list[float], peers: Path | None, limit: float) -> None:
    python = environment(peers / "ldp", PACKAGES) if peers else None
    least: dict[str, float] = {}
    print(
        f"{people:,} people, one thread; milliseconds for randomising and estimating together; 'times' is theirs / ours"
    )
    head = "".join(f"{name:>18}{'times':>8}{'error':>7}" for name in (PEERS if python else ()))
    print(f"{'k':>4}{'epsilon':>9} {'':5}{'ours':>9}{'randomise':>11}{'estimate':>10}{'error':>7}{head}")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            codes, file = _values(people, size), Path(folder) / f"{size}.npy"
            np.save(file, codes)
            for epsilon in epsilons:
                settings = [str(file), str(size), str(epsilon), str(limit)]
                said = {"ours": _said([sys.executable, __file__, "--one", *settings], size, epsilon)}
                for name, script in PEERS.items() if python else ():
                    said[name] = _said([str(python), str(HERE / "peers" / script), *settings], size, epsilon)
                _lines(said, np.bincount(codes, minlength=size) / people, f"{size:4}{epsilon:9g}", least)
    for name, times in least.items():
        verdict = "as wanted" if times >= WANTED[name] else "TOO LITTLE"
        print(f"{name:4} at least {times:5.0f} times as fast; wanted {WANTED[name]}: {verdict}")


def _said(command: list[str], size: int, epsilon: float) -> dict[str, Any]:
    print(f"measuring {Path(command[1]).stem}, k={size}, epsilon={epsilon:g} ...", file=sys.stderr, flush=True)
    ran = run_timed(command)
    if ran.problem:
        raise SystemExit(ran.problem)
    result: dict[str, Any] = json.loads(ran.printed.splitlines()[-1])
    return result


def _lines(said: dict[str, Any], true: np.ndarray[Any, Any], label: str, least: dict[str, float]) -> None:
    """Print a line a protocol, and keep the least ratio of each."""
    ours = said.pop("ours")
    for name, one in ours.items():
        took = one["seconds"]
        line = f"{label} {name:5}{took * 1e3:9.2f}{one['randomise'] * 1e3:11.2f}{one['estimate'] * 1e3:10.2f}"
        line += f"{_error(one, true):7.2f}"
        for other in said.values():
            if name not in other:
                line += f"{'-':>18}{'':15}"
                continue
            theirs = other[name]
            times = theirs["seconds"] / took
            least[name] = min(least.get(name, np.inf), times)
            line += f"{theirs['seconds'] * 1e3:18.1f}{times:8.0f}{_error(theirs, true):7.2f}"
        print(line, flush=True)


def _error(one: dict[str, Any], true: np.ndarray[Any, Any]) -> float:
    return float(1e3 * np.sqrt(np.mean((np.array(one["shares"]) - true) ** 2)))


if __name__ == "__main__":
    one_sentence(main)
