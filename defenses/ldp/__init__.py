"""Mechanisms of local differential privacy, whose release is reports, not a table."""
