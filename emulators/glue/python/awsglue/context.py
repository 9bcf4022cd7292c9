"""awsglue.context: GlueContext."""

import datetime
import sys
import warnings

from pyspark.sql import SparkSession, SQLContext
from pyspark.sql import functions as F

from awsglue import _catalog, _catalog_read, _files, _formats, _jdbc
from awsglue._bookmark import BOOKMARKS
from awsglue._errors import not_implemented
from awsglue.data_sink import FILES, DataSink
from awsglue.data_source import DataSource
from awsglue.dynamicframe import (DynamicFrame, DynamicFrameCollection, DynamicFrameReader,
                                  DynamicFrameWriter)

_HOUR_MS = 3600 * 1000
_RETENTION_H = 168


class GlueLogger(object):
    """get_logger(): lines as log4j writes them, on standard error."""

    def _write(self, level, message):
        now = datetime.datetime.now().strftime("%y/%m/%d %H:%M:%S")
        sys.stderr.write("%s %s GlueLogger: %s\n" % (now, level, message))
        sys.stderr.flush()

    def trace(self, message):
        self._write("TRACE", message)

    def debug(self, message):
        self._write("DEBUG", message)

    def info(self, message):
        self._write("INFO", message)

    def warn(self, message):
        self._write("WARN", message)

    warning = warn

    def error(self, message):
        self._write("ERROR", message)

    def fatal(self, message):
        self._write("FATAL", message)


class DataFrameReader(object):
    """glueContext.create_data_frame"""

    def __init__(self, glue_context):
        self._glue_context = glue_context

    def from_catalog(self, database=None, table_name=None, redshift_tmp_dir="",
                     transformation_ctx="", push_down_predicate="", additional_options=None,
                     catalog_id=None, name_space=None, **kwargs):
        return self._glue_context.create_data_frame_from_catalog(
            database or name_space, table_name, redshift_tmp_dir, transformation_ctx,
            push_down_predicate, additional_options or {}, catalog_id, **kwargs)

    def from_options(self, connection_type, connection_options=None, format=None,
                     format_options=None, transformation_ctx="", push_down_predicate="", **kwargs):
        return self._glue_context.create_data_frame_from_options(
            connection_type, connection_options or {}, format, format_options or {},
            transformation_ctx, push_down_predicate, **kwargs)


class DataFrameWriter(object):
    """glueContext.write_data_frame"""

    def __init__(self, glue_context):
        self._glue_context = glue_context

    def _frame(self, frame):
        return DynamicFrame.fromDF(frame, self._glue_context, "frame")

    def from_catalog(self, frame, database, table_name, redshift_tmp_dir="",
                     transformation_ctx="", additional_options=None, catalog_id=None, **kwargs):
        return self._glue_context.write_dynamic_frame_from_catalog(
            self._frame(frame), database, table_name, redshift_tmp_dir, transformation_ctx,
            additional_options or {}, catalog_id).toDF()

    def from_options(self, frame, connection_type, connection_options=None, format=None,
                     format_options=None, transformation_ctx=""):
        return self._glue_context.write_dynamic_frame_from_options(
            self._frame(frame), connection_type, connection_options or {}, format,
            format_options or {}, transformation_ctx).toDF()


