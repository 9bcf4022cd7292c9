"""The names that AWS Glue scripts import, as an implementation of our own on top of plain PySpark.

It follows Glue's public documentation of these interfaces; no code comes from AWS. What isn't here
raises NotImplementedError with a reason and a remedy."""

_LAZY = {"DynamicFrame": "dynamicframe", "GlueContext": "context"}


def __getattr__(name):
    """`from awsglue import DynamicFrame`, without PySpark for those who don't ask."""
    if name not in _LAZY:
        raise AttributeError("module 'awsglue' has no attribute %r" % name)
    import importlib

    return getattr(importlib.import_module("awsglue." + _LAZY[name]), name)
