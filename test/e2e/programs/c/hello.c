#include <stdio.h>
#include <unistd.h>

int main(int count, char **arguments) {
  printf("hello %s, i am process %d\n", count > 1 ? arguments[1] : "nobody", (int)getpid());
  return 0;
}
