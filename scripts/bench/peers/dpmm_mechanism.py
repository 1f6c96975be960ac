"""PrivBayes, MST or AIM of dpmm; run by scripts/bench/generators.py in its own environment.

Arguments: coded records (CSV), number of values of each column (JSON), the file to write, seed, epsilon, mechanism.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd

if __name__ == "__main__":
    train, sizes, out, seed, epsilon, mechanism = sys.argv[1:]
    from dpmm.pipelines import AIMPipeline, MSTPipeline, PrivBayesPipeline

    codes = pd.read_csv(train)
    domain = json.loads(Path(sizes).read_text(encoding="utf-8"))
    started = time.perf_counter()
    pipeline = {"privbayes": PrivBayesPipeline, "mst": MSTPipeline, "aim": AIMPipeline}[mechanism](
        epsilon=float(epsilon), delta=1e-9, disable_processing=True, n_jobs=1
    )
    pipeline.fit(codes, domain=domain, random_state=int(seed))
    drawn = pipeline.generate(n_records=len(codes), random_state=int(seed))
    print(json.dumps({"work": time.perf_counter() - started}))
    drawn[list(codes)].to_csv(out, index=False)
