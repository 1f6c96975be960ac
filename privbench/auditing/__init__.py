"""Is a synthetic file safe? Three files in, a ranked table, a page, and an exit status out."""
