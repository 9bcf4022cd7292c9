/* A file of emulators/glue/python needs a line here; tests/pipeline/test_spark_job.py compares the
 * list with the folder. */
#include "emulators/glue/spark/python_files.h"

#define EMBED(name, path)                                           \
    extern const char name##_begin[], name##_end[];                 \
    __asm__(".section .rodata\n"                                    \
            ".globl " #name "_begin\n"                              \
            ".globl " #name "_end\n" #name "_begin:\n"              \
            ".incbin \"emulators/glue/" path "\"\n" #name "_end:\n" \
            ".byte 0\n"                                             \
            ".text\n")

#define FILES(X)                                           \
    X(py_awsglue_init, "awsglue/__init__.py")              \
    X(py_awsglue_bookmark, "awsglue/_bookmark.py")         \
    X(py_awsglue_catalog, "awsglue/_catalog.py")           \
    X(py_awsglue_catalog_read, "awsglue/_catalog_read.py") \
    X(py_awsglue_choice, "awsglue/_choice.py")             \
    X(py_awsglue_ddl, "awsglue/_ddl.py")                   \
    X(py_awsglue_errors, "awsglue/_errors.py")             \
    X(py_awsglue_files, "awsglue/_files.py")               \
    X(py_awsglue_formats, "awsglue/_formats.py")           \
    X(py_awsglue_infer, "awsglue/_infer.py")               \
    X(py_awsglue_jdbc, "awsglue/_jdbc.py")                 \
    X(py_awsglue_json, "awsglue/_json.py")                 \
    X(py_awsglue_mapping, "awsglue/_mapping.py")           \
    X(py_awsglue_nested, "awsglue/_nested.py")             \
    X(py_awsglue_records, "awsglue/_records.py")           \
    X(py_awsglue_relational, "awsglue/_relational.py")     \
    X(py_awsglue_schema, "awsglue/_schema.py")             \
    X(py_awsglue_sink, "awsglue/_sink.py")                 \
    X(py_awsglue_sql_catalog, "awsglue/_sql_catalog.py")   \
    X(py_awsglue_sql_patch, "awsglue/_sql_patch.py")       \
    X(py_awsglue_sql_tables, "awsglue/_sql_tables.py")     \
    X(py_awsglue_context, "awsglue/context.py")            \
    X(py_awsglue_data_sink, "awsglue/data_sink.py")        \
    X(py_awsglue_data_source, "awsglue/data_source.py")    \
    X(py_awsglue_dynamicframe, "awsglue/dynamicframe.py")  \
    X(py_awsglue_gluetypes, "awsglue/gluetypes.py")        \
    X(py_awsglue_job, "awsglue/job.py")                    \
    X(py_awsglue_transforms, "awsglue/transforms.py")      \
    X(py_awsglue_utils, "awsglue/utils.py")                \
    X(py_awsgluedq_init, "awsgluedq/__init__.py")          \
    X(py_awsgluedq_transforms, "awsgluedq/transforms.py")  \
    X(py_sitecustomize, "sitecustomize.py")

#define EMBED_FILE(name, path) EMBED(name, "python/" path);
FILES(EMBED_FILE)
EMBED(py_runscript, "spark/runscript.py");

#define ENTRY(name, path) { path, name##_begin, name##_end },
const struct python_file glue_python_files[] = { FILES(ENTRY){ NULL, NULL, NULL } };
const struct python_file glue_runscript = { "runscript.py", py_runscript_begin, py_runscript_end };
