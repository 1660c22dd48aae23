/* core.prompt: lines typed at a terminal, by libedit: editing, history,
 * completion. What completes is the script's business, and so is the history's
 * file. The prompt is shown on stderr; stdout stays for data. */
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "bind.h"

#define PROMPT_META "bittern.prompt"

enum { HISTORY_MOST = 1000, TEXT_MAX = 64 };

/* Stack slots of prompt_read, and the user value that keeps the function. */
enum { PROMPT = 1, COMPLETE = 2 };
enum { COMPLETES = 1 };

struct prompt {
  EditLine *edit;
  History *history;
  locale_t utf8;
  char text[TEXT_MAX]; /* what stands before the line */
  lua_State *L;        /* of the read under way */
};

int luaopen_core_prompt(lua_State *L);

static struct prompt *of(EditLine *edit) {
  void *prompt = NULL;
  el_get(edit, EL_CLIENTDATA, &prompt);
  return prompt;
}

/* One character, in UTF-8: 1, 0 at the end, -1. A signal that asks the process
 * to end is seen here at once; libedit's own reader would go on. */
static int get_char(EditLine *edit, wchar_t *out) {
  (void)edit;
  mbstate_t state = {0};
  for (;;) {
    char byte;
    ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR && !bind_interrupted()) continue;
    if (got <= 0) return (int)got;
    size_t used = mbrtowc(out, &byte, 1, &state);
    if (used == (size_t)-1) state = (mbstate_t){0};
    if (used <= 1) return 1;
  }
}

static char *show_prompt(EditLine *edit) { return of(edit)->text; }

/* --- keys ------------------------------------------------------------------
 */

/* Ctrl-D leaves where the line is empty, and does nothing elsewhere. */
static unsigned char on_end(EditLine *edit, int key) {
  (void)key;
  const LineInfo *line = el_line(edit);
  return line->lastchar == line->buffer ? CC_EOF : CC_ERROR;
}

/* Calls complete(text before the cursor) -> what to insert [, what to show]:
 * strings or nil. Arguments: complete, the line. */
static int call_complete(lua_State *L) {
  const LineInfo *line = lua_touserdata(L, 2);
  lua_settop(L, 1);
  lua_pushlstring(L, line->buffer, (size_t)(line->cursor - line->buffer));
  lua_call(L, 1, 2);
  luaL_optstring(L, 1, NULL);
  luaL_optstring(L, 2, NULL);
  return 2;
}

/* The same, of which no failure crosses libedit: it completes nothing.
 * [-0, +2, -] on success. */
