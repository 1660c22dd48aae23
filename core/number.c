/* core.number: doubles as the shortest text that reads back as the same double,
 * written the way Python's repr writes it (contract.md 2.2). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind.h"

enum { DIGITS = 17, TEXT_SIZE = 32 };

int luaopen_core_number(lua_State *L);

/* A decimal d.ddd x 10^exponent. */
struct decimal {
  char digits[DIGITS + 2];
  int exponent;
};

static double value_of(const struct decimal *decimal) {
  char text[TEXT_SIZE];
  snprintf(text, sizeof text, "%c.%se%d", decimal->digits[0],
           decimal->digits + 1, decimal->exponent);
  return strtod(text, NULL);
}

/* The decimal of `count` digits that is nearest to `value` (> 0, finite). */
static struct decimal nearest(double value, int count) {
  char text[TEXT_SIZE];
  struct decimal out = {{0}, 0};
  snprintf(text, sizeof text, "%.*e", count - 1, value);
  out.digits[0] = text[0];
  if (count > 1) memcpy(out.digits + 1, text + 2, (size_t)count - 1);
  out.exponent = atoi(strchr(text, 'e') + 1);
  return out;
}

/* The decimal one unit in the last place above. */
static struct decimal above(struct decimal decimal) {
  size_t at = strlen(decimal.digits);
  while (at > 0 && decimal.digits[at - 1] == '9')
    decimal.digits[--at] = '0';
  if (at > 0) {
    decimal.digits[at - 1]++;
  } else {
    decimal.digits[0] = '1';
    decimal.exponent++;
  }
  return decimal;
}

/* Shortest first. At a power of two the gap below is half the gap above, so
 * that the nearest decimal can miss where its upper neighbour still reads back
 * right. */
static struct decimal shortest(double value) {
  struct decimal out = nearest(value, DIGITS);
  for (int count = 1; count < DIGITS; count++) {
    struct decimal low = nearest(value, count);
    struct decimal high = above(low);
    if (value_of(&low) == value) return low;
    if (value_of(&high) == value) return high;
  }
  return out;
}

static void strip_zeros(char *digits) {
  size_t length = strlen(digits);
  while (length > 1 && digits[length - 1] == '0')
    digits[--length] = '\0';
}

/* Exponents -4..15 are written out, others as 1.5e+16. */
static void layout(const struct decimal *d, char *out, size_t size) {
  int length = (int)strlen(d->digits);
  int point = d->exponent + 1; /* digits before the decimal point */
  if (d->exponent < -4 || d->exponent >= 16)
    snprintf(out, size, "%c%s%se%c%02d", d->digits[0], length > 1 ? "." : "",
             d->digits + 1, d->exponent < 0 ? '-' : '+', abs(d->exponent));
  else if (point <= 0)
    snprintf(out, size, "0.%.*s%s", -point, "0000", d->digits);
  else if (length <= point)
    snprintf(out, size, "%s%.*s.0", d->digits, point - length,
             "0000000000000000");
  else
    snprintf(out, size, "%.*s.%s", point, d->digits, d->digits + point);
}

/* text(number) -> string; NaN and infinities raise. An integer is written as
 * the float it equals. */
static int f_text(lua_State *L) {
  char text[TEXT_SIZE] = "0.0";
  double value = luaL_checknumber(L, 1);
  luaL_argcheck(L, isfinite(value), 1, "must be finite");
  if (value != 0) {
    struct decimal decimal = shortest(fabs(value));
    strip_zeros(decimal.digits);
    layout(&decimal, text, sizeof text);
  }
  lua_pushfstring(L, "%s%s", signbit(value) ? "-" : "", text);
  return 1;
}

int luaopen_core_number(lua_State *L) {
  static const luaL_Reg functions[] = {BIND(text), {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
