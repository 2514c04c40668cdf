/* SHA-256 by both ways, against digests of FIPS 180-4's examples and against each other. */
#include "check.h"
#include "sha256.h"

static void text_of(struct sha256 *hash, char text[2 * SHA256_LENGTH + 1]) {
  unsigned char digest[SHA256_LENGTH];
  sha256_end(hash, digest);
  for (int i = 0; i < SHA256_LENGTH; i++) sprintf(text + 2 * i, "%02x", digest[i]);
}

static void known_digests(struct check *check) {
  static const struct {
    const char *text, *digest;
  } known[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    for (int plain = 0; plain < 2; plain++) {
      struct sha256 hash;
      char text[2 * SHA256_LENGTH + 1];
      sha256_begin(&hash);
      if (plain) hash.compress = sha256_compress_plain;
      sha256_add(&hash, known[i].text, strlen(known[i].text));
      text_of(&hash, text);
      CHECK(strcmp(text, known[i].digest) == 0);
    }
  }
}

static void a_million_letters(struct check *check) {
  static const char expected[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  char letters[1000], text[2 * SHA256_LENGTH + 1];
  memset(letters, 'a', sizeof letters);
  struct sha256 hash;
  sha256_begin(&hash);
  for (int i = 0; i < 1000; i++) sha256_add(&hash, letters, sizeof letters);
  text_of(&hash, text);
  CHECK(strcmp(text, expected) == 0);
}

/* Any length, in any pieces: padding and the rest of a block. */
static void pieces(struct check *check) {
  unsigned char data[300];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 7 + i / 3);
  for (size_t length = 0; length <= sizeof data; length++) {
    struct sha256 whole, cut;
    char one[2 * SHA256_LENGTH + 1], other[2 * SHA256_LENGTH + 1];
    sha256_begin(&whole);
    whole.compress = sha256_compress_plain;
    sha256_add(&whole, data, length);
    sha256_begin(&cut);
    for (size_t at = 0, step = 1; at < length; at += step, step = step % 67 + 5) {
      if (step > length - at) step = length - at;
      sha256_add(&cut, data + at, step);
    }
    text_of(&whole, one);
    text_of(&cut, other);
    CHECK(strcmp(one, other) == 0);
  }
}

int main(void) {
  struct check check = {0};
  RUN(&check, known_digests);
  RUN(&check, a_million_letters);
  RUN(&check, pieces);
  return check.failed_tests != 0;
}
