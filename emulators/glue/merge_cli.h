/* `cistern merge`, a subcommand that Glue adds to the binary. One thread. */
#ifndef CISTERN_GLUE_MERGE_CLI_H
#define CISTERN_GLUE_MERGE_CLI_H

struct command;

/* As server/cli/cli.h says: `final`, the options and the change files; the exit status. */
int merge_command(const struct command *self, int argc, char **argv);

/* For the service's list. */
#define MERGE_COMMAND                                                                              \
    {                                                                                              \
        "merge", merge_command, "merge DMS files into a folder of CSV parts, without a server",    \
            "--final DIR --key COLUMN[,COLUMN…] [OPTION…] [--load FILE…] CHANGE_FILE…\n\n" \
            "Applies full load and change files of DMS (CSV, also gzip), in the order given, to\n" \
            "the data set in DIR. Only parts that hold changed keys are rewritten. A file is\n"    \
            "merged once. Whatever happens, DIR holds the old data set or the new one.\n"          \
            "  --load FILE            a full load; all of them replace the data set\n"             \
            "  --add                  --load files add to the data set instead\n"                  \
            "  --key A[,B]            primary key; _c0 is the first column (default: as before,\n" \
            "                         else the first column)\n"                                    \
            "  --columns A,B,C        names of the columns\n"                                      \
            "  --header WORD          files begin with a header: auto (default), true, false\n"    \
            "  --load-op WORD, --change-op WORD\n"                                                 \
            "                         files have an Op column: auto (default), true, false\n"      \
            "  --op NAME              its name in headers (default Op)\n"                          \
            "  --timestamp NAME       DMS's timestamp column, which is left out\n"                 \
            "  --before-image WORD    before-image columns: none (default), key, all; with\n"      \
            "                         --before-prefix TEXT, --before-suffix TEXT\n"                \
            "  --delimiter C          default comma; \\t is a tab\n"                               \
            "  --null-text TEXT       fills columns that a row lacks (default: nothing)\n"         \
            "  --output-header        parts begin with the column names\n"                         \
            "  --duplicates WORD      the same key twice in a load: fail (default), last\n"        \
            "  --update-missing WORD, --delete-missing WORD, --insert-present WORD\n"              \
            "                         changes that do not fit: apply (default), ignore, fail\n"    \
            "  --part-bytes N         size of parts (default 8M)\n"                                \
            "  --memory N             for changes, before they are sorted on disk (192M)\n"        \
            "  --threads N            default: one per processor\n"                                \
            "  --again                merges files that were merged before, too\n"                 \
            "  --sync                 survives a power cut, too\n"                                 \
            "  --json                 prints the figures as JSON\n"                                \
            "  --quiet                prints warnings and errors only\n"                           \
    }

#endif
