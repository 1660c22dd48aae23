/* The pieces under core.sr25519, against other implementations: Keccak by
 * OpenSSL's SHA3-256, Merlin and schnorrkel by published vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "bip39.h"
#include "keccak.h"
#include "merlin.h"
#include "schnorrkel.h"
#include "ss58.h"

static const char message[] = "GET /api/v1/tasks 2026";

/* seed, keyfile private key, public key, address, signature made with 32 zero
 * bytes of randomness, signature made by Rust (ux_and_reliability.md 3.4). */
static const struct vector {
  const char *seed, *private_key, *public_key, *address, *zero, *rust;
} vectors[] = {
    {"fac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e",
     "05d65584630d16cd4af6d0bec10f34bb504a5dcb62dba2122d49f5a663763d0a"
     "fd190cce74df356432b410bd64682309d6dedb27c76845daf388557cbac3ca34",
     "46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a",
     "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV",
     "62bf1ade380dff68d3781a4e9116798a8e45c54a8babbd687d5fa4c029ef7d1c"
     "eea8db3e3eeb27e518ab972dfc022b8f37013966ad196e160df76b4c27b8908d",
     "0294e3b090b0c908a0b39d3d55710bf31e406df5cc3f86698f396f60e47ae17b"
     "0d9e68b970b90f00bfb04a3e83360dc52215d74bf38ef890ab3268d9247ac583"},
    {"e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a",
     "33a6f3093f158a7109f679410bef1a0c54168145e0cecb4df006c1c2fffb1f09"
     "925a225d97aa00682d6a59b95b18780c10d7032336e88f3442b42361f4a66011",
     "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d",
     "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
     "486bf4919a6fc2fb9b9ce77cd4ccbf047c8ebc7bac800b6a646ea8c75c120865"
     "cd67f0d9bab85309938bb27e79f859644aa2232285584501fa905c0d8085498b",
     "785bf7ea30fbb8aa157f5b36a27996b498ff0a5eaf659d3318f07d6370703d05"
     "e34618e82202ed61dfdeabe25dd4d0d2e630eccdc80134a1ab216dea05cc0b88"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "87d29d94134be13d30adc66e053ca9aab38d02c8db5bc23cb4249ef0e3dff10d"
     "a9d71862a3e5746b571be3d187b0041046f52ebd850c7cbd5fde8ee38473b649",
     "e2111779981618705ecacea1af6ff9350bce2b2dccd03e0c3e01eb0c823d2666",
     "5HB7kpn92RS7uF9uWn8bXSvPVKFPg8kPUFDd5sbveGjX6Dbi",
     "0a25efb9c02e0a2bdaa9e696304fb144420c419816878b6a516cfe11f539c639"
     "cacad367c9723becf263ace9140ebae02d461aee033e2913896dd12a09592f81",
     "4434ec1cf3a025687cb6323ef8f1066a98f74176b7cdb30b0dd92d98a340491f"
     "b2c20ec90140b6f22a29dff4baa787878886c89b4384d8dd73b9f5dc1ed91383"},
};

enum { VECTORS = sizeof vectors / sizeof vectors[0] };

/* Group order, little-endian. */
static const char order[] =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

static void from_hex(const char *hex, uint8_t *out, size_t size) {
  size_t got = 0;
  assert_int_equal(strlen(hex), size * 2);
  assert_int_equal(sodium_hex2bin(out, size, hex, size * 2, "", &got, NULL), 0);
  assert_int_equal(got, size);
}

static void assert_hex(const uint8_t *bytes, size_t size, const char *hex) {
  uint8_t expected[128];
  assert_true(size <= sizeof expected);
  from_hex(hex, expected, size);
  assert_memory_equal(bytes, expected, size);
}

/* SHA3-256: rate 136, padding 06 ... 80. */
static void sha3_256(const uint8_t *data, size_t size, uint8_t out[32]) {
  uint8_t state[KECCAK_STATE] = {0};
  size_t at = 0;
  for (size_t i = 0; i < size; i++) {
    state[at++] ^= data[i];
    if (at < 136) continue;
    keccak_f1600(state);
    at = 0;
  }
  state[at] ^= 0x06;
  state[135] ^= 0x80;
  keccak_f1600(state);
  memcpy(out, state, 32);
}

static void keccak_agrees_with_openssl(void **unused) {
  uint8_t data[700], ours[32], theirs[32];
  (void)unused;
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (uint8_t)(i * 167 + i / 3);
  for (size_t size = 0; size <= sizeof data; size++) {
    unsigned length = 0;
    sha3_256(data, size, ours);
    assert_int_equal(
        EVP_Digest(data, size, theirs, &length, EVP_sha3_256(), NULL), 1);
    assert_memory_equal(ours, theirs, 32);
  }
}

