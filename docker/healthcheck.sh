#!/bin/sh
# 0 when the server answers: a question to its core thread, so a stuck one is unhealthy, too.
# CISTERN_ENDPOINT or the first argument names another place than the container's own.
exec cistern status --endpoint "${1:-${CISTERN_ENDPOINT:-http://127.0.0.1:4566}}" >/dev/null
