/* core.forward: scores token sequences with a dense Qwen3 model. The work is in
 * forward_pass.c; here tables become structs and buffers. */
#include "forward.h"

#include <stdio.h>
#include <string.h>

#include "bind.h"
#include "buffer.h"

#define MODEL_META "bittern.forward"

/* Bounds under which no product of two sizes and a buffer's count overflows. */
enum {
  MOST_LAYERS = 1 << 10,
  MOST_SIZE = 1 << 22,
  MOST_TOKENS = 1 << 20,
  MOST_DOCUMENTS = 1 << 20,
};

int luaopen_core_forward(lua_State *L);

static size_t config_size(lua_State *L, const char *key, lua_Integer high) {
  lua_Integer value = bind_opt_integer(L, 1, key, 1, high, 0);
  if (value == 0) luaL_error(L, "option '%s' is missing", key);
  return (size_t)value;
}

static struct forward_config check_config(lua_State *L) {
  struct forward_config c = {
      .hidden = config_size(L, "hidden_size", MOST_SIZE),
      .intermediate = config_size(L, "intermediate_size", MOST_SIZE),
      .layers = config_size(L, "num_hidden_layers", MOST_LAYERS),
      .heads = config_size(L, "num_attention_heads", MOST_LAYERS),
      .kv_heads = config_size(L, "num_key_value_heads", MOST_LAYERS),
      .head_dim = config_size(L, "head_dim", MOST_LAYERS),
      .vocab = config_size(L, "vocab_size", MOST_SIZE),
      .eps = (float)bind_opt_number(L, 1, "rms_norm_eps", 1e-6),
      .theta = bind_opt_number(L, 1, "rope_theta", 10000),
  };
  if (c.heads % c.kv_heads != 0 || c.head_dim % 2 != 0)
    luaL_error(L, "heads cannot be divided as the config says");
  if (!(c.eps > 0) || !(c.theta >= 1))
    luaL_error(L, "rms_norm_eps or rope_theta is out of range");
  return c;
}

/* Reads weights by name from the table at index 2. */
struct loader {
  lua_State *L;
  char failure[160]; /* empty while all is well */
};

/* The weight of that name with that many elements; else notes the failure and
 * returns NULL. */
static const float *load(struct loader *loader, const char *name,
                         size_t count) {
  lua_State *L = loader->L;
  if (loader->failure[0] != '\0') return NULL;
  lua_getfield(L, 2, name);
  const struct buffer *weight = buffer_test(L, -1, DTYPE_F32);
  bool missing = lua_isnil(L, -1);
  if (weight != NULL && weight->count == count) {
    lua_setfield(L, 4, name); /* the model keeps it alive */
    return weight->data;
  }
  lua_pop(L, 1);
  if (missing)
    snprintf(loader->failure, sizeof loader->failure, "no tensor '%s'", name);
  else if (weight == NULL)
    snprintf(loader->failure, sizeof loader->failure,
             "tensor '%s' is not an f32 buffer", name);
  else
    snprintf(loader->failure, sizeof loader->failure,
             "tensor '%s' has %zu elements, the config needs %zu", name,
             weight->count, count);
  return NULL;
}

static const float *load_layer(struct loader *loader, size_t layer,
                               const char *name, size_t count) {
  char full[80];
  snprintf(full, sizeof full, "model.layers.%zu.%s.weight", layer, name);
  return load(loader, full, count);
}

static void load_layers(struct loader *loader, struct forward_model *model) {
  const struct forward_config *c = &model->config;
  size_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
  size_t square = c->hidden * c->intermediate;
  for (size_t i = 0; i < c->layers; i++)
    model->layers[i] = (struct forward_layer){
        .input_norm = load_layer(loader, i, "input_layernorm", c->hidden),
        .q = load_layer(loader, i, "self_attn.q_proj", q * c->hidden),
        .k = load_layer(loader, i, "self_attn.k_proj", kv * c->hidden),
        .v = load_layer(loader, i, "self_attn.v_proj", kv * c->hidden),
        .q_norm = load_layer(loader, i, "self_attn.q_norm", c->head_dim),
        .k_norm = load_layer(loader, i, "self_attn.k_norm", c->head_dim),
        .o = load_layer(loader, i, "self_attn.o_proj", q * c->hidden),
        .post_norm =
            load_layer(loader, i, "post_attention_layernorm", c->hidden),
        .gate = load_layer(loader, i, "mlp.gate_proj", square),
        .up = load_layer(loader, i, "mlp.up_proj", square),
        .down = load_layer(loader, i, "mlp.down_proj", square),
    };
}

/* new(config, weights) -> model | nil, message, "invalid_model". `config` has
 * the sizes by their Hugging Face names, `weights` f32 buffers by theirs. */
