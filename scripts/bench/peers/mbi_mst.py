"""MST with mbi's inference on jax; run by scripts/bench/generators.py in its own environment.

mbi ships the inference, not the mechanism: choosing and measuring are done here as McKenna, Miklau and Sheldon (JPC 11,
2021) describe them, a third of rho each, under add-remove.

Arguments: coded records (CSV), number of values of each column (JSON), the file to write, seed, epsilon, rho.
"""

import json
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from mbi import Domain, LinearMeasurement, estimation

if __name__ == "__main__":
    train, sizes_file, out, seed, _, rho = sys.argv[1:]
    codes = pd.read_csv(train)
    sizes = json.loads(Path(sizes_file).read_text(encoding="utf-8"))
    started = time.perf_counter()
    names, third = list(codes), float(rho) / 3
    rng = np.random.default_rng(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - the library draws its rows from the global state
    domain = Domain(names, [sizes[name] for name in names])

    def counts(*group):
        """Return a table of counts."""
        shape = [sizes[name] for name in group]
        cell = np.ravel_multi_index([codes[name].to_numpy() for name in group], shape)
        return np.bincount(cell, minlength=int(np.prod(shape))).astype(float)

    def measure(groups):
        """Return noisy tables that cost a third of the budget together."""
        sigma = np.sqrt(len(groups) / (2 * third))
        return [LinearMeasurement(counts(*g) + rng.normal(0, sigma, counts(*g).size), g, sigma) for g in groups]

    alone = measure([(name,) for name in names])
    engine = estimation.MirrorDescent()
    model = engine.estimate(domain, alone, iters=1000)
    expected = {name: np.asarray(model.project((name,)).datavector()) for name in names}
    total = sum(expected[names[0]])
    pairs = list(combinations(names, 2))
    scores = np.array(
        [np.abs(counts(a, b) - np.outer(expected[a], expected[b]).ravel() / total).sum() for a, b in pairs]
    )
    part = {name: name for name in names}
    epsilon_choice = np.sqrt(8 * third / (len(names) - 1))
    tree = []
    while len(tree) < len(names) - 1:
        noisy = scores * epsilon_choice / 2 + rng.gumbel(size=len(scores))
        open_ = [i for i, (a, b) in enumerate(pairs) if part[a] != part[b]]
        a, b = pairs[max(open_, key=lambda i: noisy[i])]
        tree.append((a, b))
        joined = part[b]
        part = {name: part[a] if part[name] == joined else part[name] for name in names}
    model = engine.estimate(domain, alone + measure(tree), iters=1000)
    drawn = model.synthetic_data(rows=len(codes))
    print(json.dumps({"work": time.perf_counter() - started}))
    frame = pd.DataFrame(drawn.to_dict() if hasattr(drawn, "to_dict") else drawn.df)
    frame[names].to_csv(out, index=False)
