/* Models as tables describe them: sizes, layers and what these are made of. All
 * that the work relies on is checked here. */
#include <string.h>

#include "bind.h"
#include "buffer.h"
#include "forward_load.h"

static void fail_missing(struct loader *loader, const char *key) {
  luaL_error(loader->L, "option '%s' is missing", key);
}

static size_t size_of(struct loader *loader, int at, const char *key,
                      lua_Integer high) {
  lua_Integer value = bind_opt_integer(loader->L, at, key, 1, high, 0);
  if (value == 0) fail_missing(loader, key);
  return (size_t)value;
}

/* What the work cannot do without. */
static const float *need_vector(struct loader *loader, int at, const char *key,
                                size_t count) {
  const float *vector = load_vector(loader, at, key, count);
  if (vector == NULL && loader->failure[0] == '\0') fail_missing(loader, key);
  return vector;
}

static struct norm need_norm(struct loader *loader, int at, const char *key,
                             size_t count) {
  struct norm norm = load_norm(loader, at, key, count);
  if (norm.weight == NULL && loader->failure[0] == '\0')
    fail_missing(loader, key);
  return norm;
}

static void check_outputs(struct loader *loader, const struct linear *linear,
                          size_t outputs, const char *what) {
  if (linear->outputs != outputs)
    luaL_error(loader->L, "%s must have %I outputs", what,
               (LUAI_UACINT)outputs);
}

static void check_inputs(struct loader *loader, const struct linear *linear,
                         size_t inputs, const char *what) {
  if (linear->inputs != inputs)
    luaL_error(loader->L, "%s must have %I inputs", what, (LUAI_UACINT)inputs);
}

static struct attention load_attention(struct loader *loader, int at,
                                       const struct forward_model *model) {
  struct attention a = {
      .query = load_linear(loader, at, "query"),
      .key = load_linear(loader, at, "key"),
      .value = load_linear(loader, at, "value"),
      .output = load_linear(loader, at, "output"),
      .heads = size_of(loader, at, "heads", MOST_LAYERS),
      .kv_heads = size_of(loader, at, "kv_heads", MOST_LAYERS),
      .head_dim = size_of(loader, at, "head_dim", MOST_LAYERS),
      .gated = bind_opt_boolean(loader->L, at, "gated", false),
  };
  size_t q = a.heads * a.head_dim, kv = a.kv_heads * a.head_dim;
  if (a.heads % a.kv_heads != 0 || model->rotated > a.head_dim)
    luaL_error(loader->L, "heads cannot be divided as the config says");
  a.query_norm = load_norm(loader, at, "query_norm", a.head_dim);
  a.key_norm = load_norm(loader, at, "key_norm", a.head_dim);
  check_outputs(loader, &a.query, a.gated ? 2 * q : q, "query");
  check_outputs(loader, &a.key, kv, "key");
  check_outputs(loader, &a.value, kv, "value");
  check_inputs(loader, &a.output, q, "output");
  return a;
}

static struct delta load_delta(struct loader *loader, int at) {
  struct delta d = {
      .qkv = load_linear(loader, at, "qkv"),
      .z = load_linear(loader, at, "z"),
      .a = load_linear(loader, at, "a"),
      .b = load_linear(loader, at, "b"),
      .output = load_linear(loader, at, "output"),
      .key_heads = size_of(loader, at, "key_heads", MOST_LAYERS),
      .value_heads = size_of(loader, at, "value_heads", MOST_LAYERS),
      .key_dim = size_of(loader, at, "key_dim", MOST_LAYERS),
      .value_dim = size_of(loader, at, "value_dim", MOST_LAYERS),
      .width = size_of(loader, at, "width", 64),
  };
  size_t values = d.value_heads * d.value_dim;
  size_t channels = 2 * d.key_heads * d.key_dim + values;
  if (d.value_heads % d.key_heads != 0)
    luaL_error(loader->L, "heads cannot be divided as the config says");
  d.convolution = need_vector(loader, at, "convolution", channels * d.width);
  d.decay = need_vector(loader, at, "decay", d.value_heads);
  d.bias = need_vector(loader, at, "bias", d.value_heads);
  d.norm = need_norm(loader, at, "norm", d.value_dim);
  check_outputs(loader, &d.qkv, channels, "qkv");
  check_outputs(loader, &d.z, values, "z");
  check_outputs(loader, &d.a, d.value_heads, "a");
  check_outputs(loader, &d.b, d.value_heads, "b");
  check_inputs(loader, &d.output, values, "output");
  return d;
}

