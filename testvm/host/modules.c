// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "modules.h"
#include "util.h"

/* What somebody else needs too does not wait for /dev/kvm. */
static void append(struct modules *modules, struct module module)
{
	for (size_t i = 0; i < modules->count; i++) {
		if (!strcmp(modules->list[i].path, module.path)) {
			modules->list[i].kvm &= module.kvm;
			free(module.path);
			return;
		}
	}
	modules->list = reallocarray(modules->list, modules->count + 1,
				     sizeof(*modules->list));
	if (!modules->list)
		die("out of memory");
	modules->list[modules->count++] = module;
}

/* Is @path (of @length, "kernel/…/NAME.ko…") the file of module @name? */
static bool is_module(const char *path, size_t length, const char *name)
{
	size_t base = length, i;

	while (base && path[base - 1] != '/')
		base--;
	for (i = 0; name[i] && base + i < length; i++) {
		char a = path[base + i] == '-' ? '_' : path[base + i];
		char b = name[i] == '-' ? '_' : name[i];

		if (a != b)
			return false;
	}
	return !name[i] && base + i < length && path[base + i] == '.';
}

/*
 * Adds the paths on one line of modules.dep, "MODULE: DEPENDENCY…". A module
 * is listed before what it depends on, so the line is taken from its end.
 */
static void append_line(struct modules *modules, const struct kernel *kernel,
			char *line, const char *condition, bool kvm)
{
	char *word;

	line[strcspn(line, "\n")] = '\0';
	*strchr(line, ':') = ' ';
	while ((word = strrchr(line, ' '))) {
		if (word[1])
			append(modules, (struct module) {
				format("%s/%s", kernel->modules, word + 1), "always", kvm });
		*word = '\0';
	}
	append(modules, (struct module) {
		format("%s/%s", kernel->modules, line), condition, kvm });
}

/* Returns whether the kernel has the module as a file; adds it then. */
static bool append_named(struct modules *modules, const struct kernel *kernel,
			 const char *name, const char *condition, bool kvm)
{
	char *dep, *text, *line, *save;
	bool found = false;

	if (!kernel->modules)
		return false;
	dep = format("%s/modules.dep", kernel->modules);
	text = read_file(dep, NULL);
	if (!text)
		die("%s: %s", dep, strerror(errno));
	for (line = strtok_r(text, "\n", &save); line && !found;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t length = strcspn(line, ":");

		if (line[length] && is_module(line, length, name)) {
			append_line(modules, kernel, line, condition, kvm);
			found = true;
		}
	}
	free(text);
	free(dep);
	return found;
}

static bool is_builtin(const struct kernel *kernel, const char *name)
{
	char *list, *text, *line, *save;
	bool found = false;

	if (!kernel->modules)
		return true;	/* nothing says otherwise */
	list = format("%s/modules.builtin", kernel->modules);
	text = read_file(list, NULL);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save))
		found = is_module(line, strlen(line), name);
	free(text);
	free(list);
	return found;
}

void modules_add_kvm(struct modules *modules, const struct kernel *kernel)
{
	append_named(modules, kernel, "kvm-amd", "svm", true);
	append_named(modules, kernel, "kvm-intel", "vmx", true);
}

void modules_add_named(struct modules *modules, const struct kernel *kernel,
		       const char *name)
{
	if (!append_named(modules, kernel, name, "always", false) &&
	    !is_builtin(kernel, name))
		die("kernel %s has no module %s", kernel->release, name);
}

/* Finds the section of modinfo strings in a 64-bit ELF file of @size bytes. */
static const char *find_modinfo(const char *file, size_t size, size_t *length)
{
	const Elf64_Ehdr *header = (const void *)file;
	const Elf64_Shdr *sections, *names;

	if (size < sizeof(*header) || memcmp(file, ELFMAG, SELFMAG) ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_shoff > size || header->e_shoff % 8 ||
	    header->e_shnum > (size - header->e_shoff) / sizeof(*sections) ||
	    header->e_shstrndx >= header->e_shnum)
		return NULL;
	sections = (const void *)(file + header->e_shoff);
	names = &sections[header->e_shstrndx];
	for (unsigned int i = 0; i < header->e_shnum; i++) {
		const Elf64_Shdr *s = &sections[i];
		size_t name = names->sh_offset + s->sh_name;

		if (s->sh_type != SHT_PROGBITS || s->sh_offset > size ||
		    s->sh_size > size - s->sh_offset ||
		    name + sizeof(".modinfo") > size ||
		    memcmp(file + name, ".modinfo", sizeof(".modinfo")))
			continue;
		*length = s->sh_size;
		return file + s->sh_offset;
	}
	return NULL;
}

void modules_add_file(struct modules *modules, const struct kernel *kernel,
		      const char *path)
{
	static const char key[] = "vermagic=";
	size_t size, length = 0, at = 0, word;
	const char *info, *magic = NULL;
	char *file, *full;

	file = read_file(path, &size);
	if (!file)
		die("module %s: %s", path, strerror(errno));
	info = find_modinfo(file, size, &length);
	while (info && at < length && !magic) {
		size_t left = length - at;

		if (left > sizeof(key) && !memcmp(info + at, key, sizeof(key) - 1))
			magic = info + at + sizeof(key) - 1;
		at += strnlen(info + at, left) + 1;
	}
	if (!magic)
		die("%s is no kernel module", path);
	word = strcspn(magic, " ");
	if (word != strlen(kernel->release) ||
	    memcmp(magic, kernel->release, word))
		die("module %s is built for kernel %.*s, not for %s", path,
		    (int)word, magic, kernel->release);
	free(file);
	full = realpath(path, NULL);
	if (!full)
		die("module %s: %s", path, strerror(errno));
	append(modules, (struct module) { full, "always", false });
}

char *module_read(const char *path, size_t *size)
{
	const char *dot = strrchr(path, '.');
	char *unpack[] = { NULL, "-dc", "--", (char *)path, NULL };
	char *data;

	if (!strcmp(dot, ".ko"))
		data = read_file(path, size);
	else if (!strcmp(dot, ".xz"))
		unpack[0] = "xz";
	else if (!strcmp(dot, ".zst"))
		unpack[0] = "zstd";
	else if (!strcmp(dot, ".gz"))
		unpack[0] = "gzip";
	else
		die("module %s: its compression is not known", path);
	if (unpack[0])
		data = read_program(unpack, size);
	if (!data)
		die("cannot read module %s", path);
	return data;
}
