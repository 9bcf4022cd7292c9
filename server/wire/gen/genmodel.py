#!/usr/bin/env python3
"""Writes emulators/<service>/<service>_model.[ch] from botocore's service models.

    genmodel.py emulators/glue/glue.ops …      regenerate these services
    genmodel.py --check emulators/*/*.ops      exit 1 and print a diff when a file is out of date
    genmodel.py --all-ops LIST --out DIR       tables without handlers for "service operation" lines
                                               (the codec tests), and DIR/all_models.c

An .ops file lists the operations that we implement, one per line with optional flags:

    service: s3            # folder and prefix of all names
    botocore: s3           # model, when its name differs
    protocols: rest-xml    # when not those of the model
    errors: hand           # the errors are written by hand
    rename: Object=ListedObject    # struct name of a shape, where it would clash
    check-enum: StorageClass       # shapes whose values the codec checks
    PutObject stream
    GetObject read

Flags: read, stream, noauth, big (OP_READ, OP_STREAM_IN, OP_NO_AUTH, OP_BIG_IN). All other
operations of the model get a row without handler, which answers NotImplemented; `-Name` says so explicitly.
"""
import argparse
import difflib
import os
import re
import sys

PINNED = "1.43.11"
FLAGS = {"read": "OP_READ", "stream": "OP_STREAM_IN", "noauth": "OP_NO_AUTH", "big": "OP_BIG_IN"}
RESERVED = set(
    """auto break case char const continue default do double else enum extern float for goto if
    inline int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while asm typeof bool true false unix linux errno stdin stdout stderr
    NULL EOF""".split()
)
SCALARS = {
    "string": ("struct str", "string"), "character": ("struct str", "string"),
    "integer": ("struct opt_i64", "int"), "long": ("struct opt_i64", "long"),
    "float": ("struct opt_f64", "float"), "double": ("struct opt_f64", "float"),
    "boolean": ("struct opt_bool", "bool"), "timestamp": ("struct opt_time", "time"),
    "blob": ("struct str", "blob"),
}
PROTOCOLS = {
    "json10": "PROTO_JSON10", "json11": "PROTO_JSON11", "query": "PROTO_QUERY", "ec2": "PROTO_EC2",
    "rest-json": "PROTO_REST_JSON", "rest-xml": "PROTO_REST_XML",
    "smithy-rpc-v2-cbor": "PROTO_CBOR", "cbor": "PROTO_CBOR",
}
LOCATIONS = {"header": "LOC_HEADER", "headers": "LOC_HEADERS", "uri": "LOC_URI",
             "querystring": "LOC_QUERY", "statusCode": "LOC_STATUS"}
TIMES = {"unixTimestamp": "TIME_UNIX", "iso8601": "TIME_ISO", "rfc822": "TIME_RFC822"}
# The model does not name the root elements of S3's answers.
S3_ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListObjects": "ListBucketResult", "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult", "ListParts": "ListPartsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult", "DeleteObjects": "DeleteResult",
    "GetObjectAttributes": "GetObjectAttributesResponse", "GetBucketAcl": "AccessControlPolicy",
    "GetObjectAcl": "AccessControlPolicy", "GetBucketLocation": "LocationConstraint",
    "GetBucketTagging": "Tagging", "GetObjectTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
}
XMLNS = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/",
         "sqs": "http://queue.amazonaws.com/doc/2012-11-05/"}


def snake(name):
    """ListObjectsV2 -> list_objects_v2, DescribeDBInstances -> describe_db_instances."""
    for word, plain in (("ETag", "Etag"), ("MySQL", "Mysql"), ("PostgreSQL", "Postgresql")):
        name = name.replace(word, plain)
    # A plural of an acronym is one word: ARNs, IDs.
    name = re.sub(r"([A-Z])([A-Z]+)s(?![a-z])", lambda m: m[1] + m[2].lower() + "s", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"\W+|__+", "_", name).lower()


def member_name(name):
    """The C member for an AWS member: the same word, unless C reserves it."""
    name = re.sub(r"\W", "_", name)
    return name + "_" if name in RESERVED or name[0].isdigit() else name


def quoted(text):
    if text is None:
        return "NULL"
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def load_model(name):
    import botocore
    import botocore.loaders

    if botocore.__version__ != PINNED:
        sys.exit("genmodel: botocore %s is pinned, found %s; pip install botocore==%s"
                 % (PINNED, botocore.__version__, PINNED))
    return botocore.loaders.Loader().load_service_model(name, "service-2")


