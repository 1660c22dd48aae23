/* core.versions: which libraries this process runs on. A shared object of its
 * own, since asking loads every one of them. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <archive.h>
#include <curl/curl.h>
#include <libdeflate.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <sodium.h>
#include <sqlite3.h>
#include <string.h>
#include <utf8proc.h>

#include "bind.h"

int luaopen_core_versions(lua_State *L);

static void add(lua_State *L, const char *name, const char *version) {
  lua_pushstring(L, version);
  lua_setfield(L, -2, name);
}

/* PCRE2 says "10.42 2022-12-11": the date is not part of the version. */
static void add_pcre2(lua_State *L) {
  char text[64] = {0};
  if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) > (int)sizeof text) return;
  pcre2_config(PCRE2_CONFIG_VERSION, text);
  text[strcspn(text, " ")] = '\0';
  add(L, "pcre2", text);
}

/* libraries() -> table name -> version, a string as the library tells it, of
 * those that run; libdeflate and Lua only know what this was built with. */
static int f_libraries(lua_State *L) {
  lua_newtable(L);
  add(L, "curl", curl_version_info(CURLVERSION_NOW)->version);
  add(L, "deflate", LIBDEFLATE_VERSION_STRING);
  add(L, "libarchive", archive_version_string() + sizeof "libarchive");
  add(L, "lua",
      LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE);
  add(L, "microhttpd", MHD_get_version());
  add(L, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
  add(L, "sodium", sodium_version_string());
  add(L, "sqlite3", sqlite3_libversion());
  add(L, "utf8proc", utf8proc_version());
  add_pcre2(L);
  return 1;
}

int luaopen_core_versions(lua_State *L) {
  static const luaL_Reg functions[] = {BIND(libraries), {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
