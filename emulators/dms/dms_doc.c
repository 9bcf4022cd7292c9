#include "emulators/dms/dms_doc.h"

#include "emulators/dms/dms_model.h"
#include "server/wire/codec.h"
#include "server/wire/shape_def.h"

const struct op *dms_op(const char *name)
{
    return op_find(dms_ops, DMS_N_OPS, str_z(name));
}

const struct shape *dms_doc_member(const char *op, const char *member)
{
    const struct op *o = dms_op(op);
    for (uint16_t i = 0; o && i < o->in->n_fields; i++) {
        if (strcmp(o->in->fields[i].name, member) == 0) {
            return o->in->fields[i].shape;
        }
    }
    return NULL;
}
