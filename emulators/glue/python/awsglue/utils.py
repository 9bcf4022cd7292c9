"""awsglue.utils: getResolvedOptions, with the semantics of the module that Glue provides."""

import argparse


class GlueArgumentError(Exception):
    pass


_RESERVED = (
    "job_bookmark_option", "job_bookmark_from", "job_bookmark_to", "JOB_ID", "JOB_RUN_ID",
    "SECURITY_CONFIGURATION", "encryption_type", "enable_data_lineage", "RedshiftTempDir", "TempDir",
)


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise GlueArgumentError(message)


def getResolvedOptions(args, options):
    """{name: text} for the wanted `options` (without dashes; every one must be there) out of
    sys.argv, and the reserved ones. Arguments that nobody asked for are ignored."""
    parser = _Parser(allow_abbrev=False, add_help=False)
    for name in _RESERVED:
        parser.add_argument("--" + name.replace("_", "-") if name.startswith("job_bookmark")
                            else "--" + name, dest=name, required=False, help=argparse.SUPPRESS)
    for name in options:
        if name in _RESERVED and name not in ("TempDir", "RedshiftTempDir", "JOB_ID", "JOB_RUN_ID"):
            raise RuntimeError(f"Using reserved arguments {name}")
        if name not in _RESERVED:
            parser.add_argument("--" + name, dest=name.replace("-", "_"), required=True)
    # Glue gives `--name value`; a value may itself begin with dashes, so it is glued on.
    glued, i = [], 1
    known = {"--" + name for name in options}
    while i < len(args):
        if args[i] in known and i + 1 < len(args):
            glued.append(f"{args[i]}={args[i + 1]}")
            i += 2
        else:
            glued.append(args[i])
            i += 1
    parsed, _ = parser.parse_known_args(glued)
    result = {k: v for k, v in vars(parsed).items() if v is not None}
    temp = result.get("TempDir") or result.get("RedshiftTempDir")
    if temp:
        result["TempDir"] = result["RedshiftTempDir"] = temp
    result.setdefault("job_bookmark_option", "job-bookmark-disable")
    return result
