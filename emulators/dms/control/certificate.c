/* ImportCertificate, DescribeCertificates, DeleteCertificate; and the files that TLS reads them
 * from. */
#include "emulators/dms/control/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emulators/dms/dms_doc.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/base/x509.h"
#include "server/core.h"
#include "server/mysql/conn.h"

#define PEM_MAX ((size_t)1 << 20)

/* --- files ------------------------------------------------------------------------------------ */

/* DIR/dms/<id>.pem; the id is ours or was checked. */
static const char *path_of(struct core *core, struct arena *a, struct str arn)
{
    struct str id = dms_arn_id(arn);
    return arena_cstr(a,
                      arena_printf(a, "%s/dms/%.*s.pem", core_config(core)->data_dir, STR_ARG(id)));
}

/* Running tasks may be reading it: it is never half-written. */
static enum status write_file(struct core *core, struct arena *a, const char *path, struct str pem)
{
    const char *next = arena_cstr(a, arena_printf(a, "%s.new", path));
    const char *dir = arena_cstr(a, arena_printf(a, "%s/dms", core_config(core)->data_dir));
    if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
        return ST_IO;
    }
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return ST_IO;
    }
    size_t done = 0;
    while (done < pem.n) {
        ssize_t n = write(fd, pem.p + done, pem.n - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    bool whole = close(fd) == 0 && done == pem.n;
    return whole && rename(next, path) == 0 ? ST_OK : ST_IO;
}

enum status dms_certificate_file(struct core *core, struct arena *a, struct str arn,
                                 const char **ret_path, struct str *ret_error)
{
    struct dms_resource row;
    struct dms_certificate *cert = NULL;
    enum status st = dms_store_resource_get(core_db(core), a, DMS_KIND_CERTIFICATE, arn, &row);
    if (st == ST_OK) {
        st = dms_doc_read(&dms_certificates, a, &row, &cert);
    }
    if (st != ST_OK) {
        return dms_refuse(a, ret_error, "The endpoint's certificate %.*s is gone.", STR_ARG(arn));
    }
    *ret_path = path_of(core, a, arn);
    if (write_file(core, a, *ret_path, cert->CertificatePem) != ST_OK) {
        return dms_refuse(a, ret_error, "The certificate can't be written to %s (disk full?).",
                          *ret_path);
    }
    return ST_OK;
}

enum status dms_certificate_use(struct core *core, struct arena *a,
                                const struct dms_resource *endpoint,
                                struct mysql_conn_options *options, struct str *ret_error)
{
    const struct dms_endpoint *e;
    if (dms_doc_read(&dms_endpoints, a, endpoint, &e) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored endpoint can't be read.");
    }
    return str_empty(e->CertificateArn)
               ? ST_OK
               : dms_certificate_file(core, a, e->CertificateArn, &options->tls_ca, ret_error);
}

enum status dms_certificate_check(struct call *c, struct str arn)
{
    struct dms_resource row;
    return dms_need(c, &dms_certificates, arn, &row, NULL);
}

/* --- operations ------------------------------------------------------------------------------- */

static enum status describe_new(struct call *c, const struct dms_import_certificate_request *in,
                                struct dms_certificate *cert)
{
    if (in->CertificateWallet.n > 0) {
        return call_fail(c, &dms_InvalidCertificateFault,
                         "Oracle wallets are not used by MySQL endpoints: give CertificatePem.");
    }
    struct x509_facts facts;
    if (str_empty(in->CertificatePem) || in->CertificatePem.n > PEM_MAX ||
        x509_read(c->arena, in->CertificatePem, &facts) != ST_OK) {
        return call_fail(c, &dms_InvalidCertificateFault,
                         "CertificatePem is not a certificate in PEM form.");
    }
    *cert = (struct dms_certificate){
        .CertificateIdentifier = in->CertificateIdentifier,
        .CertificateCreationDate = OPT_TIME(c->received_ms),
        .CertificatePem = in->CertificatePem,
        .CertificateArn = dms_new_arn(c, DMS_KIND_CERTIFICATE, STR_NONE),
        .CertificateOwner = facts.owner,
        .ValidFromDate = OPT_TIME(facts.from_ms),
        .ValidToDate = OPT_TIME(facts.to_ms),
        .SigningAlgorithm = facts.algorithm,
        .KeyLength = OPT_I64(facts.key_bits),
    };
    return ST_OK;
}

enum status dms_import_certificate(struct call *c, const struct dms_import_certificate_request *in,
                                   struct dms_import_certificate_response *ret_out)
{
    struct dms_certificate *cert = ARENA_NEW(c->arena, struct dms_certificate);
    enum status st = dms_check_ident(c, "CertificateIdentifier", in->CertificateIdentifier);
    if (st == ST_OK) {
        st = describe_new(c, in, cert);
    }
    if (st != ST_OK) {
        return st;
    }
    ret_out->Certificate = cert;
    struct dms_resource row = { .arn = cert->CertificateArn, .ident = cert->CertificateIdentifier };
    return dms_keep_new(c, &dms_certificates, &row, cert, &in->Tags);
}

enum status dms_describe_certificates(struct call *c,
                                      const struct dms_describe_certificates_request *in,
                                      struct dms_describe_certificates_response *ret_out)
{
    return dms_describe(c, &dms_certificates, DMS_ASK(in), &ret_out->Certificates,
                        &ret_out->Marker);
}

/* Does an endpoint verify with it? */
static enum status in_use(struct call *c, struct str arn, bool *ret)
{
    struct dms_endpoint_list all = { 0 };
    enum status st = dms_gather(c, &dms_endpoints, NULL, &all);
    for (size_t i = 0; i < all.n && !*ret; i++) {
        *ret = str_eq(all.v[i].CertificateArn, arn);
    }
    return st;
}

enum status dms_delete_certificate(struct call *c, const struct dms_delete_certificate_request *in,
                                   struct dms_delete_certificate_response *ret_out)
{
    struct dms_resource row;
    bool used = false;
    enum status st =
        dms_need(c, &dms_certificates, in->CertificateArn, &row, &ret_out->Certificate);
    if (st == ST_OK) {
        st = in_use(c, row.arn, &used);
    }
    if (st == ST_OK && used) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The certificate %.*s is used by an endpoint.", STR_ARG(row.ident));
    }
    if (st == ST_OK) {
        st = dms_store_resource_delete(c->db, row.arn);
    }
    if (st == ST_OK) {
        unlink(path_of(c->core, c->arena, row.arn)); /* made anew when needed: may be absent */
    }
    return call_status(c, st);
}
