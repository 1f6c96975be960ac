"""Files of an audit that differ in one column alone, what it is read as, and what is said of it."""

import numpy as np
import pandas as pd

from privbench.datasets.alike import Alike, AlikeOptions, read_alike


def read(train, synthetic, control=None, **options) -> Alike:
    """Read columns under the name x, beside one that keeps the control file from being the training file."""
    frames = []
    for place, cells in enumerate((train, synthetic, control)):
        if cells is not None:
            frames.append(pd.DataFrame({"x": cells, "beside": [place, *np.arange(len(cells) - 1) % 4]}))
    return read_alike(*frames, options=AlikeOptions(**options))


def cells(alike, role="train"):
    return getattr(alike, role).to_frame()["x"].tolist()


def said(alike, *words):
    """Return whether one note on the column holds all words."""
    notes = [note for note in alike.notes if note.startswith("column 'x': ")]
    return any(all(word in note for word in words) for note in notes)
