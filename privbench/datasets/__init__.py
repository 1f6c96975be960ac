"""Data sets: one file each for those that come with privbench, and the reader of users' files.

`adult` holds UCI Adult; `files` reads CSV and Parquet, `infer` reads a schema off them, `options` says what
to override; `alike` holds the three files of an audit to one schema. Nothing is imported here, so that a run loads
only the data set it uses.
"""
