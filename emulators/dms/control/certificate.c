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
#include "server/wire/doc.h"

#define PEM_MAX ((size_t)1 << 20)

/* --- files ------------------------------------------------------------------------------------ */

/* DIR/dms/<id>.pem; the id is ours or was checked. */
static const char *path_of(struct core *core, struct arena *a, struct str arn)
{
    size_t tail = arn.n;
    while (tail > 0 && arn.p[tail - 1] != ':') {
        tail--;
    }
    struct str id = str_sub(arn, tail, arn.n);
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

static enum status read_doc(struct arena *a, struct str doc, struct dms_certificate **ret)
{
    void *out;
    enum status st = doc_read(dms_op("ImportCertificate"), a, doc, &out);
    if (st == ST_OK) {
        *ret = ((struct dms_import_certificate_response *)out)->Certificate;
    }
    return st;
}

enum status dms_certificate_file(struct core *core, struct arena *a, struct str arn,
                                 const char **ret_path, struct str *ret_error)
{
    struct dms_resource row;
    struct dms_certificate *cert = NULL;
    enum status st = dms_store_resource_get(core_db(core), a, DMS_KIND_CERTIFICATE, arn, &row);
    if (st == ST_OK) {
        st = read_doc(a, row.doc, &cert);
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
    void *doc;
    if (doc_read(dms_op("CreateEndpoint"), a, endpoint->doc, &doc) != ST_OK) {
        return dms_refuse(a, ret_error, "The stored endpoint can't be read.");
    }
    const struct dms_endpoint *e = ((struct dms_create_endpoint_response *)doc)->Endpoint;
    return str_empty(e->CertificateArn)
               ? ST_OK
               : dms_certificate_file(core, a, e->CertificateArn, &options->tls_ca, ret_error);
}

enum status dms_certificate_check(struct call *c, struct str arn)
{
    struct dms_resource row;
    enum status st = dms_store_resource_get(c->db, c->arena, DMS_KIND_CERTIFICATE, arn, &row);
    if (st == ST_NOT_FOUND) {
        return call_fail(c, &dms_ResourceNotFoundFault, "The certificate %.*s could not be found.",
                         STR_ARG(arn));
    }
    return call_status(c, st);
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
    struct dms_resource row = { .arn = cert->CertificateArn,
                                .account = c->caller.account,
                                .region = c->caller.region,
                                .ident = cert->CertificateIdentifier };
    st = doc_write(dms_op("ImportCertificate"), c->arena, ret_out, &row.doc);
    if (st == ST_OK) {
        st = dms_store_resource_add(c->db, DMS_KIND_CERTIFICATE, &row, c->received_ms);
    }
    if (st == ST_EXISTS) {
        return call_fail(c, &dms_ResourceAlreadyExistsFault,
                         "A certificate with the identifier %.*s already exists.",
                         STR_ARG(row.ident));
    }
    if (st == ST_OK) {
        st = dms_put_tags(c, row.arn, &in->Tags);
    }
    return call_status(c, st);
}

enum status dms_describe_certificates(struct call *c,
                                      const struct dms_describe_certificates_request *in,
                                      struct dms_describe_certificates_response *ret_out)
{
    static const char *const known[] = { "certificate-arn", "certificate-id", NULL };
    enum status st = dms_check_filters(c, &in->Filters, known);
    if (st != ST_OK) {
        return st;
    }
    struct dms_resource *rows = NULL;
    size_t n = 0, fitting = 0;
    st = dms_store_resource_list(c->db, c->arena, DMS_KIND_CERTIFICATE, dms_owner_of(c), &rows, &n);
    struct dms_certificate *items = ARENA_ARRAY(c->arena, struct dms_certificate, n + 1);
    for (size_t i = 0; i < n && st == ST_OK; i++) {
        struct dms_certificate *cert = NULL;
        st = read_doc(c->arena, rows[i].doc, &cert);
        if (st == ST_OK && dms_filter_fits(&in->Filters, "certificate-arn", rows[i].arn) &&
            dms_filter_fits(&in->Filters, "certificate-id", rows[i].ident)) {
            items[fitting++] = *cert;
        }
    }
    if (st != ST_OK) {
        return call_status(c, st);
    }
    if (fitting == 0 && in->Filters.n > 0) {
        return call_fail(c, &dms_ResourceNotFoundFault,
                         "No certificates found matching the filter(s).");
    }
    struct dms_page page;
    st = dms_page(c, in->MaxRecords, in->Marker, fitting, 100, &page);
    if (st == ST_OK) {
        ret_out->Marker = page.marker;
        ret_out->Certificates.v = items + page.from;
        ret_out->Certificates.n = page.to - page.from;
    }
    return st;
}

/* Does an endpoint verify with it? */
static enum status in_use(struct call *c, struct str arn, bool *ret)
{
    struct dms_resource *rows = NULL;
    size_t n = 0;
    *ret = false;
    enum status st =
        dms_store_resource_list(c->db, c->arena, DMS_KIND_ENDPOINT, dms_owner_of(c), &rows, &n);
    for (size_t i = 0; i < n && st == ST_OK && !*ret; i++) {
        void *doc;
        st = doc_read(dms_op("CreateEndpoint"), c->arena, rows[i].doc, &doc);
        *ret = st == ST_OK &&
               str_eq(((struct dms_create_endpoint_response *)doc)->Endpoint->CertificateArn, arn);
    }
    return st;
}

enum status dms_delete_certificate(struct call *c, const struct dms_delete_certificate_request *in,
                                   struct dms_delete_certificate_response *ret_out)
{
    struct dms_resource row;
    enum status st = dms_certificate_check(c, in->CertificateArn);
    if (st != ST_OK) {
        return st;
    }
    bool used = false;
    st = dms_store_resource_get(c->db, c->arena, DMS_KIND_CERTIFICATE, in->CertificateArn, &row);
    if (st == ST_OK) {
        st = in_use(c, row.arn, &used);
    }
    if (st == ST_OK && used) {
        return call_fail(c, &dms_InvalidResourceStateFault,
                         "The certificate %.*s is used by an endpoint.", STR_ARG(row.ident));
    }
    if (st == ST_OK) {
        st = read_doc(c->arena, row.doc, &ret_out->Certificate);
    }
    if (st == ST_OK) {
        st = dms_store_resource_delete(c->db, row.arn);
    }
    if (st == ST_OK) {
        unlink(path_of(c->core, c->arena, row.arn)); /* made anew when needed: may be absent */
    }
    return call_status(c, st);
}
