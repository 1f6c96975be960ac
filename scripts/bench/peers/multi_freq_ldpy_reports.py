"""multi-freq-ldpy's protocols; run by scripts/bench/ldp_speed.py in its own environment.

Arguments: codes (NPY), number of values, epsilon, seconds for each protocol. As in the package's README: one call a
person, then the aggregator, whose estimate is clipped and scaled to sum to 1. Functions are compiled before; seconds
are the processor's, the median of as many runs as there is time for, one at least.
"""

import json
import statistics
import sys
import time

import numpy as np
from multi_freq_ldpy.pure_frequency_oracles.GRR import GRR_Aggregator_MI, GRR_Client
from multi_freq_ldpy.pure_frequency_oracles.HE import HE_Aggregator_MI, HE_Client
from multi_freq_ldpy.pure_frequency_oracles.LH import LH_Aggregator_MI, LH_Client
from multi_freq_ldpy.pure_frequency_oracles.SS import SS_Aggregator_MI, SS_Client
from multi_freq_ldpy.pure_frequency_oracles.UE import UE_Aggregator_MI, UE_Client

# client, aggregator, and what else each is told
PROTOCOLS = {
    "GRR": (GRR_Client, (), GRR_Aggregator_MI, ("k",)),
    "SUE": (UE_Client, (False,), UE_Aggregator_MI, (False,)),
    "OUE": (UE_Client, (True,), UE_Aggregator_MI, (True,)),
    "THE": (HE_Client, (), HE_Aggregator_MI, ("k", True)),
    "SS": (SS_Client, (), SS_Aggregator_MI, ("k",)),
    "BLH": (LH_Client, (False,), LH_Aggregator_MI, ("k", False)),
    "OLH": (LH_Client, (True,), LH_Aggregator_MI, ("k", True)),
}


def main() -> None:
    """Measure and print."""
    codes, size, epsilon, limit = np.load(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    said = {}
    for protocol, (client, of_client, aggregator, of_aggregator) in PROTOCOLS.items():
        public = (size, epsilon) if of_aggregator[:1] == ("k",) else (epsilon,)
        settings = [*public, *(one for one in of_aggregator if one != "k")]
        runs: list[float] = []
        for people in (codes[:10], *[codes] * 20):
            if sum(runs) > limit:
                break
            started = time.process_time()
            reports = [client(code, size, epsilon, *of_client) for code in people]
            estimate = aggregator(reports, *settings)
            if len(people) == len(codes):
                runs.append(time.process_time() - started)
        said[protocol] = {"seconds": statistics.median(runs), "runs": len(runs), "shares": list(estimate)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
