"""Whatever turns records into a release: one method a file, found by entry point."""
