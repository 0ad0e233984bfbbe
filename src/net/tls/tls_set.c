/*
 * tls_set.c - see tls_set.h.
 */
#include "net/tls/tls_set.h"

#include <stdlib.h>
#include <string.h>

void dx_tls_set_keep(struct dx_tls_set *set)
{
    atomic_fetch_add(&set->references, 1);
}

void dx_tls_set_drop(struct dx_tls_set *set)
{
    if (!set || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    SSL_CTX_free(set->context);
    for (size_t i = 0; i < set->certificate_count; i++)
        dx_tls_certificate_drop(set->certificates[i]);
    free(set->certificates);
    free(set->names);
    free(set);
}

static void index_names(struct dx_tls_set *set)
{
    for (size_t i = 0; i < set->certificate_count; i++)
        for (size_t n = 0; n < set->certificates[i]->name_count; n++)
            set->names[set->name_count++] = (struct dx_tls_name){set->certificates[i]->names[n], i};
    dx_tls_names_sort(set->names, set->name_count);
}

enum dx_err dx_tls_set_new(SSL_CTX *context, const uint8_t policy[DX_TLS_DIGEST_LEN],
                           struct dx_tls_certificate *const *certificates, size_t count,
                           struct dx_tls_set **set)
{
    struct dx_tls_set *made = calloc(1, sizeof(*made));
    size_t name_count = 0;

    for (size_t i = 0; i < count; i++)
        name_count += certificates[i]->name_count;
    if (made) {
        made->certificates = calloc(count, sizeof(struct dx_tls_certificate *));
        made->names = calloc(name_count + 1, sizeof(*made->names));
    }
    if (!made || !made->certificates || !made->names) {
        if (made) {
            free(made->certificates);
            free(made->names);
        }
        free(made);
        SSL_CTX_free(context);
        return DX_ERR_NOMEM;
    }
    atomic_init(&made->references, 1);
    made->context = context;
    memcpy(made->policy, policy, sizeof(made->policy));
    for (size_t i = 0; i < count; i++) {
        made->certificates[i] = certificates[i];
        dx_tls_certificate_keep(certificates[i]);
    }
    made->certificate_count = count;
    index_names(made);
    *set = made;
    return DX_OK;
}

const struct dx_tls_certificate *dx_tls_set_find(const struct dx_tls_set *set, const char *name,
                                                 bool *is_own)
{
    size_t index = 0;

    *is_own = name && dx_tls_names_find(set->names, set->name_count, name, &index);
    return set->certificates[*is_own ? index : 0];
}
