"""Checks of the three files: planted copies, near-copies, contamination and shift are found, honest files are not."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from scipy.stats import binom

from privbench.auditing.checks import check_files
from privbench.auditing.distances import closest
from privbench.auditing.nearness import stand_nearly
from privbench.auditing.twins import find_twins, row_keys, stands_in
from privbench.auditing.two_sample import judge_control, most_different
from privbench.datasets.alike import Alike, Identifier
from privbench.rng import stream
from privbench.schema import Column, Kind, Schema
from privbench.table import Table

SCHEMA = Schema(
    (
        *(Column(f"c{j}", Kind.CATEGORICAL, tuple("abcdefgh")) for j in range(8)),
        Column("age", Kind.CONTINUOUS, low=0.0, high=100.0, integer=True),
        Column("weight", Kind.CONTINUOUS, low=-1.0, high=3.0),
    )
)
SMALL = Schema(
    (
        Column("a", Kind.CATEGORICAL, tuple(range(6))),
        Column("b", Kind.CATEGORICAL, ("x", "y", None)),
        Column("c", Kind.ORDINAL, (1, 2, 3, 4, 5)),
    )
)


def people(n, *key, schema=SCHEMA, tilt=0.0):
    """Draw people whose columns depend on one another through a class; `tilt` moves the classes."""
    rng = stream(0, *map(str, key))
    kind = (rng.random(n) < 0.4 + tilt).astype(int)
    arrays = {}
    for column in schema.columns:
        if column.discrete:
            p = np.arange(1, column.size + 1) ** 1.0
            p = np.stack([p / p.sum(), p[::-1] / p.sum()])
            arrays[column.name] = (rng.random((n, 1)) > p.cumsum(axis=1)[kind][:, :-1]).sum(axis=1)
        else:
            value = rng.beta(2 + kind, 3, n) * column.range + column.low
            arrays[column.name] = np.floor(value) if column.integer else value
    return Table(schema, arrays, n)


def held(train, synthetic, control=None, *, identifiers=()):
    tables = {"training": train, "synthetic": synthetic} | ({} if control is None else {"control": control})
    names = tuple((role, f"{role}.csv") for role in tables)
    whole = MappingProxyType({role: row_keys(table) for role, table in tables.items()})
    return Alike(train, synthetic, control, names, (), whole, identifiers)


def checked(*tables, seed=1, **more):
    found = check_files(held(*tables, **more), rng=stream(seed, "checks"))
    return found, {check.name: check for check in found.checks}


def loud(found):
    return {check.name for check in found.checks if check.level != "fine"}


def both(*tables):
    return Table.concat(tables)


def test_honest_files_are_fine_and_every_check_has_its_figure():
    found, by_name = checked(people(3000, "t"), people(3000, "s"), people(2000, "c"))
    assert set(by_name) == {
        "control-in-training", "control-differs", "copies", "near-copies", "closeness", "repeated-row",
    }  # fmt: skip
    assert not loud(found)
    assert not found.alone
    assert found.members.all()
    assert found.controls.all()
    assert not found.copied.any()
    assert not found.near.any()
    for check in found.checks:
        assert check.low <= check.value <= check.high
        assert not check.sentence[0].islower()
        assert check.sentence.endswith(".")


def test_copies_are_counted_exactly_and_their_records_named():
    train, rows = people(4000, "t"), np.array([3, 17, 17, 256, 3999])
    rows = np.concatenate([rows, np.arange(1000, 1036)])
    found, by_name = checked(train, both(people(2000, "s"), train.take(rows)), people(4000, "c"))
    distinct = np.unique(rows)
    assert np.array_equal(np.flatnonzero(found.copied), distinct)
    check = by_name["copies"]
    assert check.level == "alarm"
    assert check.value == pytest.approx(len(distinct) / 4000)
    assert check.sentence.startswith("40 of 4,000 training records (1.0\N{NO-BREAK SPACE}%) stand in the release word")
    assert "0 (0 of 4,000 controls) would" in check.sentence
    assert found.checks[0].level == "alarm"


@pytest.mark.parametrize(("part", "seed"), [(0.01, 0), (0.01, 1), (0.002, 0), (0.002, 1)])
def test_few_copies_among_independent_rows_are_found(part, seed):
    train, copies = people(10_000, "t", seed), int(10_000 * part)
    found, by_name = checked(
        train, both(people(10_000 - copies, "s", seed), train.take(np.arange(copies))), people(10_000, "c", seed)
    )
    assert by_name["copies"].level == "alarm"
    assert found.copied[:copies].all()


def test_copies_are_found_although_the_release_has_new_identifiers():
    train, synthetic, control = people(2000, "t"), people(1000, "s"), people(1500, "c")
    alike = held(
        train, both(synthetic, train.take(np.arange(60))), control, identifiers=(Identifier("id", 0, 0, 1060),)
    )
    keys = {role: np.arange(len(part), dtype=np.uint64) + np.uint64(10**6 * place)
            for place, (role, part) in enumerate(alike.whole.items())}  # fmt: skip
    found = check_files(replace(alike, whole=keys), rng=stream(0, "x"))
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(60))
    assert next(check for check in found.checks if check.name == "copies").level == "alarm"


def test_natural_twins_are_no_copies_and_no_contamination():
    """In low dimensions nearly everybody has a twin everywhere: at most the stated share of splits is flagged."""
    counts = dict.fromkeys(("copies", "near-copies", "control-in-training", "closeness"), 0)
    runs = 40
    for seed in range(runs):
        tables = (people(n, role, seed, schema=SMALL) for n, role in ((400, "t"), (300, "s"), (350, "c")))
        _, by_name = checked(*tables)
        assert by_name["copies"].sentence.split(" ")[0] != "0"
        for name in counts:
            counts[name] += by_name[name].level != "fine"
    assert all(count <= binom.ppf(0.999, runs, 0.005) for count in counts.values()), counts


def test_bootstrap_of_the_training_file_alarms_with_and_without_controls():
    train = people(2000, "t")
    synthetic = train.take(stream(0, "boot").integers(0, 2000, 2000))
    for control in (people(1000, "c"), None):
        found, by_name = checked(train, synthetic, control)
        assert by_name["copies"].level == "alarm"
        assert by_name["closeness"].level == ("warning" if control is None else "alarm")
        assert found.copied.sum() == len(np.unique(row_keys(synthetic)))


def test_without_controls_twins_are_the_yardstick():
    runs, said, closer = 60, 0, 0
    for seed in range(runs):
        found, by_name = checked(people(600, "t", seed, schema=SMALL), people(500, "s", seed, schema=SMALL))
        closer += by_name["closeness"].level != "fine"
        assert by_name["no-control"].level == "warning"
        assert "near-copies" not in by_name
        said += by_name["copies"].level != "fine"
        assert found.copied.any() == (by_name["copies"].level != "fine")
    assert max(said, closer) <= binom.ppf(0.999, runs, 0.005)
    train = people(4000, "t")
    found, by_name = checked(train, both(people(2000, "s"), train.take(np.arange(40))))
    assert by_name["copies"].level == "warning"
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(40))


def changed(table, name, values):
    return table.replace({name: values})


@pytest.mark.parametrize("kind", ["category", "number", "jitter", "any"])
def test_near_copies_are_found(kind):
    train, control = people(4000, "t"), people(3000, "c")
    rng, copies = stream(0, "near", kind), np.arange(200)
    part = train.take(copies)
    if kind == "category":
        part = changed(part, "c3", (part["c3"] + 1 + rng.integers(0, 7, 200)) % 8)
    elif kind == "number":
        part = changed(part, "weight", rng.uniform(-1, 3, 200))
    elif kind == "jitter":
        part = changed(part, "weight", np.clip(part["weight"] + rng.uniform(-0.004, 0.004, 200), -1, 3))
        part = changed(part, "age", np.clip(part["age"] + rng.integers(-1, 2, 200), 0, 100))
    else:
        for place in range(8):
            some = np.arange(200) % 8 == place
            part = changed(part, f"c{place}", np.where(some, (part[f"c{place}"] + 1) % 8, part[f"c{place}"]))
    found, by_name = checked(train, both(people(3000, "s"), part), control)
    check = by_name["near-copies"]
    assert check.level == "alarm"
    assert by_name["copies"].level == "fine"
    assert found.near[:200].mean() > (0.8 if kind == "jitter" else 0.99)
    assert found.near[200:].mean() < 0.02
    assert check.value == pytest.approx(0.05, abs=0.015)
    assert not (found.near & found.copied).any()


def test_standing_nearly_is_what_comparing_every_pair_says():
    records, rows = people(150, "t", schema=SMALL), people(12, "s", schema=SMALL)
    (masks,) = stand_nearly([records], rows)
    for place, left in enumerate(SMALL.names):
        same = np.ones((150, 12), bool)
        for name in SMALL.names:
            if name != left:
                same &= records[name][:, None] == rows[name]
        assert np.array_equal(masks[0, place], same.any(axis=1))
    one = Schema((Column("x", Kind.CONTINUOUS, low=0.0, high=10.0), Column("z", Kind.CATEGORICAL, ("k", "l"))))
    near = Table(one, {"x": np.array([0.0, 5.0]), "z": np.array([0, 0])})
    for gap in np.linspace(0, 0.6, 61):
        (masks,) = stand_nearly([Table(one, {"x": np.array([5.0 + gap]), "z": np.array([0])})], near)
        for degree, width in ((1, 0.02), (2, 0.2)):  # cells as wide as that
            if gap < width / 2 - 1e-9:
                assert masks[degree, 1, 0]
            if gap > width + 1e-9:
                assert not masks[degree, 1, 0]
        assert masks[0, 1, 0] == (gap == 0)


def test_closest_is_what_comparing_every_pair_says():
    records, rows = people(70, "t"), people(5000, "s")
    pairs = sum(
        (records[c.name][:, None] != rows[c.name]).astype(float)
        if c.discrete
        else np.abs(records[c.name][:, None] - rows[c.name]) / c.range
        for c in SCHEMA.columns
    )
    assert closest(records, rows) == pytest.approx(pairs.min(axis=1), abs=1e-5)


def test_contamination_is_found_and_its_people_left_out():
    train, synthetic, control = people(3000, "t"), people(2000, "s"), people(1000, "c")
    twins = np.flatnonzero(find_twins(row_keys(train)).train)
    mixed = both(control, train.take(np.arange(50, 90)))
    found, by_name = checked(train, synthetic, mixed)
    check = by_name["control-in-training"]
    assert found.alone
    assert check.level == "warning"
    assert check.sentence.startswith("40 of 1,040 control records")
    assert not found.controls[1000:].any()
    assert np.array_equal(found.controls, ~stands_in(row_keys(mixed), row_keys(train)))
    assert np.array_equal(np.flatnonzero(~found.members), twins)
    assert f"{found.members.sum():,} training and {found.controls.sum():,} control records are left" in check.sentence
    found, by_name = checked(train, synthetic, train.take(np.arange(900)))
    assert by_name["control-in-training"].level == "alarm"
    assert not found.controls.any()
    assert by_name["copies"].level == "fine"
    assert by_name["copies"].value is None


def test_copies_are_found_although_all_controls_are_training_records():
    train = people(2000, "t")
    found, by_name = checked(train, both(people(1000, "s"), train.take(np.arange(400))), train.take(np.arange(1500)))
    assert by_name["copies"].level == "alarm"
    assert "with no control left it cannot be said" in by_name["copies"].sentence
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(400))
    assert by_name["copies"].value is None  # no surplus over controls, so none that a threshold may look at


def test_few_controls_do_not_hide_copies_that_the_training_file_alone_shows():
    train = people(4000, "t")
    rows = both(people(3960, "s"), train.take(np.arange(40)))
    found, by_name = checked(train, rows, people(150, "c"))
    check = by_name["copies"]
    assert check.level == "warning"
    assert check.low < 0 < check.value == 0.01
    assert "not surely more often" in check.sentence
    assert "with so few controls it cannot be said" in check.sentence
    assert np.array_equal(np.flatnonzero(found.copied), np.arange(40))


def test_contamination_found_by_rounded_numbers_leaves_the_same_people_out():
    """Hashes of whole rows round numbers, those of the schema's columns do not: who is found by either is left out."""
    train, control = people(1000, "t"), people(500, "c")
    alike = held(train, people(800, "s"), both(control, train.take(np.arange(300))))
    moved = dict(alike.control.arrays) | {"weight": alike.control["weight"] * (1 + 1e-14)}
    assert not stands_in(row_keys(Table(SCHEMA, moved, 800)), row_keys(train)).any()
    found = check_files(replace(alike, control=Table(SCHEMA, moved, 800)), rng=stream(0, "x"))
    assert found.alone
    assert found.controls[:500].all()
    assert not found.controls[500:].any()


