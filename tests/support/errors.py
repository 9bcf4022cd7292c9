"""What a call is refused with."""

import pytest
from botocore.exceptions import ClientError


def error_of(call, *positional, **arguments):
    """The call must fail: its error's code and message."""
    with pytest.raises(ClientError) as e:
        call(*positional, **arguments)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]


def code_of(call, **arguments):
    return error_of(call, **arguments)[0]


def refused(code, call, *positional, **arguments):
    """The call must fail with this code. → the message"""
    found, message = error_of(call, *positional, **arguments)
    assert found == code, message
    return message