static struct mlp load_mlp(struct loader *loader, int at) {
  const char *name = bind_opt_string(loader->L, at, "activation", "silu_gated");
  struct mlp mlp = {
      .gate = load_linear(loader, at, "gate"),
      .up = load_linear(loader, at, "up"),
      .down = load_linear(loader, at, "down"),
      .activation = strcmp(name, "gelu_tanh") == 0 ? GELU_TANH : SILU_GATED,
  };
  if (mlp.activation == SILU_GATED) {
    if (strcmp(name, "silu_gated") != 0)
      luaL_error(loader->L, "unknown activation '%s'", name);
    check_outputs(loader, &mlp.gate, mlp.up.outputs, "gate");
  }
  if (mlp.up.outputs == 0) fail_missing(loader, "up");
  check_inputs(loader, &mlp.down, mlp.up.outputs, "down");
  return mlp;
}

/* All that reads or writes the residual stream agrees in its width. */
static void check_stream(struct loader *loader, const struct layer *layer,
                         size_t hidden) {
  const struct attention *a = &layer->attention;
  const struct delta *d = &layer->delta;
  const struct linear *in[] = {
      &a->query, &a->key, &a->value,        &d->qkv,       &d->z,
      &d->a,     &d->b,   &layer->mlp.gate, &layer->mlp.up};
  const struct linear *out[] = {&a->output, &d->output, &layer->mlp.down};
  for (size_t i = 0; i < sizeof in / sizeof *in; i++)
    if (in[i]->outputs > 0) check_inputs(loader, in[i], hidden, "each layer");
  for (size_t i = 0; i < sizeof out / sizeof *out; i++)
    if (out[i]->outputs > 0)
      check_outputs(loader, out[i], hidden, "each layer");
}

/* The layer in the table on the top of the stack. */
static struct layer load_layer(struct loader *loader,
                               const struct forward_model *model) {
  lua_State *L = loader->L;
  int at = lua_gettop(L);
  struct layer layer = {
      .before = need_norm(loader, at, "before", model->hidden),
      .between = need_norm(loader, at, "between", model->hidden)};
  if (lua_getfield(L, at, "attention") == LUA_TTABLE) {
    layer.attention = load_attention(loader, at + 1, model);
  } else {
    lua_getfield(L, at, "delta");
    luaL_checktype(L, at + 2, LUA_TTABLE);
    layer.delta = load_delta(loader, at + 2);
  }
  lua_getfield(L, at, "mlp");
  luaL_checktype(L, -1, LUA_TTABLE);
  layer.mlp = load_mlp(loader, lua_gettop(L));
  lua_settop(L, at);
  check_stream(loader, &layer, model->hidden);
  return layer;
}

static void load_layers(struct loader *loader, struct forward_model *model) {
  lua_State *L = loader->L;
  lua_getfield(L, 1, "layers");
  for (size_t i = 0; i < model->layer_count; i++) {
    lua_geti(L, -1, (lua_Integer)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    if (loader->failure[0] == '\0')
      model->layers[i] = load_layer(loader, model);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* `rotary` of the model at 1. */
static void load_rotary(struct loader *loader, struct forward_model *model) {
  lua_State *L = loader->L;
  if (lua_getfield(L, 1, "rotary") == LUA_TTABLE) {
    int at = lua_gettop(L);
    lua_getfield(L, at, "frequencies");
    const struct buffer *frequencies = buffer_check(L, at + 1, DTYPE_F32);
    model->frequencies = frequencies->data;
    model->rotated = 2 * frequencies->count;
    model->neighbours = bind_opt_boolean(L, at, "neighbours", false);
    lua_rawseti(L, loader->kept, 0); /* no name of a tensor */
  }
  lua_pop(L, 1);
}

size_t load_model(struct loader *loader, struct forward_model *m) {
  lua_State *L = loader->L;
  size_t most_tokens = MOST_TOKENS;
  const char *positions = bind_opt_string(L, 1, "positions", NULL);
  const char *embedding = bind_opt_string(L, 1, "embedding", NULL);
  if (embedding == NULL) fail_missing(loader, "embedding");
  m->hidden = size_of(loader, 1, "hidden", MOST_SIZE);
  m->vocab = size_of(loader, 1, "vocab", MOST_SIZE);
  m->exact = bind_opt_boolean(L, 3, "exact", true);
  load_rotary(loader, m);
  m->embedding = load_matrix(loader, embedding, m->vocab, m->hidden);
  if (positions) {
    most_tokens = size_of(loader, 1, "most_tokens", MOST_TOKENS);
    m->positions = load_matrix(loader, positions, most_tokens, m->hidden);
  }
  load_layers(loader, m);
  m->norm = need_norm(loader, 1, "norm", m->hidden);
  m->head = load_linear(loader, 1, "head");
  check_inputs(loader, &m->head, m->hidden, "head");
  check_outputs(loader, &m->head, m->vocab, "head");
  return most_tokens;
}
