// FILE streams: bytes still in libc's buffers at the checkpoint are written once, positions and ungetc survive.
// sabotage: poke @marker
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  FILE *made = fopen("input", "w");
  for (int i = 0; i < 1000; i++) fprintf(made, "line %d\n", i);
  fclose(made);
  FILE *out = fopen("buffered", "w+"), *in = fopen("input", "r"), *append = fopen("appended", "a+");
  static char marker[16] = "buffered bytes";
  setvbuf(out, NULL, _IOFBF, 4096);
  fprintf(out, "%s", marker);
  fprintf(append, "first\n");
  int line = -1;
  for (int i = 0; i < 100; i++) CHECK(fscanf(in, "line %d\n", &line) == 1 && line == i, "fscanf");
  CHECK(fgetc(in) == 'l' && ungetc('L', in) == 'L', "ungetc");
  probe_note("marker", (uint64_t)(uintptr_t)out->_IO_write_base);
  probe_hold();
  fprintf(out, " and the rest\n");
  fflush(out);
  rewind(out);
  char text[64] = "";
  CHECK(fgets(text, sizeof text, out) && strcmp(text, "buffered bytes and the rest\n") == 0, "the stream wrote '%s'", text);
  CHECK(fgetc(in) == 'L', "the character put back");
  CHECK(fscanf(in, "ine %d\n", &line) == 1 && line == 100, "next line is %d", line);
  for (int i = 101; i < 1000; i++) CHECK(fscanf(in, "line %d\n", &line) == 1 && line == i, "line %d is %d", i, line);
  CHECK(fgetc(in) == EOF && feof(in), "end of file");
  fprintf(append, "second\n");
  fflush(append);
  rewind(append);
  CHECK(fgets(text, sizeof text, append) && strcmp(text, "first\n") == 0, "appended stream has '%s'", text);
  CHECK(fclose(out) == 0 && fclose(in) == 0 && fclose(append) == 0, "fclose");
  return probe_ok();
}
