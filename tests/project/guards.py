#!/usr/bin/python3
"""Removes the guards of the protocol one by one and shows that the test row named after each then fails.

    guards.py SOURCE_ROOT

A guard is one line of the table: the file, the text that is the guard (it must stand there exactly once), what takes its
place, the test program, and the row that must notice. Each is tried in a scratch copy of that one file, compiled beside
the untouched rest. To add one, add a line; to test another room, add its program to PROGRAMS. Prints "N guards, N noticed".
"""
import concurrent.futures
import os
import platform
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '..', '..'))
CC = os.environ.get('CC', 'cc').split()
FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O0', '-w', '-Iinclude', '-Isrc', '-Itests', '-Itests/unit/http']
WRAP = ['-Wl,--wrap=malloc', '-Wl,--wrap=calloc', '-Wl,--wrap=realloc', '-Wl,--wrap=free']
SCENARIO = ['tests/support/' + name + '.c'
            for name in ('scenario', 'journal', 'failing_allocator', 'frame_row', 'endpoint_fixture')]
ROOMS = ['base', 'http', 'ws']
SYSTEM = ['-Wl,--wrap=' + name for name in (
    'recv', 'sendmsg', 'send', 'epoll_ctl', 'epoll_create1', 'accept4', 'socket', 'bind', 'listen', 'getsockname',
    'getrandom', 'fchmod', 'open', 'open64')]
TLS_BENCH = ['tests/support/tls_bench.c']
PEER_BENCH = ['tests/support/%s.c' % name for name in ('peer_bench', 'failing_system')]
CROWD = ['tests/support/%s.c' % name for name in ('crowd', 'failing_allocator')] + PEER_BENCH
SERVER_ROOMS = ROOMS + ['net', 'connection', 'server', 'topics']  # for programs of one of the last four
CLIENT_ROOMS = ROOMS + ['net', 'connection', 'client']
LIBRARIES = ['-luv', '-lssl', '-lcrypto', '-lpthread']

FILES = ['-Wl,--wrap=' + call for call in ('clock_gettime', 'sendfile', 'pread')]



def connector(name):
    support = ['connector_bench', 'connector_tls_bench', 'scripted_server', 'scripted_names', 'tls_bench', 'failing_allocator',
               'failing_system', 'failing_connecting']
    wrapped = ['connect', 'getsockopt', 'getpeername', 'getaddrinfo', 'freeaddrinfo', 'strdup']
    return (['tests/unit/client/%s_test.c' % name] + ['tests/support/%s.c' % item for item in support],
            WRAP + SYSTEM + ['-Wl,--wrap=' + call for call in wrapped] + LIBRARIES, True)



def websocket(name):
    """A websocket, and the test at the other end."""
    return (['tests/unit/client/websocket_%s_test.c' % name, 'tests/support/websocket_bench.c'], LIBRARIES, False)


# name: (sources beside the rooms', link arguments, whether it takes the row's name as a filter)
PROGRAMS = {
    'ws hostile': (['tests/unit/ws/hostile_test.c'] + SCENARIO, WRAP, True),
    'ws endpoint_send': (['tests/unit/ws/endpoint_send_test.c'] + SCENARIO, WRAP, False),
    'ws handshake': (['tests/unit/ws/handshake_test.c'], [], True),
    'http hostile': (['tests/unit/http/hostile_test.c'], [], False),
    'net tls_rows': (['tests/unit/net/tls_rows_test.c'] + TLS_BENCH, LIBRARIES, True),
    'net tls_certificates': (['tests/unit/net/tls_certificates_test.c'] + TLS_BENCH, LIBRARIES, True),
    'connection tls': (['tests/unit/connection/tls_test.c'] + TLS_BENCH + PEER_BENCH, SYSTEM + LIBRARIES, True),
    'http range': (['tests/unit/http/range_test.c'], [], False),
    'http conditional': (['tests/unit/http/conditional_test.c'], [], False),
    'http accept': (['tests/unit/http/accept_test.c'], [], False),
    'http chunked': (['tests/unit/http/chunked_test.c'], [], False),
    'http query': (['tests/unit/http/query_test.c'], [], False),
    'server routes': (['tests/unit/server/routes_test.c'], LIBRARIES, False),
    'server body': (['tests/unit/server/body_test.c', 'tests/support/service.c'], LIBRARIES, False),
    'server facts': (['tests/unit/server/facts_test.c', 'tests/support/service.c'], LIBRARIES, False),
    'server pieces': (['tests/unit/server/pieces_test.c', 'tests/support/service.c'], LIBRARIES, False),
    'server pieces_ending': (['tests/unit/server/pieces_ending_test.c', 'tests/support/service.c'], LIBRARIES, False),
    'net loop_uv': (['tests/unit/net/loop_uv_test.c', 'tests/support/failing_allocator.c', 'tests/support/failing_system.c'],
                    WRAP + SYSTEM + LIBRARIES + ['-Wl,--wrap=uv_' + call for call in ('async_init', 'poll_init', 'poll_start')], False),
    'server files': (['tests/unit/server/files_test.c', 'tests/support/service.c'], FILES + LIBRARIES, False),
    'server files_negotiation': (['tests/unit/server/files_negotiation_test.c', 'tests/support/service.c'], FILES + LIBRARIES, False),
    'server files_sending': (['tests/unit/server/files_sending_test.c', 'tests/support/service.c'], FILES + LIBRARIES, False),
    'connection attachment': (['tests/unit/connection/attachment_test.c'] + PEER_BENCH, SYSTEM + LIBRARIES, False),
    'connection closing': (['tests/unit/connection/closing_test.c'] + PEER_BENCH, SYSTEM + LIBRARIES, False),
    'connection deadlines': (['tests/unit/connection/deadlines_test.c'] + PEER_BENCH, SYSTEM + LIBRARIES, False),
    'connection sent': (['tests/unit/connection/sent_test.c'] + PEER_BENCH, SYSTEM + LIBRARIES, False),
    'base ids': (['tests/unit/base/ids_test.c'], [], False),
    'topics topics': (['tests/unit/topics/topics_test.c'] + CROWD, WRAP + SYSTEM + LIBRARIES, False),
    'topics callbacks': (['tests/unit/topics/callbacks_test.c'] + CROWD, WRAP + SYSTEM + LIBRARIES, False),
    'topics slow': (['tests/unit/topics/slow_test.c'] + CROWD, WRAP + SYSTEM + LIBRARIES, False),
    'client backoff': (['tests/unit/client/backoff_test.c'], LIBRARIES, False),
    'client websocket_constructor': websocket('constructor'),
    'client websocket_cuts': websocket('cuts'),
    'client websocket_heartbeat': websocket('heartbeat'),
    'client websocket_reconnect': websocket('reconnect'),
    'client websocket_send': websocket('send'),
    'client websocket_states': websocket('states'),
    'client connector': connector('connector'),
    'client connector_rows': connector('connector_rows'),
    'client connector_tls': connector('connector_tls'),
    'client connector_nested': connector('connector_nested'),
    'server half_open': (['tests/unit/server/half_open_test.c'], LIBRARIES, False),
}

