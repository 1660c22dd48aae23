/* core.store: SQLite, for what must survive: the ledger and the practice
 * coordinator.
 *
 * Statements live in a to-be-closed slot of the binding that runs them, so an
 * error that Lua throws half-way finalises them like a normal return does. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "bind.h"

#define STORE_META     "bittern.store"
#define STATEMENT_META "bittern.statement"

/* Another process may hold the file for BUSY_TRIES x BUSY_WAIT_MS = 5 s; every
 * POLL_STEPS instructions of SQLite's machine we look for Ctrl-C. */
enum { BUSY_TRIES = 200, BUSY_WAIT_MS = 25, POLL_STEPS = 10000 };

struct store {
  sqlite3 *handle; /* NULL once closed */
  char path[PATH_MAX];
};

struct statement {
  sqlite3_stmt *handle; /* NULL once finalised */
};

int luaopen_core_store(lua_State *L);

/* SQLite waits for another process: sleeps and says go on, until 5 s have
 * passed or the user asked to stop. */
static int on_busy(void *user, int tries) {
  (void)user;
  if (tries >= BUSY_TRIES || bind_interrupted()) return 0;
  poll(NULL, 0, BUSY_WAIT_MS);
  return 1;
}

static int on_progress(void *user) {
  (void)user;
  return bind_interrupted();
}

static const char *system_code(int error) {
  switch (error) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return "disk_full";
  case EACCES:
  case EPERM:
  case EROFS:
    return "denied";
  case ENOENT:
  case ENOTDIR:
    return "not_found";
  default:
    return "io";
  }
}

/* The errno of the last failed call on the journal or on the file itself;
 * sqlite3_system_errno reads errno too late for a failed write. */
static int last_errno(sqlite3 *handle) {
  int error = 0;
  sqlite3_file *journal = NULL;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
  if (journal != NULL && journal->pMethods != NULL)
    journal->pMethods->xFileControl(journal, SQLITE_FCNTL_LAST_ERRNO, &error);
  if (error == 0)
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
  return error;
}

static const char *code_of(sqlite3 *handle, int result) {
  switch (result & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return bind_interrupted() ? "interrupted" : "locked";
  case SQLITE_FULL:
    return "disk_full";
  case SQLITE_INTERRUPT:
    return "interrupted";
  case SQLITE_CONSTRAINT:
    return "constraint";
  case SQLITE_READONLY:
    return "denied";
  case SQLITE_IOERR:
    return system_code(last_errno(handle));
  case SQLITE_CANTOPEN:
    return system_code(sqlite3_system_errno(handle));
  default:
    return "io";
  }
}

/* Pushes nil, "path: what SQLite says", code. [-0, +3, m] */
static int fail(lua_State *L, const struct store *store, int result) {
  return bind_fail(L, code_of(store->handle, result), "%s: %s", store->path,
                   sqlite3_errmsg(store->handle));
}

static struct store *check_store(lua_State *L) {
  struct store *store = luaL_checkudata(L, 1, STORE_META);
  luaL_argcheck(L, store->handle != NULL, 1, "store is closed");
  return store;
}

static int statement_close(lua_State *L) {
  struct statement *statement = luaL_checkudata(L, 1, STATEMENT_META);
  sqlite3_finalize(statement->handle);
  statement->handle = NULL;
  return 0;
}

static int statement_tostring(lua_State *L) {
  lua_pushliteral(L, "statement");
  return 1;
}

/* A statement in a slot that is closed when the binding returns or throws.
 * [-0, +1, m] */
static struct statement *push_statement(lua_State *L) {
  struct statement *statement = lua_newuserdatauv(L, sizeof *statement, 0);
  statement->handle = NULL;
  luaL_setmetatable(L, STATEMENT_META);
  lua_toclose(L, -1);
  return statement;
}

/* Prepares the first statement of `sql`, which may be blank (handle NULL), and
 * moves `sql` behind it. Returns SQLite's result. */
static int prepare(const struct store *store, struct statement *statement,
                   const char **sql) {
  sqlite3_finalize(statement->handle);
  statement->handle = NULL;
  return sqlite3_prepare_v2(store->handle, *sql, -1, &statement->handle, sql);
}

/* Text is bound as text; with a zero byte in it, where SQL's own functions
 * would stop, as a blob. Both come back as the same string. */
static int bind_string(sqlite3_stmt *handle, int index, struct bytes bytes) {
  const char *data = (const char *)bytes.data;
  if (memchr(data, 0, bytes.size) == NULL)
    return sqlite3_bind_text64(handle, index, data, bytes.size, SQLITE_STATIC,
                               SQLITE_UTF8);
  return sqlite3_bind_blob64(handle, index, data, bytes.size, SQLITE_STATIC);
}

