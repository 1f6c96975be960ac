"""``python -m privbench`` is the command line."""

from privbench.cli import main

main()
