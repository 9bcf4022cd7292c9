/* `cistern spark`: a row of the service's commands. */
#ifndef CISTERN_GLUE_SPARK_CLI_H
#define CISTERN_GLUE_SPARK_CLI_H

struct command;

int spark_command(const struct command *self, int argc, char **argv);

#define SPARK_COMMAND                                                                              \
    {                                                                                              \
        "spark", spark_command, "install the Spark that glueetl jobs run on",                      \
            "install [--to DIR] [--version VERSION]   make a Spark for glueetl jobs\n"             \
            "       cistern spark status                           which Spark they would "        \
            "have\n\n"                                                                             \
            "`install` makes a Python environment with pyspark, boto3 and the S3 client of its\n"  \
            "Hadoop, about 1 GB, from PyPI (pip; its PIP_… variables are honoured) and Maven\n"  \
            "Central (curl), with checksums verified. Run again after an interruption, it goes\n"  \
            "on where it was.\n"                                                                   \
            "  --to DIR           default ${XDG_DATA_HOME:-~/.local/share}/cistern/spark, where\n" \
            "                     the server looks; else name it to serve --spark-home\n"          \
            "  --version VERSION  of pyspark (default 3.5.6)\n"                                    \
            "  --python COMMAND   Python of the environment (default python3)\n"                   \
            "  --maven URL        another Maven repository\n"                                      \
    }

#endif
