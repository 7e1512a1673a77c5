/* Symbols, by the files that are mapped: their whole tables of symbols where they have one, so that static ones are found, too; else those that
 * are for others. */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "process/memory.h"

struct finding {
  const struct cairn_host *host;
  const struct fault *fault;
  uint64_t address;
  uint64_t size;
  uint32_t found;   /* how many there are in the object */
  uint32_t objects; /* that were looked at */
};

struct file {
  const uint8_t *bytes;
  uint64_t size;
};

static int is_error(long result) { return result < 0 && result > -4096; }

static struct file open_file(const struct cairn_host *host, const char *path) {
  struct file file = {NULL, 0};
  struct statx found;
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return file;
  if (host->syscall(SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_SIZE, (long)&found, 0) == 0 && found.stx_size > sizeof(Elf64_Ehdr)) {
    const long place = host->syscall(SYS_mmap, 0, (long)found.stx_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (!is_error(place)) file = (struct file){(const uint8_t *)place, found.stx_size};
  }
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return file;
}

static int is_within(const struct file *file, uint64_t offset, uint64_t size) { return offset <= file->size && size <= file->size - offset; }

static const Elf64_Shdr *section(const struct file *file, uint32_t number) {
  const Elf64_Ehdr *header = (const void *)file->bytes;
  if (header->e_shentsize != sizeof(Elf64_Shdr) || number >= header->e_shnum) return NULL;
  const uint64_t offset = header->e_shoff + (uint64_t)number * sizeof(Elf64_Shdr);
  return is_within(file, offset, sizeof(Elf64_Shdr)) ? (const void *)(file->bytes + offset) : NULL;
}

/* What the addresses in the file are counted from, where its beginning is mapped at `start`. */
static uint64_t base_of(const struct file *file, uint64_t start) {
  const Elf64_Ehdr *header = (const void *)file->bytes;
  for (uint32_t i = 0; i < header->e_phnum; ++i) {
    const uint64_t offset = header->e_phoff + (uint64_t)i * sizeof(Elf64_Phdr);
    if (!is_within(file, offset, sizeof(Elf64_Phdr))) break;
    const Elf64_Phdr *part = (const void *)(file->bytes + offset);
    if (part->p_type == PT_LOAD) return start - ((part->p_vaddr - part->p_offset) & ~(uint64_t)4095);
  }
  return start;
}

/* A name that begins at `offset` of the table of names is this one. */
static int is_named(const struct file *file, const Elf64_Shdr *names, uint64_t offset, const char *name) {
  const uint64_t length = strlen(name) + 1;
  return offset < names->sh_size && length <= names->sh_size - offset && is_within(file, names->sh_offset + offset, length) &&
         memcmp(file->bytes + names->sh_offset + offset, name, length) == 0;
}

static void look_in(struct finding *finding, const struct file *file, const Elf64_Shdr *table, uint64_t base) {
  const Elf64_Shdr *names = section(file, table->sh_link);
  if (names == NULL || !is_within(file, table->sh_offset, table->sh_size)) return;
  const Elf64_Sym *symbols = (const void *)(file->bytes + table->sh_offset);
  const char *source = finding->fault->source;
  int in_source = source[0] == 0;
  for (uint64_t i = 0; i < table->sh_size / sizeof *symbols; ++i) {
    const Elf64_Sym *one = &symbols[i];
    const uint32_t type = ELF64_ST_TYPE(one->st_info);
    if (type == STT_FILE && source[0] != 0) in_source = is_named(file, names, one->st_name, source);
    if (!in_source || one->st_shndx == SHN_UNDEF || (type != STT_OBJECT && type != STT_FUNC && type != STT_NOTYPE)) continue;
    if (!is_named(file, names, one->st_name, finding->fault->name)) continue;
    const uint64_t address = one->st_shndx == SHN_ABS ? one->st_value : base + one->st_value;
    if (finding->found != 0 && address == finding->address) continue; /* versions of one symbol */
    finding->found++;
    finding->address = address;
    finding->size = one->st_size;
  }
}

static int look_at(void *context, const struct mapping *mapping) {
  struct finding *finding = context;
  const char *object = finding->fault->object;
  if (mapping->offset != 0 || mapping->path[0] != '/' || !mapping->readable) return 1;
  const size_t length = strlen(mapping->path), part = strlen(object);
  if (part > length || strcmp(mapping->path + length - part, object) != 0) return 1;
  const struct file file = open_file(finding->host, mapping->path);
  if (file.bytes == NULL) return 1;
  const Elf64_Ehdr *header = (const void *)file.bytes;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64) {
    finding->objects++;
    const uint64_t base = header->e_type == ET_EXEC ? 0 : base_of(&file, mapping->start);
    for (uint32_t wanted = SHT_SYMTAB; finding->found == 0; wanted = SHT_DYNSYM) {
      for (uint32_t i = 0; i < header->e_shnum; ++i) {
        const Elf64_Shdr *one = section(&file, i);
        if (one != NULL && one->sh_type == wanted) look_in(finding, &file, one, base);
      }
      if (wanted == SHT_DYNSYM) break;
    }
  }
  finding->host->syscall(SYS_munmap, (long)file.bytes, (long)file.size, 0, 0, 0, 0);
  return finding->found == 0;
}

const char *symbol_place(const struct cairn_host *host, const struct fault *fault, uint64_t *address, uint64_t *size) {
  struct finding finding = {.host = host, .fault = fault};
  each_mapping(host, look_at, &finding);
  *address = finding.address;
  *size = finding.size;
  if (finding.objects == 0) return "no such object is mapped, or its file can be read";
  if (finding.found == 0) return "no object that is mapped has the symbol";
  return finding.found == 1 ? NULL : "several have that name: say their source";
}
