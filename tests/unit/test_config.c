#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/base/str.h"
#include "server/config.h"

/* Loads from these words; `ret_said` (free it) is what was printed. */
static enum status load(const char *const *words, struct config *ret, char **ret_said)
{
    char *argv[16];
    int argc = 0;
    for (; words[argc]; argc++) {
        argv[argc] = xstrdup(words[argc]);
    }
    size_t n = 0;
    FILE *err = open_memstream(ret_said, &n);
    enum status st = config_load(argc, argv, ret, err);
    fclose(err);
    for (int i = 0; i < argc; i++) {
        free(argv[i]);
    }
    return st;
}

static void presets(void **state)
{
    (void)state;
    struct config c;
    char *said;
    const char *const none[] = { NULL };
    assert_int_equal(load(none, &c, &said), ST_OK);
    assert_string_equal(said, "");
    assert_string_equal(c.listen_addr, "127.0.0.1");
    assert_int_equal(c.listen_port, 4566);
    assert_true(c.data_dir[0] == '/' && str_ends(str_z(c.data_dir), STR("/.cistern")));
    assert_string_equal(c.account, "000000000000");
    assert_string_equal(c.region, "us-east-1");
    assert_string_equal(c.python, "python3");
    assert_false(c.ephemeral || c.durable || c.auth_strict);
    assert_true(c.clock_scale == 1);
    assert_null(c.functions_file);
    config_fini(&c);
    free(said);
}

static void the_command_line_wins(void **state)
{
    (void)state;
    struct config c;
    char *said;
    setenv("CISTERN_REGION", "eu-west-1", 1);
    setenv("CISTERN_CLOCK_SCALE", "60", 1);
    setenv("CISTERN_EPHEMERAL", "1", 1);
    const char *const words[] = {
        "--region=eu-central-1", "--listen",       "[::1]:0", "--auth", "strict", "--durable",
        "--ephemeral=no",        "--data=/srv/cd", NULL
    };
    assert_int_equal(load(words, &c, &said), ST_OK);
    assert_string_equal(c.region, "eu-central-1");
    assert_string_equal(c.listen_addr, "::1");
    assert_int_equal(c.listen_port, 0);
    assert_string_equal(c.data_dir, "/srv/cd");
    assert_true(c.auth_strict && c.durable && !c.ephemeral);
    assert_true(c.clock_scale == 60);
    config_fini(&c);
    free(said);
    unsetenv("CISTERN_REGION");
    unsetenv("CISTERN_CLOCK_SCALE");
    unsetenv("CISTERN_EPHEMERAL");
}

static void wrong_words_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        const char *said;
    } cases[] = {
        { { "--regoin", "x" }, "\"--regoin\" is no option" },
        { { "region" }, "\"region\" is no option" },
        { { "--listen" }, "--listen needs a value: ADDR:PORT" },
        { { "--listen", "1:2:70000" }, "\"1:2:70000\" is not a value of --listen (ADDR:PORT)" },
        { { "--listen=:80" }, "not a value" },
        { { "--workers", "0" }, "(a number from 1 to 256)" },
        { { "--workers=2x" }, "(a number from 1 to 256)" },
        { { "--clock-scale=nan" }, "(a number from 0.001 to 100000)" },
        { { "--durable=maybe" }, "(yes or no)" },
        { { "--auth", "none" }, "(lenient|strict)" },
        { { "--account", "12345" }, "12 digits" },
        { { "--region", "US EAST" }, "no region" },
        { { "--data=" }, "not a value" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config c;
        char *said;
        assert_int_equal(load(cases[i].words, &c, &said), ST_INVALID);
        if (!strstr(said, cases[i].said)) {
            fail_msg("%s: said %s", cases[i].words[0], said);
        }
        free(said);
    }
    struct config c;
    char *said;
    const char *const none[] = { NULL };
    setenv("CISTERN_HTTP_THREADS", "many", 1);
    assert_int_equal(load(none, &c, &said), ST_INVALID);
    assert_non_null(strstr(said, "CISTERN_HTTP_THREADS: \"many\""));
    unsetenv("CISTERN_HTTP_THREADS");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets),
        cmocka_unit_test(the_command_line_wins),
        cmocka_unit_test(wrong_words_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
