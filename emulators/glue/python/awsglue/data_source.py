"""awsglue.data_source: what GlueContext.getSource returns."""


class DataSource(object):
    """A source whose format and options are set before its frame is taken."""

    def __init__(self, glue_context, connection_type, options, transformation_ctx="",
                 push_down_predicate=""):
        self._glue_context = glue_context
        self._connection_type = connection_type
        self._options = options
        self._format = None
        self._format_options = {}
        self._ctx = transformation_ctx
        self._predicate = push_down_predicate
        self.name = connection_type

    def setFormat(self, format, **options):
        self._format = format
        self._format_options = options

    def getFrame(self, **options):
        merged = dict(self._options, **options)
        return self._glue_context.create_dynamic_frame_from_options(
            self._connection_type, merged, self._format, self._format_options, self._ctx,
            self._predicate)

    def getSampleFrame(self, num, **options):
        frame = self.getFrame(**options)
        return frame._new(frame._df.limit(num))
