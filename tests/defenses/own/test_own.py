"""Generators that a user brings: a function, a command line, a synthesizer of SDV."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest

import privbench
from privbench import registry
from privbench.claim import Adjacency
from privbench.errors import InputError, TimeLimitError
from privbench.rng import stream
from tests.defenses.own import example
from tests.people import people

FILE = Path(__file__).with_name("example.py")
TRAIN = people(80, 1).records


def release(name, *, seed=0, **params):
    return registry.make("defenses", name, params).release(TRAIN, rng=stream(seed, "own"))


def script(tmp_path, text) -> str:
    """Return a command that runs a Python script on the two files."""
    path = tmp_path / "own script.py"
    path.write_text("import sys\nimport pandas as pd\ntrain, out, seed, n = sys.argv[1:]\n" + text)
    return f"'{sys.executable}' '{path}' {{train}} {{out}} {{seed}} {{n}}"


def sleeping(seconds: str) -> bool:
    return any(process.info["cmdline"] == ["sleep", seconds] for process in psutil.process_iter(["cmdline"]))


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


class TestFunction:
    @pytest.mark.parametrize("name", ["resample", "unseeded"])
    def test_the_rng_decides(self, name):
        first, again, other = (release("callable", function=f"{FILE}:{name}", seed=s).table.sha256 for s in (0, 0, 1))
        assert first == again != other

    def test_a_function_itself_and_one_of_a_module(self):
        by_name = release("callable", function="tests.defenses.own.example:resample").table.sha256
        assert release("callable", function=example.resample).table.sha256 == by_name

    def test_a_function_that_destroys_its_frame_harms_nothing(self):
        before = TRAIN.sha256
        with pytest.raises(InputError, match="no finite number"):
            release("callable", function=example.destroys)
        assert TRAIN.sha256 == before

    def test_a_guarantee_is_the_users_word(self):
        assert release("callable", function=example.resample).claim is None
        claim = release("callable", function=example.resample, epsilon=2, delta=1e-6, adjacency="add-remove").claim
        assert (claim.epsilon, claim.delta, claim.adjacency) == (2, 1e-6, Adjacency.ADD_REMOVE)
        assert "nothing here checked it" in claim.assumes[0]

    @pytest.mark.parametrize(
        ("reference", "said"),
        [
            ("resample", "'file.py:name' or 'module:name'"),
            ("missing.py:f", "missing.py does not exist"),
            ("no.such.module:f", "cannot be loaded: ModuleNotFoundError"),
            (f"{FILE}:resampel", "did you mean 'resample'"),
            (f"{FILE}:not_a_function", "is no function but int"),
            (f"{FILE}:of_one", r"must take two arguments, \(train, rng\); it takes \(train\)"),
            (f"{FILE}:of_lists", "holds values that are no texts"),
        ],
    )
    def test_a_wrong_reference_is_one_sentence(self, reference, said):
        with pytest.raises(InputError, match=said):
            release("callable", function=reference)

    @pytest.mark.parametrize("bad", [{"epsilon": 0}, {"epsilon": 1, "delta": 1}, {"adjacency": "some"}])
    def test_a_guarantee_that_cannot_be_is_refused(self, bad):
        with pytest.raises(InputError):
            release("callable", function=example.resample, **bad)

    def test_what_a_function_changes_is_put_back(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        before = list(warnings.filters), dict(os.environ), Path.cwd()
        release("callable", function=example.disturbs)
        assert (list(warnings.filters), dict(os.environ), Path.cwd()) == before

    @pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
    def test_a_torch_that_the_function_loads_is_seeded(self):
        code = (
            "from tests.defenses.own.test_own import FILE, release\n"
            "print([release('callable', function=f'{FILE}:with_torch').table.sha256 for _ in range(2)])"
        )
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        )
        first, again = ast.literal_eval(done.stdout)
        assert first == again


class TestCommand:
    def test_a_program_gets_its_files_its_seed_and_its_number_of_rows(self, tmp_path):
        text = "f = pd.read_csv(train)\nf.sample(int(n), replace=True, random_state=int(seed)).to_csv(out)\n"
        line = script(tmp_path, text)
        first, again, other = (release("command", command=line, rows=33, seed=s) for s in (0, 0, 1))
        assert len(first.table) == 33
        assert first.table.sha256 == again.table.sha256 != other.table.sha256
        assert first.private_records == 80

    def test_the_file_keeps_every_value(self, tmp_path):
        assert release("command", command="cp {train} {out}").table.sha256 == TRAIN.sha256

    def test_parquet_may_be_written_too(self, tmp_path):
        line = script(tmp_path, "pd.read_csv(train).to_parquet(out)\n")
        assert len(release("command", command=line).table) == 80

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("sys.exit('line one\\nline two')", "exit status 1; it said last: line one | line two"),
            ("print('so far'); sys.exit(4)", "exit status 4; it said last: so far"),
            ("pass", r"wrote no file to \{out\}; it said nothing"),
            ("open(out, 'wb').write(b'\\xff\\x00\\xfe')", "neither CSV nor Parquet|gave"),
            ("open(out, 'w').write('')", "neither CSV nor Parquet"),
            ("pd.read_csv(train).head(0).to_csv(out)", "gave no row"),
            ("pd.read_csv(train)[['age']].to_csv(out)", "lacks 'wage'"),
            ("import os; os.kill(os.getpid(), 9)", "ended by signal 9"),
        ],
    )
    def test_what_goes_wrong_is_one_sentence(self, tmp_path, text, said):
        with pytest.raises(InputError, match=said.replace("| line", r"\| line")) as caught:
            release("command", command=script(tmp_path, text))
        assert len(str(caught.value).splitlines()) == 1

    def test_a_program_that_does_not_exist(self):
        with pytest.raises(InputError, match=r"'no-such-program' cannot be started \(No such file"):
            release("command", command="no-such-program {train} {out}")

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("cp {train}", r"lacks \{out\}"),
            ("cp {out}", r"lacks \{train\}"),
            ("cp {train} {out} {sed}", r"did you mean \{seed\}"),
            ("cp {train} {out} {SEED}", r"did you mean \{seed\}"),
            ("cp '{train} {out}", "close the quotation mark"),
        ],
    )
    def test_a_wrong_line_is_refused_before_it_runs(self, line, said):
        with pytest.raises(InputError, match=said):
            registry.make("defenses", "command", {"command": line})

    def test_braces_of_other_languages_are_left_alone(self):
        line = 'sh -c \'awk "{print}" "$0" > "$1"\' {train} {out}'
        assert release("command", command=line).table.sha256 == TRAIN.sha256

    def test_the_time_limit_stops_the_program_and_what_it_started(self, tmp_path):
        started = time.monotonic()
        line = f"sh -c 'sleep 77.5 & sleep 77.5' {{train}} {{out}} {tmp_path}"
        with pytest.raises(TimeLimitError, match=r"after its time limit of 0.5 s.*raise time_limit"):
            release("command", command=line, time_limit=0.5)
        assert time.monotonic() - started < 20
        assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "77.5"]]

    def test_a_run_that_is_killed_leaves_neither_program_nor_records(self, tmp_path):
        line = "sh -c 'sleep 78.5' {train} {out}"
        code = f"from tests.defenses.own.test_own import release\nrelease('command', command={line!r})"
        folder = tmp_path / "temporary"
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code],
            cwd=Path(__file__).parents[3],
            env={**os.environ, "TMPDIR": str(folder)},
        )
        wait_for(lambda: sleeping("78.5") and list(folder.rglob("train.csv")))
        process.kill()
        process.wait()
        wait_for(lambda: not sleeping("78.5") and not list(folder.rglob("train.csv")))

    def test_a_changed_script_is_another_generator(self, tmp_path):
        line = script(tmp_path, "pass\n")
        before = registry.make("defenses", "command", {"command": line}).fingerprint
        script(tmp_path, "pass  # changed\n")
        assert registry.make("defenses", "command", {"command": line}).fingerprint != before


@pytest.mark.skipif(find_spec("sdv") is None, reason="SDV is not installed")
class TestSdv:
    def synthesizer(self):
        from sdv.metadata import Metadata
        from sdv.single_table import GaussianCopulaSynthesizer

        kinds = {c.name: {"sdtype": "categorical" if c.discrete else "numerical"} for c in TRAIN.schema.columns}
        metadata = Metadata.load_from_dict({"tables": {"mine": {"columns": kinds}}})
        return GaussianCopulaSynthesizer(metadata, default_distribution="norm")

    def test_by_the_name_of_its_class(self):
        first, again = (
            release("sdv", synthesizer="GaussianCopulaSynthesizer", options={"default_distribution": "norm"}, rows=20)
            for _ in range(2)
        )
        assert len(first.table) == 20
        assert first.table.sha256 == again.table.sha256

    @pytest.mark.filterwarnings("ignore")
    def test_an_object_is_copied_fitted_and_seeded(self):
        mine = self.synthesizer()
        first, again, other = (release("sdv", synthesizer=mine, seed=s).table.sha256 for s in (0, 0, 1))
        assert first == again != other
        assert not mine._fitted

    def test_a_wrong_name_and_a_wrong_object(self):
        with pytest.raises(InputError, match="did you mean 'CTGANSynthesizer'"):
            release("sdv", synthesizer="CTGAN_Synthesizer")
        with pytest.raises(InputError, match="int is no single-table synthesizer"):
            release("sdv", synthesizer=3)
        with pytest.raises(InputError, match="an object has its settings"):
            release("sdv", synthesizer=self.synthesizer(), options={"epochs": 1})


class TestInARun:
    def run(self, tmp_path, *defenses, workers=1):
        return privbench.run(
            {
                "dataset": "adult",
                "records": 200,
                "secrets": ["income"],
                "known": ["age"],
                "games": [{"name": "holdout", "targets": 20}],
                "defenses": list(defenses),
                "attacks": ["majority"],
                "downstream": {"models": []},
            },
            out=tmp_path / "out",
            workers=workers,
            quiet=True,
        )

    def test_functions_stand_in_the_config_as_they_are(self, tmp_path):
        def factory(count):
            return lambda train, rng: train.iloc[rng.integers(count, size=len(train))]

        defenses = [example.resample, factory(3), {"name": "callable", "function": [factory(4), factory(5)]}]
        result = self.run(tmp_path, *defenses, workers=2)
        assert len(result.failures) == 0
        shown = set(result.frame["defense_params"])
        assert len(shown) == 4
        assert all("@" in params and len(params) < 60 for params in shown)

    def test_a_finished_function_is_not_run_again_and_a_changed_one_is(self, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        own = tmp_path / "own.py"
        note = tmp_path / "ran"  # a worker stands in a folder of its own
        body = f"""
