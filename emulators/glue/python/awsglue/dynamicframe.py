"""awsglue.dynamicframe: DynamicFrame, DynamicFrameCollection, and the objects behind
create_dynamic_frame and write_dynamic_frame.

A DynamicFrame here is a Spark DataFrame plus the set of its choice fields (see _schema.py). Unlike
Glue's it always has one schema for all records: a field that a record lacks is null."""

import json

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from awsglue import _choice, _infer, _json, _mapping, _nested, _records, _relational, _schema
from awsglue._errors import not_implemented
from awsglue.gluetypes import StructType  # noqa: F401  (scripts import it from here)


class ResolveOption(object):
    """For toDF: what to do with the choice at `path`: "KeepAsStruct", "Project" or "Cast"."""

    def __init__(self, path, action, target=None):
        self.path = path
        self.action = action
        self.target = target


class DynamicFrame(object):
    """One set of records."""

    def __init__(self, jdf, glue_ctx, name="", choices=frozenset(), errors=(), stage_errors=0):
        if not isinstance(jdf, DataFrame):  # a Dataset<Row> of the Java side
            jdf = DataFrame(jdf, glue_ctx.spark_session)
        self._df = jdf
        self._choices = frozenset(choices)
        self._errors = tuple(errors)         # frames of error records, oldest first
        self._stage_errors = stage_errors    # how many of them the last transform added
        self.glue_ctx = glue_ctx
        self._ssql_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe, glue_ctx, name=""):
        """Of a DataFrame."""
        if not isinstance(dataframe, DataFrame):
            raise TypeError("fromDF takes a DataFrame, not a %s" % type(dataframe).__name__)
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options=None):
        """The DataFrame; a choice is a struct with a member per type, unless options resolve it."""
        frame = self
        for option in options or []:
            action = option.action.lower()
            if action not in ("keepasstruct", "project", "cast"):
                raise ValueError("Unknown action %r in a ResolveOption" % option.action)
            if action != "keepasstruct":
                target = option.target
                name = target if isinstance(target, str) else target.typeName()
                frame = frame.resolveChoice(specs=[(option.path, "%s:%s" % (action, name))])
        return frame._df

    def _new(self, frame, choices=None, name=None, errors=None):
        return DynamicFrame(
            frame, self.glue_ctx, self.name if name is None else name,
            self._choices if choices is None else choices,
            self._errors + ((errors,) if errors is not None else ()), int(errors is not None))

    def with_frame_schema(self, schema):
        """The frame with its fields cast to a Glue schema."""
        fields = _schema.to_spark(schema)
        return self._new(self._df.select(*[_nested.column(f.name).cast(f.dataType).alias(f.name)
                                           for f in fields]), frozenset())

    # --- looking ---
    def count(self):
        return self._df.count()

    def schema(self):
        """A gluetypes.StructType."""
        return _schema.to_glue(self._df.schema, self._choices)

    def printSchema(self):
        print(_schema.tree(self.schema()))

    def show(self, num_rows=20):
        """Prints records as JSON documents, one a line."""
        for row in self._df.head(num_rows):
            print(json.dumps(_infer.plain(row, self._choices), default=str, ensure_ascii=False))

    def getNumPartitions(self):
        return self._df.rdd.getNumPartitions()

    def __len__(self):
        return self.count()

    # --- fields ---
    def select_fields(self, paths, transformation_ctx="", info="", stageThreshold=0,
                      totalThreshold=0):
        """Only these fields (a path or a list of them); those that aren't there are left out."""
        return self._checked(_mapping.select(self, _listed(paths)), stageThreshold, totalThreshold)

    def drop_fields(self, paths, transformation_ctx="", info="", stageThreshold=0,
                    totalThreshold=0):
        return self._checked(_mapping.drop(self, _listed(paths)), stageThreshold, totalThreshold)

    def rename_field(self, oldName, newName, transformation_ctx="", info="", stageThreshold=0,
                     totalThreshold=0, **kwargs):
        frame = _mapping.rename(self, oldName, newName)
        return self._checked(frame, stageThreshold, totalThreshold)

    def apply_mapping(self, mappings, case_sensitive=True, transformation_ctx="", info="",
                      stageThreshold=0, totalThreshold=0, **kwargs):
        """mappings: tuples (source path, source type, target path, target type)."""
        frame = _mapping.apply(self, mappings, case_sensitive)
        return self._checked(frame, stageThreshold, totalThreshold)

    def split_fields(self, paths, name1, name2, transformation_ctx="", info="", stageThreshold=0,
                     totalThreshold=0):
        """A collection of two frames: the fields at `paths`, and the others."""
        taken, left = _mapping.select(self, _listed(paths)), _mapping.drop(self, _listed(paths))
        return DynamicFrameCollection({name1: taken, name2: left}, self.glue_ctx)

    def resolveChoice(self, specs=None, choice="", database=None, table_name=None,
                      transformation_ctx="", info="", stageThreshold=0, totalThreshold=0,
                      catalog_id=None, option="", **kwargs):
        """Resolves choices by path (specs: (path, action)) or all alike (choice)."""
        frame = _choice.resolve(self, specs, choice or option, database, table_name, catalog_id)
        return self._checked(frame, stageThreshold, totalThreshold)

    def unnest(self, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        """Fields of structs as fields at the top, called a.b."""
        return self._checked(_relational.unnest(self), stageThreshold, totalThreshold)

    def unnest_ddb_json(self, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        raise not_implemented("unnest_ddb_json", "there is no DynamoDB here to export from",
                              "Flatten the documents with Map.apply.")

    def relationalize(self, root_table_name, staging_path=None, options=None,
                      transformation_ctx="", info="", stageThreshold=0, totalThreshold=0, **kwargs):
        """A collection of flat frames: the root, and one per array."""
        return DynamicFrameCollection(_relational.relationalize(self, root_table_name),
                                      self.glue_ctx)

    def unbox(self, path, format, transformation_ctx="", info="", stageThreshold=0,
              totalThreshold=0, **options):
        """A text field that holds JSON or CSV, parsed."""
        frame = _records.unbox(self, path, format, options)
        return self._checked(frame, stageThreshold, totalThreshold)

    # --- records ---
    def filter(self, f, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        """The records, as dictionaries, for which f returns true. One on which f raises is an error
        record."""
        return self._checked(_records.filter_(self, f), stageThreshold, totalThreshold)

    def map(self, f, preservesPartitioning=False, transformation_ctx="", info="",
            stageThreshold=0, totalThreshold=0):
        """f(record) of every record, as dictionaries. One on which f raises is an error record."""
        return self._checked(_records.map_(self, f), stageThreshold, totalThreshold)

    def mapPartitions(self, f, preservesPartitioning=True, transformation_ctx="", info="",
                      stageThreshold=0, totalThreshold=0):
        """f(iterator of records) → iterator of records."""
        choices = self._choices
        records = self._df.rdd.mapPartitions(
            lambda rows: f(_infer.plain(row, choices) for row in rows))
        frame, choices = _json.frame_of(self._df.sparkSession, records.persist(), self._df.schema)
        return self._checked(self._new(frame, choices), stageThreshold, totalThreshold)

    def split_rows(self, comparison_dict, name1, name2, transformation_ctx="", info="",
                   stageThreshold=0, totalThreshold=0):
        """Two frames: the records that meet {path: {operator: value}}, and the others."""
        inside = _records.comparison(self, comparison_dict)
        taken = self._new(self._df.filter(inside))
        left = self._new(self._df.filter(~inside))
        return DynamicFrameCollection({name1: taken, name2: left}, self.glue_ctx)

    def join(self, paths1, paths2, frame2, transformation_ctx="", info="", stageThreshold=0,
             totalThreshold=0):
        """The inner equality join. Fields of frame2 whose names are taken get a dot in front."""
        frame = _records.join(self, _listed(paths1), _listed(paths2), frame2)
        return self._checked(frame, stageThreshold, totalThreshold)

    def union(self, other_frame, transformation_ctx="", info="", stageThreshold=0,
              totalThreshold=0):
        """Records of both; a field of different types becomes a choice."""
        return self._checked(_choice.union(self, other_frame), stageThreshold, totalThreshold)

    def mergeDynamicFrame(self, stage_dynamic_frame, primary_keys, transformation_ctx="",
                          options=None, info="", stageThreshold=0, totalThreshold=0):
        """This frame's records whose keys the stage lacks, and all of the stage's."""
        frame = _records.merge(self, stage_dynamic_frame, _listed(primary_keys))
        return self._checked(frame, stageThreshold, totalThreshold)

    def spigot(self, path, options=None, transformation_ctx="", **kwargs):
        """Writes sample records as JSON to `path`, returns the frame."""
        _records.spigot(self, path, dict(options or {}, **kwargs))
        return self

    def repartition(self, num_partitions, transformation_ctx="", info="", stageThreshold=0,
                    totalThreshold=0, **kwargs):
        return self._new(self._df.repartition(num_partitions))

    def coalesce(self, num_partitions, shuffle=False, transformation_ctx="", info="",
                 stageThreshold=0, totalThreshold=0, **kwargs):
        if shuffle:
            return self._new(self._df.repartition(num_partitions))
        return self._new(self._df.coalesce(num_partitions))

    # --- errors ---
    def errorsCount(self):
        """How many records failed in the transforms so far."""
        return sum(e.count() for e in self._errors)

    def stageErrorsCount(self):
        """How many failed in the last transform."""
        return self._errors[-1].count() if self._stage_errors else 0

    def errorsAsDynamicFrame(self):
        """The failed records: fields of `error` are msg, stackTrace and dynamicRecord."""
        kind = T.StructType([T.StructField("error", _records.ERROR_TYPE)])
        frame = self._df.sparkSession.createDataFrame([], kind)
        for errors in self._errors:
            frame = frame.union(errors)
        return DynamicFrame(frame, self.glue_ctx, self.name + "_errors")

    def assertErrorThreshold(self):
        """Raises if there are error records."""
        count = self.errorsCount()
        if count:
            raise Exception("%d error record(s) in %s" % (count, self.name or "the DynamicFrame"))

    def _checked(self, frame, stage, total):
        if stage and frame.stageErrorsCount() >= stage:
            raise Exception("%d records failed in one transform of %s (stageThreshold is %d)"
                            % (frame.stageErrorsCount(), frame.name, stage))
        if total and frame.errorsCount() >= total:
            raise Exception("%d records failed up to this transform of %s (totalThreshold is %d)"
                            % (frame.errorsCount(), frame.name, total))
        return frame

    # --- writing ---
    def write(self, connection_type, connection_options=None, format=None, format_options=None,
              accumulator_size=0):
        """To a sink of that type; returns the frame."""
        return self.glue_ctx.write_dynamic_frame_from_options(
            self, connection_type, connection_options or {}, format, format_options or {})


def _listed(paths):
    return [paths] if isinstance(paths, str) else list(paths)


class DynamicFrameCollection(object):
    """Frames by name."""

    def __init__(self, dynamic_frames, glue_ctx):
        self._frames = dict(dynamic_frames)
        self.glue_ctx = glue_ctx

    def keys(self):
        return self._frames.keys()

    def values(self):
        return self._frames.values()

    def items(self):
        return self._frames.items()

    def select(self, key, transformation_ctx="", **kwargs):
        if key not in self._frames:
            raise KeyError("No frame %r in the collection: it has %s"
                           % (key, ", ".join(sorted(self._frames))))
        return self._frames[key]

    def __getitem__(self, key):
        return self.select(key)

    def __iter__(self):
        return iter(self._frames)

    def __len__(self):
        return len(self._frames)

    def __contains__(self, key):
        return key in self._frames

    def map(self, callable, transformation_ctx="", **kwargs):
        """A collection of callable(frame, transformation_ctx) of each frame."""
        return DynamicFrameCollection(
            {n: callable(f, transformation_ctx + n if transformation_ctx else "")
             for n, f in self._frames.items()}, self.glue_ctx)

    def flatmap(self, f, transformation_ctx="", **kwargs):
        """A collection of all frames that f, giving a frame or a collection, makes of each."""
        out = {}
        for name, frame in self._frames.items():
            made = f(frame, transformation_ctx + name if transformation_ctx else "")
            if isinstance(made, DynamicFrameCollection):
                out.update(("%s_%s" % (name, k), v) for k, v in made.items())
            else:
                out[name] = made
        return DynamicFrameCollection(out, self.glue_ctx)


class DynamicFrameReader(object):
    """glueContext.create_dynamic_frame"""

    def __init__(self, glue_context):
        self._glue_context = glue_context

    def from_rdd(self, data, name, schema=None, sampleRatio=None, transformation_ctx=""):
        return self._glue_context.create_dynamic_frame_from_rdd(data, name, schema, sampleRatio)

    def from_options(self, connection_type, connection_options=None, format=None,
                     format_options=None, transformation_ctx="", push_down_predicate="", **kwargs):
        return self._glue_context.create_dynamic_frame_from_options(
            connection_type, connection_options or {}, format, format_options or {},
            transformation_ctx, push_down_predicate, **kwargs)

    def from_catalog(self, database=None, table_name=None, redshift_tmp_dir="",
                     transformation_ctx="", push_down_predicate="", additional_options=None,
                     catalog_id=None, name_space=None, **kwargs):
        return self._glue_context.create_dynamic_frame_from_catalog(
            database or name_space, table_name, redshift_tmp_dir, transformation_ctx,
            push_down_predicate, additional_options or {}, catalog_id, **kwargs)


class DynamicFrameWriter(object):
    """glueContext.write_dynamic_frame"""

    def __init__(self, glue_context):
        self._glue_context = glue_context

    def from_options(self, frame, connection_type, connection_options=None, format=None,
                     format_options=None, transformation_ctx=""):
        return self._glue_context.write_dynamic_frame_from_options(
            frame, connection_type, connection_options or {}, format, format_options or {},
            transformation_ctx)

    def from_catalog(self, frame, database=None, table_name=None, redshift_tmp_dir="",
                     transformation_ctx="", additional_options=None, catalog_id=None,
                     name_space=None, **kwargs):
        return self._glue_context.write_dynamic_frame_from_catalog(
            frame, database or name_space, table_name, redshift_tmp_dir, transformation_ctx,
            additional_options or {}, catalog_id, **kwargs)

    def from_jdbc_conf(self, frame, catalog_connection, connection_options=None,
                       redshift_tmp_dir="", transformation_ctx="", catalog_id=None):
        return self._glue_context.write_dynamic_frame_from_jdbc_conf(
            frame, catalog_connection, connection_options or {}, redshift_tmp_dir,
            transformation_ctx, catalog_id)
