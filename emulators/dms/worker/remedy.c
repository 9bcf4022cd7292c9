#include "emulators/dms/worker/remedy.h"

#include <string.h>

#include "server/base/mem.h"

/* Codes of servers and of the client library */
enum {
    ACCESS_DENIED = 1045,
    HOST_NOT_ALLOWED = 1130,
    UNKNOWN_PLUGIN = 1524,
    ACCESS_DENIED_NO_PASSWORD = 1698,
    TLS_FAILED = 2026,
    PLUGIN_NOT_LOADED = 2058,
    PLUGIN_MISSING = 2059,
    AUTHENTICATION_FAILED = 2061,
    TLS_ONLY = 3159,
    ACCOUNT_LOCKED = 3118,
    ACCOUNT_BLOCKED = 4151,
    PLUGIN_NOT_ALLOWED = 5010,
};

static const struct {
    const char *words; /* of OpenSSL or libmariadb, in err->text */
    const char *remedy;
} certificates[] = {
    { "expired",
      " Renew the server's certificate (ssl_cert) and make the server load it (FLUSH SSL "
      "on MariaDB, ALTER INSTANCE RELOAD TLS on MySQL)." },
    { "not yet valid", " The validity of the server's certificate begins later: check both clocks, "
                       "or issue it again." },
    { "Validation of SSL server certificate",
      " The server's certificate is issued for another name than the endpoint's ServerName: use "
      "the name that is in the certificate, or SslMode verify-ca, which doesn't compare names." },
    { "authority that signed it is needed", " Import it with ImportCertificate and give it as the "
                                            "endpoint's CertificateArn, or use SslMode "
                                            "require, which trusts any certificate." },
    { "certificate", /* "unable to get local issuer certificate", "self-signed certificate", … */
      " The server's certificate isn't signed by the authority that the endpoint "
      "trusts: import the certificate of the one that signed it (ImportCertificate) "
      "and give it as CertificateArn, or use SslMode require, which trusts any." },
};

static const char *of_tls(const struct mysql_err *err)
{
    if (err->code == TLS_ONLY) {
        return " The server takes encrypted connections only: set the endpoint's SslMode to "
               "require, verify-ca or verify-full.";
    }
    for (size_t i = 0; i < ARRAY_LEN(certificates); i++) {
        if (strstr(err->text, certificates[i].words)) {
            return certificates[i].remedy;
        }
    }
    return err->code == TLS_FAILED
               ? " Server and client found no common way to encrypt: check the server's ssl_cert, "
                 "ssl_key and tls_version, or set the endpoint's SslMode to none."
               : "";
}

static const char *of_login(const struct mysql_err *err)
{
    switch (err->code) {
    case ACCESS_DENIED:
        return " Correct Username and Password of the source endpoint with ModifyEndpoint, test "
               "the "
               "connection, and start the task again. If the server or this user takes encrypted "
               "connections only (require_secure_transport, REQUIRE SSL), set SslMode. REQUIRE "
               "X509, ISSUER or SUBJECT can't be met: endpoints have no client certificate.";
    case HOST_NOT_ALLOWED:
        return " Allow the user to log in from this address (CREATE USER name@'%').";
    case ACCESS_DENIED_NO_PASSWORD:
        return " This user logs in without a password, as users with unix_socket, auth_socket or "
               "gssapi do: that works on the server's own machine only. Give the endpoint a user "
               "with a password (ALTER USER name IDENTIFIED BY 'password').";
    case UNKNOWN_PLUGIN:
        return " Install the plugin on the server, or give the user one that it has.";
    case PLUGIN_NOT_LOADED:
    case PLUGIN_MISSING:
        return " The user's way to log in needs a plugin of the client library that is not "
               "installed here or unknown to it (Debian has ed25519, caching_sha2_password and "
               "sha256_password in the package libmariadb3): install it, or change the user to "
               "mysql_native_password, ed25519 or caching_sha2_password.";
    case PLUGIN_NOT_ALLOWED:
        return " Change the user on the server to mysql_native_password, ed25519, "
               "caching_sha2_password or sha256_password.";
    case AUTHENTICATION_FAILED:
        return " With caching_sha2_password or sha256_password the server must encrypt the "
               "connection or have an RSA key pair: set the endpoint's SslMode, or make the pair "
               "(mysql_ssl_rsa_setup).";
    case ACCOUNT_LOCKED:
    case ACCOUNT_BLOCKED:
        return " Unlock the user: ALTER USER name ACCOUNT UNLOCK.";
    default:
        return " Correct the login of the source endpoint with ModifyEndpoint, test the "
               "connection, "
               "and start the task again.";
    }
}

/* Error 1236, and what the server makes of a place that never was. */
static const char *of_place(const struct mysql_err *err)
{
    if (strstr(err->text, "impossible position") || strstr(err->text, "middle of event") ||
        strstr(err->text, "bogus data")) {
        return " No event begins there. Take a CdcStartPosition from SHOW BINLOG EVENTS or SHOW "
               "BINARY LOGS, or a date and time, and start the task with start-replication; if "
               "it was a checkpoint, that log was replaced by another one: start the task with "
               "reload-target.";
    }
    return " The changes in between are lost: start the task with reload-target (a task of the "
           "type cdc with start-replication, at a place that SHOW BINARY LOGS still has), and keep "
           "the source's binary logs longer (binlog_expire_logs_seconds, or on RDS the binlog "
           "retention hours).";
}

const char *dms_remedy_stop(const struct mysql_err *err)
{
    size_t n = strlen(err->text);
    return n > 0 && err->text[n - 1] != '.' && dms_remedy(err)[0] ? "." : "";
}

const char *dms_remedy(const struct mysql_err *err)
{
    switch (err->kind) {
    case MYSQL_ERR_PURGED:
        return of_place(err);
    case MYSQL_ERR_AUTH:
        return of_login(err);
    case MYSQL_ERR_TLS:
        return of_tls(err);
    default:
        return "";
    }
}
