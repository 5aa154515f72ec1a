/* Asks the C library as any program does, and prints what it says, a line each:
     resolve NAME [4|6]   the addresses of NAME
     resolve ADDRESS name the name of ADDRESS
   Tests build it with glibc, and with musl as Alpine's programs are. */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static int fail(int error) {
  switch (error) {
    case EAI_NONAME:
    case EAI_NODATA: /* musl tells the two apart since 1.2.4 only */
      puts("none");
      break;
    case EAI_AGAIN:
      puts("again");
      break;
    default:
      puts(gai_strerror(error));
  }
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const char *word = argc > 2 ? argv[2] : "";
  int reverse = strcmp(word, "name") == 0;

  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  if (strcmp(word, "4") == 0) hints.ai_family = AF_INET;
  if (strcmp(word, "6") == 0) hints.ai_family = AF_INET6;
  if (reverse) hints.ai_flags = AI_NUMERICHOST;

  struct addrinfo *found;
  int error = getaddrinfo(argv[1], NULL, &hints, &found);
  if (error != 0) return fail(error);

  int flags = reverse ? NI_NAMEREQD : NI_NUMERICHOST;
  for (struct addrinfo *at = found; at != NULL; at = at->ai_next) {
    char text[NI_MAXHOST];
    error = getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, NULL, 0, flags);
    if (error != 0) return fail(error);
    puts(text);
  }
  freeaddrinfo(found);
  return 0;
}