def test_contamination_is_found_although_numbers_were_written_with_fewer_digits():
    train, control = people(1000, "t"), people(500, "c")
    mixed = both(control, train.take(np.arange(400)))
    rounded = Table(SCHEMA, dict(mixed.arrays) | {"weight": np.round(mixed["weight"], 4)}, 900)
    assert not stands_in(row_keys(rounded), row_keys(train)).any()
    found, by_name = checked(train, people(800, "s"), rounded)
    assert found.alone
    assert by_name["control-in-training"].level == "warning"
    assert "but for small differences of numbers" in by_name["control-in-training"].sentence
    assert found.controls[:500].mean() > 0.95
    assert found.controls[500:].mean() < 0.05


@pytest.mark.parametrize("how", ["copied", "followed"])
def test_a_release_made_from_the_control_file_is_no_good_news(how):
    train, control = people(2000, "t"), people(1500, "c")
    rows = control.take(np.arange(1000))
    if how == "followed":
        rows = Table(SCHEMA, dict(rows.arrays) | {"c0": (rows["c0"] + 1) % 8, "c1": (rows["c1"] + 1) % 8}, 1000)
    found, by_name = checked(train, rows, control)
    assert by_name["control-in-release"].level == "alarm"
    assert "swapped" in by_name["control-in-release"].sentence
    assert not found.copied.any()
    assert "control-in-release" not in checked(control, rows, train)[1]