WAY = 'src/client/connector/connector_way.c'
REFUSED = 'src/client/connector/connector_refused.c'
TLS_CLIENT = 'src/net/tls/tls_client.c'
IN = 'src/ws/endpoint_receive.c'
OUT = 'src/ws/endpoint_send.c'
UTF8 = 'src/ws/simd/utf8.c'
SERVER = 'src/ws/handshake.c'
CLIENT = 'src/ws/handshake_client.c'
HEAD = 'src/http/head.c'
TARGET = 'src/http/url/target.c'
RULES = 'src/net/tls/tls_rules.c'
HELLO = 'src/net/tls/tls_hello.c'
TICKETS = 'src/net/tls/tls_tickets.c'
RANGE = 'src/http/range.c'
CONDITIONAL = 'src/http/conditional.c'
ACCEPT = 'src/http/accept.c'
CHUNKED = 'src/http/chunked.c'
BODY = 'src/server/exchange/request_body.c'
PIECES = 'src/server/exchange/response.c'
READ = 'src/server/http1/http_read.c'
ADDED = 'src/server/exchange/request_answer.c'
ROUTES = 'src/server/routes/routes.c'
WRITING = 'src/connection/writing.c'
READING = 'src/connection/reading.c'
LIFE = 'src/connection/connection.c'
DEADLINES = 'src/connection/deadlines.c'
SUBSCRIBER = 'src/topics/subscriber.c'
PART = 'src/topics/part.c'
GIVE = 'src/topics/give.c'
GUESTS = 'src/connection/attachment.c'
SENT = 'src/connection/sent.c'
LOOP = 'src/net/loop/loop.c'
IDS = 'src/base/ids.c'
HALF_OPEN = 'src/server/admission/half_open.c'
FIND = 'src/server/files/files_find.c'
FILE_BODY = 'src/server/http1/file_body.c'
FILE = 'src/net/socket/file.c'
SEND_FILE = 'src/net/socket/send_file.c'

