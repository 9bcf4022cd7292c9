/* The yardstick of a full load: reads a SELECT's rows through the binary protocol and throws them
 * away. mysqlread HOST PORT USER PASSWORD SQL → rows and bytes. */
#include <mysql.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exported by the library, declared nowhere. */
unsigned long mysql_net_read_packet(MYSQL *mysql);

#define EOF_HEAD 0xFE
#define EOF_MAX 9

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "mysqlread: %s: %s\n", what, why);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        return fail("usage", "mysqlread HOST PORT USER PASSWORD SQL");
    }
    MYSQL *c = mysql_init(NULL);
    my_bool off = 0;
    mysql_options(c, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
    unsigned port = (unsigned)strtoul(argv[2], NULL, 10);
    if (!mysql_real_connect(c, argv[1], argv[3], argv[4], NULL, port, NULL, 0)) {
        return fail("connect", mysql_error(c));
    }
    MYSQL_STMT *s = mysql_stmt_init(c);
    if (mysql_stmt_prepare(s, argv[5], strlen(argv[5])) || mysql_stmt_execute(s)) {
        return fail("execute", mysql_stmt_error(s));
    }
    uint64_t rows = 0, bytes = 0;
    for (;;) {
        unsigned long n = mysql_net_read_packet(c);
        if (n == (unsigned long)-1) {
            return fail("read", mysql_error(c));
        }
        if (n < EOF_MAX && c->net.read_pos[0] == EOF_HEAD) {
            break;
        }
        rows++;
        bytes += n;
    }
    printf("%llu %llu\n", (unsigned long long)rows, (unsigned long long)bytes);
    mysql_close(c);
    return 0;
}
