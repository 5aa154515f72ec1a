/* Asks the C library for one name after the other, and prints a line for each: how many milliseconds that took, how
   many addresses came, and the name. forward-inside.mjs builds it with glibc, and with musl. */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <time.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  for (int at = 1; at < argc; at++) {
    struct addrinfo *found = NULL;
    double before = now_ms();
    int error = getaddrinfo(argv[at], NULL, &hints, &found);
    double took = now_ms() - before;
    int count = 0;
    for (struct addrinfo *each = found; error == 0 && each != NULL; each = each->ai_next) count++;
    printf("%.3f %d %s\n", took, count, argv[at]);
    if (error == 0) freeaddrinfo(found);
  }
  return 0;
}
