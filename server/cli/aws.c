/* `cistern aws …`: version 1 of the aws CLI ignores AWS_ENDPOINT_URL for some services, so the
 * endpoint is given as an option. */
#include "server/base/mem.h"
#include "server/cli/cli.h"

/* Unless something is set already. */
static void preset(const char *name, const char *value)
{
    setenv(name, value, 0);
}

int aws_command(const struct command *self, int argc, char **argv)
{
    (void)self;
    CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
    char **words = ARENA_ARRAY(a, char *, (size_t)argc + 4);
    int n = 0;
    words[n++] = arena_cstr(a, STR("aws"));
    words[n++] = arena_cstr(a, STR("--endpoint-url"));
    words[n++] = arena_cstr(a, cli_endpoint(a, NULL));
    for (int i = 0; i < argc; i++) {
        words[n++] = argv[i];
    }
    if (!getenv("AWS_PROFILE")) {
        preset("AWS_ACCESS_KEY_ID", "test");
        preset("AWS_SECRET_ACCESS_KEY", "test");
        preset("AWS_DEFAULT_REGION", "us-east-1");
    }
    preset("AWS_EC2_METADATA_DISABLED", "true");
    preset("AWS_PAGER", "");
    int rc = cli_exec(words);
    if (rc == 127) {
        fprintf(stderr, "cistern: the aws CLI is not installed; see `pip install awscli`\n");
    }
    return rc;
}
