"""De-identification of rows: the private records themselves, altered."""