GUARDS = [
    # a client on its way to a server
    (WAY, 'limits.total_len = (uint16_t)(DX_CONNECTOR_HEAD_MAX - answer->head_at);', '', 'client connector_rows', 'row_117_heads_without_end'),
    (WAY, 'if (connector->url.is_secure && len > 0)', 'if (false)', 'client connector_nested', 'row_122_bytes_before_tls'),
    (WAY, 'if (connector->answer != NULL)\n        read_answer(connector);', '', 'client connector_rows', 'row_122_bytes_behind_the_proxys_head'),
    (WAY, 'if (connector->options.tls == NULL)\n        return DX_ERR_USAGE;', '', 'client connector_nested', 'without_rules_for_tls_it_is_told'),
    (WAY, 'if (connector->tunnel.is_target_dead && dx_connector_try_next_target(connector))', 'if (false)', 'client connector', 'addresses_that_a_proxy_cannot_reach'),
    (REFUSED, 'if (connector->url.is_secure && !url->is_secure)', 'if (false)', 'client connector_tls', 'row_118_redirects_do_not_leave_tls'),
    (REFUSED, 'if (connector->options.max_redirects == 0)\n        return false;', '', 'client connector_rows', 'row_118_redirects_are_off'),
    (REFUSED, 'connector->redirect_count >= connector->options.max_redirects', 'false', 'client connector_rows', 'row_118_more_redirects_than_allowed'),
    (REFUSED, 'connector->drops_secrets |= !is_same_origin(&url, &connector->url);', '', 'client connector_rows', 'row_118_secrets_stay_within_one_origin'),
    (REFUSED, 'dx_head_count(head, "Location") != 1 || ', '', 'client connector_rows', 'row_118_redirects_that_lead_nowhere'),
    (REFUSED, 'if (connector->body.kind == DX_BODY_LENGTH && len >= connector->body.len) {', 'if (false) {', 'client connector', 'a_refusal_is_told_with_its_headers_and_body'),
    (REFUSED, 'if (len >= DX_CONNECTOR_BODY_MAX) {', 'if (false) {', 'client connector', 'of_a_long_body_the_first_4_kib_are_told'),
    (REFUSED, 'if (*at < 0x20 || *at > 0x7e)', 'if (false)', 'client connector', 'bodies_end_as_they_say'),
    ('src/net/socket/connect.c', 'if (code == 0 && is_connected_to_itself(connect, fd))', 'if (false)', 'client connector', 'a_socket_is_not_its_own_server'),
    ('src/net/socket/resolve.c', 'resolve->count == DX_RESOLVE_ADDRESSES_MAX ||', '', 'client connector_rows', 'row_123_names_without_and_with_a_thousand_addresses'),
    ('src/net/socket/resolve.c', '} while (!is_told && !is_cancelled);', '} while (false);', 'client connector', 'a_name_found_while_the_queue_is_full'),
    ('src/client/tunnel/tunnel.c', 'if (!is_target(target))\n        return DX_ERR_USAGE;', '', 'client connector_rows', 'row_122_a_host_that_a_proxy_cannot_be_told'),
    # whom a client trusts
    (TLS_CLIENT, 'options->is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER', 'SSL_VERIFY_NONE', 'client connector_tls', 'row_82_certificates_that_are_not_good'),
    (TLS_CLIENT, 'SSL_set1_host(ssl, name) == 1', 'true', 'client connector_tls', 'row_82_certificates_that_are_not_good'),
    (TLS_CLIENT, 'return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;', 'return true;', 'client connector_tls', 'row_82_certificates_that_are_not_good'),
    (TLS_CLIENT, 'X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | ', '', 'client connector_tls', 'row_82_certificates_that_are_not_good'),
    (TLS_CLIENT, ' | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT', '', 'client connector_tls', 'row_82_certificates_that_are_not_good'),
    (TLS_CLIENT, "if (name && len > 1 && host[len - 1] == '.')", 'if (false)', 'client connector_tls', 'certificates_that_are_good'),
    (TLS_CLIENT, 'if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)', 'if (false)', 'client connector_tls', 'options_that_cannot_be'),
    (TLS_CLIENT, 'if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION)', 'if (true)', 'client connector_tls', 'an_earlier_session_goes_on'),
    (TLS_CLIENT, 'SSL_OP_NO_RENEGOTIATION | ', '', 'client connector_tls', 'row_76_renegotiation'),
    (TLS_CLIENT, 'return dx_tls_rules_set_algorithms(context);', 'return true;', 'client connector_tls', 'row_74_75_old_versions_and_ciphers'),
    ('src/net/tls/tls_session.c', 'if (session->client && session->broken != DX_ERR_TLS)', 'if (false)', 'client connector_nested', 'tls_inside_tls'),
    ('src/net/tls/tls_wire.c', 'if (ERR_peek_error() != 0 && (size_t)len', 'if (false && (size_t)len', 'client connector_nested', 'whose_certificate_is_not_good'),
    ('src/client/websocket/websocket_events.c', 'if (!is_listening(websocket) || dx_websocket_is_answer', 'if (dx_websocket_is_answer', 'client websocket_states', 'test_nothing_after_close'),
    ('src/client/websocket/websocket_events.c', 'if (is_listed(websocket, listener, user))', 'if (false)', 'client websocket_send', 'test_listeners'),
    ('src/client/websocket/websocket_events.c', 'if (info->sent_code == DX_CLOSE_POLICY)', 'if (false)', 'client websocket_heartbeat', 'test_message_timeout'),
    ('src/client/websocket/websocket_events.c', '== DX_OPEN && has_heartbeat(websocket)', '== DX_OPEN', 'client websocket_heartbeat', 'test_full_without_heartbeat'),
    ('src/client/websocket/websocket_opening.c', 'close->will_reconnect = false;', ';', 'client websocket_reconnect', 'test_moments'),
    ('src/client/websocket/websocket_opening.c', 'strict_browser && dx_port_is_blocked', 'strict_browser && false && dx_port_is_blocked', 'client websocket_constructor', 'test_c7_strict'),
    ('src/client/websocket/websocket_opening.c', 'if (lacks_protocol(websocket, opening))', 'if (false)', 'client websocket_constructor', 'test_subprotocol_none'),
    ('src/client/websocket/websocket_opening.c', 'dx_outbox_rewind(&websocket->outbox);', ';', 'client websocket_cuts', 'test_until_pong_from_client'),
    ('src/client/websocket/websocket_opening.c', 'websocket->attempt = 0;', ';', 'client websocket_reconnect', 'test_stable'),
    ('src/client/websocket/websocket_opening.c', 'if (reconnect->max_attempts > 0 &&', 'if (false &&', 'client websocket_reconnect', 'test_max_attempts'),
    ('src/client/websocket/websocket_opening.c', 'return dx_backoff_is_worth_it(error, close);', 'return true;', 'client websocket_reconnect', 'test_401'),
    ('src/client/websocket/websocket_loop.c', 'websocket->has_turn = at == NULL;', 'websocket->has_turn = true;', 'client websocket_constructor', 'test_c9_closed'),
    ('src/client/websocket/websocket_loop.c', 'dx_websocket_connect_in_turn(at);', ';', 'client websocket_constructor', 'test_c9_failed'),
    ('src/client/websocket/websocket.c', 'bound_writing(&websocket->kind.options, options->heartbeat_text);', ';', 'client websocket_heartbeat', 'test_full_without_write_timeout'),
    ('src/client/websocket/websocket_beat.c', 'if (websocket->is_paused) {', 'if (false) {', 'client websocket_heartbeat', 'test_paused'),
    ('src/client/websocket/websocket_beat.c', 'if (err == DX_ERR_STATE)', 'if (false)', 'client websocket_heartbeat', 'test_text_inside_fragments'),
    ('src/client/websocket/websocket_beat.c', '(const uint8_t *)answer, found, true, false);', '(const uint8_t *)answer, 0, true, false);', 'client websocket_heartbeat', 'test_pieces'),
    ('src/client/websocket/websocket_send.c', 'dx_websocket_count_dropped(websocket, len);\n    return DX_OK;', 'return DX_OK;', 'client websocket_send', 'test_amount_after_close'),
    ('src/client/websocket/websocket_send.c', 'dx_websocket_close_full(websocket);\n    }', '}', 'client websocket_states', 'test_full_strict'),
    ('src/client/websocket/websocket_outbox.c', 'closes_later && dx_outbox_next(&websocket->outbox) == NULL', 'closes_later', 'client websocket_reconnect', 'test_close_behind_the_outbox'),
    ('src/connection/closing.c', '? (uint32_t)connection->output.len : UINT32_MAX;', '? 0 : UINT32_MAX;', 'client websocket_send', 'test_amount_after_loss'),
    ('src/client/websocket/websocket_outbox.c', 'number != websocket->barrier', 'false', 'client websocket_reconnect', 'test_pongs_that_prove_nothing'),
    ('src/client/websocket/backoff.c', 'case DX_CLOSE_POLICY:', '', 'client backoff', 'test_worth'),
    ('src/client/websocket/backoff.c', 'return is_passing_error(error->err);', 'return true;', 'client backoff', 'test_worth'),
    ('src/http/url/url.c', 'return byte < 0x20 ||', 'return', 'client websocket_constructor', 'test_urls'),
    # topics: who gets what, and what it may cost
    (SUBSCRIBER, 'if (subscriber->place_count >= topics->options.max_subscriptions)', 'if (false)', 'topics callbacks', 'test_limits'),
    (SUBSCRIBER, 'if (topics->names.count >= topics->options.max_topics)', 'if (false)', 'topics callbacks', 'test_limits'),
    (SUBSCRIBER, 'if (presence && dx_presence_is_queued(presence))', 'if (false)', 'topics topics', 'test_coming_and_going'),
    (SUBSCRIBER, 'if (dx_presence_is_queued(place->presence))', 'if (false)', 'topics topics', 'test_coming_and_going'),
    (SUBSCRIBER, 'find_place(last, presence)->index = index;', ';', 'topics topics', 'test_leaving_in_any_order'),
    (SUBSCRIBER, 'if (presence->count < presence->room / 4)', 'if (false)', 'topics topics', 'test_leaving_in_any_order'),
    (SUBSCRIBER, 'dx_connection_endpoint(connection)->config->role == DX_ROLE_CLIENT', 'false', 'topics topics', 'test_usage'),
    (SUBSCRIBER, 'if (dx_connection_is_closing(connection))', 'if (false)', 'topics callbacks', 'test_aborts_in_a_callback'),
    ('src/topics/names.c', 'if (names->count >= names->bucket_count)', 'if (false)', 'topics topics', 'test_many_topics'),
    ('src/topics/topics.c', 'if (!has_subscribers(topics, hash, name, name_len))\n        return DX_OK;', '', 'topics topics', 'test_encoded_once'),
    (PART, 'part->backlog_len >= part->topics->options.max_backlog', 'false', 'topics callbacks', 'test_backlog'),
    (PART, 'if (part->is_posted || part->item_count > 0)\n        return DX_OK;', '', 'topics callbacks', 'test_one_post'),
    (PART, 'if (part->is_posted)\n        dx_loop_post_cancel(part->loop, part);', '', 'topics topics', 'test_loop_that_ends'),
    (PART, 'if (items[k].except == 0 || subscriber->id != items[k].except)', '', 'topics topics', 'test_except'),
    (PART, 'if (is_direct)\n            dx_subscriber_flush(subscriber);', '', 'topics topics', 'test_much_leaves_at_once'),
    (GIVE, 'if (!dx_connection_is_congested(subscriber->connection))', '', 'topics slow', 'test_behind_a_long_message'),
    (GIVE, 'if (dx_connection_is_closing(subscriber->connection))\n        dx_subscriber_forget(subscriber);\n    else if', 'if', 'topics slow', 'test_own_goes_ahead'),
    (GIVE, 'subscriber->first || ', '', 'topics slow', 'test_between_fragments'),
    (GIVE, 'if (subscriber->pending_len > options->max_pending)', 'if (false)', 'topics slow', 'test_drops_newest'),
    (GIVE, 'for (; subscriber->pending_len > options->max_pending; tally->dropped++)', 'if (tally->dropped++ == 0)', 'topics slow', 'test_drops_oldest'),
    # frames
    (IN, 'if ((second & DX_FRAME_MASKED) != endpoint->mask_flag)', 'if (false)', 'ws hostile', 'B21 unmasked client frame'),
    (IN, 'return bits == 0 ? NULL : &reserved_bit;', 'return NULL;', 'ws hostile', 'B22 RSV2'),
    (IN, 'endpoint->config->transform != NULL && opcode', 'opcode', 'ws hostile', 'B22 RSV1 without extension'),
    (IN, 'if (frame_opcode(endpoint) > DX_OP_PONG)', 'if (false)', 'ws hostile', 'B23 opcode B'),
    (IN, 'if (opcode > DX_OP_BINARY)', 'if (false)', 'ws hostile', 'B23 opcode 3'),
    (IN, 'return frame_is_final(endpoint) ? NULL : &fragmented_control;', 'return NULL;', 'ws hostile', 'B24 fragmented ping'),
    (IN, 'if ((second & DX_FRAME_LENGTH) > DX_CONTROL_MAX)', 'if (false)', 'ws hostile', 'B24 pong with a 16-bit length of 5'),
    (IN, 'if (!dx_frame_length_is_minimal(endpoint->header))', 'if (false)', 'ws hostile', 'B25 64-bit length of 65535'),
    (IN, 'if (len >> 63 != 0)', 'if (false)', 'ws hostile', 'B26 highest bit of the length'),
    (IN, 'return len <= endpoint->config->max_message - endpoint->message_len ? NULL : &too_big;', 'return NULL;', 'ws hostile', 'B27 2^62 announced'),
    (IN, 'len > endpoint->config->max_message ||', '', 'ws hostile', 'B27 one byte over the limit, short'),
    (IN, 'if (opcode != DX_OP_CONTINUATION && is_begun)', 'if (false)', 'ws hostile', 'B29 binary inside a text message'),
    (IN, 'endpoint->fragment_count > 0 || endpoint->in_len < 2', 'endpoint->in_len < 2', 'ws hostile', 'B29 text inside a text message'),
    (IN, 'if (opcode == DX_OP_CONTINUATION && !is_begun)', 'if (false)', 'ws hostile', 'B30 continuation of nothing'),
    # fragments
    (IN, 'return endpoint->fragment_count < endpoint->config->max_fragments ? NULL : &too_many;', 'return NULL;', 'ws hostile', 'C35 empty fragments count'),
    (IN, 'endpoint->message_len += endpoint->payload_left;', ';', 'ws hostile', 'C38 sum over the limit by one in the last fragment'),
    # text
    (UTF8, 'if (lead < 0xc2 || lead > 0xf4)', 'if (lead < 0xc0 || lead > 0xf4)', 'ws hostile', 'D39 overlong'),
    (UTF8, 'utf8->high = 0x9f;', ';', 'ws hostile', 'D39 surrogate'),
    (UTF8, 'utf8->high = 0x8f;', ';', 'ws hostile', 'D39 above U+10FFFF'),
    (IN, 'if (!is_last || dx_utf8_is_complete(&endpoint->utf8))', 'if (true)', 'ws hostile', 'D39 cut at the end of the message'),
    (IN, 'if (is_ascii && dx_utf8_is_complete(&endpoint->utf8))', 'if (is_ascii)', 'ws hostile', 'D39 ASCII after a begun code point'),
    (IN, 'if (!dx_utf8_is_valid(data, len))', 'if (false)', 'ws hostile', 'D43 close reason that is not UTF-8'),
    # closing
    (IN, '(second & DX_FRAME_LENGTH) == 1)', 'false)', 'ws hostile', 'E44 Close of one byte'),
    (IN, 'if (!dx_close_code_is_valid(code))', 'if (false)', 'ws hostile', 'E45 code 1005'),
    (IN, 'endpoint->close_is_received = true;\n    endpoint->state = STATE_DEAF;', 'endpoint->close_is_received = true;', 'ws hostile', 'E46 data after a Close'),
    (IN, 'endpoint->is_failed = true;\n    endpoint->state = STATE_DEAF;', 'endpoint->is_failed = true;\n    endpoint->state = STATE_FIRST;', 'ws hostile', 'E46 data after a failure'),
    (IN, '!endpoint->close_is_sent &&', '', 'ws endpoint_send', 'a_failure_after_our_close_sends_no_second_one'),
    (OUT, 'return endpoint->close_is_sent || endpoint->is_failed;', 'return false;', 'ws endpoint_send', 'after_our_close_nothing_is_sent'),
    (OUT, 'dx_output_truncate(output, len_before);', ';', 'ws endpoint_send', 'a_frame_is_queued_whole_or_not_at_all'),
    # the opening handshake, server
    (SERVER, 'if (!dx_slice_is(dx_head_slice(head, head->method), "GET"))', 'if (false)', 'ws handshake', 'A1 POST'),
    (SERVER, 'if (head->minor == 0)', 'if (false)', 'ws handshake', 'A2 HTTP/1.0'),
    (SERVER, 'if (!dx_list_has_token(head, "Connection", "upgrade"))', 'if (false)', 'ws handshake', 'A4 Connection: keep-alive'),
    (SERVER, '!dx_slice_is(version, "13")', 'false', 'ws handshake', 'A5 version 13, 8'),
    (SERVER, '||\n        nonce_len != sizeof(nonce)', '', 'ws handshake', 'A6 key of 15 bytes'),
    (SERVER, 'if (dx_head_count(head, "Sec-WebSocket-Key") > 1)', 'if (false)', 'ws handshake', 'A7 two keys'),
    (SERVER, 'if (body.kind != DX_BODY_NONE)', 'if (false)', 'ws handshake', 'A11 Content-Length'),
    (SERVER, 'if (!is_list_of(head, "Sec-WebSocket-Extensions", dx_extension_is_wellformed))', 'if (false)', 'ws handshake', 'A15 two semicolons'),
    # the opening handshake, client
    (CLIENT, 'if (!is_accept_of(head, key))', 'if (false)', 'ws handshake', 'L115 wrong Accept'),
    (CLIENT, 'if (!judge_subprotocol(head, request, answer))', 'if (false)', 'ws handshake', 'L116 subprotocol not asked for'),
    (CLIENT, '!offers_extension(request->extensions, extension.name)', 'false', 'ws handshake', 'L116 extension not asked for'),
    # the request's head
    (HEAD, "if (text[5] != '1')", 'if (false)', 'http hostile', 'a2_other_versions_are_505_and_nonsense_400'),
    (TARGET, 'if (count != 1 ||', 'if (', 'http hostile', 'a8_hosts'),
    (HEAD, 'refuse(head, 431, "too many headers");', ';', 'http hostile', 'a9_sizes'),
    (HEAD, 'refuse_control(head, at, byte);', ';', 'http hostile', 'a10_every_control_character_everywhere'),
    (TARGET, 'return refuse(refusal, "Host differs from the request target");', ';', 'http hostile', 'a16_absolute_targets_name_the_host'),
    (TARGET, 'return refuse(refusal, "the path is not UTF-8 or has a control character");', ';', 'http hostile', 'a17_paths'),
    ('src/http/message.c', 'return refuse(refusal, 400, "both Content-Length and Transfer-Encoding");', ';', 'http hostile', 'g69_bodies_of_two_lengths'),
    # parts, states and codings of files
    (RANGE, 'value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value', 'value', 'http range', 'others'),
    (RANGE, 'if (wanted == 0)', 'if (false)', 'http range', 'others'),
    (RANGE, 'if (len == 0)', 'if (false)', 'http range', 'others'),
    (RANGE, 'if (spec.len > 0 ||', 'if (', 'http range', 'others'),
    (RANGE, 'if (has_last && last < first)', 'if (false)', 'http range', 'others'),
    (RANGE, 'if (first >= len)', 'if (false)', 'http range', 'others'),
    (RANGE, 'has_last && last < len ?', 'has_last ?', 'http range', 'parts'),
    (RANGE, 'dx_list_next(&list, &other) == DX_LIST_END', 'true', 'http range', 'thousand_ranges'),
    (RANGE, 'dx_head_count(head, "Range") != 1 ||', '', 'http range', 'others'),
    (CONDITIONAL, 'if (is_strong && (is_weak || ours_is_weak))', 'if (false)', 'http conditional', 'preconditions'),
    (CONDITIONAL, 'if (dx_head_count(head, "If-Range") > 1 ||', 'if (', 'http conditional', 'if_range'),
    (CONDITIONAL, 'return value.len == 0 &&', 'return', 'http conditional', 'if_range'),
    (CONDITIONAL, 'return validators->is_date_strong &&', 'return', 'http conditional', 'if_range'),
    (ACCEPT, 'return value <= WEIGHT_MAX;', 'return true;', 'http accept', 'weights'),
    (ACCEPT, 'text.len > 5 ||', '', 'http accept', 'weights'),
    # bodies in chunks, row 69
    (CHUNKED, '++chunked->digit_count > DX_CHUNKED_DIGITS_MAX || ', '++chunked->digit_count == 0 || ', 'http chunked', 'test_bad_bodies'),
    (CHUNKED, '|| chunked->left > INT64_MAX >> 4', '', 'http chunked', 'test_bad_bodies'),
    (CHUNKED, 'if (chunked->digit_count == 0)', 'if (false)', 'http chunked', 'test_bad_bodies'),
    (CHUNKED, "else if (byte != ' ' && byte != '\\t')\n        fail(chunked, \"malformed size of a chunk\");", ';', 'http chunked', 'test_bad_bodies'),
    (CHUNKED, 'fail(chunked, "a control character in a chunk extension");', ';', 'http chunked', 'test_bad_bodies'),
    (CHUNKED, 'fail(chunked, "a line of the chunked body does not end in CRLF");', 'chunked->state = next;', 'http chunked', 'test_bad_bodies'),
    (CHUNKED, 'fail(chunked, "too many chunk extensions");\n    return false;', 'return true;', 'http chunked', 'test_limits'),
    (CHUNKED, 'fail(chunked, "too many trailers");', ';', 'http chunked', 'test_limits'),
    (CHUNKED, 'fail(chunked, "a control character in a trailer");', ';', 'http chunked', 'test_bad_bodies'),
    ('src/http/url/query.c', "*name == '\\0' || ", '', 'http query', 'test_values'),
    ('src/http/url/query.c', "if (text[len++] == '\\0')\n            return false;", 'len++;', 'http query', 'test_values'),
    # bodies and what they may cost
    (BODY, 'request->body_kind.kind == DX_BODY_LENGTH && request->body_kind.len > max_of(request)', 'false', 'server body', 'test_row_69'),
    (BODY, 'if (is_too_long(request, piece.len))', 'if (false)', 'server body', 'test_row_69'),
    (BODY, 'dx_shard_is_short_of_memory(request->http->shard) ||', '', 'server body', 'test_bodies_leave_an_eighth'),
    (BODY, 'dx_pool_charge(pool_of(request), room - request->body_room) != DX_OK', 'false', 'server body', 'test_short_of_memory'),
    (BODY, 'if (request->http->moved_len >= DX_HTTP_PROGRESS_LEN)', 'if (request->http->moved_len > 0)', 'server body', 'test_drip'),
    (BODY, 'early_len == 0 && dx_message_expect', 'dx_message_expect', 'server body', 'test_continue'),
    (BODY, 'request->body_room == 0 ? FIRST_ROOM : request->body_room;', 'request->body_kind.len + 1;', 'server body', 'test_announced_only'),
    # what an application says must not become a header of its own
    (ADDED, '|| has_control(line[2])', '', 'server facts', 'test_headers_that_are_refused'),
    (ADDED, '|| is_ours(line[0])', '', 'server facts', 'test_headers_that_are_refused'),
    (ADDED, 'if (!is_offered(request, name))', 'if (false)', 'server facts', 'test_subprotocols'),
    # answers in pieces
    (PIECES, 'if (len > response->left)', 'if (false)', 'server pieces', 'test_known_length'),
    (PIECES, 'response->framing == DX_FRAMING_LENGTH && response->left > 0', 'false', 'server pieces', 'test_too_little'),
    (PIECES, 'dx_http_connection_fail(response->http, DX_ERR_QUEUE_FULL);\n    return DX_ERR_QUEUE_FULL;', 'return DX_OK;', 'server pieces', 'test_queue_full'),
    (PIECES, 'response->is_blocked = true;\n    dx_http_send_set_deadline(response->http);', 'response->is_blocked = true;', 'server pieces_ending', 'test_write_deadline'),
    ('src/server/http1/http_connection.c', 'abort || response != NULL', 'abort', 'server pieces', 'test_http_1_0'),
    (READ, 'is_answering(http) && early_room(http) == 0 ? 0 : DX_WATCH_READ', 'DX_WATCH_READ', 'server pieces_ending', 'test_early_bytes_have_a_bound'),
    # routes
    (ROUTES, 'node->param != NULL && part.len > 0', 'node->param != NULL', 'server routes', 'test_precedence'),
    (ROUTES, 'if (part.len == 1)\n            return false;', ';', 'server routes', 'test_usage'),
    # TLS
    (RULES, 'SSL_CTX_set_cipher_list(context, ciphers) == 1', 'true', 'net tls_rows', 'test_H75_weak_ciphers_get_an_alert'),
    (RULES, 'SSL_CTX_set1_groups_list(context, groups) == 1', 'true', 'net tls_rows', 'test_H75_curves'),
    (RULES, 'mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;', ';', 'net tls_rows', 'test_H83_client_certificates'),
    (HELLO, 'memcpy(text, session->set->policy, DX_TLS_DIGEST_LEN);', 'memset(text, 0, DX_TLS_DIGEST_LEN);', 'net tls_rows', 'test_H83_tickets_know_who_was_trusted'),
    (HELLO, 'EVP_Digest(text, DX_TLS_DIGEST_LEN + len,', 'EVP_Digest(text, DX_TLS_DIGEST_LEN,', 'net tls_rows', 'test_H80_sessions_stay_with_their_name'),
    (HELLO, 'return SSL_TLSEXT_ERR_ALERT_FATAL;', 'return SSL_TLSEXT_ERR_NOACK;', 'net tls_certificates', 'test_alpn'),
    (TICKETS, 'if (age_ms < tickets->period_ms)', 'if (true)', 'net tls_rows', 'test_H80_ticket_keys_rotate'),
    (TICKETS, 'tickets->has_current && age_ms < 2 * tickets->period_ms', 'tickets->has_current', 'net tls_rows', 'test_H80_ticket_keys_rotate'),
    (TICKETS, 'return SSL_CTX_set_num_tickets(context, 0) == 1;', 'return true;', 'net tls_rows', 'test_H80_no_tickets_for_0'),
    (TICKETS, 'if (tickets->now_ms() - begun_ms > 2 * tickets->period_ms)', 'if (false)', 'net tls_rows', 'test_H80_sessions_do_not_go_on_for_ever'),
    (TICKETS, '!shown || X509_cmp_current_time(X509_get0_notAfter(shown)) > 0', 'true', 'net tls_rows', 'test_H83_tickets_end_with_the_certificate'),
    ('src/net/tls/tls_names.c', "strchr(normal + 2, '.') &&", '', 'net tls_certificates', 'test_names'),
    ('src/net/tls/tls_file.c', 'if (file->len > DX_TLS_FILE_MAX)', 'if (false)', 'net tls_certificates', 'test_files_that_are_refused'),
    ('src/net/tls/tls_certificate.c', 'sk_X509_num(chain) >= CHAIN_MAX ||', '', 'net tls_certificates', 'test_files_that_are_refused'),
    ('src/net/tls/tls.c', 'if (count >= DX_TLS_CERTIFICATES_MAX)', 'if (false)', 'net tls_certificates', 'test_at_most_a_thousand'),
    ('src/net/tls/tls.c', 'if (!ssl || !dx_tls_certificate_use(certificate, ssl))', 'if (!ssl)', 'net tls_certificates', 'test_reload_drops_nobody'),
    ('src/net/tls/tls_wire.c', 'if (wire->budget == 0)', 'if (false)', 'connection tls', 'test_H81_one_byte_records_take_their_turns'),
    # a connection: deadlines
    (DEADLINES, 'if (has_progressed(connection))', 'if (false)', 'connection deadlines', 'test_a_slow_reader_outlives_the_pong_timeout'),
    (DEADLINES, 'connection->taken = taken;', ';', 'connection deadlines', 'test_no_progress_is_the_end_at_once'),
    (DEADLINES, '(waits ? 0 : PING_WIRE_LEN)', '0', 'connection deadlines', 'test_no_progress_is_the_end_at_once'),
    (WRITING, 'dx_connection_restart_ping(connection);', ';', 'connection deadlines', 'test_a_ping_that_was_blocked_gets_its_time'),
    # a connection: floods and loops without end
    (READING, 'dx_connection_count_late(connection, got);\n    return true;', 'return true;', 'connection closing', 'test_a_flood_behind_our_close_is_cut'),
    (READING, 'dx_connection_count_late(connection, got);\n    if', 'if', 'connection closing', 'test_a_flood_behind_our_close_is_cut'),
    (LIFE, 'read_wants_write ? DX_WATCH_WRITE | DX_WATCH_QUIET', 'read_wants_write ? DX_WATCH_WRITE | DX_WATCH_READ', 'connection tls', 'test_reading_that_has_to_write_does_not_spin'),
    (LIFE, 'read_wants_write ? DX_WATCH_WRITE | DX_WATCH_QUIET', 'read_wants_write ? DX_WATCH_WRITE', 'connection tls', 'test_reading_that_has_to_write_does_not_spin'),
    (LIFE, 'write_wants_read ? DX_WATCH_READ : DX_WATCH_WRITE', 'write_wants_read ? DX_WATCH_WRITE : DX_WATCH_WRITE', 'connection tls', 'test_writing_that_has_to_read_does_not_spin'),
    (READING, 'connection->write_wants_read = false;', ';', 'connection tls', 'test_writing_that_has_to_read_does_not_spin'),
    # guests and completions
    (GUESTS, 'if (was_their_turn)\n        tell_room(connection);', '', 'connection attachment', 'test_owner_and_guests_take_turns'),
    (GUESTS, 'while (attachment && !connection->is_dead)', 'while (attachment)', 'connection attachment', 'test_what_a_guest_may_do'),
    (GUESTS, 'if (dx_connection_is_closing(connection))\n        return DX_ERR_CLOSED;', '', 'connection attachment', 'test_found_by_owner_and_told_of_the_end_first'),
    (WRITING, 'connection->room_is_awaited = true;', ';', 'connection attachment', 'test_not_for_clients_nor_inside_a_message_nor_behind_a_close'),
    (WRITING, 'role == DX_ROLE_CLIENT)\n        return DX_ERR_USAGE;', 'role == DX_ROLE_CLIENT)\n        ;', 'connection attachment', 'test_not_for_clients_nor_inside_a_message_nor_behind_a_close'),
    (WRITING, ' && dx_output_tail_room(&connection->output) >= bytes.len', '', 'connection attachment', 'test_a_shared_frame_takes_no_block'),
    (SENT, 'is_lost ? NEVER_PUT : queue->put', 'queue->put', 'connection sent', 'test_a_message_lost_inside_the_call'),
    (SENT, 'connection->err ? (enum dx_err)connection->err : DX_ERR_CLOSED', '(enum dx_err)connection->err', 'connection sent', 'test_an_abort_tells_which_have_left'),
    # somebody else's uv loop
    (LOOP, 'return dx_loop_is_guest(loop) ? -1 : ', 'return ', 'net loop_uv', 'test_what_is_not_for_such_a_loop'),
    (LOOP, 'if (dx_loop_is_guest(loop))\n        return;', '', 'net loop_uv', 'test_what_is_not_for_such_a_loop'),
    # ids that are stale or made up
    (IDS, 'if (place >= ids->place_count)', 'if (false)', 'base ids', 'ids_that_were_never_given'),
    (IDS, 'return !is_free(*spot->value) && ', 'return ', 'base ids', 'a_generation_ahead'),
    (IDS, ' && *spot->generation == id >> 32;', ';', 'base ids', 'ids_find_their_own_object_or_nothing'),
    (IDS, 'if (*spot.generation < UINT32_MAX)', 'if (true)', 'base ids', 'a_place_whose_generations_are_used_up'),
    (IDS, 'if (chunk >= DX_IDS_CHUNKS)', 'if (false)', 'base ids', 'the_last_place'),
    # peers that open and say nothing
    (HALF_OPEN, 'own_count < DX_HALF_OPEN_MAX - count', 'true', 'server half_open', 'test_shares'),
    (HALF_OPEN, 'count < DX_HALF_OPEN_MAX && own_count', 'own_count', 'server half_open', 'test_all'),
    (HALF_OPEN, ' ^ half_open->key;', ';', 'server half_open', 'test_who_is_one_peer'),
    (HALF_OPEN, 'peer->family == DX_ADDRESS_IPV4 ? 4 : 8', '4', 'server half_open', 'test_who_is_one_peer'),
    # files
    (FIND, "len == 0 || segment[0] == '.'", "segment[0] == '.'", 'server files', 'test_rows_61_to_66'),
    (FIND, "segment[0] == '.' || ", '', 'server files', 'test_rows_61_to_66'),
    (FIND, " || memchr(segment, '\\\\', len) != NULL", '', 'server files', 'test_rows_61_to_66'),
    (FILE, 'RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |', 'RESOLVE_BENEATH |', 'server files', 'test_rows_61_to_66'),
    (FILE, '++tries < TRIES_MAX', 'true', 'server files', 'test_row_63_lease'),
    (FIND, 'if (is_older(&coded.modified, &found->file.modified))', 'if (false)', 'server files_negotiation', 'test_codings'),
    (FIND, 'found->is_acceptable = !codings.refuses_identity;', '', 'server files_negotiation', 'test_codings'),
    (FIND, 'is_settled ? "" : "W/"', '""', 'server files_negotiation', 'test_fresh_files_have_weak_tags'),
    (FIND, 'modified_s < now_s ? modified_s : now_s', 'modified_s', 'server files_negotiation', 'test_tag_tells_states_apart'),
    (FIND, '(uint64_t)file->changed.tv_nsec,', '0,', 'server files_negotiation', 'test_tag_tells_states_apart'),
    (FIND, 'if (dx_files_is_hidden(files, name))\n        return DX_ERR_NOT_FOUND;\n    if (!has_slash)', 'if (!has_slash)', 'server files_negotiation', 'test_row_65_hidden_files'),
    (FILE_BODY, 'bool may_begin = http->turn_len < DX_READ_SIZE;', 'bool may_begin = true;', 'server files_sending', 'test_a_turn_is_bounded'),
    (FILE_BODY, 'return got == 0 ? DX_ERR_CLOSED : DX_ERR_SYSTEM;', '{ memset(bytes, 0, room); got = (ssize_t)at_most(body, room); }', 'server files_sending', 'test_row_67_file_is_emptied_before_it_is_read'),
    (SEND_FILE, 'sent < 0 ? error == EPIPE : (size_t)sent < len', 'sent < 0 && error == EPIPE', 'server files_sending', 'test_no_signal_at_a_closed_peer'),
    (SEND_FILE, '!was_waiting && (sent', '(sent', 'server files_sending', 'test_no_signal_at_a_closed_peer'),
]


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def room_sources(program):
    """The sources that the meson.build files of a program's rooms list, for this processor."""
    is_x86 = platform.machine() in ('x86_64', 'AMD64')
    first = program.split()[0]
    for room in CLIENT_ROOMS if first == 'client' else SERVER_ROOMS if first in SERVER_ROOMS[-4:] else ROOMS:
        with open(os.path.join(ROOT, 'src', room, 'meson.build')) as file:
            names = re.findall(r"'([\w/]+\.c)'", file.read())
        for name in names:
            if re.search('_(avx2|sse2|x86)', name) and not is_x86 or '_portable' in name and is_x86:
                continue
            yield 'src/%s/%s' % (room, name)