static int f_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  struct forward_config c = check_config(L);
  bool tied = bind_opt_boolean(L, 1, "tie_word_embeddings", false);
  struct forward_model *model = lua_newuserdatauv(
      L, sizeof *model + c.layers * sizeof(struct forward_layer), 1);
  memset(model, 0, sizeof *model + c.layers * sizeof(struct forward_layer));
  model->config = c;
  lua_newtable(L);
  struct loader loader = {.L = L};
  model->embedding =
      load(&loader, "model.embed_tokens.weight", c.vocab * c.hidden);
  load_layers(&loader, model);
  model->norm = load(&loader, "model.norm.weight", c.hidden);
  model->head = tied ? model->embedding
                     : load(&loader, "lm_head.weight", c.vocab * c.hidden);
  if (loader.failure[0] != '\0')
    return bind_fail(L, "invalid_model", "%s", loader.failure);
  lua_setiuservalue(L, 3, 1);
  luaL_setmetatable(L, MODEL_META);
  return 1;
}

static const struct forward_model *check_model(lua_State *L) {
  return luaL_checkudata(L, 1, MODEL_META);
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
static int make_document(lua_State *L, const struct forward_model *model,
                         const struct buffer *tokens, size_t index,
                         struct forward_document *document) {
  size_t bad = first_unknown(tokens, model->config.vocab);
  if (bad < tokens->count)
    return bind_fail(L, "invalid_model",
                     "document %I, position %I: token %d is outside of the "
                     "vocabulary of %I",
                     (LUAI_UACINT)index, (LUAI_UACINT)bad,
                     (int)((const int32_t *)tokens->data)[bad],
                     (LUAI_UACINT)model->config.vocab);
  *document =
      (struct forward_document){.tokens = tokens->data, .count = tokens->count};
  return 0;
}

/* The first failure among the documents, which are numbered from `number` on:
 * pushes it and returns 3, or 0. */
static int report(lua_State *L, const struct forward_document *documents,
                  size_t count, size_t number) {
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
      return bind_fail(
          L, "invalid_model", "document %I, position %I: logits are not finite",
          (LUAI_UACINT)(number + i), (LUAI_UACINT)documents[i].position);
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

static size_t targets(const struct buffer *tokens) {
  return tokens->count > 0 ? tokens->count - 1 : 0;
}

/* model:score(tokens) -> f32 buffer: the negative log-likelihood, in nats, of
 * each token but the first | nil, message, code. */
static int f_score(lua_State *L) {
  const struct forward_model *model = check_model(L);
  const struct buffer *tokens = check_tokens(L, 2, 2);
  struct forward_document document;
  int failed = make_document(L, model, tokens, 1, &document);
  if (failed != 0) return failed;
  document.nll = buffer_push(L, DTYPE_F32, targets(tokens))->data;
  forward_run(model, &document, 1, 1);
  failed = report(L, &document, 1, 1);
  return failed != 0 ? failed : 1;
}

/* model:logits(tokens) -> f32 buffer [count, vocab] | nil, message, code. */
static int f_logits(lua_State *L) {
  const struct forward_model *model = check_model(L);
  const struct buffer *tokens = check_tokens(L, 2, 2);
  struct forward_document document;
  int failed = make_document(L, model, tokens, 1, &document);
  if (failed != 0) return failed;
  document.logits =
      buffer_push(L, DTYPE_F32, tokens->count * model->config.vocab)->data;
  forward_run(model, &document, 1, 1);
  failed = report(L, &document, 1, 1);
  return failed != 0 ? failed : 1;
}

/* model:score_many({tokens, ...} [, threads = 1 [, number = 1]])
 *   -> {f32 buffer, ...} as score | nil, message, code. Messages count the
 * documents from `number` on. */
static int f_score_many(lua_State *L) {
  const struct forward_model *model = check_model(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer threads = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, threads >= 1, 3, "must be at least 1");
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
  forward_run(model, documents, count, (size_t)threads);
  int failed = report(L, documents, count, number);
  lua_settop(L, failed != 0 ? lua_gettop(L) : 4);
  return failed != 0 ? failed : 1;
}

/* The weights go with the userdata's user value. */
static int f_close(lua_State *L) {
  (void)L;
  return 0;
}

static int f_tostring(lua_State *L) {
  const struct forward_config *c = &check_model(L)->config;
  lua_pushfstring(L, "forward model (%I layers, hidden %I)",
                  (LUAI_UACINT)c->layers, (LUAI_UACINT)c->hidden);
  return 1;
}

int luaopen_core_forward(lua_State *L) {
  static const luaL_Reg methods[] = {
      BIND(score), BIND(score_many), BIND(logits), {NULL, NULL}};
  static const luaL_Reg functions[] = {BIND(new), {NULL, NULL}};
  buffer_require(L);
  bind_type(L, MODEL_META, methods, f_close, f_tostring);
  luaL_newlib(L, functions);
  return 1;
}
