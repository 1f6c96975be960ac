"""How a CSV file is written: what stands between cells, how bytes are text, and how numbers look.

Nothing is guessed. A number whose thousands are not grouped by three ("1.23" where the point is the sign of thousands)
is no number, so that a file read with the wrong signs gives text and not wrong numbers.

References
----------
International Bureau of Weights and Measures, "The International System of Units (SI)", section 5.4.4: the two decimal
signs, and digits in groups of three.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any

from privbench.errors import InputError

__all__ = ["DELIMITERS", "Dialect"]

DELIMITERS = (";", "\t", "|")
"""What other delimiters than the comma a header is looked through for."""

_GROUPING = (",", ".", " ", "'", "_", "\u00a0", "\u202f", "\u2019")
_ESCAPED = {"\\t": "\t", "tab": "\t"}


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""How a CSV file is written.

    Parameters
    ----------
    delimiter : str
        One character; ``"\\t"`` and ``"tab"`` are the tabulator, too.
    encoding : str
        A name that Python knows: ``"utf-8"``, ``"latin-1"``, ``"cp1252"`` ...
    decimal : str
        The decimal sign, ``"."`` or ``","``.
    thousands : str
        The sign between groups of three digits, or nothing.

    Raises
    ------
    InputError
        Naming the option, what it is and what is allowed.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "delimiter", _ESCAPED.get(self.delimiter, self.delimiter))
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n\0' or not self.delimiter.isascii():
            raise InputError(
                f"delimiter {self.delimiter!r} is not allowed; allowed: one character, such as ';' or '\\t'"
            )
        try:
            "a".encode(self.encoding)  # refuses what is no encoding of text, such as "hex"
        except (LookupError, ValueError):  # ValueError: a zero byte
            known = "utf-8, latin-1, cp1252, utf-16 and others"
            raise InputError(f"unknown encoding {self.encoding!r}; known are {known}") from None
        if self.decimal not in {".", ","}:
            raise InputError(f"decimal sign {self.decimal!r} is not allowed; allowed: '.' or ','")
        if self.thousands not in {"", *_GROUPING} or self.thousands == self.decimal:
            raise InputError(
                f"thousands sign {self.thousands!r} beside the decimal sign {self.decimal!r} is not allowed; allowed: "
                "another one of the comma, point, blank, apostrophe and underscore"
            )

    @property
    def reading(self) -> str:
        """The encoding to read with: a mark at the beginning of a UTF-8 file is no part of its first name."""
        return "utf-8-sig" if self.utf8 else self.encoding

    @property
    def utf8(self) -> bool:
        """Whether the bytes are UTF-8."""
        return codecs.lookup(self.encoding).name in {"utf-8", "utf-8-sig"}

    @property
    def plain_numbers(self) -> bool:
        """Whether numbers are written as Python writes them."""
        return self.decimal == "." and not self.thousands

    def numbers(self, texts: Any) -> Any:
        """Return for each text of an Arrow array whether it is a number as this dialect writes them."""
        import pyarrow.compute as pc

        zeros = pc.match_substring_regex(texts, r"^[+-]?0\d")  # they are part of a code
        return pc.and_not(pc.match_substring_regex(texts, self._number), zeros)

    def plain(self, texts: Any) -> Any:
        """Return an Arrow array of texts with its numbers rewritten as Python writes them, or None if one is no number.

        Missing cells stay missing.
        """
        if self.plain_numbers:
            return texts
        import pyarrow.compute as pc

        if not pc.all(pc.match_substring_regex(texts, self._number)).as_py():
            return None
        if self.thousands:
            texts = pc.replace_substring(texts, self.thousands, "")
        return texts if self.decimal == "." else pc.replace_substring(texts, ",", ".")

    @property
    def _number(self) -> str:
        mark, sign = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(\d+|\d{{1,3}}({sign}\d{{3}})+)" if self.thousands else r"\d+"
        return rf"^[+-]?({whole}({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?$"