class Ops:
    """A parsed .ops file."""

    def __init__(self, service):
        self.keys = {"service": service}
        self.flags = {}  # operation -> list of C flags
        self.absent = set()
        self.renames = {}
        self.checked_enums = set()

    @classmethod
    def read(cls, path):
        ops = cls(os.path.splitext(os.path.basename(path))[0])
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            line = line.split("#", 1)[0].strip()
            key = re.match(r"([a-z-]+):\s*(.*)$", line)
            if key:
                ops.set_key(key[1], key[2], "%s:%d" % (path, number))
            elif line.startswith("-"):
                ops.absent.add(line[1:].strip())
            elif line:
                name, *flags = line.split()
                unknown = [f for f in flags if f not in FLAGS]
                if unknown:
                    sys.exit("%s:%d: unknown flag %s; use %s"
                             % (path, number, unknown[0], ", ".join(FLAGS)))
                ops.flags[name] = [FLAGS[f] for f in flags]
        return ops

    def set_key(self, key, value, where):
        if key == "rename":
            self.renames.update(pair.split("=") for pair in value.split())
        elif key == "check-enum":
            self.checked_enums.update(value.split())
        elif key in ("service", "prefix", "botocore", "protocols", "errors"):
            self.keys[key] = value
        else:
            sys.exit("%s: unknown key %s" % (where, key))


class Service:
    """One service's model, reduced to what our operations reach."""

    def __init__(self, ops, handlers=True):
        self.name = ops.keys["service"]
        self.prefix = ops.keys.get("prefix", self.name)
        self.ops = ops
        self.handlers = handlers
        self.model = load_model(ops.keys.get("botocore", self.name))
        self.meta = self.model["metadata"]
        self.shapes = self.model["shapes"]
        self.protocols = self.find_protocols()
        missing = [o for o in list(ops.flags) + sorted(ops.absent)
                   if o not in self.model["operations"]]
        if missing:
            sys.exit("%s.ops: the model has no operation %s" % (self.name, ", ".join(missing)))
        self.mine = sorted(ops.flags)
        self.find_reachable()
        self.name_structs()

    def find_protocols(self):
        names = self.ops.keys.get("protocols", "").split() or \
            self.meta.get("protocols") or [self.meta["protocol"]]
        json = "json" + self.meta.get("jsonVersion", "1.1").replace(".", "")
        return [json if n == "json" else n for n in names]

    def op_names(self):
        """All rows of the table: with handlers, also the operations that answer NotImplemented."""
        return sorted(self.model["operations"]) if self.handlers else self.mine

    def io_shape(self, op, side):
        """Name of the input or output shape, or None when it has no members."""
        ref = self.model["operations"][op].get(side)
        return ref["shape"] if ref and self.shapes[ref["shape"]].get("members") else None

    def find_reachable(self):
        self.reached = {}  # in order of first use
        self.as_member = set()
        self.io_users = {}  # shape -> [struct name]
        stack = []
        for op in self.mine:
            for side, suffix in (("input", "request"), ("output", "response")):
                shape = self.io_shape(op, side)
                if shape:
                    self.io_users.setdefault(shape, []).append("%s_%s" % (snake(op), suffix))
                    stack.append(shape)
                while stack:
                    self.reach(stack.pop(), stack)

    def reach(self, name, stack):
        if name in self.reached:
            return
        shape = self.shapes[name]
        self.reached[name] = shape
        if self.is_doc(shape):
            return
        refs = list(shape.get("members", {}).values())
        refs += [shape[k] for k in ("member", "key", "value") if k in shape]
        for ref in reversed(refs):
            self.as_member.add(ref["shape"])
            stack.append(ref["shape"])

    @staticmethod
    def is_doc(shape):
        return shape["type"] == "structure" and shape.get("document")

    def is_compound(self, shape):
        return shape["type"] in ("structure", "list", "map") and not self.is_doc(shape)

    def name_structs(self):
        """self.tag: shape -> struct tag; self.wrappers: (tag, shape) of shared shapes."""
        self.tag, self.wrappers, taken = {}, [], set()
        for shape, users in self.io_users.items():
            own = snake(shape)
            if len(users) == 1 and shape not in self.as_member:
                self.tag[shape] = "%s_%s" % (self.prefix, users[0])
            else:
                self.tag[shape] = "%s_%s" % (self.prefix, own)
                self.wrappers += [("%s_%s" % (self.prefix, u), shape) for u in users if u != own]
        taken.update(self.tag.values())
        taken.update(tag for tag, _ in self.wrappers)
        for shape in self.reached:
            if shape in self.tag or not self.is_compound(self.reached[shape]):
                continue
            tag = "%s_%s" % (self.prefix, snake(self.ops.renames.get(shape, shape)))
            while tag in taken:
                tag += "_shape"
            taken.add(tag)
            self.tag[shape] = tag

    def ctype(self, ref, inline=False):
        shape = self.shapes[ref["shape"]]
        if ref.get("jsonvalue") or self.is_doc(shape):
            return "struct str"
        if shape["type"] == "structure":
            return "struct " + self.tag[ref["shape"]] + ("" if inline else " *")
        if shape["type"] in ("list", "map"):
            return "struct " + self.tag[ref["shape"]]
        return SCALARS[shape["type"]][0]

    def errors(self):
        """(shape, code, shape or None, status) of all error shapes."""
        for name in sorted(self.shapes):
            shape = self.shapes[name]
            if not (shape.get("exception") or shape.get("error") or shape.get("fault")):
                continue
            info = shape.get("error", {})
            code = info.get("code") or name
            status = info.get("httpStatusCode") or (500 if shape.get("fault") else 400)
            yield name, code, name if code != name else None, status

    def xmlns(self):
        return self.meta.get("xmlNamespace") or XMLNS.get(self.name)

    def notice(self):
        return ("/* Generated by server/wire/gen/genmodel.py from %s; do not edit.\n"
                " * Names and shapes are taken from the %s model of botocore %s "
                "(Apache-2.0), which was\n * transformed; no prose is copied. */\n"
                % (self.name + ".ops" if self.handlers else "an operation list", self.name, PINNED))


