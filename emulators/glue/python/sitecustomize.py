"""Runs when a job's Python starts. Where the Data Catalog is asked for
(--enable-glue-datacatalog), it waits for PySpark's session module to be imported and gives its SQL
the catalog's tables; otherwise it does nothing."""

import os

if os.environ.get("CISTERN_GLUE_CATALOG") == "1":
    import importlib.util
    import sys

    class _Loader(object):
        """A module's own loader, and our work after it."""

        def __init__(self, inner):
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def create_module(self, spec):
            return self._inner.create_module(spec)

        def exec_module(self, module):
            self._inner.exec_module(module)
            from awsglue import _sql_patch

            _sql_patch.install(module)

    class _Watch(object):
        """A finder that takes part in one import only."""

        _module = "pyspark.sql.session"

        def find_spec(self, name, path=None, target=None):
            if name != self._module:
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            spec.loader = _Loader(spec.loader)
            return spec

    sys.meta_path.insert(0, _Watch())
