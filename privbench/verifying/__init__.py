"""Does a differential-privacy claim survive? Tests that try to refute it, and what they would have caught."""
