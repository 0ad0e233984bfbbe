/*
 * admission.c - the rules of <duplex/server.h> for Host and Origin. Reading the headers is
 * http/host.h and http/origin.h.
 */
#include "server/admission/admission.h"

#include "http/origin.h"
#include "server/admission/peer.h"

#include <string.h>

static bool is_word(const char *text)
{
    return strcmp(text, "same") == 0 || strcmp(text, "any") == 0;
}

bool dx_admission_is_origin_rule(const char *text)
{
    return is_word(text) || strcmp(text, "null") == 0 || dx_origin_is_pattern(dx_slice_of(text));
}

bool dx_admission_is_host_rule(const char *text)
{
    struct dx_host host;
    const char *detail;

    return dx_host_parse(dx_slice_of(text), &host, &detail);
}

static bool is_listed(const struct dx_server_options *options, const struct dx_host *host)
{
    struct dx_host listed;
    const char *detail;

    for (size_t index = 0; index < options->host_count; index++)
        if (dx_host_parse(dx_slice_of(options->hosts[index]), &listed, &detail) &&
            dx_host_equal(host, &listed))
            return true;
    return false;
}

bool dx_admission_judge_host(const struct dx_admission_context *context,
                             const struct dx_authority *authority, struct dx_refusal *refusal)
{
    if (context->options->host_count == 0 && !context->is_loopback)
        return true;
    if (dx_host_is_loopback(&authority->host) || is_listed(context->options, &authority->host) ||
        dx_peer_is_own_address(context->fd, &authority->host))
        return true;
    *refusal = (struct dx_refusal){421, "this host is not served here; --host=NAME admits it"};
    return false;
}

static struct dx_origin_rules rules_of(const struct dx_admission_context *context)
{
    const struct dx_server_options *options = context->options;
    struct dx_origin_rules rules = {.patterns = options->origins,
                                    .pattern_count = options->origin_count};

    if (options->origin_count == 0) {
        rules.allow_same = true;
        rules.allow_loopback = context->is_loopback;
    }
    for (size_t index = 0; index < options->origin_count; index++) {
        rules.allow_same = rules.allow_same || strcmp(options->origins[index], "same") == 0;
        rules.allow_any = rules.allow_any || strcmp(options->origins[index], "any") == 0;
    }
    return rules;
}

bool dx_admission_judge_origin(const struct dx_admission_context *context,
                               const struct dx_head *head, const struct dx_authority *authority,
                               struct dx_refusal *refusal)
{
    struct dx_origin_rules rules = rules_of(context);
    struct dx_slice origin;

    if (dx_origin_judge(head, authority, &rules, refusal))
        return true;
    if (refusal->status != 403)
        return false;
    if (dx_head_find(head, "origin", &origin) && dx_slice_is(origin, "null"))
        refusal->detail = "the Origin is null, as of a page opened from a file; "
                          "--origin=null admits it, and any site's page too";
    else
        refusal->detail = "this Origin is not allowed; --origin=ORIGIN admits it";
    return false;
}