static bool ask(lua_State *L, const LineInfo *line) {
  if (!lua_checkstack(L, 4)) return false;
  lua_pushcfunction(L, call_complete);
  lua_pushvalue(L, COMPLETE);
  lua_pushlightuserdata(L, (void *)(uintptr_t)line);
  if (lua_pcall(L, 2, 2, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

static unsigned char on_complete(EditLine *edit, int key) {
  (void)key;
  lua_State *L = of(edit)->L;
  int result = CC_ERROR;
  if (!ask(L, el_line(edit))) return CC_ERROR;
  const char *insert = lua_tostring(L, -2);
  const char *shown = lua_tostring(L, -1);
  if (shown != NULL) {
    fprintf(stderr, "\n%s\n", shown);
    result = CC_REDISPLAY;
  }
  if (insert != NULL && insert[0] != '\0' && el_insertstr(edit, insert) == 0)
    result = shown != NULL ? CC_REDISPLAY : CC_REFRESH;
  lua_pop(L, 2);
  return (unsigned char)result;
}

/* --- the module ------------------------------------------------------------
 */

static void bind_keys(EditLine *edit) {
  el_set(edit, EL_EDITOR, "emacs");
  el_set(edit, EL_ADDFN, "bittern-complete", "complete", on_complete);
  el_set(edit, EL_ADDFN, "bittern-end", "leave", on_end);
  el_set(edit, EL_BIND, "\t", "bittern-complete", NULL);
  el_set(edit, EL_BIND, "^D", "bittern-end", NULL);
  el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

static bool start(struct prompt *prompt) {
  HistEvent event;
  prompt->history = history_init();
  prompt->edit = el_init("bittern", stdin, stderr, stderr);
  EditLine *edit = prompt->edit;
  if (edit == NULL || prompt->history == NULL) return false;
  history(prompt->history, &event, H_SETSIZE, HISTORY_MOST);
  history(prompt->history, &event, H_SETUNIQUE, 1);
  el_set(edit, EL_CLIENTDATA, prompt);
  el_set(edit, EL_GETCFN, get_char);
  el_set(edit, EL_PROMPT, show_prompt);
  el_set(edit, EL_HIST, history, prompt->history);
  bind_keys(edit);
  return true;
}

/* open(complete (function)) -> prompt | nil, message, code. Tab calls
 * complete(text before the cursor), which gives what to insert there or nil,
 * and what to show above the line or nil. */
static int f_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct prompt *prompt = lua_newuserdatauv(L, sizeof *prompt, 1);
  *prompt = (struct prompt){0};
  luaL_setmetatable(L, PROMPT_META);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, COMPLETES);
  /* Which bytes are letters is asked once, now: of UTF-8, whatever the locale.
   */
  prompt->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  locale_t before = uselocale(prompt->utf8);
  bool started = start(prompt);
  uselocale(before);
  if (started) return 1;
  return bind_fail(L, "io", "the terminal cannot be used for editing");
}

static struct prompt *check_prompt(lua_State *L) {
  struct prompt *prompt = luaL_checkudata(L, PROMPT, PROMPT_META);
  luaL_argcheck(L, prompt->edit != NULL, PROMPT, "prompt is closed");
  luaL_argcheck(L, prompt->L == NULL, PROMPT, "a line is being read");
  return prompt;
}

/* Reads in UTF-8, whatever the locale: the line is text, not single bytes. */
static const char *get_line(struct prompt *prompt, int *count) {
  locale_t before = uselocale(prompt->utf8);
  const char *line = el_gets(prompt->edit, count);
  uselocale(before);
  return line;
}

/* prompt:read(text) -> string: a line without its end; or false at the end, by
 * Ctrl-D | nil, message, "interrupted" after Ctrl-C. `text` stands before it,
 * at most 63 bytes. */
static int prompt_read(lua_State *L) {
  struct prompt *prompt = check_prompt(L);
  snprintf(prompt->text, sizeof prompt->text, "%s", luaL_checkstring(L, 2));
  lua_settop(L, PROMPT);
  lua_getiuservalue(L, PROMPT, COMPLETES);
  prompt->L = L;
  int count = 0;
  const char *line = get_line(prompt, &count);
  prompt->L = NULL;
  if (bind_interrupted()) {
    fputs("^C\n", stderr);
    return bind_fail(L, "interrupted", "interrupted");
  }
  if (line == NULL || count <= 0) {
    lua_pushboolean(L, false);
    return 1;
  }
  lua_pushlstring(L, line, strcspn(line, "\r\n"));
  return 1;
}

/* prompt:add(line (string)): the arrow keys and Ctrl-R find it from now on. */
static int prompt_add(lua_State *L) {
  HistEvent event;
  struct prompt *prompt = check_prompt(L);
  history(prompt->history, &event, H_ENTER, luaL_checkstring(L, 2));
  return 0;
}

/* prompt:close(): gives the terminal back as it was. */
static int prompt_close(lua_State *L) {
  struct prompt *prompt = luaL_checkudata(L, PROMPT, PROMPT_META);
  luaL_argcheck(L, prompt->L == NULL, PROMPT, "a line is being read");
  if (prompt->edit != NULL) el_end(prompt->edit);
  if (prompt->history != NULL) history_end(prompt->history);
  if (prompt->utf8 != (locale_t)0) freelocale(prompt->utf8);
  *prompt = (struct prompt){0};
  return 0;
}

static int prompt_tostring(lua_State *L) {
  const struct prompt *prompt = luaL_checkudata(L, PROMPT, PROMPT_META);
  lua_pushfstring(L, "prompt (%s)", prompt->edit != NULL ? "open" : "closed");
  return 1;
}

int luaopen_core_prompt(lua_State *L) {
  static const luaL_Reg prompt_methods[] = {{"read", prompt_read},
                                            {"add", prompt_add},
                                            {"close", prompt_close},
                                            {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(open), {NULL, NULL}};
  bind_type(L, PROMPT_META, prompt_methods, prompt_close, prompt_tostring);
  luaL_newlib(L, functions);
  return 1;
}
