// Names of pseudo-terminals stay, also when the kernel has another number for them now: ptsname, ttyname, TIOCGPTN, the link in
// /proc/self/fd, stat, access, chmod and open of the path, a program executed later, tty_nr in /proc. One made later has its own.
// sabotage: poke @first
#include "../probe.h"
#include <limits.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

static int pair(int *master, int *slave) {
  *master = posix_openpt(O_RDWR | O_NOCTTY);
  if (*master < 0 || unlockpt(*master) != 0) return -1;
  *slave = open(ptsname(*master), O_RDWR | O_NOCTTY);
  return *slave < 0 ? -1 : 0;
}

static const char *link_of(int fd) {
  static char path[64], text[PATH_MAX];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(path, text, sizeof text - 1);
  text[size > 0 ? size : 0] = 0;
  return text;
}

static void check_one(int master, int slave, const char *name) {
  char buffer[64];
  int number = -1;
  struct stat status, by_name;
  CHECK(strcmp(ptsname(master), name) == 0, "ptsname is %s, was %s", ptsname(master), name);
  CHECK(ptsname_r(master, buffer, sizeof buffer) == 0 && strcmp(buffer, name) == 0, "ptsname_r is %s", buffer);
  CHECK(ttyname(slave) && strcmp(ttyname(slave), name) == 0, "ttyname is %s, was %s", ttyname(slave), name);
  CHECK(ttyname_r(slave, buffer, sizeof buffer) == 0 && strcmp(buffer, name) == 0, "ttyname_r is %s", buffer);
  CHECK(ioctl(master, TIOCGPTN, &number) == 0 && number == atoi(name + 9), "TIOCGPTN is %d", number);
  CHECK(strcmp(link_of(slave), name) == 0, "the link in /proc is %s", link_of(slave));
  CHECK(fstat(slave, &status) == 0 && stat(name, &by_name) == 0, "stat of %s", name);
  CHECK(status.st_rdev == by_name.st_rdev && status.st_ino == by_name.st_ino && status.st_dev == by_name.st_dev, "%s is another terminal", name);
  CHECK((int)minor(status.st_rdev) == number, "st_rdev says %d, not %d", minor(status.st_rdev), number);
  CHECK(access(name, R_OK | W_OK) == 0, "access");
  CHECK(chmod(name, 0620) == 0 && fstat(slave, &status) == 0 && (status.st_mode & 0777) == 0620, "chmod");
  int again = open(name, O_RDWR | O_NOCTTY);
  char bytes[64] = {0};
  CHECK(again >= 0 && write(again, "x", 1) == 1 && read(master, bytes, 1) == 1 && bytes[0] == 'x', "open of %s", name);
  close(again);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  // The lowest number is free in the restarted computation: others get other numbers.
  int spare_master, spare_slave, masters[3], slaves[3];
  static char names[3][64];
  CHECK(pair(&spare_master, &spare_slave) == 0, "a terminal");
  for (int i = 0; i < 3; i++) {
    CHECK(pair(&masters[i], &slaves[i]) == 0, "a terminal");
    strcpy(names[i], ptsname(masters[i]));
  }
  close(spare_slave);
  close(spare_master);
  probe_note("first", (uint64_t)(uintptr_t)&names[0][9]);
  // A session on the last one.
  int pipes[2][2];
  CHECK(pipe(pipes[0]) == 0 && pipe(pipes[1]) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    setsid();
    close(pipes[0][1]);
    close(pipes[1][0]);
    ioctl(slaves[2], TIOCSCTTY, 0);
    char byte, line[512], told[64];
    while (read(pipes[0][0], &byte, 1) == 1) {
      int fd = open("/proc/self/stat", O_RDONLY);
      ssize_t size = read(fd, line, sizeof line - 1);
      close(fd);
      line[size > 0 ? size : 0] = 0;
      int terminal = 0;
      sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %d", &terminal);
      int length = snprintf(told, sizeof told, "%d\n", minor((unsigned)terminal));
      if (write(pipes[1][1], told, (size_t)length) < 0) _exit(2);
    }
    _exit(0);
  }
  close(pipes[0][0]);
  probe_hold();
  for (int i = 0; i < 3; i++) check_one(masters[i], slaves[i], names[i]);
  char told[64] = {0};
  CHECK(write(pipes[0][1], "?", 1) == 1 && read(pipes[1][0], told, sizeof told - 1) > 0, "the session");
  CHECK(atoi(told) == atoi(names[2] + 9), "tty_nr is %d instead of %s", atoi(told), names[2] + 9);
  close(pipes[0][1]);
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");
  // A program executed now.
  char command[256];
  snprintf(command, sizeof command, "test \"$(tty <&%d)\" = %s && test -c %s && printf y > %s", slaves[1], names[1], names[1], names[1]);
  char bytes[8] = {0};
  CHECK(system(command) == 0, "a program executed later sees other names: %s", command);
  CHECK(read(masters[1], bytes, 1) == 1 && bytes[0] == 'y', "it wrote elsewhere");
  // New ones have other names, and work.
  int master, slave;
  char name[64];
  for (int i = 0; i < 6; i++) {
    CHECK(openpty(&master, &slave, name, NULL, NULL) == 0, "openpty");
    for (int other = 0; other < 3; other++) CHECK(strcmp(name, names[other]) != 0, "a new terminal has the name %s of another", name);
    check_one(master, slave, name);
  }
  child = forkpty(&master, name, NULL, NULL);
  if (child == 0) _exit(ttyname(0) && strcmp(ttyname(0), name) == 0 && getsid(0) == getpid() ? 7 : 8);
  int status = 0;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "forkpty: status %x", status);
  return probe_ok();
}