static void merlin_gives_the_published_challenge(void **unused) {
  struct merlin transcript;
  uint8_t out[32];
  (void)unused;
  merlin_start(&transcript, "test protocol");
  merlin_append(&transcript, "some label", "some data", 9);
  merlin_challenge(&transcript, "challenge", out, sizeof out);
  assert_hex(
      out, sizeof out,
      "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615");
}

static struct schnorrkel_key key_of(const struct vector *v) {
  struct schnorrkel_key key;
  uint8_t seed[32];
  from_hex(v->seed, seed, sizeof seed);
  assert_int_equal(schnorrkel_from_seed(&key, seed), 0);
  return key;
}

static void keys_and_addresses_are_as_published(void **unused) {
  (void)unused;
  for (int i = 0; i < VECTORS; i++) {
    char address[SS58_TEXT];
    uint8_t bytes[64], public_key[32];
    struct schnorrkel_key again, key = key_of(&vectors[i]);
    from_hex(vectors[i].private_key, bytes, sizeof bytes);
    assert_memory_equal(key.scalar, bytes, 32);
    assert_memory_equal(key.nonce, bytes + 32, 32);
    assert_hex(key.public_key, 32, vectors[i].public_key);
    ss58_encode(key.public_key, address);
    assert_string_equal(address, vectors[i].address);
    assert_int_equal(ss58_decode(address, strlen(address), public_key), 0);
    assert_memory_equal(public_key, key.public_key, 32);
    assert_int_equal(schnorrkel_from_private(&again, bytes), 0);
    assert_memory_equal(&again, &key, sizeof key);
  }
}

static void signatures_are_as_published(void **unused) {
  static const uint8_t zero[32] = {0};
  (void)unused;
  for (int i = 0; i < VECTORS; i++) {
    uint8_t signature[64], rust[64];
    struct schnorrkel_key key = key_of(&vectors[i]);
    size_t size = strlen(message);
    assert_int_equal(schnorrkel_sign(&key, message, size, zero, signature), 0);
    assert_hex(signature, 64, vectors[i].zero);
    assert_true(schnorrkel_verify(key.public_key, message, size, signature));
    from_hex(vectors[i].rust, rust, 64);
    assert_true(schnorrkel_verify(key.public_key, message, size, rust));
    assert_false(schnorrkel_verify(key.public_key, message, size - 1, rust));
  }
}

static void a_whole_request_is_signed_as_published(void **unused) {
  static const uint8_t zero[32] = {0};
  static const char request[] =
      "BT-AUTH-V1\nPOST\n/api/v1/tasks/t1/claim\n\n1700000000\n"
      "016e7720792ad0ee0065ecccef33405a67941aa50f86a9b9da0bb8800e3e71c8";
  uint8_t signature[64];
  struct schnorrkel_key key = key_of(&vectors[0]);
  (void)unused;
  assert_int_equal(
      schnorrkel_sign(&key, request, strlen(request), zero, signature), 0);
  assert_hex(
      signature, 64,
      "048f4a523e58660c8512c4f7666ed3c3cdb37e72e0ce76c62d7f2137de919717"
      "476aa032afd105bcb8091a5c66ab11bfefd59e890eb044fddc3461543aa12c82");
}

/* s + order is the same scalar, and would make a second valid signature. */
static void add_order(uint8_t s[32]) {
  uint8_t l[32];
  unsigned carry = 0;
  from_hex(order, l, sizeof l);
  for (int i = 0; i < 32; i++) {
    carry += (unsigned)s[i] + l[i];
    s[i] = (uint8_t)carry;
    carry >>= 8;
  }
  assert_int_equal(carry, 0);
}

static void bad_signatures_are_refused(void **unused) {
  uint8_t good[64], bad[64];
  struct schnorrkel_key key = key_of(&vectors[0]);
  size_t size = strlen(message);
  (void)unused;
  from_hex(vectors[0].zero, good, 64);

  memcpy(bad, good, 64);
  bad[63] &= 0x7f;
  assert_false(schnorrkel_verify(key.public_key, message, size, bad));

  add_order(bad + 32);
  assert_true((bad[63] & 0x80) == 0);
  bad[63] |= 0x80;
  assert_false(schnorrkel_verify(key.public_key, message, size, bad));

  memcpy(bad, good, 64);
  memset(bad, 0, 32); /* R is the identity */
  assert_false(schnorrkel_verify(key.public_key, message, size, bad));

  memset(bad, 0xff, 32); /* R is no point */
  assert_false(schnorrkel_verify(key.public_key, message, size, bad));

  memcpy(bad, good, 64);
  memset(bad + 32, 0, 32); /* s is zero */
  bad[63] = 0x80;
  assert_false(schnorrkel_verify(key.public_key, message, size, bad));
}