def test_contamination_does_not_hide_copies():
    train = people(3000, "t")
    control = both(people(1500, "c"), train.take(np.arange(1500)))
    found, by_name = checked(train, both(people(2000, "s"), train.take(np.arange(30))), control)
    assert found.alone
    assert by_name["copies"].level == "alarm"
    assert "0 of 1,500 controls" in by_name["copies"].sentence


def test_members_and_controls_without_twins_are_exchangeable():
    """Among those left, any trait is as frequent in members as in controls, contaminated or not."""
    traits, schema = [], SCHEMA.select(["c0", "c1", "c2"])
    for seed in range(150):
        train, control = people(500, "t", seed, schema=schema), people(500, "c", seed, schema=schema)
        control = both(control, train.take(np.arange(100)))
        keys, others = row_keys(train), row_keys(control)
        members, controls = ~find_twins(keys).train, ~stands_in(others, keys)
        rare = [table["c0"] <= 1 for table in (train, control)]
        traits.append([(rare[0] & members).sum(), members.sum(), (rare[1] & controls).sum(), controls.sum()])
    one, n, other, m = np.sum(traits, axis=0)
    assert 300 < min(one, other) < max(one, other) < min(n, m) / 2
    spread = np.sqrt((one + other) / (n + m) * (1 / n + 1 / m))
    assert abs(one / n - other / m) < 4 * spread
    # a control has as often no twin among n records as a member among n - 1
    assert n == pytest.approx(m, rel=0.1)


