"""awsglue.utils: getResolvedOptions and the exception that it raises."""

import argparse
import sys


class GlueArgumentError(Exception):
    """An option that the script asked for is missing."""


_OWN = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "encryption_type", "enable_data_lineage",
        "RedshiftTempDir", "TempDir")
_BOOKMARK = ("job_bookmark_option", "job_bookmark_from", "job_bookmark_to")
_BOOKMARK_CHOICES = ("job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable")
_MAY_BE_ASKED_FOR = ("TempDir", "RedshiftTempDir", "JOB_ID", "JOB_RUN_ID")


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise GlueArgumentError(message)


def _glued(args, known):
    """`--name value` as `--name=value`: a value may itself begin with dashes."""
    out, i = [], 0
    while i < len(args):
        if args[i] in known and i + 1 < len(args):
            out.append("%s=%s" % (args[i], args[i + 1]))
            i += 2
        else:
            out.append(args[i])
            i += 1
    return out


def getResolvedOptions(args, options):
    """{name: text} for the wanted `options` (without dashes; every one must be there) out of
    sys.argv, and the reserved ones. Arguments that nobody asked for are ignored."""
    parser = _Parser(prog=args[0] if args else None, allow_abbrev=False, add_help=False)
    known = set()
    for name in _OWN:
        parser.add_argument("--" + name, dest=name)
        known.add("--" + name)
    for name in _BOOKMARK:
        flag = "--" + name.replace("_", "-")
        choices = _BOOKMARK_CHOICES if name == "job_bookmark_option" else None
        parser.add_argument(flag, dest=name, choices=choices)
        known.add(flag)
    for option in options:
        name = option.replace("-", "_")
        if name in _BOOKMARK or (name in _OWN and name not in _MAY_BE_ASKED_FOR):
            raise RuntimeError("Using reserved arguments " + option)
        if name not in _OWN:
            parser.add_argument("--" + option, dest=name, required=True)
            known.add("--" + option)
    # parse_known_args would take a lone value for a positional: what nobody asked for is dropped.
    parsed, _ = parser.parse_known_args(_glued(list(args[1:]), known))
    result = {k: v for k, v in vars(parsed).items() if v is not None}
    temp = result.get("TempDir") or result.get("RedshiftTempDir")
    if temp:
        result["TempDir"] = result["RedshiftTempDir"] = temp
    for option in options:
        if option in _MAY_BE_ASKED_FOR and option not in result:
            parser.error("the following arguments are required: --" + option)
    result.setdefault("job_bookmark_option", "job-bookmark-disable")
    if ("job_bookmark_from" in result) != ("job_bookmark_to" in result):
        parser.error("--job-bookmark-from and --job-bookmark-to are given together or not at all")
    return result


def callsite():
    """Where in the script the caller of our caller stands, for error reports."""
    frame = sys._getframe(2)
    return "%s:%d" % (frame.f_code.co_filename, frame.f_lineno)
