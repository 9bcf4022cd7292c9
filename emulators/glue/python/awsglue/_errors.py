"""One way to say that something isn't implemented."""


def not_implemented(what, why, remedy):
    """The exception to raise: what was asked for, why it can't be had, what to do instead."""
    return NotImplementedError("%s isn't implemented: %s. %s" % (what, why, remedy))
