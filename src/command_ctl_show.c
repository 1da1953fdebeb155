#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "codec/scan.h"
#include "command_ctl.h"

enum { COLUMNS_MAX = 8, CELL_MAX = LSIG_CTL_CELL_MAX };

// --- JSON

struct lsig_span lsig_ctl_member(struct lsig_span object, const char *name)
{
    size_t cursor = 0;
    struct lsig_span key;
    struct lsig_span value;
    while (lsig_scan_member(object, &cursor, &key, &value)) {
        if (lsig_span_is(key, name)) {
            bool text = value.data[0] == '"';
            return text ? (struct lsig_span){value.data + 1, value.len - 2} : value;
        }
    }
    return (struct lsig_span){NULL, 0};
}

int64_t lsig_ctl_number(struct lsig_span object, const char *name)
{
    struct lsig_span value = lsig_ctl_member(object, name);
    char text[32] = "";
    memcpy(text, value.data != NULL ? value.data : "",
           value.len < sizeof(text) ? value.len : sizeof(text) - 1);
    return strtoll(text, NULL, 10);
}

bool lsig_ctl_truth(struct lsig_span object, const char *name)
{
    return lsig_span_is(lsig_ctl_member(object, name), "true");
}

// Terminals obey control characters (ISO 6429), also those from U+0080 to U+009F.
static size_t clean(char *text, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool second = c == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0;
        i += second ? 1 : 0;
        bool control = c < 0x20 || c == 0x7f || second;
        text[kept] = text[i];
        if (control) {
            text[kept] = '?';
        }
        kept++;
    }
    return kept;
}

void lsig_ctl_text(char cell[CELL_MAX], struct lsig_span object, const char *name)
{
    struct lsig_span inside = lsig_ctl_member(object, name);
    size_t len = 0;
    char plain[4096];
    cell[0] = '\0';
    if (inside.data == NULL || lsig_span_is(inside, "null") ||
        !lsig_scan_unescape(inside, plain, sizeof(plain), &len)) {
        return;
    }
    len = clean(plain, len);
    len = len < CELL_MAX ? len : CELL_MAX - 1;
    while (len > 0 && len == CELL_MAX - 1 && ((unsigned char)plain[len] & 0xc0) == 0x80) {
        len--; // not within a character
    }
    memcpy(cell, plain, len);
    cell[len] = '\0';
}

void lsig_ctl_print_text(FILE *out, struct lsig_span object, const char *name)
{
    char cell[CELL_MAX];
    lsig_ctl_text(cell, object, name);
    fputs(cell, out);
}

void lsig_ctl_print_lines(FILE *out, struct lsig_span object, const char *name)
{
    struct lsig_span list = lsig_ctl_member(object, name);
    struct lsig_span line;
    size_t cursor = 0;
    while (list.data != NULL && lsig_scan_element(list, &cursor, &line)) {
        char plain[4096];
        size_t len = 0;
        struct lsig_span inside = {line.data + 1, line.len - 2};
        if (lsig_scan_unescape(inside, plain, sizeof(plain), &len)) {
            fprintf(out, "%.*s\n", (int)clean(plain, len), plain);
        }
    }
}

// 2026-11-22T20:15:04.120+00:00 as 2026-11-22 20:15:04
static void time_of(char cell[CELL_MAX], struct lsig_span object, const char *name)
{
    lsig_ctl_text(cell, object, name);
    if (strlen(cell) > 19) {
        cell[10] = ' ';
        cell[19] = '\0';
    }
}

// --- tables

struct table {
    size_t columns;
    const char *titles[COLUMNS_MAX];
    bool right[COLUMNS_MAX]; // numbers
    size_t rows;
    size_t capacity;
    char (*cells)[COLUMNS_MAX][CELL_MAX];
};

static bool has_colour(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR"); // no-color.org
    return isatty(fileno(out)) && (no_colour == NULL || no_colour[0] == '\0');
}

// The cells of a new row, empty.
static char (*add_row(struct table *table))[CELL_MAX]
{
    if (table->rows == table->capacity) {
        table->capacity = table->capacity == 0 ? 16 : table->capacity * 2;
        table->cells = lsig_realloc(table->cells, table->capacity * sizeof(table->cells[0]));
    }
    memset(table->cells[table->rows], 0, sizeof(table->cells[0]));
    return table->cells[table->rows++];
}

// Characters, which is not always columns, but nearly.
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
    size_t own = width_of(text);
    int blanks = width > own ? (int)(width - own) : 0;
    if (right) {
        fprintf(out, "%*s%s", blanks, "", text);
    } else {
        fprintf(out, "%s%*s", text, last ? 0 : blanks, "");
    }
    fputs(last ? "" : "  ", out);
}

