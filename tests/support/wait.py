"""Waiting on conditions, never on the clock alone."""

import time


def wait_until(condition, timeout=30.0, what="the condition", step=0.01):
    """Calls `condition` until it returns something true; returns that. AssertionError after `timeout`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s (last: {value!r})")
        time.sleep(step)
        step = min(step * 1.5, 0.25)