import helper

def f(train, rng):
    with open({str(note)!r}, "a") as file:
        file.write("x")
    return helper.same(train)
"""
        (tmp_path / "helper.py").write_text("def same(train):\n    return train\n")
        own.write_text(body)
        entry = {"name": "callable", "function": "own.py:f"}
        first = self.run(tmp_path, entry, workers=2)
        assert len(first.failures) == 0
        assert set(first.frame["defense_params"]) == {'{"function":"own.py:f"}'}
        self.run(tmp_path, entry)
        assert note.read_text() == "x"
        own.write_text(body + "\n# changed\n")
        self.run(tmp_path, entry)
        assert note.read_text() == "xx"

    def test_what_fails_is_a_row_with_its_reason(self, tmp_path):
        result = self.run(
            tmp_path,
            example.raises,
            {"name": "command", "command": "sh -c 'sleep 30' {train} {out}", "time_limit": 0.2},
        )
        reasons = result.failures.drop_duplicates("status").set_index("status")["reason"]
        assert "RuntimeError: the generator broke (example.py, line" in reasons["failed"]
        assert "time limit of 0.2 s" in reasons["timeout"]

    def test_a_reference_that_leads_nowhere_is_refused_before_anything_runs(self, tmp_path):
        with pytest.raises(InputError, match=r"defense 'callable': function: no\.py does not exist"):
            self.run(tmp_path, "resample", {"name": "callable", "function": "no.py:f"})
        assert not list((tmp_path / "out").rglob("*.parquet"))

    def test_what_cannot_travel_is_refused(self, tmp_path):
        with (tmp_path / "open").open("w") as file, pytest.raises(InputError, match="cannot be sent to a worker"):
            self.run(tmp_path, lambda train, rng: file)

    def test_a_changed_capture_is_another_function(self, tmp_path):
        rows = np.arange(5)
        before = self.run(tmp_path, lambda train, rng: train.iloc[rows]).frame["key"][0]
        rows = np.arange(6)
        assert self.run(tmp_path, lambda train, rng: train.iloc[rows]).frame["key"][0] != before
