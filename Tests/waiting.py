"""For what happens in other processes, which tell nobody."""

import time


def until(condition, what, seconds=60):
    """Asks again and again until it holds; what it then is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")
