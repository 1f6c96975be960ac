"""A small file of people, and how a file with options of its own is loaded."""

from privbench.datasets.files import FileOptions, load_file

PEOPLE = "age,job,kids\n" + "".join(f"{20 + i},{'clerk' if i % 3 else 'cook'},{i % 4}\n" for i in range(50))


def load(path, **options):
    return load_file(FileOptions(path=str(path), **options))
