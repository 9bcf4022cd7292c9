"""awsglue.transforms: the transforms as classes with apply(frame=…), besides DynamicFrame's methods
of the same meaning."""

from pyspark.sql import types as T

from awsglue import _mapping
from awsglue._errors import not_implemented
from awsglue.dynamicframe import DynamicFrameCollection

__all__ = [
    "GlueTransform", "ApplyMapping", "DropFields", "DropNullFields", "ErrorsAsDynamicFrame",
    "Filter", "FillMissingValues", "FindIncrementalMatches", "FindMatches", "FlatMap", "Join",
    "Map", "MapToCollection", "MergeDynamicFrame", "Relationalize", "RenameField", "ResolveChoice",
    "SelectFields", "SelectFromCollection", "Spigot", "SplitFields", "SplitRows", "Unbox",
    "UnnestFrame", "SimplifyDDBJson",
]


class GlueTransform(object):
    """Base: apply() makes an instance and calls it."""

    @classmethod
    def apply(cls, *args, **kwargs):
        return cls()(*args, **kwargs)

    @classmethod
    def name(cls):
        return cls.__name__

    @classmethod
    def describe(cls):
        return {"transform": {"name": cls.name(), "describe": (cls.__doc__ or "").strip()}}

    @classmethod
    def describeTransform(cls):
        return (cls.__doc__ or "").strip()

    @classmethod
    def describeArgs(cls):
        names = cls.__call__.__code__.co_varnames[1:cls.__call__.__code__.co_argcount]
        return [{"name": n} for n in names]

    @classmethod
    def describeReturn(cls):
        return {"type": "DynamicFrame"}

    @classmethod
    def describeErrors(cls):
        return []


class ApplyMapping(GlueTransform):
    """Selects, renames and casts fields."""

    def __call__(self, frame, mappings, case_sensitive=True, transformation_ctx="", info="",
                 stageThreshold=0, totalThreshold=0):
        return frame.apply_mapping(mappings, case_sensitive, transformation_ctx, info,
                                   stageThreshold, totalThreshold)


class DropFields(GlueTransform):
    """Leaves fields out."""

    def __call__(self, frame, paths, transformation_ctx="", info="", stageThreshold=0,
                 totalThreshold=0):
        return frame.drop_fields(paths, transformation_ctx, info, stageThreshold, totalThreshold)