def compile_file(source, target):
    flags = FLAGS + (['-mavx2'] if '_avx2' in target else [])
    result = run(CC + flags + ['-c', source, '-o', target])
    if result.returncode != 0:
        sys.exit('%s does not compile:\n%s' % (source, result.stdout.decode()))


def failed_rows(scratch, program, objects, name, row):
    """Links and runs a test program; the names of the tests that failed, or None when the row was not run to its end."""
    sources, link_args, takes_filter = PROGRAMS[program]
    binary = os.path.join(scratch, name)
    result = run(CC + objects + [object_of(scratch, source) for source in sources] + link_args +
                 ['-lcmocka', '-o', binary])
    if result.returncode != 0:
        sys.exit('%s does not link:\n%s' % (program, result.stdout.decode()))
    try:
        result = run([binary] + ([row] if takes_filter else []), timeout=60)
    except subprocess.TimeoutExpired:
        return None
    output = result.stdout.decode(errors='replace')
    if '[ RUN      ] ' + row not in output:
        return []
    if result.returncode < 0:
        return None
    return re.findall(r'^\[  FAILED  \] (.*)$', output, re.MULTILINE)


def object_of(scratch, source):
    return os.path.join(scratch, source.replace('/', '_') + '.o')


def try_guard(scratch, number, guard):
    """None when the row notices, else what is wrong."""
    path, text, replacement, program, row = guard
    with open(os.path.join(ROOT, path)) as file:
        source = file.read()
    if source.count(text) != 1:
        return '%s: the guard stands there %d times: %s' % (path, source.count(text), text)
    copy = os.path.join(scratch, '%d_%s' % (number, os.path.basename(path)))
    with open(copy, 'w') as file:
        file.write(source.replace(text, replacement))
    compile_file(copy, copy + '.o')
    objects = [copy + '.o' if item == path else object_of(scratch, item) for item in room_sources(program)]
    failed = failed_rows(scratch, program, objects, 'guard%d' % number, row)
    os.unlink(os.path.join(scratch, 'guard%d' % number))
    if failed is None or row in failed:
        return None
    return '%s: removed, and "%s" did not notice: %s' % (path, row, text)


