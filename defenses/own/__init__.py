"""Generators that a user brings: a function, a command line, a synthesizer of SDV."""
