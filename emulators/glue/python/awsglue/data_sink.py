"""awsglue.data_sink: what GlueContext.getSink returns."""

from awsglue import _catalog, _jdbc, _sink
from awsglue._errors import not_implemented
from awsglue._formats import flag
from awsglue.dynamicframe import DynamicFrame, DynamicFrameCollection

FILES = ("s3", "file", "hdfs")


class DataSink(object):
    """A target whose format and catalog table are set before frames are written to it."""

    def __init__(self, glue_context, connection_type, options, transformation_ctx="",
                 catalog_id=None):
        self._glue_context = glue_context
        self._type = connection_type
        self._options = dict(options)
        self._ctx = transformation_ctx
        self._catalog_id = catalog_id or self._options.get("catalogId")
        self._format = None
        self._format_options = {}
        self._database = self._table = None
        self._known_table = None
        self.name = connection_type

    def setFormat(self, format, **options):
        self._format = format
        self._format_options = options

    def setAccumulableSize(self, size):
        """Sizes of Glue's internal counters; nothing depends on them here."""

    def setCatalogInfo(self, catalogDatabase, catalogTableName, catalogId=""):
        self._database, self._table = catalogDatabase, catalogTableName
        self._catalog_id = catalogId or self._catalog_id

    def writeFrame(self, dynamic_frame, info=""):
        """Writes one frame and returns it."""
        if not isinstance(dynamic_frame, DynamicFrame):
            raise TypeError("writeFrame takes a DynamicFrame, not a %s: make one by "
                            "DynamicFrame.fromDF" % type(dynamic_frame).__name__)
        if self._type in FILES:
            self._write_files(dynamic_frame)
        elif self._type in _jdbc.TYPES:
            _jdbc.write(self._glue_context.spark_session, dynamic_frame.toDF(), self._type,
                        self._options, self._catalog_id)
        else:
            raise not_implemented("The connection type %r of a sink" % self._type,
                                  "s3, file and JDBC databases are what can be written",
                                  "Use one of these, or boto3 in a Python shell job.")
        return dynamic_frame

    def write(self, dynamic_frame_or_dfc, info=""):
        """Writes a frame, or each of a collection."""
        if isinstance(dynamic_frame_or_dfc, DynamicFrameCollection):
            return DynamicFrameCollection(
                {k: self.writeFrame(f, info) for k, f in dynamic_frame_or_dfc.items()},
                self._glue_context)
        return self.writeFrame(dynamic_frame_or_dfc, info)

    def _write_files(self, frame):
        path = self._options.get("path")
        if not path:
            raise ValueError("connection_options of an %s sink need path" % self._type)
        if not self._format:
            raise ValueError("No format given for the sink %s: add format=\"csv\", \"json\" or "
                             "\"parquet\"" % path)
        update = flag(self._options.get("enableUpdateCatalog", False))
        behavior = self._options.get("updateBehavior", "UPDATE_IN_DATABASE")
        if update and behavior not in ("UPDATE_IN_DATABASE", "LOG"):
            raise ValueError("updateBehavior is UPDATE_IN_DATABASE or LOG, not %r" % behavior)
        if update and not self._table:
            raise ValueError("enableUpdateCatalog needs setCatalogInfo(catalogDatabase=…, "
                             "catalogTableName=…)")
        keys = list(self._options.get("partitionKeys") or [])
        options = dict(self._options, **self._format_options)
        written = _sink.write_files(self._glue_context.spark_session, frame.toDF(), frame._choices,
                                    path, self._format, options, keys)
        if update and frame.toDF().columns:
            _catalog.record_write(self._database, self._table, frame.toDF().schema, keys, path,
                                  self._format.replace("glue", ""), options, written.partitions,
                                  behavior, self._catalog_id)