/* For the zero key k x A vanishes: anybody could choose s and R = s x B. */
static void bad_public_keys_are_refused(void **unused) {
  uint8_t zero[32] = {0}, not_a_point[32], s[32] = {5}, forged[64];
  (void)unused;
  assert_int_equal(crypto_scalarmult_ristretto255_base(forged, s), 0);
  memcpy(forged + 32, s, 32);
  forged[63] |= 0x80;
  assert_false(schnorrkel_verify(zero, message, strlen(message), forged));
  memset(not_a_point, 0xff, sizeof not_a_point);
  assert_false(
      schnorrkel_verify(not_a_point, message, strlen(message), forged));
}

static void unreduced_private_keys_are_refused(void **unused) {
  struct schnorrkel_key key;
  uint8_t bytes[64] = {0};
  (void)unused;
  assert_int_equal(schnorrkel_from_private(&key, bytes), -1);
  from_hex(order, bytes, 32);
  assert_int_equal(schnorrkel_from_private(&key, bytes), -1);
  bytes[0]++; /* the same scalar as 1 */
  assert_int_equal(schnorrkel_from_private(&key, bytes), -1);
  bytes[0] = (uint8_t)(bytes[0] - 2);
  assert_int_equal(schnorrkel_from_private(&key, bytes), 0);
}

static int decode(const char *text) {
  uint8_t public_key[32];
  return ss58_decode(text, strlen(text), public_key);
}

static void bad_addresses_are_refused(void **unused) {
  (void)unused;
  assert_int_equal(decode(""), SS58_LENGTH);
  assert_int_equal(decode("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ"),
                   SS58_LENGTH);
  assert_int_equal(decode("15GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
                   SS58_LENGTH);
  assert_int_equal(decode("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
                   SS58_LENGTH);
  assert_int_equal(decode("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ0"),
                   SS58_LETTER);
  assert_int_equal(decode("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ"),
                   SS58_SUM);
  /* Alice on Polkadot (prefix 0) and on Kusama (prefix 2). */
  assert_int_equal(decode("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
                   SS58_NETWORK);
  assert_int_equal(decode("HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"),
                   SS58_NETWORK);
}

static void mnemonics_round_trip(void **unused) {
  (void)unused;
  for (size_t size = 16; size <= 32; size += 4) {
    for (int round = 0; round < 50; round++) {
      struct bip39 in = {.size = size}, out;
      char text[BIP39_TEXT];
      randombytes_buf(in.entropy, size);
      bip39_write(&in, text);
      assert_int_equal(bip39_read(&out, text, strlen(text)), 0);
      assert_int_equal(out.size, size);
      assert_memory_equal(out.entropy, in.entropy, size);
    }
  }
}

static void mnemonics_give_their_seed(void **unused) {
  static const char phrase[] = "\tBottom drive  obey lake curtain smoke\r\n"
                               "basket hold race lonely fit WALK ";
  struct bip39 mnemonic;
  uint8_t seed[32];
  (void)unused;
  assert_int_equal(bip39_read(&mnemonic, phrase, strlen(phrase)), 0);
  assert_hex(mnemonic.entropy, 16, "1a486a5fbe53639984cb64b070755f7b");
  assert_int_equal(bip39_seed(&mnemonic, "", 0, seed), 0);
  assert_hex(seed, 32, vectors[0].seed);
  assert_int_equal(bip39_seed(&mnemonic, "pw", 2, seed), 0);
  assert_hex(
      seed, 32,
      "a1a8f79db9a9554ed446fd97c5c65c19cb36bf80d069872a1736fbd07933da3f");
}

static int start_sodium(void **unused) {
  (void)unused;
  return sodium_init() < 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keccak_agrees_with_openssl),
      cmocka_unit_test(merlin_gives_the_published_challenge),
      cmocka_unit_test(keys_and_addresses_are_as_published),
      cmocka_unit_test(signatures_are_as_published),
      cmocka_unit_test(a_whole_request_is_signed_as_published),
      cmocka_unit_test(bad_signatures_are_refused),
      cmocka_unit_test(bad_public_keys_are_refused),
      cmocka_unit_test(unreduced_private_keys_are_refused),
      cmocka_unit_test(bad_addresses_are_refused),
      cmocka_unit_test(mnemonics_round_trip),
      cmocka_unit_test(mnemonics_give_their_seed),
  };
  return cmocka_run_group_tests(tests, start_sodium, NULL);
}