static int bind_number(lua_State *L, sqlite3_stmt *handle, int index, int arg) {
  if (lua_isinteger(L, arg))
    return sqlite3_bind_int64(handle, index, lua_tointeger(L, arg));
  /* SQLite would store NaN as NULL without a word. */
  luaL_argcheck(L, !isnan(lua_tonumber(L, arg)), arg, "is not a number (NaN)");
  return sqlite3_bind_double(handle, index, lua_tonumber(L, arg));
}

/* Binds the Lua value at `arg`. The bytes stay in their stack slot for as long
 * as the statement runs. */
static int bind_value(lua_State *L, sqlite3_stmt *handle, int index, int arg) {
  switch (lua_type(L, arg)) {
  case LUA_TNIL:
    return sqlite3_bind_null(handle, index);
  case LUA_TBOOLEAN:
    return sqlite3_bind_int(handle, index, lua_toboolean(L, arg));
  case LUA_TNUMBER:
    return bind_number(L, handle, index, arg);
  default:
    return bind_string(handle, index, bind_bytes(L, arg));
  }
}

/* Binds arguments 3..top, which must be as many as the statement has marks. */
static int bind_all(lua_State *L, sqlite3_stmt *handle, int given) {
  int wanted = sqlite3_bind_parameter_count(handle);
  if (given != wanted)
    luaL_error(L, "statement has %d parameters, %d given", wanted, given);
  int result = SQLITE_OK;
  for (int i = 1; i <= given && result == SQLITE_OK; i++)
    result = bind_value(L, handle, i, i + 2);
  return result;
}

/* Pushes column `index` of the current row. [-0, +1, m] */
static void push_column(lua_State *L, sqlite3_stmt *handle, int index) {
  switch (sqlite3_column_type(handle, index)) {
  case SQLITE_INTEGER:
    lua_pushinteger(L, sqlite3_column_int64(handle, index));
    break;
  case SQLITE_FLOAT:
    lua_pushnumber(L, sqlite3_column_double(handle, index));
    break;
  case SQLITE_NULL:
    lua_pushnil(L);
    break;
  default: {
    const void *data = sqlite3_column_blob(handle, index);
    int size = sqlite3_column_bytes(handle, index);
    lua_pushlstring(L, data == NULL ? "" : data, (size_t)size);
  }
  }
}

/* Pushes {column = value}; NULL is left out. [-0, +1, m] */
static void push_row(lua_State *L, sqlite3_stmt *handle) {
  int columns = sqlite3_column_count(handle);
  lua_createtable(L, 0, columns);
  for (int i = 0; i < columns; i++) {
    push_column(L, handle, i);
    lua_setfield(L, -2, sqlite3_column_name(handle, i));
  }
}

static bool blank(const char *sql) {
  return sql[strspn(sql, " \t\r\n;")] == '\0';
}

/* store:query(sql, ...) -> array of rows {column = value} | nil, message, code.
 * One statement; the values after it fill its question marks in order. */
static int f_query(lua_State *L) {
  const struct store *store = check_store(L);
  const char *sql = luaL_checkstring(L, 2);
  int given = lua_gettop(L) - 2;
  luaL_checkstack(L, 10, "too many values");
  struct statement *statement = push_statement(L);
  int result = prepare(store, statement, &sql);
  if (result != SQLITE_OK) return fail(L, store, result);
  luaL_argcheck(L, statement->handle != NULL && blank(sql), 2,
                "must be one statement");
  result = bind_all(L, statement->handle, given);
  lua_newtable(L);
  for (lua_Integer n = 1; result == SQLITE_OK || result == SQLITE_ROW; n++) {
    result = sqlite3_step(statement->handle);
    if (result != SQLITE_ROW) break;
    push_row(L, statement->handle);
    lua_rawseti(L, -2, n);
  }
  return result == SQLITE_DONE ? 1 : fail(L, store, result);
}

