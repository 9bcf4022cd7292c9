#include "server/base/x509.h"

#include <limits.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "server/base/clock.h"

#define NAME_MAX_BYTES 512

static enum status read_time(const ASN1_TIME *t, int64_t *ret_ms)
{
    struct tm tm;
    if (!t || ASN1_TIME_to_tm(t, &tm) != 1) {
        return ST_INVALID;
    }
    *ret_ms = (int64_t)timegm(&tm) * 1000;
    return ST_OK;
}

static struct str owner_of(struct arena *a, const X509 *cert)
{
    char text[NAME_MAX_BYTES];
    X509_NAME *name = X509_get_subject_name(cert);
    if (X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text)) < 0) {
        X509_NAME_oneline(name, text, sizeof(text));
    }
    return arena_strz(a, text);
}

static enum status read_facts(struct arena *a, X509 *cert, struct x509_facts *ret)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    const char *algorithm = OBJ_nid2ln(X509_get_signature_nid(cert));
    *ret = (struct x509_facts){ .algorithm = arena_strz(a, algorithm ? algorithm : "unknown"),
                                .owner = owner_of(a, cert),
                                .key_bits = key ? EVP_PKEY_get_bits(key) : 0 };
    enum status st = read_time(X509_get0_notBefore(cert), &ret->from_ms);
    return st == ST_OK ? read_time(X509_get0_notAfter(cert), &ret->to_ms) : st;
}

enum status x509_read(struct arena *a, struct str pem, struct x509_facts *ret)
{
    BIO *in = pem.n <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
    if (!in) {
        return ST_INVALID;
    }
    enum status st = ST_INVALID;
    for (int i = 0;; i++) {
        X509 *cert = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (!cert) { /* the end of the text, or something that is no certificate */
            bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            st = end ? st : ST_INVALID;
            break;
        }
        if (i == 0) {
            st = read_facts(a, cert, ret);
        }
        X509_free(cert);
        if (st != ST_OK) {
            break;
        }
    }
    ERR_clear_error();
    BIO_free(in);
    return st;
}
