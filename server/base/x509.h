/* What a certificate in PEM form says of itself. Any thread. */
#ifndef CISTERN_BASE_X509_H
#define CISTERN_BASE_X509_H

#include <stdint.h>

#include "server/base/arena.h"
#include "server/base/str.h"

struct x509_facts {
    int64_t from_ms, to_ms; /* validity */
    struct str algorithm;   /* of the signature: "sha256WithRSAEncryption" */
    struct str owner;       /* the subject's common name, or the whole subject */
    int64_t key_bits;
};

/* The first certificate of `pem`, all of which must be readable (a chain is fine). Strings in the
 * arena. ST_INVALID: there is none, or one that can't be read. */
enum status x509_read(struct arena *a, struct str pem, struct x509_facts *ret) MUST_CHECK;

#endif
