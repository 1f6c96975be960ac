"""DataSynthesizer's greedy Bayesian network without noise; run by scripts/bench/generators.py in its own environment.

Arguments: coded records (CSV), number of values of each column (JSON), the file to write, seed, epsilon.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from DataSynthesizer.DataDescriber import DataDescriber
from DataSynthesizer.DataGenerator import DataGenerator

if __name__ == "__main__":
    train, _, out, seed, _ = sys.argv[1:]
    codes = pd.read_csv(train)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "train.csv"
        codes.map(lambda code: f"v{code}").to_csv(text, index=False)
        started = time.perf_counter()
        describer = DataDescriber(category_threshold=1000)
        describer.describe_dataset_in_correlated_attribute_mode(
            dataset_file=str(text),
            epsilon=0,
            k=2,
            attribute_to_datatype=dict.fromkeys(codes, "String"),
            attribute_to_is_categorical=dict.fromkeys(codes, True),
            attribute_to_is_candidate_key=dict.fromkeys(codes, False),
            seed=int(seed),
        )
        described = Path(folder) / "described.json"
        describer.save_dataset_description_to_file(str(described))
        generator = DataGenerator()
        generator.generate_dataset_in_correlated_attribute_mode(len(codes), str(described), seed=int(seed))
        drawn = generator.synthetic_dataset
        print(json.dumps({"work": time.perf_counter() - started}))
    drawn[list(codes)].map(lambda text: int(text[1:])).to_csv(out, index=False)