class Header:
    """Writes <service>_model.h."""

    def __init__(self, service):
        self.s = service

    def text(self):
        s = self.s
        guard = "CISTERN_%s_MODEL_H" % s.prefix.upper()
        out = [s.notice(), "#ifndef %s\n#define %s\n\n/* clang-format off */\n" % (guard, guard),
               '#include "server/service.h"\n#include "server/wire/shape.h"\n\n', self.constants()]
        compound = [n for n in s.reached if n in s.tag]
        out += ["struct %s;\n" % s.tag[n] for n in compound]
        out += ["struct %s_entry;\n" % s.tag[n] for n in compound if s.shapes[n]["type"] == "map"]
        out.append("\n")
        out += [self.sequence(n) for n in compound if s.shapes[n]["type"] in ("list", "map")]
        out.append("/* Members stand in the model's order.\n"
                   " * NOLINTBEGIN(clang-analyzer-optin.performance.Padding) */\n")
        out += [self.struct(n) for n in compound if s.shapes[n]["type"] == "structure"]
        out += [self.map_entry(n) for n in compound if s.shapes[n]["type"] == "map"]
        out += [self.wrapper(tag, shape) for tag, shape in s.wrappers]
        out.append("/* NOLINTEND(clang-analyzer-optin.performance.Padding) */\n")
        if s.handlers:
            out.append("/* The handlers, written by hand; core thread, or an HTTP thread "
                       "where the\n * operation is OP_READ. *ret_out is zeroed before. */\n")
            out += [self.prototype(op) for op in s.mine]
        out.append(self.error_declarations())
        out.append("extern const struct op %s_ops[];\n#define %s_N_OPS %d\n\n#endif\n"
                   % (s.prefix, s.prefix.upper(), len(s.op_names())))
        return "".join(out)

    def constants(self):
        s, up = self.s, self.s.prefix.upper()
        rows = [("API_VERSION", quoted(s.meta["apiVersion"])),
                ("PROTOCOLS", "(%s)" % " | ".join(PROTOCOLS[p] for p in s.protocols)),
                ("SIGNING_NAME", quoted(s.meta.get("signingName") or s.meta["endpointPrefix"])),
                ("TARGET_PREFIX", quoted(s.meta.get("targetPrefix"))), ("XMLNS", quoted(s.xmlns()))]
        return "/* For the service's descriptor. */\n" + \
            "".join("#define %s_%s %s\n" % (up, k, v) for k, v in rows) + "\n"

    def members(self, shape, indent="    "):
        fields = self.s.shapes[shape].get("members", {})
        if not fields:
            return indent + "bool empty_; /* no members; the pointer says whether it is there */\n"
        out = ""
        for name, ref in fields.items():
            ctype = self.s.ctype(ref)
            out += "%s%s%s%s;\n" % (indent, ctype, "" if ctype.endswith("*") else " ",
                                    member_name(name))
        return out

    def struct(self, shape):
        return "struct %s {\n%s};\n" % (self.s.tag[shape], self.members(shape))

    def sequence(self, shape):
        s, model = self.s, self.s.shapes[shape]
        item = s.ctype(model["member"], True) if model["type"] == "list" \
            else "struct %s_entry" % s.tag[shape]
        return "struct %s {\n    size_t n;\n    %s *v;\n};\n" % (s.tag[shape], item)

    def map_entry(self, shape):
        s, model = self.s, self.s.shapes[shape]
        return "struct %s_entry {\n    %s key;\n    %s value;\n};\n" % (
            s.tag[shape], s.ctype(model["key"], True), s.ctype(model["value"], True))

    def wrapper(self, tag, shape):
        own = self.s.tag[shape]
        view = "as_" + own[len(self.s.prefix) + 1:]
        return ("/* The same members as struct %s, which .%s is. */\n"
                "struct %s {\n    union {\n        struct {\n%s        };\n"
                "        struct %s %s;\n    };\n};\n"
                % (own, view, tag, self.members(shape, " " * 12), own, view))

    def prototype(self, op):
        s = self.s
        types = []
        for side, suffix in (("input", "request"), ("output", "response")):
            types.append("struct %s_%s_%s" % (s.prefix, snake(op), suffix)
                         if s.io_shape(op, side) else "void")
        return "enum status %s_%s(struct call *c, const %s *in,\n    %s *ret_out);\n" % (
            s.prefix, snake(op), types[0], types[1])

    def error_declarations(self):
        s = self.s
        if s.ops.keys.get("errors") == "hand":
            return "\n"
        out = "\n/* Errors of the model. */\n"
        out += "".join("extern const struct aws_error %s_%s; /* %d */\n" % (s.prefix, n, status)
                       for n, _, _, status in s.errors())
        return out + "extern const struct aws_error *const %s_errors[];\n\n" % s.prefix


