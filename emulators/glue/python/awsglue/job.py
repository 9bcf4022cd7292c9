"""awsglue.job: begin and end of a run, between which bookmarks are kept."""

import sys

from awsglue._bookmark import BOOKMARKS


class Job(object):
    """Job(glueContext); init(name, args) first, commit() last."""

    _initialized = [False]

    def __init__(self, glue_context=None):
        self._glue_context = glue_context
        self._name = None

    @classmethod
    def continuation_options(cls):
        return ["continuous-log-logGroup", "enable-continuous-cloudwatch-log"]

    @classmethod
    def job_bookmark_options(cls):
        return ["job-bookmark-option", "job-bookmark-from", "job-bookmark-to"]

    @classmethod
    def job_bookmark_range_options(cls):
        return ["job-bookmark-from", "job-bookmark-to"]

    @classmethod
    def id_params(cls):
        return ["JOB_NAME", "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION"]

    @classmethod
    def encryption_type_options(cls):
        return ["encryption-type"]

    @classmethod
    def isInitialized(cls):
        return cls._initialized[0]

    def init(self, job_name, args=None):
        """Takes up the bookmarks of the job, if the run was started with them."""
        arguments = _bookmark_arguments(sys.argv)
        arguments.update(args or {})
        self._name = job_name
        BOOKMARKS.begin(arguments)
        Job._initialized[0] = True

    def commit(self):
        """The data that the run has read counts as processed from now on."""
        if not Job._initialized[0]:
            raise RuntimeError("Job.commit() without Job.init()")
        BOOKMARKS.save()


def _bookmark_arguments(argv):
    """The run's own arguments, for scripts that hand init() fewer."""
    out = {}
    for i, text in enumerate(argv[:-1]):
        if text.startswith("--job-bookmark-") or text == "--JOB_RUN_ID":
            out[text[2:].replace("-", "_")] = argv[i + 1]
    return out
