"""Tables of databases through Spark's JDBC source, with Glue's options."""

from pyspark.sql import functions as F

from awsglue import _catalog
from awsglue._errors import not_implemented

_DRIVERS = {
    "mysql": ("com.mysql.cj.jdbc.Driver", "com.mysql.jdbc.Driver", "org.mariadb.jdbc.Driver"),
    "mariadb": ("org.mariadb.jdbc.Driver",),
    "postgresql": ("org.postgresql.Driver",),
    "sqlserver": ("com.microsoft.sqlserver.jdbc.SQLServerDriver",),
    "oracle": ("oracle.jdbc.OracleDriver",),
}
TYPES = ("mysql", "mariadb", "postgresql", "sqlserver", "oracle", "redshift", "jdbc",
         "custom.jdbc", "marketplace.jdbc")


def _driver(spark, vendor, options):
    """The first class of those that could serve which Spark's class path has."""
    loader = spark.sparkContext._jvm.org.apache.spark.util.Utils
    wanted = options.get("className") or options.get("customJdbcDriverClassName")
    candidates = (wanted,) if wanted else _DRIVERS.get(vendor, ())
    for name in candidates:
        try:
            loader.classForName(name, True, False)
            return name
        except Exception:  # ClassNotFoundException, by py4j
            continue
    raise RuntimeError(
        "No JDBC driver for %s on Spark's class path (looked for: %s). Put the driver's jar into "
        "Spark's jars folder, or name it with --extra-jars." % (vendor, ", ".join(candidates)
                                                               or "none known"))


def _settings(spark, kind, options, catalog_id):
    """Spark's options out of Glue's."""
    options = dict(options)
    name = options.get("connectionName")
    if name:
        conf = _catalog.jdbc_conf(name, catalog_id)
        options.setdefault("url", conf["fullUrl"])
        options.setdefault("user", conf["user"])
        options.setdefault("password", conf["password"])
    url = options.get("url")
    if not url:
        raise ValueError("connection_options of a %s connection need url, or connectionName" % kind)
    if kind == "redshift" or url.startswith("jdbc:redshift"):
        raise not_implemented("The connection type redshift", "there is no Redshift here",
                              "Write the frame to S3, or to a MySQL or PostgreSQL database.")
    if options.get("customJdbcDriverS3Path"):
        raise not_implemented("customJdbcDriverS3Path", "the class path is fixed when Spark starts",
                              "Put the driver's jar into Spark's jars folder.")
    vendor = url.split(":")[1]
    driver = _driver(spark, vendor, options)
    if driver.startswith("org.mariadb") and vendor == "mysql":
        url += ("&" if "?" in url else "?") + "permitMysqlScheme"
    table = options.get("dbtable") or options.get("table")
    database = options.get("database")
    if database and "://" in url and not url.split("://", 1)[1].partition("/")[2].split("?")[0]:
        url = url.rstrip("/") + "/" + database
    return options, {"url": url, "driver": driver, "user": options.get("user", ""),
                     "password": options.get("password", "")}, table


def read(spark, kind, options, ctx, bookmarks, catalog_id=None):
    """The DataFrame of a table or query; with job bookmarks and jobBookmarkKeys only rows whose key
    is greater than the last run's."""
    options, settings, table = _settings(spark, kind, options, catalog_id)
    reader = spark.read.format("jdbc").options(**settings)
    if options.get("sampleQuery") or options.get("query"):
        frame = reader.option("query", options.get("sampleQuery") or options["query"]).load()
    elif table:
        frame = reader.option("dbtable", table).load()
    else:
        raise ValueError("connection_options of a %s connection need dbtable" % kind)
    keys = options.get("jobBookmarkKeys") or []
    keys = [k.strip() for k in keys.split(",")] if isinstance(keys, str) else list(keys)
    if not bookmarks.reads or not ctx or not keys:
        return frame
    if len(keys) > 1 or str(options.get("jobBookmarkKeysSortOrder", "asc")).lower() == "desc":
        raise not_implemented("jobBookmarkKeys of several columns or descending",
                              "one ascending column is compared", "Name one increasing key.")
    last = bookmarks.last_key(ctx)
    kind_of_key = frame.schema[keys[0]].dataType
    if last is not None:
        frame = frame.filter(F.col(keys[0]) > F.lit(last).cast(kind_of_key))
    greatest = frame.agg(F.max(keys[0]).cast("string")).head()[0]
    if greatest is None:
        bookmarks.set_key(ctx, last)
        return frame
    bookmarks.set_key(ctx, greatest)
    return frame.filter(F.col(keys[0]) <= F.lit(greatest).cast(kind_of_key))


def write(spark, frame, kind, options, catalog_id=None):
    """Appends the rows; makes the table if there is none."""
    options, settings, table = _settings(spark, kind, options, catalog_id)
    if not table:
        raise ValueError("connection_options of a %s connection need dbtable" % kind)
    for name in ("preactions", "postactions"):
        if options.get(name):
            raise not_implemented(name, "they are Redshift's", "Leave it out.")
    frame.write.format("jdbc").options(**settings).option("dbtable", table).mode("append").save()
