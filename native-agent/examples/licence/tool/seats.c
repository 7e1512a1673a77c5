/* seats ADDRESS FEATURE: what the daemon says of the feature's seats. */
#include <stdio.h>

#include "../client/lic.h"

int main(int argc, char **argv) {
  char text[400] = "";
  if (argc != 3) return 2;
  int error = lic_status(argv[1], argv[2], text, sizeof text);
  printf("%s\n", text);
  return error < 0 ? 1 : 0;
}