def test_coverage_is_that_of_new_people_within_its_limits():
    missed = np.zeros(2)
    for seed in range(200):
        train, new = people(300, "t", seed, schema=SMALL), people(4000, "n", schema=SMALL)
        twins, keys = find_twins(row_keys(train)), row_keys(train)
        inside = stands_in(row_keys(new), keys).mean()
        single = stands_in(row_keys(new), keys[~twins.train]).mean()
        for place, (share, truth) in enumerate(((twins.coverage, inside), (twins.singles, single))):
            missed[place] += not share.low - 0.01 <= truth <= share.high + 0.01
        assert twins.train.sum() == sum(count for count in np.unique(keys, return_counts=True)[1] if count > 1)
    assert (missed <= binom.ppf(0.999, 200, 0.01)).all()


def test_shifted_control_is_found_with_its_column():
    train, synthetic, control = people(3000, "t"), people(1000, "s"), people(3000, "c")
    rng = stream(0, "shift")
    other = changed(control, "c5", np.where(rng.random(3000) < 0.4, 0, control["c5"]))
    found, by_name = checked(train, synthetic, other)
    check = by_name["control-differs"]
    assert check.level == "alarm"
    assert check.low > 0.55
    assert "Column c5 differs most" in check.sentence
    name, distance, chance = most_different(train, other)
    shares = [np.bincount(table["c5"], minlength=8) / 3000 for table in (train, other)]
    assert (name, distance) == ("c5", pytest.approx(np.abs(shares[0] - shares[1]).sum() / 2))
    assert distance > 3 * chance
    assert "control-differs" in loud(found)
    _, by_name = checked(train, synthetic, people(3000, "c", tilt=0.35))
    assert by_name["control-differs"].level != "fine"