class Source:
    """Writes <service>_model.c."""

    def __init__(self, service):
        self.s = service

    def text(self):
        s = self.s
        own = [n for n in s.reached if self.needs_shape(n)]
        include = "emulators/%s/%s_model.h" % (s.name, s.name) if s.handlers \
            else "%s_model.h" % s.name
        out = [s.notice(), "/* clang-format off */\n",
               '#include "%s"\n\n#include <stddef.h>\n\n'
               '#include "server/wire/shape_def.h"\n\n' % include]
        out += ["static const struct shape shape_%s;\n" % n for n in own]
        out += [self.shape(n) for n in own]
        if s.ops.keys.get("errors") != "hand":
            out.append(self.errors())
        if s.handlers:
            out += [self.thunk(op) for op in s.mine]
        out.append(self.operations())
        return "".join(out)

    def needs_shape(self, name):
        shape = self.s.shapes[name]
        if self.s.is_doc(shape):
            return False
        if shape["type"] in ("structure", "list", "map"):
            return True
        if shape["type"] in ("integer", "long"):
            return "min" in shape or "max" in shape
        return "enum" in shape and name in self.s.ops.checked_enums

    def shape_ref(self, ref):
        shape = self.s.shapes[ref["shape"]]
        if ref.get("jsonvalue") or self.s.is_doc(shape):
            return "shape_any_doc"
        if self.needs_shape(ref["shape"]):
            return "shape_" + ref["shape"]
        return "shape_any_" + SCALARS[shape["type"]][1]

    def field(self, ref, name, offset, required=False):
        """One struct field initialiser; the reference's traits override the shape's."""
        s = self.s
        traits = {**s.shapes[ref["shape"]], **ref}
        wire = traits.get("locationName", name)
        parts = []
        if name:
            parts.append(".name = " + quoted(name))
        if wire:
            parts.append(".wire = " + quoted(wire))
        if name and "ec2" in s.protocols:
            parts.append(".ec2 = " + quoted(traits.get("queryName") or wire[:1].upper() + wire[1:]))
        parts.append(".shape = &" + self.shape_ref(ref))
        parts.append(".off = " + offset)
        if traits.get("location") in LOCATIONS:
            parts.append(".loc = " + LOCATIONS[traits["location"]])
        if traits.get("timestampFormat") in TIMES:
            parts.append(".time = " + TIMES[traits["timestampFormat"]])
        if traits.get("xmlNamespace") and traits["type"] != "structure":
            parts.append(".xmlns = " + quoted(traits["xmlNamespace"].get("uri")))
        flags = [flag for flag, on in (
            ("FIELD_REQUIRED", required), ("FIELD_FLAT", traits.get("flattened")),
            ("FIELD_XML_ATTR", traits.get("xmlAttribute")),
            ("FIELD_STREAM", traits.get("streaming")),
            ("FIELD_JSON_HEADER", traits.get("jsonvalue")),
            ("FIELD_IDEMPOTENCY", traits.get("idempotencyToken"))) if on]
        if flags:
            parts.append(".flags = " + " | ".join(flags))
        return "{ %s }" % ", ".join(parts)

    def shape(self, name):
        s, shape = self.s, self.s.shapes[name]
        parts, out = [".name = " + quoted(name)], ""
        if shape["type"] == "structure":
            out, more = self.structure(name, shape)
        elif shape["type"] == "list":
            out = "static const struct field value_%s = %s;\n" % (
                name, self.field(shape["member"], None, "0"))
            more = [".kind = SHAPE_LIST", ".value = &value_" + name,
                    ".size = sizeof(%s)" % s.ctype(shape["member"], True)]
        elif shape["type"] == "map":
            entry = "struct %s_entry" % s.tag[name]
            for part in ("key", "value"):
                out += "static const struct field %s_%s = %s;\n" % (
                    part, name, self.field(shape[part], None, "offsetof(%s, %s)" % (entry, part)))
            more = [".kind = SHAPE_MAP", ".key = &key_" + name, ".value = &value_" + name,
                    ".size = sizeof(%s)" % entry]
        elif shape["type"] == "string":
            out = "static const char *const values_%s[] = { %s, NULL };\n" % (
                name, ", ".join(quoted(v) for v in shape["enum"]))
            more = [".kind = SHAPE_STRING", ".values = values_" + name]
        else:
            more = [".kind = SHAPE_INT"] + self.range(shape)
        return out + "static const struct shape shape_%s = { %s };\n" % (
            name, ", ".join(parts + more))

    @staticmethod
    def range(shape):
        flags = [f for f, on in (("SHAPE_INT32", shape["type"] == "integer"),
                                 ("SHAPE_HAS_MIN", "min" in shape),
                                 ("SHAPE_HAS_MAX", "max" in shape)) if on]
        out = [".flags = " + " | ".join(flags)]
        out += [".%s = %d" % (k, int(shape[k])) for k in ("min", "max") if k in shape]
        return out

    def structure(self, name, shape):
        s, tag = self.s, self.s.tag[name]
        more = [".kind = SHAPE_STRUCT", ".size = sizeof(struct %s)" % tag]
        members = shape.get("members", {})
        out, flags = "", []
        if members:
            out = "static const struct field fields_%s[] = {\n" % name
            for member, ref in members.items():
                offset = "offsetof(struct %s, %s)" % (tag, member_name(member))
                out += "    %s,\n" % self.field(ref, member, offset,
                                               member in shape.get("required", []))
            out += "};\n"
            more += [".fields = fields_" + name, ".n_fields = %d" % len(members)]
        if shape.get("payload"):
            more.append(".payload = &fields_%s[%d]" % (name, list(members).index(shape["payload"])))
        if shape.get("union"):
            flags.append("SHAPE_UNION")
        root = self.root(name)
        if root:
            more.append(".root = " + quoted(root))
            if root == "LocationConstraint":
                flags.append("SHAPE_TEXT_ROOT")
        if flags:
            more.append(".flags = " + " | ".join(flags))
        return out, more

    def root(self, shape):
        if "rest-xml" not in self.s.protocols:
            return None
        for op in self.s.mine:
            if self.s.io_shape(op, "output") == shape and op in S3_ROOTS:
                return S3_ROOTS[op]
        return None

    def errors(self):
        s, out, names = self.s, "\n", []
        for name, code, shape, status in s.errors():
            names.append(name)
            out += "const struct aws_error %s_%s = { %s, %s, %d, NULL };\n" % (
                s.prefix, name, quoted(code), quoted(shape), status)
        out += "const struct aws_error *const %s_errors[] = {\n" % s.prefix
        out += "".join("    &%s_%s,\n" % (s.prefix, n) for n in names)
        return out + "    NULL,\n};\n\n"

    def thunk(self, op):
        return ("static enum status op_%s(struct call *c, const void *in, void *ret_out)\n{\n"
                "    return %s_%s(c, in, ret_out);\n}\n" % (op, self.s.prefix, snake(op)))

    def operations(self):
        s, names = self.s, self.s.op_names()
        out = "\nconst struct op %s_ops[] = {\n" % s.prefix
        out += "".join("    { %s },\n" % ", ".join(self.operation(n)) for n in names)
        return out + "};\n"

    def operation(self, op):
        s, model = self.s, self.s.model["operations"][op]
        http = model.get("http", {})
        row = [".name = " + quoted(op)]
        if op in s.ops.flags:
            if s.handlers:
                row.append(".fn = op_" + op)
            row += [".%s = &shape_%s" % (key, s.io_shape(op, side))
                    for key, side in (("in", "input"), ("out", "output")) if s.io_shape(op, side)]
        row.append(".method = " + quoted(http.get("method", "POST")))
        row.append(".uri = " + quoted(http.get("requestUri", "/")))
        row.append(".http_status = %d" % http.get("responseCode", 200))
        if s.ops.flags.get(op):
            row.append(".flags = " + " | ".join(s.ops.flags[op]))
        wrapper = model.get("output", {}).get("resultWrapper")
        if not wrapper and "query" in s.protocols and s.io_shape(op, "output"):
            wrapper = op + "Result"
        if wrapper:
            row.append(".result_wrapper = " + quoted(wrapper))
        return row


