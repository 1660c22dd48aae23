/* core.forward: scores token sequences with a model whose layers a table
 * describes. forward_model.c reads the table, forward_pass.c does the work. */
#include "forward.h"

#include <string.h>

#include "bind.h"
#include "buffer.h"
#include "forward_load.h"
#include "pool.h"

#define MODEL_META "bittern.forward"

enum { MOST_DOCUMENTS = 1 << 20 };

/* The userdata: what the work needs, and what the binding does. */
struct model {
  const struct loaded *loaded;
  size_t most_tokens; /* positions that the model knows */
  struct forward_model forward;
  struct layer layers[];
};

int luaopen_core_forward(lua_State *L);

/* new(description (table), weights (table) [, {exact = true}]) -> model | nil,
 * message, "invalid_model". lua/model/architecture.lua says what a description
 * is. `weights` has a weight for each name in it: an f32 buffer, or for a
 * matrix {codec, rows, cols, codes = source [, scales, group, more, offsets,
 * columns as core.quant.decode has them] [, rescue = {rows = i32 buffer,
 * codes, scales}]}, whose bytes are read where they lie. Unless exact,
 * products with packed matrices round activations to eight bits. */
static int f_new(lua_State *L) {
  static const char *const known[] = {"exact", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  bind_check_keys(L, 3, known);
  lua_getfield(L, 1, "layers");
  luaL_argcheck(L, lua_istable(L, 4), 1, "has no layers");
  size_t layers = lua_rawlen(L, 4);
  luaL_argcheck(L, layers <= MOST_LAYERS, 1, "has too many layers");
  lua_pop(L, 1);
  size_t size = sizeof(struct model) + layers * sizeof(struct layer);
  struct model *model = lua_newuserdatauv(L, size, 1);
  memset(model, 0, size);
  model->forward.layer_count = layers;
  model->forward.layers = model->layers;
  lua_newtable(L);
  struct loader loader = {.L = L, .weights = 2, .kept = 5};
  model->most_tokens = load_model(&loader, &model->forward);
  if (loader.failure[0] != '\0')
    return bind_fail(L, "invalid_model", "%s", loader.failure);
  model->loaded = loader.loaded;
  lua_settop(L, 5);
  lua_setiuservalue(L, 4, 1);
  luaL_setmetatable(L, MODEL_META);
  return 1;
}

/* The model at 1, whose weights are still there. */
static const struct model *check_model(lua_State *L) {
  const struct model *model = luaL_checkudata(L, 1, MODEL_META);
  luaL_argcheck(L, loaded_are_open(model->loaded), 1,
                "the file of its weights is closed");
  luaL_argcheck(L, kernels_chosen() != NULL, 1,
                "BITTERN_ISA names kernels that this processor has not");
  return model;
}

/* Position of the first token outside of the vocabulary, or count. */
static size_t first_unknown(const struct buffer *tokens, size_t vocab) {
  const int32_t *token = tokens->data;
  size_t i = 0;
  while (i < tokens->count && token[i] >= 0 && (size_t)token[i] < vocab)
    i++;
  return i;
}

/* A document of `tokens`, the buffer on the top of the stack. Returns 0, or
 * pushes nil, message, code and returns 3. */
static int make_document(lua_State *L, const struct model *model,
                         const struct buffer *tokens, size_t index,
                         struct forward_document *document) {
  size_t bad = first_unknown(tokens, model->forward.vocab);
  if (bad < tokens->count)
    return bind_fail(L, "invalid_model",
                     "document %I, position %I: token %d is outside of the "
                     "vocabulary of %I",
                     (LUAI_UACINT)index, (LUAI_UACINT)bad,
                     (int)((const int32_t *)tokens->data)[bad],
                     (LUAI_UACINT)model->forward.vocab);
  if (tokens->count > model->most_tokens)
    return bind_fail(L, "invalid_model",
                     "document %I has %I tokens, the model has positions for "
                     "%I",
                     (LUAI_UACINT)index, (LUAI_UACINT)tokens->count,
                     (LUAI_UACINT)model->most_tokens);
  *document =
      (struct forward_document){.tokens = tokens->data, .count = tokens->count};
  return 0;
}

/* Tells where numbers are not finite. */
static int fail_not_finite(lua_State *L, const struct model *model,
                           const struct forward_document *document,
                           size_t number) {
  size_t stage = document->stage, layers = model->forward.layer_count;
  const char *where = "logits are not finite";
  if (stage == 0) where = "the embedding is not finite";
  if (stage > 0 && stage <= layers)
    where = lua_pushfstring(L, "layer %I gives numbers that are not finite",
                            (LUAI_UACINT)(stage - 1));
  return bind_fail(L, "invalid_model", "document %I, position %I: %s",
                   (LUAI_UACINT)number, (LUAI_UACINT)document->position, where);
}

/* The first failure among the documents, which are numbered from `number` on:
 * pushes it and returns 3, or 0. */
static int report(lua_State *L, const struct model *model,
                  const struct forward_document *documents, size_t count,
                  size_t number) {
  for (size_t i = 0; i < count; i++) {
    switch (documents[i].status) {
    case FORWARD_OK:
      break;
    case FORWARD_INTERRUPTED:
      return bind_fail(L, "interrupted", "interrupted");
    case FORWARD_NO_MEMORY:
      return bind_fail(
          L, "no_memory", "document %I: no memory for its %I tokens",
          (LUAI_UACINT)(number + i), (LUAI_UACINT)documents[i].count);
    case FORWARD_NOT_FINITE:
      return fail_not_finite(L, model, &documents[i], number + i);
    }
  }
  return 0;
}

/* Tokens at stack index `index`; raises otherwise. */
static const struct buffer *check_tokens(lua_State *L, int index, int arg) {
  const struct buffer *tokens = buffer_test(L, index, DTYPE_I32);
  luaL_argcheck(L, tokens != NULL, arg, "tokens must be an i32 buffer");
  luaL_argcheck(L, tokens->count <= MOST_TOKENS, arg, "more than 2^20 tokens");
  return tokens;
}

/* Argument `arg`: how many threads, 1 when there is none. */
static size_t check_threads(lua_State *L, int arg) {
  lua_Integer threads = luaL_optinteger(L, arg, 1);
  luaL_argcheck(L, threads >= 1, arg, "must be at least 1");
  return threads < POOL_MOST ? (size_t)threads : POOL_MOST;
}

static size_t targets(const struct buffer *tokens) {
  return tokens->count > 0 ? tokens->count - 1 : 0;
}

/* model:score(tokens (i32 buffer) [, threads = 1]) -> f32 buffer: the negative
 * log-likelihood, in nats, of each token but the first | nil, message, code. */
static int f_score(lua_State *L) {
  const struct model *model = check_model(L);
  const struct buffer *tokens = check_tokens(L, 2, 2);
  size_t threads = check_threads(L, 3);
  struct forward_document document;
  int failed = make_document(L, model, tokens, 1, &document);
  if (failed != 0) return failed;
  document.nll = buffer_push(L, DTYPE_F32, targets(tokens))->data;
  forward_run(&model->forward, &document, 1, threads);
  failed = report(L, model, &document, 1, 1);
  return failed != 0 ? failed : 1;
}

/* model:logits(tokens (i32 buffer) [, threads = 1]) -> f32 buffer [count,
 * vocab] | nil, message, code. */
static int f_logits(lua_State *L) {
  const struct model *model = check_model(L);
  const struct buffer *tokens = check_tokens(L, 2, 2);
  size_t threads = check_threads(L, 3);
  struct forward_document document;
  int failed = make_document(L, model, tokens, 1, &document);
  if (failed != 0) return failed;
  document.logits =
      buffer_push(L, DTYPE_F32, tokens->count * model->forward.vocab)->data;
  forward_run(&model->forward, &document, 1, threads);
  failed = report(L, model, &document, 1, 1);
  return failed != 0 ? failed : 1;
}

/* model:score_many(documents (array of i32 buffers) [, threads = 1 [, number =
 * 1]]) -> array of f32 buffers, as score gives them | nil, message, code.
 * Messages count the documents from `number` on. */
static int f_score_many(lua_State *L) {
  const struct model *model = check_model(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t threads = check_threads(L, 3);
  size_t number = lua_isnoneornil(L, 4) ? 1 : (size_t)bind_size(L, 4);
  size_t count = (size_t)luaL_len(L, 2);
  luaL_argcheck(L, count <= MOST_DOCUMENTS, 2, "more than 2^20 documents");
  lua_settop(L, 2);
  struct forward_document *documents =
      lua_newuserdatauv(L, (count + 1) * sizeof *documents, 0);
  lua_createtable(L, (int)count, 0); /* results at 4 */
  lua_createtable(L, (int)count, 0); /* the tokens, kept alive, at 5 */
  for (size_t i = 0; i < count; i++) {
    lua_geti(L, 2, (lua_Integer)i + 1);
    const struct buffer *tokens = check_tokens(L, -1, 2);
    int failed = make_document(L, model, tokens, number + i, &documents[i]);
    if (failed != 0) return failed;
    lua_seti(L, 5, (lua_Integer)i + 1);
    documents[i].nll = buffer_push(L, DTYPE_F32, targets(tokens))->data;
    lua_seti(L, 4, (lua_Integer)i + 1);
  }
  forward_run(&model->forward, documents, count, threads);
  int failed = report(L, model, documents, count, number);
  lua_settop(L, failed != 0 ? lua_gettop(L) : 4);
  return failed != 0 ? failed : 1;
}

/* The buffer in field `key` of the table at `at`, of `count` elements, or NULL
 * where there is none. */
static void *opt_sums(lua_State *L, int at, const char *key, enum dtype dtype,
                      size_t count) {
  lua_getfield(L, at, key);
  const struct buffer *buffer = buffer_test(L, -1, dtype);
  if (!lua_isnil(L, -1) && (buffer == NULL || buffer->count != count))
    luaL_error(L, "'%s' must be a buffer of %I numbers", key,
               (LUAI_UACINT)count);
  lua_pop(L, 1); /* the table keeps it */
  return buffer ? buffer->data : NULL;
}

/* What is wanted of one matrix, as the table on the top of the stack says. */
static struct moment check_moment(lua_State *L) {
  static const char *const known[] = {"weight", "squares", "products", NULL};
  int at = lua_gettop(L);
  bind_check_keys(L, at, known);
  const char *name = bind_opt_string(L, at, "weight", "");
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, -1, name);
  const struct loaded *loaded = lua_touserdata(L, -1);
  if (loaded == NULL) luaL_error(L, "'%s' is no matrix of the model", name);
  lua_settop(L, at);
  size_t inputs = loaded->matrix.cols;
  struct moment moment = {.matrix = &loaded->matrix, .inputs = inputs};
  moment.squares = opt_sums(L, at, "squares", DTYPE_F64, inputs);
  moment.products = opt_sums(L, at, "products", DTYPE_F32, inputs * inputs);
  if (moment.squares == NULL) luaL_error(L, "'squares' is missing");
  return moment;
}

/* model:collect(tokens (i32 buffer), wanted (array of {weight = name, squares
 * = f64 buffer [inputs], products = f32 buffer [inputs, inputs] or nil}) [,
 * threads = 1]) -> true | nil, message, code: adds the squares of what goes
 * into each of these matrices, and the products of each pair up to the
 * diagonal, over all tokens. Of matrices that read the same only the first of
 * a layer is known. */
static int f_collect(lua_State *L) {
  const struct model *model = check_model(L);
  const struct buffer *tokens = check_tokens(L, 2, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  size_t threads = check_threads(L, 4), count = lua_rawlen(L, 3);
  struct forward_document document;
  int failed = make_document(L, model, tokens, 1, &document);
  if (failed != 0) return failed;
  struct moment *moments =
      lua_newuserdatauv(L, (count + 1) * sizeof *moments, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 3, (lua_Integer)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    moments[i] = check_moment(L);
    lua_pop(L, 1);
  }
  document.moments = moments;
  document.moment_count = count;
  forward_run(&model->forward, &document, 1, threads);
  failed = report(L, model, &document, 1, 1);
  if (failed == 0) lua_pushboolean(L, true);
  return failed != 0 ? failed : 1;
}

/* finish(products (f32 buffer [inputs, inputs]), inputs (integer), divisor
 * (number)): divides what collect has added, and mirrors it at the diagonal. */
static int f_finish(lua_State *L) {
  struct buffer *products = buffer_check(L, 1, DTYPE_F32);
  size_t inputs = (size_t)bind_size(L, 2);
  luaL_argcheck(L, inputs <= MOST_SIZE && products->count == inputs * inputs, 2,
                "is not the buffer's side");
  moments_finish(products->data, inputs, luaL_checknumber(L, 3));
  return 0;
}

/* The weights go with the userdata's user value. */
static int f_close(lua_State *L) {
  (void)L;
  return 0;
}

static int f_tostring(lua_State *L) {
  const struct model *model = luaL_checkudata(L, 1, MODEL_META);
  lua_pushfstring(L, "forward model (%I layers, hidden %I)",
                  (LUAI_UACINT)model->forward.layer_count,
                  (LUAI_UACINT)model->forward.hidden);
  return 1;
}

int luaopen_core_forward(lua_State *L) {
  static const luaL_Reg model_methods[] = {
      BIND(score), BIND(score_many), BIND(logits), BIND(collect), {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(new), BIND(finish), {NULL, NULL}};
  buffer_require(L);
  bind_type(L, MODEL_META, model_methods, f_close, f_tostring);
  luaL_newlib(L, functions);
  return 1;
}