def check_whole(scratch, program):
    """With all guards in place every row of the table passes."""
    objects = [object_of(scratch, item) for item in room_sources(program)]
    sources, link_args, takes_filter = PROGRAMS[program]
    binary = os.path.join(scratch, program.replace(' ', '_'))
    result = run(CC + objects + [object_of(scratch, source) for source in sources] + link_args +
                 ['-lcmocka', '-o', binary])
    if result.returncode != 0:
        return '%s does not link:\n%s' % (program, result.stdout.decode())
    result = run([binary])
    output = result.stdout.decode(errors='replace')
    if result.returncode != 0:
        return '%s fails with all guards in place:\n%s' % (program, output)
    for guard in GUARDS:
        if guard[3] == program and '[       OK ] ' + guard[4] not in output:
            return '%s has no row "%s"' % (program, guard[4])
    return None


def main():
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        used = sorted({guard[3] for guard in GUARDS})
        sources = set().union(*(PROGRAMS[program][0] + list(room_sources(program)) for program in used))
        list(pool.map(lambda source: compile_file(source, object_of(scratch, source)), sources))
        problems = [problem for problem in pool.map(lambda program: check_whole(scratch, program), used) if problem]
        if problems:
            sys.exit('\n'.join(problems))
        results = list(pool.map(lambda item: try_guard(scratch, *item), enumerate(GUARDS)))
    for problem in filter(None, results):
        print(problem)
    print('%d guards, %d noticed' % (len(GUARDS), results.count(None)))
    return 1 if any(results) else 0


if __name__ == '__main__':
    sys.exit(main())