def registry(services):
    """all_models.c: a descriptor per service, for the tests."""
    out = "/* Generated by server/wire/gen/genmodel.py for the codec tests. */\n"
    out += "".join('#include "%s_model.h"\n' % s.name for s in services)
    out += "\nextern const struct service *const wire_services[];\n"
    for s in services:
        up = s.prefix.upper()
        out += ("static const struct service service_%s = {\n    .name = \"%s\",\n"
                "    .signing_name = %s_SIGNING_NAME,\n    .target_prefix = %s_TARGET_PREFIX,\n"
                "    .api_version = %s_API_VERSION,\n    .xmlns = %s_XMLNS,\n"
                "    .protocols = %s_PROTOCOLS,\n    .ops = %s_ops,\n    .n_ops = %d,\n"
                "    .errors = %s_errors,\n};\n"
                % (s.prefix, s.name, up, up, up, up, up, s.prefix, len(s.mine), s.prefix))
    rows = "".join("    &service_%s,\n" % s.prefix for s in services)
    return out + "const struct service *const wire_services[] = {\n%s    NULL,\n};\n" % rows


def write_or_check(path, text, check):
    old = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    if old == text:
        return True
    if check:
        sys.stdout.writelines(difflib.unified_diff(
            old.splitlines(True), text.splitlines(True), path, path + " (regenerated)", n=1))
        return False
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return True


def all_ops(path, folder):
    wanted = {}
    for line in open(path, encoding="utf-8"):
        words = line.split("#", 1)[0].split()
        if words:
            wanted.setdefault(words[0], Ops(words[0])).flags[words[1]] = []
    os.makedirs(folder, exist_ok=True)
    services = [Service(ops, handlers=False) for ops in wanted.values()]
    for s in services:
        write_or_check("%s/%s_model.h" % (folder, s.name), Header(s).text(), False)
        write_or_check("%s/%s_model.c" % (folder, s.name), Source(s).text(), False)
    write_or_check("%s/all_models.c" % folder, registry(services), False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ops", nargs="*")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--all-ops")
    parser.add_argument("--out")
    args = parser.parse_args()
    if args.all_ops:
        if not args.out:
            parser.error("--all-ops needs --out")
        all_ops(args.all_ops, args.out)
    current = True
    for path in args.ops:
        service = Service(Ops.read(path))
        base = os.path.join(os.path.dirname(path), service.name + "_model")
        current &= write_or_check(base + ".h", Header(service).text(), args.check)
        current &= write_or_check(base + ".c", Source(service).text(), args.check)
    if not current:
        sys.exit("the models above are out of date: run `make model`")


if __name__ == "__main__":
    main()