class DropNullFields(GlueTransform):
    """Leaves out the fields that are null in every record."""

    def __call__(self, frame, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        paths = []

        def walk(kind, path):
            for f in kind:
                here = path + [f.name]
                if isinstance(f.dataType, T.NullType):
                    paths.append(".".join("`%s`" % p if "." in p else p for p in here))
                elif isinstance(f.dataType, T.StructType):
                    walk(f.dataType, here)

        walk(frame.toDF().schema, [])
        print("null_fields", paths)
        return frame.drop_fields(paths, transformation_ctx, info, stageThreshold,
                                 totalThreshold) if paths else _mapping.drop(frame, [])


class ErrorsAsDynamicFrame(GlueTransform):
    """The error records of a frame."""

    def __call__(self, frame):
        return frame.errorsAsDynamicFrame()


class Filter(GlueTransform):
    """The records for which a function is true."""

    def __call__(self, frame, f, transformation_ctx="", info="", stageThreshold=0,
                 totalThreshold=0):
        return frame.filter(f, transformation_ctx, info, stageThreshold, totalThreshold)


class Map(GlueTransform):
    """A function of every record."""

    def __call__(self, frame, f, preservesPartitioning=False, transformation_ctx="", info="",
                 stageThreshold=0, totalThreshold=0):
        return frame.map(f, preservesPartitioning, transformation_ctx, info, stageThreshold,
                         totalThreshold)


def _class_of(transform, base_kwargs):
    """A function of one frame out of a transform class and its arguments."""
    def one(frame, transformation_ctx):
        kwargs = dict(base_kwargs)
        if transformation_ctx:
            kwargs["transformation_ctx"] = transformation_ctx
        return transform.apply(frame=frame, **kwargs)

    return one


class FlatMap(GlueTransform):
    """A transform of each frame of a collection, their collections joined in one."""

    def __call__(self, dfc, BaseTransform, frame_name="frame", transformation_ctx="",
                 **base_kwargs):
        return dfc.flatmap(_class_of(BaseTransform, base_kwargs), transformation_ctx)


class MapToCollection(GlueTransform):
    """A transform of each frame of a collection."""

    def __call__(self, dfc, BaseTransform=None, frame_name="frame", transformation_ctx="",
                 callable=None, **base_kwargs):
        function = callable or _class_of(BaseTransform, base_kwargs)
        return dfc.map(function, transformation_ctx)


class Join(GlueTransform):
    """The inner equality join of two frames."""

    def __call__(self, frame1, frame2, keys1, keys2, transformation_ctx=""):
        return frame1.join(keys1, keys2, frame2, transformation_ctx)


class MergeDynamicFrame(GlueTransform):
    """A frame with its records replaced by a staging frame's of the same keys."""

    def __call__(self, frame=None, stage_dynamic_frame=None, primary_keys=(),
                 transformation_ctx="", source=None, options=None, info="", stageThreshold=0,
                 totalThreshold=0):
        source = frame if frame is not None else source
        return source.mergeDynamicFrame(stage_dynamic_frame, primary_keys, transformation_ctx,
                                        options, info, stageThreshold, totalThreshold)


class Relationalize(GlueTransform):
    """A collection of flat frames."""

    def __call__(self, frame, staging_path=None, name="roottable", options=None,
                 transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        return frame.relationalize(name, staging_path, options, transformation_ctx, info,
                                   stageThreshold, totalThreshold)


class RenameField(GlueTransform):
    """A field under another name."""

    def __call__(self, frame, old_name, new_name, transformation_ctx="", info="",
                 stageThreshold=0, totalThreshold=0):
        return frame.rename_field(old_name, new_name, transformation_ctx, info, stageThreshold,
                                  totalThreshold)


class ResolveChoice(GlueTransform):
    """Fields of several types made fields of one."""

    def __call__(self, frame, specs=None, choice="", transformation_ctx="", info="",
                 stageThreshold=0, totalThreshold=0, database=None, table_name=None,
                 catalog_id=None):
        return frame.resolveChoice(specs, choice, database, table_name, transformation_ctx, info,
                                   stageThreshold, totalThreshold, catalog_id)


class SelectFields(GlueTransform):
    """Only some fields."""

    def __call__(self, frame, paths, transformation_ctx="", info="", stageThreshold=0,
                 totalThreshold=0):
        return frame.select_fields(paths, transformation_ctx, info, stageThreshold, totalThreshold)


class SelectFromCollection(GlueTransform):
    """One frame of a collection."""

    def __call__(self, dfc, key, transformation_ctx=""):
        if not isinstance(dfc, DynamicFrameCollection):
            raise TypeError("SelectFromCollection takes a DynamicFrameCollection")
        return dfc.select(key, transformation_ctx)


class Spigot(GlueTransform):
    """Sample records written on the way."""

    def __call__(self, frame, path, options=None, transformation_ctx=""):
        return frame.spigot(path, options, transformation_ctx)


class SplitFields(GlueTransform):
    """Two frames: some fields, and the others."""

    def __call__(self, frame, paths, name1=None, name2=None, transformation_ctx="", info="",
                 stageThreshold=0, totalThreshold=0):
        return frame.split_fields(paths, name1 or frame.name + "1", name2 or frame.name + "2",
                                  transformation_ctx, info, stageThreshold, totalThreshold)


class SplitRows(GlueTransform):
    """Two frames: the records that compare as said, and the others."""

    def __call__(self, frame, comparison_dict, name1="frame1", name2="frame2",
                 transformation_ctx="", info=None, stageThreshold=0, totalThreshold=0):
        return frame.split_rows(comparison_dict, name1, name2, transformation_ctx, info,
                                stageThreshold, totalThreshold)


class Unbox(GlueTransform):
    """A text field parsed."""

    def __call__(self, frame, path, format, transformation_ctx="", info="", stageThreshold=0,
                 totalThreshold=0, **options):
        return frame.unbox(path, format, transformation_ctx, info, stageThreshold, totalThreshold,
                           **options)


class UnnestFrame(GlueTransform):
    """Structs' fields at the top."""

    def __call__(self, frame, transformation_ctx="", info="", stageThreshold=0, totalThreshold=0):
        return frame.unnest(transformation_ctx, info, stageThreshold, totalThreshold)


class _Missing(GlueTransform):
    """A transform that says that it isn't there."""

    why = "it needs a model that AWS trains"
    remedy = "Match the records by a join."

    def __call__(self, *args, **kwargs):
        raise not_implemented("The transform %s" % type(self).__name__, self.why, self.remedy)


class FindMatches(_Missing):
    """Machine learning: absent."""


class FindIncrementalMatches(_Missing):
    """Machine learning: absent."""


class FillMissingValues(_Missing):
    """Machine learning: absent."""

    remedy = "Fill values by DataFrame.fillna."


class SimplifyDDBJson(_Missing):
    """Documents of DynamoDB: absent."""

    why = "there is no DynamoDB here to export from"
    remedy = "Flatten the documents with Map.apply."
