"""What is recorded of a plugin that raised."""

from __future__ import annotations

import pytest

from privbench.errors import ContractError, DoesNotApplyError, MissingExtraError, TimeLimitError
from privbench.record import failure


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DoesNotApplyError("nothing  to\ndo here"), "skipped"),
        (TimeLimitError("it was stopped"), "timeout"),
        (MissingExtraError("needs torch"), "unavailable"),
        (ContractError("a guess of 3 rows for 2 people"), "failed"),
    ],
)
def test_an_error_of_ours_is_its_own_reason(error, status):
    assert failure(error) == (status, " ".join(str(error).split()))


def test_of_an_error_that_nobody_meant_the_kind_and_the_line_are_said():
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    status, reason = failure(caught.value)
    assert status == "failed"
    assert reason.startswith("ZeroDivisionError: division by zero (test_record.py, line ")


def test_an_error_without_words_or_a_place_is_named():
    assert failure(SystemExit()) == ("failed", "SystemExit: no message")