static int run_to_end(sqlite3_stmt *handle) {
  int result;
  do
    result = sqlite3_step(handle);
  while (result == SQLITE_ROW);
  return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* store:exec(sql, ...) -> integer: rows changed | nil, message, code. Several
 * statements may stand in `sql` when no values follow it. */
static int f_exec(lua_State *L) {
  const struct store *store = check_store(L);
  const char *sql = luaL_checkstring(L, 2);
  int given = lua_gettop(L) - 2;
  luaL_checkstack(L, 10, "too many values");
  sqlite3_int64 before = sqlite3_total_changes64(store->handle);
  struct statement *statement = push_statement(L);
  int result = SQLITE_OK;
  while (!blank(sql) && result == SQLITE_OK) {
    result = prepare(store, statement, &sql);
    if (result != SQLITE_OK || statement->handle == NULL) break;
    result = bind_all(L, statement->handle, given);
    if (result == SQLITE_OK) result = run_to_end(statement->handle);
  }
  if (result != SQLITE_OK) return fail(L, store, result);
  lua_pushinteger(L, sqlite3_total_changes64(store->handle) - before);
  return 1;
}

/* A rollback that fails is made good when the file is opened again. */
static void roll_back(const struct store *store) {
  if (store->handle != NULL && !sqlite3_get_autocommit(store->handle))
    sqlite3_exec(store->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* store:transaction(call (function)) -> what call(store) returns. Commits
 * unless its first result is nil; rolls back then, and on an error, which goes
 * on to the caller. */
static int f_transaction(lua_State *L) {
  struct store *store = check_store(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  if (!sqlite3_get_autocommit(store->handle))
    return luaL_error(L, "a transaction is already open");
  lua_settop(L, 2);
  int result = sqlite3_exec(store->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  if (result != SQLITE_OK) return fail(L, store, result);
  lua_pushvalue(L, 1);
  int status = lua_pcall(L, 1, LUA_MULTRET, 0);
  int results = lua_gettop(L) - 1;
  if (status != LUA_OK || results == 0 || lua_isnil(L, 2)) roll_back(store);
  if (status != LUA_OK) return lua_error(L);
  if (store->handle == NULL)
    return luaL_error(L, "store was closed inside its transaction");
  if (results == 0)
    return luaL_error(L, "a transaction's function must return something, "
                         "nil to roll back");
  if (lua_isnil(L, 2)) return results;
  result = sqlite3_exec(store->handle, "COMMIT", NULL, NULL, NULL);
  if (result == SQLITE_OK) return results;
  fail(L, store, result);
  roll_back(store);
  return 3;
}

/* store:close(): closes the database once its last statement is done. */
static int f_close(lua_State *L) {
  struct store *store = luaL_checkudata(L, 1, STORE_META);
  sqlite3_close_v2(store->handle);
  store->handle = NULL;
  return 0;
}

static int f_tostring(lua_State *L) {
  const struct store *store = luaL_checkudata(L, 1, STORE_META);
  lua_pushfstring(L, "store (%s, %s)", store->path,
                  store->handle != NULL ? "open" : "closed");
  return 1;
}

/* Creates the file for its owner only, before SQLite would for everyone. An
 * existing file is left alone: closing a second descriptor of a file would
 * drop the locks that this process has on it. Returns 0 or an errno value. */
static int create_private(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return errno == EEXIST ? 0 : errno;
  return close(fd) == 0 ? 0 : errno;
}

/* Opens the file and sets what design.md asks of every database of ours. */
static int open_store(struct store *store) {
  static const char *const settings =
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
      "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";
  int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  int result = sqlite3_open_v2(store->path, &store->handle, flags, NULL);
  if (result != SQLITE_OK) return result;
  sqlite3_extended_result_codes(store->handle, 1);
  sqlite3_busy_handler(store->handle, on_busy, NULL);
  sqlite3_progress_handler(store->handle, POLL_STEPS, on_progress, NULL);
  return sqlite3_exec(store->handle, settings, NULL, NULL, NULL);
}

/* open(path) -> store | nil, message, code. Creates the file with mode 0600. */
static int f_open(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length > 0 && length < PATH_MAX, 1, "bad path length");
  luaL_argcheck(L, strlen(path) == length, 1, "path contains a zero byte");
  struct store *store = lua_newuserdatauv(L, sizeof *store, 0);
  memset(store, 0, sizeof *store);
  memcpy(store->path, path, length);
  luaL_setmetatable(L, STORE_META);
  int error = create_private(path);
  if (error != 0) return bind_errno(L, error, path);
  int result = open_store(store);
  if (result == SQLITE_OK) return 1;
  int pushed = fail(L, store, result);
  sqlite3_close_v2(store->handle);
  store->handle = NULL;
  return pushed;
}

int luaopen_core_store(lua_State *L) {
  static const luaL_Reg statement_methods[] = {{NULL, NULL}};
  static const luaL_Reg store_methods[] = {
      BIND(query), BIND(exec), BIND(transaction), BIND(close), {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(open), {NULL, NULL}};
  bind_type(L, STATEMENT_META, statement_methods, statement_close,
            statement_tostring);
  bind_type(L, STORE_META, store_methods, f_close, f_tostring);
  luaL_newlib(L, functions);
  return 1;
}