static void print_table(FILE *out, struct table *table)
{
    size_t widths[COLUMNS_MAX] = {0};
    bool colour = has_colour(out);
    for (size_t c = 0; c < table->columns; c++) {
        widths[c] = width_of(table->titles[c]);
        for (size_t r = 0; r < table->rows; r++) {
            size_t width = width_of(table->cells[r][c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    fputs(colour ? "\033[1m" : "", out);
    for (size_t c = 0; c < table->columns; c++) {
        print_cell(out, table->titles[c], widths[c], table->right[c], c + 1 == table->columns);
    }
    fputs(colour ? "\033[0m\n" : "\n", out);
    for (size_t r = 0; r < table->rows; r++) {
        for (size_t c = 0; c < table->columns; c++) {
            print_cell(out, table->cells[r][c], widths[c], table->right[c],
                       c + 1 == table->columns);
        }
        fputs("\n", out);
    }
    free(table->cells);
}

static void put_number(char cell[CELL_MAX], int64_t value)
{
    snprintf(cell, CELL_MAX, "%" PRId64, value);
}

// --- the answers

static void print_bytes(FILE *out, const char *name, int64_t bytes)
{
    fprintf(out, "%-16s %.1f MiB\n", name, (double)bytes / (1024.0 * 1024.0));
}

static void print_uptime(FILE *out, int64_t seconds)
{
    fprintf(out, "%-16s ", "uptime");
    if (seconds >= 86400) {
        fprintf(out, "%" PRId64 " d ", seconds / 86400);
    }
    fprintf(out, "%02d:%02d:%02d\n", (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
            (int)(seconds % 60));
}

void lsig_ctl_show_status(FILE *out, struct lsig_span answer)
{
    static const char *const numbers[] = {"policy_version", "connections", "rooms", "members",
                                          "away"};
    fprintf(out, "%-16s ", "version");
    lsig_ctl_print_text(out, answer, "version");
    fputs("\n", out);
    print_uptime(out, lsig_ctl_number(answer, "uptime_s"));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        bool policy = i == 0;
        fprintf(out, "%-16s %" PRId64 "\n", policy ? "policy version" : numbers[i],
                lsig_ctl_number(answer, numbers[i]));
    }
    print_bytes(out, "memory", lsig_ctl_number(answer, "memory_bytes"));
    print_bytes(out, "outbox", lsig_ctl_number(answer, "outbox_bytes"));
    print_bytes(out, "kept for away", lsig_ctl_number(answer, "kept_bytes"));
    fprintf(out, "%-16s %" PRId64 " ms\n", "longest loop gap",
            lsig_ctl_number(answer, "loop_gap_max_ms"));
    fprintf(out, "%-16s %s\n", "draining", lsig_ctl_truth(answer, "draining") ? "yes" : "no");
}

static void print_more(FILE *out, int64_t shown, int64_t all, const char *what)
{
    if (all > shown) {
        fprintf(out, "and %" PRId64 " more %s; see --limit\n", all - shown, what);
    }
}

void lsig_ctl_show_rooms(FILE *out, struct lsig_span answer)
{
    struct table table = {
        .columns = 6,
        .titles = {"ROOM", "MEMBERS", "CONNECTIONS", "AWAY", "WAITING", "REVISION"},
        .right = {false, true, true, true, true, true},
    };
    struct lsig_span rooms = lsig_ctl_member(answer, "rooms");
    struct lsig_span room;
    size_t cursor = 0;
    while (lsig_scan_element(rooms, &cursor, &room)) {
        char(*row)[CELL_MAX] = add_row(&table);
        lsig_ctl_text(row[0], room, "room_id");
        put_number(row[1], lsig_ctl_number(room, "members"));
        put_number(row[2], lsig_ctl_number(room, "connections"));
        put_number(row[3], lsig_ctl_number(room, "away"));
        put_number(row[4], lsig_ctl_number(room, "waiting"));
        put_number(row[5], lsig_ctl_number(room, "revision"));
    }
    int64_t shown = (int64_t)table.rows;
    print_table(out, &table);
    print_more(out, shown, lsig_ctl_number(answer, "count"), "rooms");
}

// The rows of a member: one per connection, what they share in the first.
static void add_member(struct table *table, struct lsig_span member, const char *title)
{
    struct lsig_span connections = lsig_ctl_member(member, "connections");
    struct lsig_span connection;
    size_t cursor = 0;
    bool first = true;
    while (lsig_scan_element(connections, &cursor, &connection)) {
        char(*row)[CELL_MAX] = add_row(table);
        if (first) {
            lsig_ctl_text(row[0], member, title);
            if (lsig_ctl_truth(member, "waiting")) {
                snprintf(row[1], CELL_MAX, "waiting");
            } else {
                lsig_ctl_text(row[1], member, "role");
            }
            time_of(row[2], member, "joined_at");
        }
        first = false;
        lsig_ctl_text(row[3], connection, "peer_id");
        if (lsig_ctl_truth(connection, "away")) {
            snprintf(row[4], CELL_MAX, "away");
        } else {
            lsig_ctl_text(row[4], connection, "dialect");
        }
        lsig_ctl_text(row[5], connection, "address");
    }
}

// Addresses have a column only where there are any.
static void cut_addresses(struct table *table)
{
    bool any = false;
    for (size_t r = 0; r < table->rows; r++) {
        any = any || table->cells[r][5][0] != '\0';
    }
    table->columns = any ? 6 : 5;
}

void lsig_ctl_show_room(FILE *out, struct lsig_span answer)
{
    struct table table = {
        .columns = 6,
        .titles = {"USER", "ROLE", "JOINED (UTC)", "CONNECTION", "DIALECT", "ADDRESS"},
    };
    struct lsig_span members = lsig_ctl_member(answer, "members");
    struct lsig_span member;
    size_t cursor = 0;
    int64_t shown = 0;
    while (lsig_scan_element(members, &cursor, &member)) {
        add_member(&table, member, "user_id");
        shown++;
    }
    fputs("room ", out);
    lsig_ctl_print_text(out, answer, "room_id");
    fprintf(out, ": %" PRId64 " members, %" PRId64 " connections, revision %" PRId64 "\n",
            lsig_ctl_number(answer, "member_count"), lsig_ctl_number(answer, "connection_count"),
            lsig_ctl_number(answer, "revision"));
    cut_addresses(&table);
    print_table(out, &table);
    print_more(out, shown, lsig_ctl_number(answer, "member_count"), "members");
}

void lsig_ctl_show_user(FILE *out, struct lsig_span answer)
{
    struct table table = {
        .columns = 6,
        .titles = {"ROOM", "ROLE", "JOINED (UTC)", "CONNECTION", "DIALECT", "ADDRESS"},
    };
    struct lsig_span rooms = lsig_ctl_member(answer, "rooms");
    struct lsig_span room;
    size_t cursor = 0;
    while (lsig_scan_element(rooms, &cursor, &room)) {
        add_member(&table, room, "room_id");
    }
    cut_addresses(&table);
    print_table(out, &table);
}

void lsig_ctl_show_versions(FILE *out, struct lsig_span answer)
{
    struct table table = {
        .columns = 8,
        .titles = {"VERSION", "STATE", "IN FORCE SINCE (UTC)", "HOOKS", "ERRORS", "MEMORY",
                   "DIGEST", "FOLDER"},
        .right = {true, false, false, true, true, true},
    };
    struct lsig_span versions = lsig_ctl_member(answer, "versions");
    struct lsig_span version;
    size_t cursor = 0;
    while (lsig_scan_element(versions, &cursor, &version)) {
        char(*row)[CELL_MAX] = add_row(&table);
        put_number(row[0], lsig_ctl_number(version, "version"));
        lsig_ctl_text(row[1], version, "state");
        if (lsig_ctl_number(version, "suspended") > 0) {
            size_t len = strlen(row[1]);
            snprintf(row[1] + len, CELL_MAX - len, ", %" PRId64 " suspended",
                     lsig_ctl_number(version, "suspended"));
        }
        time_of(row[2], version, "used_at");
        put_number(row[3], lsig_ctl_number(version, "hooks"));
        put_number(row[4], lsig_ctl_number(version, "errors"));
        snprintf(row[5], CELL_MAX, "%.1f MiB",
                 (double)lsig_ctl_number(version, "memory_bytes") / (1024.0 * 1024.0));
        lsig_ctl_text(row[6], version, "digest");
        row[6][12] = '\0';
        lsig_ctl_text(row[7], version, "folder");
    }
    print_table(out, &table);
}

static void put_pair(FILE *out, struct lsig_span event, const char *name, const char *label)
{
    char cell[CELL_MAX];
    lsig_ctl_text(cell, event, name);
    if (cell[0] != '\0') {
        fprintf(out, " %s%s", label, cell);
    }
}

void lsig_ctl_show_event(FILE *out, struct lsig_span event)
{
    char at[CELL_MAX];
    char kind[CELL_MAX];
    lsig_ctl_text(at, event, "at");
    lsig_ctl_text(kind, event, "event");
    bool alarming = strcmp(kind, "refused") == 0 || strcmp(kind, "dropped") == 0;
    bool colour = has_colour(out) && alarming;
    if (strlen(at) > 23) {
        at[23] = '\0';
    }
    fprintf(out, "%s %s%-12s%s", strlen(at) > 11 ? at + 11 : at, colour ? "\033[31m" : "", kind,
            colour ? "\033[0m" : "");
    put_pair(out, event, "room_id", "");
    put_pair(out, event, "user_id", "");
    put_pair(out, event, "peer_id", "");
    put_pair(out, event, "role", "");
    put_pair(out, event, "type", "");
    put_pair(out, event, "target", "to ");
    if (lsig_ctl_number(event, "bytes") > 0) {
        fprintf(out, " %" PRId64 " bytes", lsig_ctl_number(event, "bytes"));
    }
    put_pair(out, event, "reason", "reason ");
    put_pair(out, event, "code", "");
    put_pair(out, event, "message", "- ");
    if (lsig_ctl_number(event, "count") > 0) {
        fprintf(out, " %" PRId64 " lines, because they were not read in time",
                lsig_ctl_number(event, "count"));
    }
    fputs("\n", out);
    fflush(out);
}
