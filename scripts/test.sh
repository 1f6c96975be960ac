#!/usr/bin/env bash
# From a machine with only Python 3.11 to the whole suite: style, types, tests. Arguments are handed to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh generators,cluster,test
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
# two workers, whatever the machine: some tests start processes of their own
exec .venv/bin/python -m pytest -n 2 "$@"
