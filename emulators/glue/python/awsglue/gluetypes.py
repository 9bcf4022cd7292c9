"""awsglue.gluetypes: the types in a DynamicFrame's schema."""

import json


class DataType(object):
    """Base of all; `properties` is Glue's free dictionary."""

    name = "unknown"

    def __init__(self, properties=None):
        self.properties = properties or {}

    @classmethod
    def typeName(cls):
        return cls.name

    def jsonValue(self):
        value = {"dataType": self.typeName()}
        if self.properties:
            value["properties"] = self.properties
        return value

    def json(self):
        return json.dumps(self.jsonValue(), separators=(",", ":"), sort_keys=True)

    def __eq__(self, other):
        return type(self) is type(other) and self.jsonValue() == other.jsonValue()

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(self.json())

    def __repr__(self):
        return "%s(%s)" % (type(self).__name__, self._inside())

    def _inside(self):
        return ""


class AtomicType(DataType):
    pass


class NullType(AtomicType):
    name = "null"


class UnknownType(AtomicType):
    name = "unknown"


class BinaryType(AtomicType):
    name = "binary"


class BooleanType(AtomicType):
    name = "boolean"


class ByteType(AtomicType):
    name = "byte"


class DateType(AtomicType):
    name = "date"


class DoubleType(AtomicType):
    name = "double"


class FloatType(AtomicType):
    name = "float"


class IntegerType(AtomicType):
    name = "int"


class LongType(AtomicType):
    name = "long"


class ShortType(AtomicType):
    name = "short"


class StringType(AtomicType):
    name = "string"


class TimestampType(AtomicType):
    name = "timestamp"


class DecimalType(AtomicType):
    name = "decimal"

    def __init__(self, precision=10, scale=2, properties=None):
        super().__init__(properties)
        self.precision = precision
        self.scale = scale

    def jsonValue(self):
        value = super().jsonValue()
        value.update(precision=self.precision, scale=self.scale)
        return value

    def _inside(self):
        return "%d,%d" % (self.precision, self.scale)


class ArrayType(DataType):
    name = "array"

    def __init__(self, elementType=None, properties=None):
        super().__init__(properties)
        self.elementType = elementType or UnknownType()

    def jsonValue(self):
        value = super().jsonValue()
        value["elementType"] = self.elementType.jsonValue()
        return value

    def _inside(self):
        return repr(self.elementType)


class SetType(DataType):
    name = "set"

    def __init__(self, elementType=None, properties=None):
        super().__init__(properties)
        self.elementType = elementType or UnknownType()

    def jsonValue(self):
        value = super().jsonValue()
        value["elementType"] = self.elementType.jsonValue()
        return value


class MapType(DataType):
    """Keys are strings, as everywhere in Glue."""

    name = "map"

    def __init__(self, valueType=None, properties=None):
        super().__init__(properties)
        self.valueType = valueType or UnknownType()

    def jsonValue(self):
        value = super().jsonValue()
        value["valueType"] = self.valueType.jsonValue()
        return value

    def _inside(self):
        return repr(self.valueType)


class Field(object):
    def __init__(self, name, dataType, properties=None):
        self.name = name
        self.dataType = dataType
        self.properties = properties or {}

    def jsonValue(self):
        return {"name": self.name, "container": self.dataType.jsonValue(),
                "properties": self.properties}

    def __eq__(self, other):
        return isinstance(other, Field) and self.jsonValue() == other.jsonValue()

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return "Field(%s,%r)" % (self.name, self.dataType)


class StructType(DataType):
    name = "struct"

    def __init__(self, fields=None, properties=None):
        super().__init__(properties)
        self.fields = list(fields or [])
        self.field_map = {f.name: f for f in self.fields}

    def __iter__(self):
        return iter(self.fields)

    def __len__(self):
        return len(self.fields)

    def jsonValue(self):
        value = super().jsonValue()
        value["fields"] = [f.jsonValue() for f in self.fields]
        return value

    def _inside(self):
        return ",".join(map(repr, self.fields))


class ChoiceType(DataType):
    """A field whose records hold values of several types."""

    name = "choice"

    def __init__(self, choices=None, properties=None):
        super().__init__(properties)
        self.choices = {c.typeName(): c for c in choices or []}

    def jsonValue(self):
        value = super().jsonValue()
        value["choices"] = [c.jsonValue() for c in self.choices.values()]
        return value

    def _inside(self):
        return ",".join(map(repr, self.choices.values()))


class EntityType(DataType):
    name = "entity"


_ATOMIC = {c.name: c for c in AtomicType.__subclasses__()}


def _parse(value):
    kind = value["dataType"]
    properties = value.get("properties")
    if kind == "struct":
        return StructType([Field(f["name"], _parse(f["container"]), f.get("properties"))
                           for f in value.get("fields", [])], properties)
    if kind == "array":
        return ArrayType(_parse(value["elementType"]), properties)
    if kind == "set":
        return SetType(_parse(value["elementType"]), properties)
    if kind == "map":
        return MapType(_parse(value["valueType"]), properties)
    if kind == "choice":
        return ChoiceType([_parse(c) for c in value["choices"]], properties)
    if kind == "decimal":
        return DecimalType(value.get("precision", 10), value.get("scale", 2), properties)
    if kind not in _ATOMIC:
        raise ValueError("Unknown type in a Glue schema: %r" % (kind,))
    return _ATOMIC[kind](properties)


def fromJson(text):
    """The type out of what json() gave."""
    return _parse(json.loads(text))
