"""The experiments: who is attacked, what is known, and what would be scored without the release."""
