"""Methods that infer secrets from a view: one method a file, found by entry point."""
