#!/usr/bin/env bash
# From a machine with only Python 3.11 to the default benchmark: its leaderboard, and the path of its report.
# What stands from an earlier call is used again. Arguments are handed to 'privbench run'.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh generators
exec .venv/bin/privbench run "$@"