def test_honest_controls_are_seldom_called_different_and_the_spread_is_the_one_stated():
    runs, called, values, errors = 40, 0, [], []
    for seed in range(runs):
        train, control = people(120, "t", seed), people(100, "c", seed)
        everybody = {"members": np.ones(120, bool), "controls": np.ones(100, bool)}
        check = judge_control(train, control, **everybody, rng=stream(seed, "x"))
        called += check.level != "fine"
        values.append(check.value)
        errors.append((check.high - check.low) / (2 * 2.576))
    assert called <= binom.ppf(0.999, runs, 0.005)
    # of 40 runs a standard deviation is known to within a third; DeLong's alone would be .71 of it
    assert np.std(values, ddof=1) / np.mean(errors) == pytest.approx(1, abs=0.33)


def test_repeated_training_records_do_not_make_a_control_differ():
    """A classifier that saw a record's twin would know it: twins stand in one fold."""
    train = people(600, "t")
    train = both(train, train, train)
    _, by_name = checked(train, people(500, "s"), people(900, "c"))
    assert by_name["control-differs"].level == "fine"
    check = by_name["training-repeats"]
    assert (check.level, check.n) == ("warning", 1800)
    assert check.low > 0.9
    assert check.sentence.startswith("100.0\N{NO-BREAK SPACE}% of the training records have a twin")


def test_a_contaminated_control_of_few_columns_is_compared_with_members_without_twins():
    """Who has no twin is rare: compared with all training records such controls would be another population."""
    schema = SCHEMA.select(["c0", "c1", "c2", "c3"])
    for seed in range(5):
        train = people(1500, "t", seed, schema=schema)
        control = both(people(1500, "c", seed, schema=schema), train.take(np.arange(700)))
        found, by_name = checked(train, people(100, "s", seed, schema=schema), control)
        assert found.alone
        assert found.controls.sum() > 100
        assert by_name["control-differs"].level == "fine"


@pytest.mark.parametrize(
    ("own", "other", "control", "level"),
    [(0, 0, True, "fine"), (900, 0, True, "alarm"), (900, 450, True, "fine"), (900, 0, False, "alarm")],
)
def test_identifiers(own, other, control, level):
    found, by_name = checked(
        people(1000, "t"), people(400, "s"), people(500, "c") if control else None,
        identifiers=(Identifier("mail", own, other, 400),),
    )  # fmt: skip
    assert by_name["identifiers"].level == level
    assert f"Column mail: the identifiers of {own:,} of 1,000" in by_name["identifiers"].sentence
    assert ("identifiers" in loud(found)) == (level != "fine")