class GlueContext(SQLContext):
    """GlueContext(sparkContext): frames in and out of S3, the Data Catalog and databases."""

    Spark_SQL_Formats = {"parquet", "orc"}

    def __init__(self, sparkContext, **options):
        session = SparkSession.builder.getOrCreate()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            super().__init__(sparkContext, session)
        self.spark_session = session
        self.create_dynamic_frame = DynamicFrameReader(self)
        self.write_dynamic_frame = DynamicFrameWriter(self)
        self.create_data_frame = DataFrameReader(self)
        self.write_data_frame = DataFrameWriter(self)

    def getSparkSession(self):
        return self.spark_session

    def get_logger(self):
        return GlueLogger()

    def get_catalog_client(self):
        return _catalog.client()

    # --- sources ---
    def getSource(self, connection_type, format=None, transformation_ctx="",
                  push_down_predicate="", **options):
        source = DataSource(self, connection_type, options, transformation_ctx,
                            push_down_predicate)
        if format:
            source.setFormat(format)
        return source

    def create_dynamic_frame_from_rdd(self, data, name, schema=None, sample_ratio=None,
                                      transformation_ctx=""):
        frame = self.spark_session.createDataFrame(data, schema, sample_ratio)
        return DynamicFrame.fromDF(frame, self, name)

    def create_dynamic_frame_from_options(self, connection_type, connection_options=None,
                                          format=None, format_options=None, transformation_ctx="",
                                          push_down_predicate="", **kwargs):
        options = dict(connection_options or {})
        name = transformation_ctx or "from_options"
        if connection_type in FILES:
            paths = options.get("paths") or options.get("path")
            paths = [paths] if isinstance(paths, str) else list(paths or [])
            if not paths:
                raise ValueError("connection_options of an %s source need paths, a list"
                                 % connection_type)
            files = _files.list_files(self._sc, paths, _formats.flag(options.get("recurse", False)),
                                      options.get("exclusions"))
            files = BOOKMARKS.new_files(transformation_ctx, files, options.get("boundedFiles"),
                                        options.get("boundedSize"))
            more = {k: options[k] for k in ("attachFilename",) if k in options}
            frame, choices = _formats.read(self.spark_session, files, format,
                                           dict(format_options or {}, **more))
            return DynamicFrame(frame, self, name, choices)
        if connection_type in _jdbc.TYPES:
            frame = _jdbc.read(self.spark_session, connection_type, options, transformation_ctx,
                               BOOKMARKS)
            return DynamicFrame(frame, self, name)
        raise not_implemented("The connection type %r of a source" % connection_type,
                              "s3, file and JDBC databases are what can be read",
                              "Use one of these, or boto3 in a Python shell job.")

    def create_dynamic_frame_from_catalog(self, database, table_name, redshift_tmp_dir="",
                                          transformation_ctx="", push_down_predicate="",
                                          additional_options=None, catalog_id=None, **kwargs):
        options = dict(additional_options or {})
        table = _catalog.get_table(database, table_name, catalog_id)
        if _catalog_read.is_jdbc(table):
            settings = dict(options, **_catalog_read.jdbc_options(table))
            frame, choices = _jdbc.read(self.spark_session, "jdbc", settings, transformation_ctx,
                                        BOOKMARKS, catalog_id), frozenset()
        else:
            frame, choices = _catalog_read.read(self.spark_session, table, push_down_predicate,
                                                options, transformation_ctx, catalog_id)
        return DynamicFrame(frame, self, transformation_ctx or table_name, choices)

    def create_data_frame_from_catalog(self, *args, **kwargs):
        return self.create_dynamic_frame_from_catalog(*args, **kwargs).toDF()

    def create_data_frame_from_options(self, *args, **kwargs):
        return self.create_dynamic_frame_from_options(*args, **kwargs).toDF()

    def create_sample_dynamic_frame_from_options(self, connection_type, connection_options=None,
                                                 num=None, sample_options=None, format=None,
                                                 format_options=None, transformation_ctx=""):
        frame = self.create_dynamic_frame_from_options(
            connection_type, connection_options, format, format_options, transformation_ctx)
        return frame._new(frame._df.limit(num)) if num else frame

    def create_sample_dynamic_frame_from_catalog(self, database, table_name, num=None,
                                                 sample_options=None, **kwargs):
        frame = self.create_dynamic_frame_from_catalog(database, table_name, **kwargs)
        return frame._new(frame._df.limit(num)) if num else frame

    def forEachBatch(self, frame, batch_function, options=None):
        raise not_implemented("forEachBatch", "streaming sources (Kinesis, Kafka) aren't here",
                              "Read the files of S3 with job bookmarks.")

    def add_ingestion_time_columns(self, frame, timeGranularity=""):
        """ingest_year, … down to the granularity (day, hour, minute), of now."""
        parts = ["year", "month", "day", "hour", "minute"]
        if timeGranularity not in ("day", "hour", "minute"):
            raise ValueError("timeGranularity is day, hour or minute, not %r" % timeGranularity)
        now = datetime.datetime.utcnow()
        for part in parts[:parts.index(timeGranularity) + 1]:
            frame = frame.withColumn("ingest_" + part, F.lit(getattr(now, part)))
        return frame

    # --- sinks ---
    def getSink(self, connection_type, format=None, transformation_ctx="", **options):
        sink = DataSink(self, connection_type, options, transformation_ctx)
        if format:
            sink.setFormat(format)
        return sink

    def write_from_options(self, frame_or_dfc, connection_type, connection_options=None,
                           format=None, format_options=None, transformation_ctx="", **kwargs):
        sink = DataSink(self, connection_type, connection_options or {}, transformation_ctx)
        sink.setFormat(format, **{str(k): v for k, v in (format_options or {}).items()})
        return sink.write(frame_or_dfc)

    def write_dynamic_frame_from_options(self, frame, connection_type, connection_options=None,
                                         format=None, format_options=None, transformation_ctx=""):
        if not isinstance(frame, (DynamicFrame, DynamicFrameCollection)):
            raise TypeError("write_dynamic_frame takes a DynamicFrame, not a %s: make one by "
                            "DynamicFrame.fromDF" % type(frame).__name__)
        return self.write_from_options(frame, connection_type, connection_options, format,
                                       format_options, transformation_ctx)

    def write_dynamic_frame_from_catalog(self, frame, database, table_name, redshift_tmp_dir="",
                                         transformation_ctx="", additional_options=None,
                                         catalog_id=None, **kwargs):
        options = dict(additional_options or {})
        table = _catalog.get_table(database, table_name, catalog_id)
        if _catalog_read.is_jdbc(table):
            settings = dict(options, **_catalog_read.jdbc_options(table))
            _jdbc.write(self.spark_session, frame.toDF(), "jdbc", settings, catalog_id)
            return frame
        options.setdefault("path", _catalog.location_of(table))
        options.setdefault("partitionKeys", [k["Name"] for k in table.get("PartitionKeys", [])])
        name = _catalog.format_of(table)
        sink = DataSink(self, "s3", options, transformation_ctx, catalog_id)
        sink.setFormat(name, **_catalog_read.write_options(table, name))
        sink.setCatalogInfo(database, table_name, catalog_id or "")
        return sink.write(frame)

    def write_from_jdbc_conf(self, frame_or_dfc, catalog_connection, connection_options=None,
                             redshift_tmp_dir="", transformation_ctx="", catalog_id=None):
        options = dict(connection_options or {}, connectionName=catalog_connection)
        return DataSink(self, "jdbc", options, transformation_ctx, catalog_id).write(frame_or_dfc)

    def write_dynamic_frame_from_jdbc_conf(self, frame, catalog_connection,
                                           connection_options=None, redshift_tmp_dir="",
                                           transformation_ctx="", catalog_id=None):
        return self.write_from_jdbc_conf(frame, catalog_connection, connection_options,
                                         redshift_tmp_dir, transformation_ctx, catalog_id)

    def write_data_frame_from_catalog(self, frame, *args, **kwargs):
        return self.write_data_frame.from_catalog(frame, *args, **kwargs)

    def extract_jdbc_conf(self, connection_name, catalog_id=None):
        """url, fullUrl, vendor, user, password … of a catalog connection."""
        return _catalog.jdbc_conf(connection_name, catalog_id)

    # --- stored data ---
    def purge_s3_path(self, s3_path, options=None, transformation_ctx=""):
        """Deletes the files below a path that are older than retentionPeriod hours (168)."""
        self._purge(_files.list_files(self._sc, [s3_path], True), dict(options or {}))

    def _purge(self, files, options):
        if options.get("excludeStorageClasses"):
            raise not_implemented("excludeStorageClasses", "all objects are of one class here",
                                  "Leave it out.")
        hours = float(options.get("retentionPeriod", _RETENTION_H))
        limit = datetime.datetime.now().timestamp() * 1000 - hours * _HOUR_MS
        done = _files.delete_files(self._sc, [f for f in files if f.modified_ms <= limit])
        manifest = options.get("manifestFilePath")
        if manifest:
            for name, failed in (("Success.csv", False), ("Failed.csv", True)):
                lines = [p for p, error in done if bool(error) == failed]
                _files.write_text(self._sc, manifest.rstrip("/") + "/" + name,
                                  "".join(p + "\n" for p in lines))
        errors = ["%s: %s" % d for d in done if d[1]]
        if errors:
            raise RuntimeError("Purging failed for %d of %d files, first: %s"
                               % (len(errors), len(done), errors[0]))

    def purge_table(self, database, table_name, options=None, transformation_ctx="",
                    catalog_id=None):
        """Deletes a table's files; partitions left without any go, too."""
        options = dict(options or {})
        table = _catalog.get_table(database, table_name, catalog_id)
        if not table.get("PartitionKeys"):
            self.purge_s3_path(_catalog.location_of(table), options)
            return
        partitions = _catalog.get_partitions(database, table_name, catalog_id)
        chosen = _catalog.select_partitions(self.spark_session, table, partitions,
                                            options.get("partitionPredicate"))
        for partition in chosen:
            location = _catalog.location_of(dict(partition, Name=table_name))
            self._purge(_files.list_files(self._sc, [location], True), options)
            if not _files.list_files(self._sc, [location], True):
                more = {"CatalogId": catalog_id} if catalog_id else {}
                _catalog.client().delete_partition(
                    DatabaseName=database, TableName=table_name,
                    PartitionValues=partition["Values"], **more)

    def transition_table(self, *args, **kwargs):
        raise not_implemented("transition_table", "objects have one storage class here",
                              "Leave the call out, or purge_table the data.")

    def transition_s3_path(self, *args, **kwargs):
        raise not_implemented("transition_s3_path", "objects have one storage class here",
                              "Leave the call out, or purge_s3_path the data.")

    def start_transaction(self, *args, **kwargs):
        raise not_implemented("start_transaction", "governed tables of Lake Formation aren't here",
                              "Write to an ordinary table.")

    commit_transaction = cancel_transaction = start_transaction
