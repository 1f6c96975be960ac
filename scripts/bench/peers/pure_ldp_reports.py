"""pure-ldp's protocols; run by scripts/bench/ldp_speed.py in its own environment.

Arguments: codes (NPY), number of values, epsilon, seconds for each protocol. As in the package's README: one call a
person for the report, one for its aggregation, one a value for the estimate. Seconds are the processor's, the median
of as many runs as there is time for, one at least.
"""

import json
import statistics
import sys
import time
import warnings

import numpy as np
from pure_ldp.frequency_oracles.direct_encoding import DEClient, DEServer
from pure_ldp.frequency_oracles.histogram_encoding import HEClient, HEServer
from pure_ldp.frequency_oracles.local_hashing import LHClient, LHServer
from pure_ldp.frequency_oracles.unary_encoding import UEClient, UEServer

PROTOCOLS = {
    "GRR": (DEClient, {}, DEServer, {}),
    "SUE": (UEClient, {"use_oue": False}, UEServer, {"use_oue": False}),
    "OUE": (UEClient, {"use_oue": True}, UEServer, {"use_oue": True}),
    "THE": (HEClient, {}, HEServer, {"use_the": True}),
    "BLH": (LHClient, {"use_olh": False}, LHServer, {"use_olh": False}),
    "OLH": (LHClient, {"use_olh": True}, LHServer, {"use_olh": True}),
}


def main() -> None:
    """Measure and print."""
    codes, size, epsilon, limit = np.load(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    warnings.simplefilter("ignore")
    public = {"epsilon": epsilon, "d": size, "index_mapper": lambda value: value}
    said = {}
    for protocol, (make_client, of_client, make_server, of_server) in PROTOCOLS.items():
        client = make_client(**public, **of_client)
        runs: list[float] = []
        while len(runs) < 20 and sum(runs) <= limit:
            server = make_server(**public, **of_server)
            started = time.process_time()
            for code in codes:
                server.aggregate(client.privatise(code))
            shares = [server.estimate(value, suppress_warnings=True) / len(codes) for value in range(size)]
            runs.append(time.process_time() - started)
        said[protocol] = {"seconds": statistics.median(runs), "runs": len(runs), "shares": shares}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