def test_row_numbers_of_the_release_are_nobodys_identifiers():
    """Files cut from one table: its numbers begin at 0 in the training file, and in a release that counts its rows."""
    numbered = Identifier("id", 400, 0, 400, counted=True)
    for control in (people(500, "c"), None):
        _, by_name = checked(people(1000, "t"), people(400, "s"), control, identifiers=(numbered,))
        assert by_name["identifiers"].level == "fine"
        assert "numbers its own rows" in by_name["identifiers"].sentence
        named = (replace(numbered, counted=False),)
        _, by_name = checked(people(1000, "t"), people(400, "s"), control, identifiers=named)
        assert by_name["identifiers"].level == "alarm"


def test_repeated_row_and_sizes_are_said():
    train, control = people(3000, "t"), people(1000, "c")
    synthetic = people(400, "s")
    _, by_name = checked(train, both(synthetic, synthetic.take(np.zeros(100, int))), control)
    assert by_name["repeated-row"].level == "warning"
    assert "101 times" in by_name["repeated-row"].sentence
    assert by_name["repeated-row"].value == pytest.approx(101 / 500)
    assert "few-rows" not in by_name
    _, by_name = checked(train, synthetic.take(np.arange(50)), control)
    assert by_name["few-rows"].level == by_name["small-release"].level == "warning"
    assert "the synthetic file has 50 rows" in by_name["few-rows"].sentence.lower()
    assert by_name["small-release"].value == pytest.approx(50 / 3000)


def test_order_of_rows_and_columns_is_irrelevant():
    tables = people(4500, "t"), people(2500, "s"), people(2500, "c")
    found, by_name = checked(*tables)
    orders = [stream(7, str(place)).permutation(len(table)) for place, table in enumerate(tables)]
    names = SCHEMA.names[::-1]
    turned = [table.take(order).select(names) for table, order in zip(tables, orders, strict=True)]
    again, other = checked(*turned)
    for name, check in by_name.items():
        assert (other[name].sentence, other[name].n) == (check.sentence, check.n), name
        assert (other[name].value, other[name].low) == pytest.approx((check.value, check.low)), name
    assert np.array_equal(again.copied, found.copied[orders[0]])
    part = both(tables[1], tables[0].take(np.arange(100)))
    found, again = checked(tables[0], part, tables[2])[0], checked(turned[0], part.select(names), turned[2])[0]
    assert np.array_equal(again.copied, found.copied[orders[0]])


@pytest.mark.parametrize("control", [2, None])
@pytest.mark.parametrize(("n", "r"), [(2, 2), (2, 0), (50, 1)])
def test_tiny_files_and_constant_columns_are_answered(n, r, control):
    schema = Schema((Column("k", Kind.CATEGORICAL, ("only",)), Column("x", Kind.CONTINUOUS, low=3.0, high=3.0)))

    def constant(rows):
        return Table(schema, {"k": np.zeros(rows, int), "x": np.full(rows, 3.0)}, rows)

    for make in (constant, lambda rows: people(rows, "tiny", rows), lambda rows: constant(rows).select(["k"])):
        found, by_name = checked(make(n), make(r), None if control is None else make(control))
        assert "few-rows" in by_name
        assert not any(
            check.level == "alarm" for check in found.checks if check.name not in ("control-in-training", "copies")
        )
        assert all(check.value is None or np.isfinite(check.value) for check in found.checks)
        assert found.copied.shape == found.near.shape == found.members.shape == (n,)


@pytest.mark.slow
def test_rates_of_false_alarms_over_splits_of_adult():
    """At most .5 % a check by design; printed with -s are the counts of 200 splits."""
    from privbench.datasets.adult import load

    data = load()
    records = both(data.records, data.test.with_schema(data.records.schema))
    low = records.select(["age", "sex", "race", "education", "income"])
    for table in (records, low):
        counts: dict[str, int] = {}
        for seed in range(200):
            order = stream(seed, "split").permutation(len(table))
            parts = (table.take(order[start : start + 6000]) for start in (0, 6000, 12_000))
            for check in check_files(held(*parts), rng=stream(seed, "checks")).checks:
                counts[check.name] = counts.get(check.name, 0) + (check.level != "fine")
        print(counts)  # noqa: T201 - a study, whose figures are its purpose
        assert all(count <= binom.ppf(0.999, 200, 0.005) for count in counts.values()), counts
